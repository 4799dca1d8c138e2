"""ha-iris: a highly available InterSystems IRIS without mirroring, one stack per environment."""

import pulumi

from stacks import compose

for name, value in compose().items():
    pulumi.export(name, value)
