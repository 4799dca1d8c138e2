"""Volumes that are encrypted, and keys that nobody loses by mistake."""

import json
from typing import Any

import pulumi
import pytest

from components.longhorn.encryption import MARK, EncryptionSettings, luks, mark, never_changed
from components.longhorn.replica_change import replicas_told
from stacks import compose

CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"
PASSWORD = "random:index/randomPassword:RandomPassword"
JOB = "kubernetes:longhorn.io/v1beta2:RecurringJob"
KEY = "0123456789abcdef0123456789abcdef"


def config(kubeconfig: str, encryption: dict[str, Any], **groups: Any) -> dict[str, str]:
    groups = {
        "cluster": {"kubeconfig": kubeconfig},
        "longhorn": {"encryption": encryption},
        **groups,
    }
    return {f"ha-iris:{key}": json.dumps(value) for key, value in groups.items()}


@pytest.fixture
def encrypted(deploy, kubeconfig):
    """Runs the program with these settings of encryption; the engine and the outputs."""

    def run(protect_data: bool = True, **encryption: Any):
        outputs: dict[str, Any] = {}
        given = config(kubeconfig, {"enabled": True, **encryption}, protectData=protect_data)
        engine = deploy(
            lambda: outputs.update(compose()), config=given, secret_keys=["ha-iris:longhorn"]
        )
        return engine, outputs

    return run


def test_a_class_that_encrypts_has_the_key_for_every_step_of_a_volumes_life(encrypted):
    engine, _ = encrypted()

    parameters = engine.one(CLASS, "longhorn-storage-class").inputs["parameters"]
    assert parameters["encrypted"] == "true"
    # Without the last one a volume that grew keeps its old size inside (CSI node expansion).
    for step in ("provisioner", "node-publish", "node-stage", "node-expand"):
        name = parameters[f"csi.storage.k8s.io/{step}-secret-name"]
        where = parameters[f"csi.storage.k8s.io/{step}-secret-namespace"]
        assert (name, where) == ("longhorn-volume-key", "longhorn-system")
    secret = engine.named("longhorn-volume-secret").inputs
    assert secret["metadata"]["name"] == "longhorn-volume-key"


def test_a_class_for_journals_that_nobody_looks_at_is_refused_beside_encryption(
    refused, kubeconfig
):
    journals = {"volumeGib": 20, "storageClass": "longhorn-nvme"}
    given = config(kubeconfig, {"enabled": True}, iris={"journals": journals})

    told = refused(given, secret_keys=["ha-iris:longhorn"])

    assert "ha-iris:longhorn: encryption.enabled is true, and journals go to StorageClass" in told
    assert "longhorn-nvme, which nobody here makes or looks at" in told


def test_volumes_are_plain_unless_a_stack_file_says_otherwise(committed):
    engine = committed("dev")

    assert "encrypted" not in engine.one(CLASS, "longhorn-storage-class").inputs["parameters"]
    assert not [r for r in engine.resources if "volume-secret" in r.name]
    assert "annotations" not in engine.named("longhorn-namespace").inputs["metadata"]


def test_a_generated_key_refuses_every_destroy_until_somebody_says_that_it_may_go(encrypted):
    for protect_data in (True, False):
        kept, _ = encrypted(protect_data)
        assert kept.one(PASSWORD, "longhorn-volume-key").protect
    gone, _ = encrypted(False, forgetKey=True)
    assert not gone.one(PASSWORD, "longhorn-volume-key").protect


def test_the_key_is_secret_wherever_it_is_and_an_output_to_keep_elsewhere(
    encrypted, resolve, caplog
):
    engine, outputs = encrypted()

    assert "stringData" in engine.named("longhorn-volume-secret").secret_inputs
    assert resolve(pulumi.Output.from_input(outputs["volumeKey"].is_secret())) is True
    assert "pulumi stack output volumeKey --show-secrets" in caplog.text


def test_a_key_of_a_stack_file_is_used_and_none_is_generated(encrypted, resolve, caplog):
    engine, outputs = encrypted(key=KEY)

    assert [r.name for r in engine.of_type(PASSWORD)] == ["iris-credentials-password"]
    secret = engine.named("longhorn-volume-secret").inputs["stringData"]
    assert secret["CRYPTO_KEY_VALUE"] == KEY == resolve(outputs["volumeKey"])
    assert "keep a copy elsewhere" not in caplog.text


