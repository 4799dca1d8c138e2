"""All models by the type token of the Pulumi resource."""

from tests.contract.aws import AWS
from tests.contract.azure import AZURE
from tests.contract.azure_models import AzureModel
from tests.contract.cloudformation import CloudFormation
from tests.contract.gcp import GCP
from tests.contract.google_protos import GoogleProto

CLOUDS = ("aws:", "azure-native:", "gcp:")
"""What the type tokens of cloud resources begin with."""

BY_STACK: dict[str, dict[str, CloudFormation] | dict[str, AzureModel] | dict[str, GoogleProto]] = {
    "eks": AWS,
    "aks": AZURE,
    "gke": GCP,
}

MODELS: dict[str, CloudFormation | AzureModel | GoogleProto] = {**AWS, **AZURE, **GCP}
