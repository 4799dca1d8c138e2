"""What every settings model shares, and the types that several of them use."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Interface, IPv4Network, collapse_addresses
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo
from pydantic.alias_generators import to_camel


class Settings(BaseModel):
    """One group of a stack file: camelCase there, snake_case here, immutable once read.

    A fault that a validator finds is a ``ValueError("reason; cure")``: the loader in
    ``stacks.settings`` puts the key and the value in front of it. A validator that compares two
    fields belongs to the later one and reads the earlier from ``info.data``, so that one bad
    field never hides another.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
    )


def _ends_where_a_name_may(name: str) -> str:
    if name.endswith("-"):
        raise ValueError("a Kubernetes name ends with a letter or a digit; drop the last hyphen")
    return name


KubernetesName = Annotated[
    str,
    Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=63),
    AfterValidator(_ends_where_a_name_may),
]
"""An RFC 1123 label: lower-case letters, digits and hyphens, at most 63."""


def _is_a_name_in_dns(name: str) -> str:
    if "://" in name or "/" in name or ":" in name:
        raise ValueError(
            "a host name is no URL: it has no scheme, port or path; write it as in iris.example.org"
        )
    if "*" in name:
        raise ValueError(
            "a wildcard is no name that a client could type; write the one name, as in "
            "iris.example.org"
        )
    if not re.fullmatch(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))+", name) or (
        re.fullmatch(r"[\d.]+", name)
    ):
        raise ValueError(
            "this is no full host name in lower-case letters, digits, hyphens and dots; write it "
            "as in iris.example.org"
        )
    return name


AnnotationKey = Annotated[
    str, Field(pattern=r"^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$")
]
"""Key of an annotation, such as example.com/name (Kubernetes, annotations)."""

Hostname = Annotated[str, Field(max_length=253), AfterValidator(_is_a_name_in_dns)]
"""A full name in DNS, such as iris.example.org: no wildcard, no address, no URL."""

Gib = Annotated[int, Field(gt=0)]
"""A size in GiB (2**30 bytes)."""

ContainerImage = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9.-]+(:\d+)?(/[a-z0-9._-]+)*"
        r"(:[\w][\w.-]{0,127}(@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})$"
    ),
]
"""An image with its tag, its digest or both."""

Seconds = Annotated[int, Field(ge=0)]
"""A duration in seconds."""


def _without_host_bits(text: object) -> str:
    try:
        around = IPv4Interface(text).network
    except ValueError:
        raise ValueError("this is no IPv4 network; write it as in 203.0.113.0/24") from None
    if str(around) not in (str(text), f"{text}/32"):
        raise ValueError(f"the address has bits beyond its network; set it to {around}")
    return str(around)


Cidr = Annotated[IPv4Network, BeforeValidator(_without_host_bits)]
"""An IPv4 network such as 203.0.113.0/24; host bits must be zero."""

EXAMPLES = tuple(map(IPv4Network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))
"""Networks of documentation, which nobody has (RFC 5737)."""

EXAMPLES_WILL_DO = "examples_will_do"
"""Key of the validation context: nothing is created, so nobody has to get in."""


def no_examples(cidrs: tuple[IPv4Network, ...], info: ValidationInfo) -> tuple[IPv4Network, ...]:
    """A check of the networks that may reach a Kubernetes API.

    A stack file may keep an example as long as nobody deploys it: with it the cluster would be
    made, and the program that made it would be the first that cannot get in.
    """
    for cidr in cidrs:
        if any(cidr.overlaps(example) for example in EXAMPLES) and not (info.context or {}).get(
            EXAMPLES_WILL_DO
        ):
            raise ValueError(
                f"{cidr} is an address of documentation (RFC 5737), which no machine has, and the "
                "cluster would be closed to you too; put the address there that `pulumi up` comes "
                "from, as https://checkip.amazonaws.com shows it, with /32 behind it"
            )
    return cidrs


def open_to_all(networks: Iterable[IPv4Network]) -> bool:
    """Whether networks are the whole Internet together, as 0.0.0.0/1 and 128.0.0.0/1 are."""
    return any(network.prefixlen == 0 for network in collapse_addresses(networks))


def _is_nobody_elses(network: IPv4Network) -> IPv4Network:
    if (
        network.is_global
        or network.is_link_local
        or network.is_loopback
        or network.is_multicast
        or network.overlaps(IPv4Network("0.0.0.0/8"))
    ):
        raise ValueError(
            "these addresses belong to others, who could then not be reached from here; take a "
            "range of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"
        )
    return network


OwnRange = Annotated[Cidr, AfterValidator(_is_nobody_elses)]
"""Addresses that a network of one's own may have."""
