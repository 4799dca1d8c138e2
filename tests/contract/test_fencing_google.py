"""What the fencing agent asks of Google Cloud, against what Google's own client would send."""

import json

import pytest
from google.cloud.compute_v1.services.instances.transports.rest_base import (
    _BaseInstancesRestTransport as Instances,
)
from google.cloud.compute_v1.services.zone_operations.transports.rest_base import (
    _BaseZoneOperationsRestTransport as Operations,
)
from google.cloud.compute_v1.types import ResetInstanceRequest

from components.fencing.program.gcp import Gcp
from components.fencing.program.power import PowerError, SwitchFailed, WrongMachine


def gce(cloud):
    cloud.answers["/token"] = (200, json.dumps({"access_token": "t"}))
    return Gcp(compute=f"{cloud.url}/compute/v1", metadata=f"{cloud.url}/token")


def test_a_reset_asks_google_what_its_client_would_ask_and_is_off_when_done(cloud):
    machine, zone = (
        "projects/p/zones/europe-west1-b/instances/gke-n",
        "projects/p/zones/europe-west1-b",
    )
    power = gce(cloud)
    cloud.answers[f"/compute/v1/{machine}/reset"] = (200, json.dumps({"name": "op-1"}))
    cloud.answers[f"/compute/v1/{zone}/operations/op-1"] = (200, json.dumps({"status": "RUNNING"}))

    handle = power.off(machine, "3f1c")
    assert power.state(machine, "") == "on"
    assert power.state(machine, handle) == "changing"
    cloud.answers[f"/compute/v1/{zone}/operations/op-1"] = (200, json.dumps({"status": "DONE"}))
    assert power.state(machine, handle) == "off"

    names = {"project": "p", "zone": "europe-west1-b", "instance": "gke-n", "operation": "op-1"}
    (reset,) = Instances._BaseReset._get_http_options()
    (get,) = Operations._BaseGet._get_http_options()
    method, path, query, _ = cloud.asked[1]
    assert (method.lower(), path) == (reset["method"], reset["uri"].format(**names))
    assert query == {"requestId": ["3f1c"]}
    assert "request_id" in ResetInstanceRequest.meta.fields
    assert cloud.asked[-1][:2] == ("GET", get["uri"].format(**names))


def test_a_reset_that_failed_proves_nothing(cloud):
    power = gce(cloud)
    failed = {"status": "DONE", "error": {"errors": [{"code": "RESOURCE_NOT_FOUND"}]}}
    cloud.answers["/compute/v1/op"] = (200, json.dumps(failed))

    with pytest.raises(SwitchFailed, match="RESOURCE_NOT_FOUND"):
        power.state("m", "op")


@pytest.mark.parametrize("status", [403, 429, 503])
def test_a_reset_that_google_refuses_leaves_nothing_behind_there(cloud, status):
    power = gce(cloud)
    machine = "projects/p/zones/z/instances/gke-n"
    cloud.answers[f"/compute/v1/{machine}/reset"] = (status, "no")

    with pytest.raises(PowerError, match=f"{status} no"):
        power.off(machine, "3f1c")
    asked = [path for _, path, _, _ in cloud.asked]
    assert asked == ["/token", f"/compute/v1/{machine}/reset"]
    assert power.state(machine, "") == "on"
    power.done(machine, "")
    assert len(cloud.asked) == len(asked)


@pytest.mark.parametrize(("name", "address"), [("gke-n", "10.0.0.9"), ("gke-m", "10.0.0.8")])
def test_a_google_machine_that_is_not_the_nodes_is_refused(cloud, name, address):
    path = "/compute/v1/projects/p/zones/z/instances/gke-n"
    told = {"name": "gke-n", "networkInterfaces": [{"networkIP": "10.0.0.8"}]}
    cloud.answers[path] = (200, json.dumps(told))

    with pytest.raises(WrongMachine):
        gce(cloud).identify(name, address, "gce://p/z/gke-n")
    assert gce(cloud).identify("gke-n", "10.0.0.8", "gce://p/z/gke-n").endswith("/gke-n")
