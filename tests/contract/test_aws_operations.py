"""AWS's requests as botocore knows them."""

import pytest

from tests.contract.aws_operations import OPERATIONS
from tests.contract.test_checkers import CLUSTER, GOOD, NODE_GROUP, TEMPLATE, changed


@pytest.mark.parametrize("token", [CLUSTER, NODE_GROUP, TEMPLATE])
def test_a_request_as_aws_documents_it_is_accepted(token):
    assert OPERATIONS[token].faults(GOOD[token]) == []


@pytest.mark.parametrize(
    ("token", "path", "new", "said"),
    [
        pytest.param(CLUSTER, "name", "iris cluster", "does not match", id="pattern"),
        pytest.param(CLUSTER, "name", "i" * 101, "longer than 100", id="length"),
        pytest.param(CLUSTER, "upgradePolicy.supportType", "NEVER", "not one of", id="enum"),
        pytest.param(CLUSTER, "enabledClusterLogTypes", ["kubelet"], "not one of", id="list"),
        pytest.param(CLUSTER, "tags", {"a" * 129: "b"}, "longer than 128", id="map-key"),
        pytest.param(CLUSTER, "upgradePolcy", {}, "Unknown parameter", id="unknown-field"),
        pytest.param(CLUSTER, "roleArn", None, "Missing required", id="missing"),
        pytest.param(NODE_GROUP, "updateConfig.maxUnavailable", "1", "Invalid type", id="type"),
        pytest.param(NODE_GROUP, "updateConfig.maxUnavailable", 0, "Invalid value", id="minimum"),
        pytest.param(TEMPLATE, "metadataOptions.httpTokens", "maybe", "not one of", id="ec2-enum"),
    ],
)
def test_what_aws_would_refuse_is_refused(token, path, new, said):
    assert said in " ".join(OPERATIONS[token].faults(changed(GOOD[token], path, new)))


@pytest.mark.parametrize("token", OPERATIONS)
def test_aws_accepts_the_request_for_every_resource_of_a_type(deployed, token):
    found = [run for run in deployed("eks") if run.resource.type == token]

    assert found, f"no variant of eks registers {token}"
    faults = [
        f"{run.resource.name} ({run.variant}): {fault}"
        for run in found
        for fault in OPERATIONS[token].faults(run.resource.inputs)
    ]
    assert not faults, "\n".join(faults)
