"""All models by the type token of the Pulumi resource."""

from collections.abc import Sequence

from tests.contract.aws import AWS
from tests.contract.azure import AZURE
from tests.contract.azure_models import AzureModel
from tests.contract.cloudformation import CloudFormation
from tests.contract.gcp import GCP
from tests.contract.google_protos import GoogleProto
from tests.contract.programs import Deployed

CLOUDS = ("aws:", "azure-native:", "gcp:")
"""What the type tokens of cloud resources begin with."""

BY_STACK: dict[str, dict[str, CloudFormation] | dict[str, AzureModel] | dict[str, GoogleProto]] = {
    "eks": AWS,
    "aks": AZURE,
    "gke": GCP,
}

MODELS: dict[str, CloudFormation | AzureModel | GoogleProto] = {**AWS, **AZURE, **GCP}


def coverage(stack: str, runs: Sequence[Deployed]) -> str:
    """How much of what a stack registers is checked, in one line."""
    types = {run.resource.type for run in runs}
    return (
        f"contract {stack}: {len(types & MODELS.keys())} of {len(types)} resource types checked, "
        f"{len(runs)} resources in {len({run.variant for run in runs})} variants"
    )
