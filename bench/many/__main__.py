"""The whole program for a StatefulSet of as many databases as the stack file says."""

import os
from pathlib import Path

import pulumi

from stacks import compose

os.chdir(Path(__file__).parents[2])  # where the program's own files are
for name, value in compose().items():
    pulumi.export(name, value)
