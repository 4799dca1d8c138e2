"""What a stack may choose about its EKS cluster, and what Longhorn cannot live with."""

import re
from ipaddress import IPv4Network
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from components.aws.iam import ARN, AwsIamSettings
from components.aws.node_settings import KMS_KEY, EksNodeSettings
from components.kubernetes_version import TESTED, minor
from components.settings import Cidr, no_examples, open_to_all

OLDEST_KUBERNETES = 33
CLUSTER_NAME = r"^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$"
PRINCIPAL = ARN + r"iam::\d{12}:(role|user)/.+$"
LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")
LOG_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
BROKEN_RELEASES = ("20260930", "20261003")
"""AMI releases whose kernel 6.12.110 panics (awslabs/amazon-eks-ami, issue 2845)."""
ADD_ONS = ("vpc-cni", "kube-proxy", "eks-pod-identity-agent", "coredns", "snapshot-controller")


class EksClusterSettings(EksNodeSettings):
    """A cluster with one managed node group in each of three zones."""

    name: str | None = Field(default=None, pattern=CLUSTER_NAME)
    """Name of the cluster; None: ha-iris-STACK. A new name, a new cluster."""

    mode: str = "standard"
    """EKS mode of operation. Only standard, with managed node groups."""

    kubernetes_version: str = Field(default="1.36", pattern=r"^1\.\d{2}$")
    """Minor version of the control plane. Longhorn 1.12 is tested on 1.33 to 1.36.

    Raising it upgrades the control plane and the add-ons; nodes follow with nodeRelease.
    """

    node_release: str | None = Field(default=None, pattern=r"^1\.\d{2}\.\d+-\d{8}$")
    """Kubernetes version and AMI release of the nodes, such as 1.36.2-20261012; None: those they
    have, and the newest when they are made.

    A change replaces the nodes, one by one. Releases: github.com/awslabs/amazon-eks-ami.
    """

    addon_versions: dict[str, str] = Field(default={})
    """Add-on versions to hold, by add-on; others follow EKS's default for the Kubernetes version.

    `aws eks describe-addon-versions --addon-name vpc-cni --kubernetes-version 1.36` lists them.
    """

    support: Literal["STANDARD", "EXTENDED"] = "STANDARD"
    """What EKS does when standard support of the Kubernetes version ends.

    STANDARD: it upgrades the control plane to the next version. EXTENDED: it charges more.
    """

    api_endpoint: Literal["public", "private"] = "public"
    """How the Kubernetes API is reached. Nodes always reach it inside the VPC.

    public: a public address for apiAccessCidrs only. private: an address in the VPC, so `pulumi up`
    must run there or in a network that is joined to it, and apiAccessCidrs must name where.
    """

    api_access_cidrs: tuple[Cidr, ...] = Field(default=(), validate_default=True)
    """Networks that may reach the Kubernetes API, such as your office and your CI.

    With a private endpoint: the part of the VPC that `pulumi up` runs in, and networks that reach
    it through a VPN or peering. The cluster's security group admits nobody else but the nodes.
    """

    deployer: str | None = Field(default=None, pattern=PRINCIPAL)
    """ARN of the role that runs `pulumi up`; None: loginRole, or the one that runs the first.

    An administrator. Must be set where there are other administrators (admins).
    """

    login_role: str | None = Field(default=None, pattern=ARN + r"iam::\d{12}:role/.+$")
    """ARN of a role that the kubeconfig assumes before it logs in; None: the caller's own.

    An administrator.
    """

    admins: tuple[str, ...] = Field(default=(), validate_default=True)
    """ARNs of further roles and users that administer the cluster."""

    secrets_kms_key: str | None = Field(default=None, pattern=KMS_KEY)
    """ARN of the KMS key that encrypts Kubernetes Secrets in etcd; None: a key of EKS's own.

    It can be set later, and never be taken away again.
    """

    logs: tuple[Literal["api", "audit", "authenticator", "controllerManager", "scheduler"], ...] = (
        LOGS
    )
    """Control plane logs in CloudWatch, which charges for what is written."""

    log_retention_days: int = 90
    """Days for which they are kept."""

    logs_kms_key: str | None = Field(default=None, pattern=KMS_KEY)
    """ARN of the KMS key of the control plane's logs; None: CloudWatch's own.

    The key's policy must let logs.REGION.amazonaws.com use it.
    """

    cni_identity: Literal["node", "pod"] = "node"
    """Whose rights the network plugin has. pod: a role of its own, by EKS Pod Identity, so that
    nodes cannot change network interfaces. Not tried on an account: begin with it, or not at all.
    """

    iam: AwsIamSettings = AwsIamSettings()
    """What a site demands of the roles that the stack creates."""

    @field_validator("mode")
    @classmethod
    def _leaves_nodes_to_us(cls, mode: str) -> str:
        if mode != "standard":
            raise ValueError(
                "Auto Mode runs Bottlerocket and replaces nodes at will, and Fargate has no "
                "privileged pods: Longhorn can live in neither; set it to standard"
            )
        return mode

    @field_validator("kubernetes_version")
    @classmethod
    def _is_supported(cls, version: str) -> str:
        if minor(version) < OLDEST_KUBERNETES:
            first, last = TESTED
            raise ValueError(f"Longhorn 1.12 is not tested on it; set it to {first} to {last}")
        return version

    @field_validator("node_release")
    @classmethod
    def _boots_and_is_not_ahead(cls, release: str | None, info: ValidationInfo) -> str | None:
        if release is None:
            return release
        if release.endswith(BROKEN_RELEASES):
            raise ValueError(
                "its kernel 6.12.110 panics (awslabs/amazon-eks-ami issue 2845); "
                "choose 20261012 or newer"
            )
        version = info.data.get("kubernetes_version")
        if version and minor(release) > minor(version):
            raise ValueError(
                f"nodes cannot be newer than the control plane {version}; "
                "raise kubernetesVersion first"
            )
        if version and minor(release) < minor(version) - 3:
            raise ValueError(
                f"Kubernetes {version} takes nodes of three minor versions before it, and none "
                "older; raise nodeRelease first"
            )
        return release

    @field_validator("addon_versions")
    @classmethod
    def _are_ours(cls, versions: dict[str, str]) -> dict[str, str]:
        for name, version in versions.items():
            if name not in ADD_ONS:
                raise ValueError(
                    f"{name} is no add-on of this cluster; name one of {', '.join(ADD_ONS)}"
                )
            if not re.match(r"^v\d+\.\d+\.\d+-eksbuild\.\d+$", version):
                raise ValueError(
                    f"{version} is no add-on version; write it as in v1.20.4-eksbuild.2"
                )
        return versions

    @field_validator("api_access_cidrs")
    @classmethod
    def _are_not_the_world(
        cls, cidrs: tuple[IPv4Network, ...], info: ValidationInfo
    ) -> tuple[IPv4Network, ...]:
        if open_to_all(cidrs):
            raise ValueError(
                "0.0.0.0/0 shows the Kubernetes API to the whole Internet; name the networks that "
                "need it, or set apiEndpoint to private"
            )
        if info.data.get("api_endpoint") == "private" and not cidrs:
            raise ValueError(
                "the cluster's security group admits its nodes only, and `pulumi up` would be "
                "refused in the VPC too; list the networks that it comes from, such as vpcRange"
            )
        if not cidrs:
            raise ValueError(
                "nobody could reach the Kubernetes API, `pulumi up` included; list the networks "
                "that may, such as [203.0.113.0/24], or set apiEndpoint to private"
            )
        return cidrs

    _are_no_examples = field_validator("api_access_cidrs")(no_examples)

    @field_validator("admins")
    @classmethod
    def _are_principals(cls, admins: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        for admin in admins:
            if ":assumed-role/" in admin:
                raise ValueError(
                    f"{admin} is a session, and EKS knows roles; "
                    "write the role, as in arn:aws:iam::123456789012:role/dba"
                )
            if not re.match(PRINCIPAL, admin):
                raise ValueError(
                    f"{admin} is no role or user; write it as in arn:aws:iam::123456789012:role/dba"
                )
        deployer, login_role = info.data.get("deployer"), info.data.get("login_role")
        if admins and not (deployer or login_role):
            raise ValueError(
                "EKS refuses to name an administrator twice, and whoever runs the first "
                "`pulumi up` is one; set deployer to the role that runs it, and drop that role here"
            )
        if deployer in admins or login_role in admins:
            raise ValueError(
                "deployer and loginRole are administrators already, and EKS refuses to name one "
                "twice; drop it here"
            )
        if len(set(admins)) != len(admins):
            raise ValueError("one is named twice; name each once")
        return admins

    @field_validator("log_retention_days")
    @classmethod
    def _is_known_to_cloudwatch(cls, days: int) -> int:
        if days not in LOG_DAYS:
            raise ValueError(
                f"CloudWatch keeps logs for {', '.join(map(str, LOG_DAYS))} days; "
                f"set it to {min(LOG_DAYS, key=lambda known: abs(known - days))}"
            )
        return days
