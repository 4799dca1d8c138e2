"""Machines of AKS's scale sets, with the pod's own token for Microsoft Entra."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from .https import call
from .power import WrongMachine

API_VERSION = "2026-04-01"
"""That of azure-mgmt-compute 39.0.0, with which the contract tests compare."""
MACHINE = re.compile(
    r"azure://(/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Compute"
    r"/virtualMachineScaleSets/[^/]+/virtualMachines/\d+)",
    re.IGNORECASE,
)


class Azure:
    """Powers a machine of a scale set off, without its system's shutdown, and on again."""

    def __init__(
        self,
        tenant: str,
        client: str,
        *,
        token: str = "/var/run/secrets/azure/token",
        login: str = "https://login.microsoftonline.com",
        management: str = "https://management.azure.com",
    ) -> None:
        self._tenant, self._client = tenant, client
        self._token = Path(token)
        self._login, self._management = login, management
        self._bearer, self._until = "", 0.0

    def identify(self, name: str, address: str, provider_id: str) -> str:
        """The machine that the node names, if its own name is the node's."""
        found = MACHINE.fullmatch(provider_id)
        if not found:
            raise WrongMachine(f"{name} names no machine of a scale set: {provider_id!r}")
        told = self._ask("GET", found[1])
        owner = told.get("properties", {}).get("osProfile", {}).get("computerName", "")
        # Kubernetes knows small letters alone.
        if owner.lower() != name:
            raise WrongMachine(f"{found[1]} is called {owner or 'nothing'}, and the node {name}")
        return found[1]

    def off(self, machine: str, request: str) -> str:
        """Cut the power. The machine stays where it is, and so do its disks."""
        self._ask("POST", f"{machine}/powerOff", skipShutdown="true")
        return ""

    def state(self, machine: str, handle: str) -> str:
        """``off`` once Azure says stopped or deallocated."""
        view = self._ask("GET", f"{machine}/instanceView")
        codes = [status.get("code", "") for status in view.get("statuses", [])]
        power = next((code for code in codes if code.startswith("PowerState/")), "")
        if power in ("PowerState/stopped", "PowerState/deallocated"):
            return "off"
        return "on" if power in ("PowerState/running", "PowerState/starting") else "changing"

    def on(self, machine: str, handle: str) -> None:
        """Start the machine."""
        self._ask("POST", f"{machine}/start")

    def done(self, machine: str, handle: str) -> None:
        """Nobody else was told."""

    def _ask(self, method: str, path: str, **query: str) -> dict[str, Any]:
        url = f"{self._management}{path}?{urlencode({**query, 'api-version': API_VERSION})}"
        headers = {"Authorization": f"Bearer {self._logged_in()}"}
        text = call(method, url, headers=headers, body=b"" if method == "POST" else None)
        return json.loads(text) if text else {}

    def _logged_in(self) -> str:
        if time.monotonic() > self._until:
            url = f"{self._login}/{self._tenant}/oauth2/v2.0/token"
            form = {
                "grant_type": "client_credentials",
                "client_id": self._client,
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": self._token.read_text().strip(),
                "scope": f"{self._management}/.default",
            }
            answer = json.loads(call("POST", url, body=urlencode(form).encode()))
            self._bearer = answer["access_token"]
            self._until = time.monotonic() + float(answer["expires_in"]) - 300
        return self._bearer
