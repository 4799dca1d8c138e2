"""EC2 and Auto Scaling, signed by hand (Signature Version 4), with EKS Pod Identity's role."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from .https import call
from .power import PowerError, WrongMachine

VERSIONS = {"ec2": "2016-11-15", "autoscaling": "2011-01-01"}
WITHOUT = ["HealthCheck", "ReplaceUnhealthy"]
"""What Auto Scaling must leave alone: it would replace a machine that is stopped, disk and all."""


class Aws:
    """Stops an instance by force, and starts it again."""

    def __init__(self, region: str, endpoints: Mapping[str, str] | None = None) -> None:
        self._region = region
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        self._endpoints = {
            service: f"https://{service}.{region}.{suffix}/" for service in VERSIONS
        } | dict(endpoints or {})

    def identify(self, name: str, address: str, provider_id: str) -> str:
        """The instance that the node names, if it has the node's address."""
        found = re.fullmatch(r"aws:///[^/]*/(i-[0-9a-f]+)", provider_id)
        if not found:
            raise WrongMachine(f"{name} names no instance: {provider_id!r}")
        machine = found[1]
        told = self._instance(machine)
        owner = told.findtext("{*}privateIpAddress")
        if not address or owner != address:
            raise WrongMachine(f"{machine} has the address {owner}, and {name} has {address}")
        return machine

    def off(self, machine: str, request: str) -> str:
        """Have Auto Scaling look away, and stop the instance without a word to its system."""
        handle = self._look_away(machine)
        self._ask("ec2", "StopInstances", InstanceId=[machine], Force="true", SkipOsShutdown="true")
        return handle

    def state(self, machine: str, handle: str) -> str:
        """``off`` once EC2 says stopped: a stopped instance is on no host."""
        name = self._instance(machine).findtext("{*}instanceState/{*}name")
        if name in ("stopped", "terminated"):
            return "off"
        return "on" if name in ("running", "pending") else "changing"

    def on(self, machine: str, handle: str) -> None:
        """Start the instance."""
        self._ask("ec2", "StartInstances", InstanceId=[machine])

    def done(self, machine: str, handle: str) -> None:
        """Have Auto Scaling take the instance for what it is, and look again.

        An instance that the group has given up meanwhile must not keep it from looking. Where
        nobody noted which group looks away, as after a stop that was refused, it is the instance's.
        """
        group = self._group(machine)
        if group:
            self._ask(
                "autoscaling",
                "SetInstanceHealth",
                InstanceId=machine,
                HealthStatus="Healthy",
                ShouldRespectGracePeriod="false",
            )
        if handle or group:
            self._ask(
                "autoscaling",
                "ResumeProcesses",
                AutoScalingGroupName=handle or group,
                ScalingProcesses=WITHOUT,
            )

    def _look_away(self, machine: str) -> str:
        """Name of the instance's group, which does not look at its machines from now on.

        Standby, which is for one machine, is refused where a group has no more than its minimum.
        """
        if group := self._group(machine):
            self._ask(
                "autoscaling",
                "SuspendProcesses",
                AutoScalingGroupName=group,
                ScalingProcesses=WITHOUT,
            )
        return group

    def _group(self, machine: str) -> str:
        asked = self._ask("autoscaling", "DescribeAutoScalingInstances", InstanceIds=[machine])
        return asked.findtext(".//{*}AutoScalingGroupName") or ""

    def _instance(self, machine: str) -> ElementTree.Element:
        asked = self._ask("ec2", "DescribeInstances", InstanceId=[machine])
        found = asked.findall("{*}reservationSet/{*}item/{*}instancesSet/{*}item")
        if len(found) != 1:
            raise WrongMachine(f"EC2 knows {len(found)} instances {machine}")
        return found[0]

    def _ask(self, service: str, action: str, **arguments: str | list[str]) -> ElementTree.Element:
        fields = {"Action": action, "Version": VERSIONS[service]}
        list_of = "{}.{}" if service == "ec2" else "{}.member.{}"
        for key, value in arguments.items():
            if isinstance(value, str):
                fields[key] = value
            else:
                fields |= {list_of.format(key, n): item for n, item in enumerate(value, 1)}
        body = urlencode(fields).encode()
        url = self._endpoints[service]
        headers = signed(url, body, service=service, region=self._region, keys=keys())
        try:
            return ElementTree.fromstring(call("POST", url, headers=headers, body=body))
        except ElementTree.ParseError as error:
            raise PowerError(f"{action}: the answer is no XML: {error}") from error


def keys() -> dict[str, str]:
    """What the Pod Identity agent of this node gives to this pod, for the time being."""
    url = os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if not url:
        raise PowerError("this pod has no role: it is older than its association, delete it")
    token = Path(os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]).read_text().strip()
    return json.loads(call("GET", url, headers={"Authorization": token}))


def signed(
    url: str,
    body: bytes,
    *,
    service: str,
    region: str,
    keys: Mapping[str, str],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> dict[str, str]:
    """Headers of a POST (AWS, "Create a signed AWS API request")."""
    moment = now().strftime("%Y%m%dT%H%M%SZ")
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    headers = {
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
        "host": urlsplit(url).netloc,
        "x-amz-date": moment,
        "x-amz-security-token": keys["Token"],
    }
    names = ";".join(headers)
    canonical = "\n".join(
        (
            "POST",
            urlsplit(url).path or "/",
            "",
            *(f"{name}:{value}" for name, value in headers.items()),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        )
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{keys['SecretAccessKey']}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}"
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"{keys['AccessKeyId']}/{scope}"
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    )
    return headers
