"""The process that the engine starts."""

import sys

from lab.plugins.kubernetes.provider import KubernetesStandIn
from lab.plugins.protocol import Engine, serve

provider = KubernetesStandIn(Engine(sys.argv[1:]))
serve(provider)
provider.cancel()
