"""What the fencing agent asks of Azure, against what azure-mgmt-compute would send."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import HttpTransport
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute.models import (
    VirtualMachineScaleSetVM,
    VirtualMachineScaleSetVMInstanceView,
)

from components.fencing.program.azure import API_VERSION, Azure
from components.fencing.program.power import PowerError, WrongMachine

VM = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute"
    "/virtualMachineScaleSets/aks-a-1-vmss/virtualMachines/0"
)


@pytest.fixture
def azure(cloud, tmp_path):
    token = tmp_path / "token"
    token.write_text("pod-token")
    cloud.answers["/tenant/oauth2/v2.0/token"] = (
        200,
        json.dumps({"access_token": "t", "expires_in": 3600}),
    )
    return Azure("tenant", "client", token=str(token), login=cloud.url, management=cloud.url)


class NobodySent(Exception):
    """The request was kept, and went nowhere."""


class Kept(HttpTransport):
    """Where the library's requests end."""

    def __init__(self):
        self.asked = []

    def send(self, request, **kwargs):
        url = urlsplit(request.url)
        self.asked.append((request.method, url.path, parse_qs(url.query), request.content or ""))
        raise NobodySent

    def open(self):
        pass

    def close(self):
        pass

    def __exit__(self, *_):
        pass


class Known:
    """Somebody whom Azure knows."""

    def get_token(self, *scopes, **_):
        return AccessToken("t", 2**40)


def test_what_azure_is_asked_is_what_its_own_library_would_ask(azure, cloud):
    cloud.answers[VM] = (200, json.dumps({"properties": {"osProfile": {"computerName": "n"}}}))
    cloud.answers[f"{VM}/powerOff"] = cloud.answers[f"{VM}/start"] = (202, "")
    cloud.answers[f"{VM}/instanceView"] = (200, "{}")
    transport = Kept()
    theirs = ComputeManagementClient(
        Known(), "s", transport=transport
    ).virtual_machine_scale_set_vms
    of = ("g", "aks-a-1-vmss", "0")

    azure.identify("n", "10.0.0.4", f"azure://{VM}")
    azure.off(VM, "request")
    azure.state(VM, "")
    azure.on(VM, "")
    for ask in (
        lambda: theirs.get(*of),
        lambda: theirs.begin_power_off(*of, skip_shutdown=True),
        lambda: theirs.get_instance_view(*of),
        lambda: theirs.begin_start(*of),
    ):
        with pytest.raises(NobodySent):
            ask()

    login, *asked = cloud.asked
    assert asked == transport.asked
    assert {query["api-version"][0] for _, _, query, _ in asked} == {API_VERSION}
    assert login[:2] == ("POST", "/tenant/oauth2/v2.0/token")


@pytest.mark.parametrize("status", [403, 409, 429])
def test_a_power_off_that_azure_refuses_leaves_nothing_behind_there(azure, cloud, status):
    cloud.answers[f"{VM}/powerOff"] = (status, "no")

    with pytest.raises(PowerError, match=f"{status} no"):
        azure.off(VM, "request")
    azure.done(VM, "")

    asked = [path for _, path, _, _ in cloud.asked]
    assert asked == ["/tenant/oauth2/v2.0/token", f"{VM}/powerOff"]


def test_the_pods_own_token_is_exchanged_for_one_of_azure_once(azure, cloud):
    cloud.answers[f"{VM}/start"] = (202, "")

    azure.on(VM, "")
    azure.on(VM, "")

    (login,) = cloud.forms()
    assert login["client_assertion"] == "pod-token"
    assert login["grant_type"] == "client_credentials"


def test_azure_reads_its_own_answers_as_the_agent_does():
    vm = VirtualMachineScaleSetVM({"properties": {"osProfile": {"computerName": "n"}}})
    view = VirtualMachineScaleSetVMInstanceView({"statuses": [{"code": "PowerState/stopped"}]})

    assert vm.as_dict()["properties"]["osProfile"]["computerName"] == "n"
    assert [status.code for status in view.statuses or []] == ["PowerState/stopped"]


@pytest.mark.parametrize(
    ("code", "means"),
    [
        ("PowerState/running", "on"),
        ("PowerState/starting", "on"),
        ("PowerState/stopping", "changing"),
        ("PowerState/stopped", "off"),
        ("PowerState/deallocated", "off"),
        ("PowerState/unknown", "changing"),
    ],
)
def test_a_machine_of_azure_is_off_when_it_says_stopped_or_deallocated(azure, cloud, code, means):
    statuses = [{"code": "ProvisioningState/succeeded"}, {"code": code}]
    cloud.answers[f"{VM}/instanceView"] = (200, json.dumps({"statuses": statuses}))

    assert azure.state(VM, "") == means


def test_a_machine_of_azure_that_is_not_the_nodes_is_refused(azure, cloud):
    told = {"properties": {"osProfile": {"computerName": "aks-a-1-vmss00000A"}}}
    cloud.answers[VM] = (200, json.dumps(told))

    assert azure.identify("aks-a-1-vmss00000a", "10.0.0.4", f"azure://{VM}") == VM
    with pytest.raises(WrongMachine, match="aks-a-1-vmss00000A"):
        azure.identify("aks-a-1-vmss00000b", "10.0.0.4", f"azure://{VM}")
    with pytest.raises(WrongMachine, match="no machine of a scale set"):
        azure.identify("n", "10.0.0.4", "azure:///subscriptions/s/virtualMachines/n")
