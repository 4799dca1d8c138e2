"""What must be true of a cluster that somebody else made."""

import base64
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from components.existing_cluster import ExistingCluster, ExistingClusterSettings, flatten

PROVIDER = "pulumi:providers:kubernetes"


def settings(kubeconfig: str, **given) -> ExistingClusterSettings:
    return ExistingClusterSettings(kubeconfig=kubeconfig, **given)


def test_the_provider_keeps_its_identity_whatever_else_of_the_kubeconfig_changes(
    deploy, kubeconfig
):
    provider = deploy(lambda: ExistingCluster("cluster", settings(kubeconfig))).one(PROVIDER)

    assert provider.inputs["clusterIdentifier"] == "here"
    assert provider.inputs["enablePatchForce"] == "true"
    assert provider.inputs["enableSecretMutable"] == "true"


def test_the_provider_reaches_the_chosen_context_and_no_other(deploy, kubeconfig):
    engine = deploy(lambda: ExistingCluster("cluster", settings(kubeconfig, context="there")))
    inner = yaml.safe_load(engine.one(PROVIDER).inputs["kubeconfig"])

    assert inner["current-context"] == "there"
    assert [context["name"] for context in inner["contexts"]] == ["there"]


def test_the_kubeconfig_is_secret(deploy, kubeconfig):
    engine = deploy(lambda: ExistingCluster("cluster", settings(kubeconfig)))

    assert engine.one(PROVIDER).secret_inputs == {"kubeconfig"}


def test_certificate_files_travel_inside_the_kubeconfig(kubeconfig):
    file = Path(kubeconfig)
    document = yaml.safe_load(file.read_text())
    document["clusters"][0]["cluster"]["certificate-authority"] = "ca.crt"
    file.write_text(yaml.safe_dump(document))
    file.with_name("ca.crt").write_text("certificate")

    cluster = flatten(kubeconfig, None)["clusters"][0]["cluster"]

    assert base64.b64decode(cluster["certificate-authority-data"]) == b"certificate"
    assert "certificate-authority" not in cluster


def test_a_certificate_file_that_is_missing_is_named(kubeconfig):
    file = Path(kubeconfig)
    document = yaml.safe_load(file.read_text())
    document["users"][0]["user"]["client-key"] = "gone.key"
    file.write_text(yaml.safe_dump(document))

    with pytest.raises(ValidationError, match=r"its client-key .*gone\.key does not exist"):
        settings(kubeconfig)


@pytest.mark.parametrize(
    "text",
    ["", "just words", "[1, 2]", "{unclosed", "clusters: 7", "clusters: []\ncontexts: [{}]"],
)
def test_what_is_no_kubeconfig_is_refused_without_a_traceback(tmp_path, text):
    file = tmp_path / "kubeconfig"
    file.write_text(text)

    with pytest.raises(ValidationError, match=r"not a kubeconfig|no current context"):
        settings(str(file))


def test_a_context_whose_user_is_missing_is_refused(kubeconfig):
    file = Path(kubeconfig)
    document = yaml.safe_load(file.read_text())
    document["users"] = []
    file.write_text(yaml.safe_dump(document))

    with pytest.raises(ValidationError, match="no 'u' among its users"):
        settings(kubeconfig)
