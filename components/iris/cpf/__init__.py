"""The CPF merge file: how IRIS is configured before it starts, and what a stack file may say."""

from components.iris.cpf.actions import CpfActions
from components.iris.cpf.merge import CpfSections, merge_file, password_hash
from components.iris.cpf.parameters import CpfParameters

__all__ = [
    "CpfActions",
    "CpfParameters",
    "CpfSections",
    "merge_file",
    "password_hash",
]