def test_nobody_puts_another_key_where_the_key_is(encrypted):
    engine, _ = encrypted()

    secret = engine.named("longhorn-volume-secret")
    # The API server refuses a change, also from a program that lost its state.
    assert secret.inputs["immutable"] is True
    assert secret.protect
    assert secret.request.retainOnDelete


def test_a_claim_waits_for_the_key_and_is_gone_before_it_goes(encrypted):
    engine, _ = encrypted()

    claim = engine.one("kubernetes:core/v1:PersistentVolumeClaim")
    assert "longhorn-volume-secret" in claim.depends_on


def test_no_trim_is_scheduled_for_volumes_that_refuse_it(encrypted):
    engine, _ = encrypted()

    assert engine.of_type(JOB) == []


def test_a_key_that_can_be_guessed_gets_a_slow_derivation_and_a_generated_one_a_light_one():
    assert luks(KEY, generated=True)["CRYPTO_PBKDF"] == "pbkdf2"
    assert luks(KEY, generated=False)["CRYPTO_PBKDF"] == "argon2id"
    assert luks(KEY, generated=True)["CRYPTO_KEY_SIZE"] == "512"


@pytest.mark.parametrize(
    ("encryption", "said"),
    [
        (
            {"key": KEY},
            "longhorn.encryption.key: it would encrypt nothing, as enabled is false",
        ),
        ({"enabled": True, "key": "short"}, "a key has 32 characters or more"),
        ({"enabled": True, "key": f"{KEY}\n"}, "a key has 32 characters or more"),
        (
            {"enabled": True, "key": KEY, "forgetKey": True},
            "longhorn.encryption.forgetKey is true: only a generated key is the program's to",
        ),
        ({"forgetKey": True}, "only a generated key is the program's to forget"),
    ],
)
def test_a_key_that_protects_nothing_is_refused(refused, kubeconfig, encryption, said):
    told = refused(config(kubeconfig, encryption), secret_keys=["ha-iris:longhorn"])

    assert said in told
    assert KEY not in told


def test_a_key_in_clear_is_refused_and_not_repeated(refused, kubeconfig):
    told = refused(config(kubeconfig, {"enabled": True, "key": KEY}))

    assert "ha-iris:longhorn.encryption.key is in clear" in told
    assert KEY not in told


def namespace(*, encrypted: bool) -> dict[str, Any]:
    return {"metadata": {"name": "longhorn-system", **mark(encrypted=encrypted)}}


@pytest.mark.parametrize("was", [True, False])
def test_encryption_is_never_turned_on_or_off_under_volumes_that_exist(told, was):
    now, asked = str(was).lower(), str(not was).lower()

    with pytest.raises(ValueError, match=f"encryption.enabled is {asked}, and the .* was {now}"):
        told(never_changed, namespace(encrypted=was), namespace(encrypted=not was))
    assert told(never_changed, namespace(encrypted=was), namespace(encrypted=was)) == []


def test_the_namespace_tells_a_later_run_how_volumes_were_made(encrypted):
    engine, _ = encrypted()

    marked = engine.named("longhorn-namespace")
    assert marked.inputs["metadata"]["annotations"] == {MARK: "encrypted"}
    assert [*marked.request.hooks.before_update] == ["longhorn-encryption"]


def release(replicas: int) -> dict[str, Any]:
    return {"values": {"defaultSettings": {"defaultReplicaCount": replicas}}}


def test_another_number_of_copies_is_said_to_be_for_new_volumes(told):
    (line,) = told(replicas_told, release(3), release(2))

    assert "longhorn.replicas goes from 3 to 2 for new volumes" in line
    assert '{"spec":{"numberOfReplicas":2}}' in line
    assert told(replicas_told, release(3), release(3)) == []


def test_the_release_tells_of_another_number_of_copies(committed):
    hooks = committed("dev").named("longhorn-release").request.hooks

    assert [*hooks.before_update] == ["longhorn-replicas"]


def test_what_a_stack_file_says_of_encryption_is_off_by_default():
    assert EncryptionSettings() == EncryptionSettings(enabled=False, key=None, forget_key=False)
