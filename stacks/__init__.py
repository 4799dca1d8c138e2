"""One composition per kind of environment. This is where the one for a stack is chosen."""

import pulumi

from stacks.stack_file import StackFile


def compose() -> dict[str, pulumi.Input[object]]:
    """Build what the stack file asks for and return the stack's outputs.

    Only the chosen cloud's module, and with it only that cloud's SDK, is imported.

    Raises:
        pulumi.RunError: the stack file has faults; the message lists every one of them.
    """
    stack_file = StackFile.of_this_stack()
    match stack_file.cloud():
        case "existing":
            from stacks.existing import ExistingStackSettings, build

            return build(stack_file.settings(ExistingStackSettings))
        case "aws":
            from stacks.eks import EksStackSettings, build

            return build(stack_file.settings(EksStackSettings))
        case "azure":
            from stacks.aks import AksStackSettings, build

            return build(stack_file.settings(AksStackSettings))
        case "gcp":
            from stacks.gke import GkeStackSettings, build

            return build(stack_file.settings(GkeStackSettings))
