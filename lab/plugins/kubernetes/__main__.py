"""The process that the engine starts."""

from lab.plugins.kubernetes.provider import KubernetesStandIn
from lab.plugins.protocol import serve

provider = KubernetesStandIn()
serve(provider)
provider.cancel()
