"""Whether a change of the merge file restarts IRIS or reaches it while it runs."""

import json
import runpy

import pytest

from components.iris.cpf import password_hash
from tests.unit.conftest import ROOT
from tests.unit.iris_parts import DEPLOYMENT, merge_file

DATABASE = {"databases": [{"name": "APP"}]}
LIVE = {"live": True}


def secret(engine):
    return engine.named("iris-cpf")


def annotations(engine):
    return secret(engine).inputs["metadata"].get("annotations")


def test_a_change_is_a_new_secret_unless_a_stack_file_says_live(iris):
    assert secret(iris(actions=DATABASE)).inputs["immutable"] is True
    assert "immutable" not in secret(iris(actions=LIVE)).inputs


def test_with_live_a_change_of_actions_alone_replaces_nothing(iris):
    before, after = iris(actions=LIVE), iris(actions={**DATABASE, **LIVE})

    assert merge_file(before) != merge_file(after)
    assert annotations(before) == annotations(after)
    assert secret(before).inputs["metadata"] == secret(after).inputs["metadata"]
    assert before.one(DEPLOYMENT).inputs == after.one(DEPLOYMENT).inputs


@pytest.mark.parametrize(
    "change",
    [
        {"globals_mib": 512},
        {"parameters": {"config": {"jrnbufs": 128}}},
        {"cpf": {"SQL": ("LockTimeout=20",)}},
        {"synch_commit": False},
        {"termination_grace_period_seconds": 200},
    ],
)
def test_with_live_a_change_of_anything_else_makes_a_new_secret(iris, change):
    before, after = iris(actions=LIVE), iris(actions=LIVE, **change)

    assert annotations(before) != annotations(after)
    assert list(secret(after).request.replaceOnChanges) == ["immutable", "metadata.annotations"]


def test_with_live_a_raw_action_is_an_action_too(iris):
    before = iris(actions=LIVE)
    after = iris(actions=LIVE, cpf={"Actions": ("DeleteUser:Name=clerk",)})

    assert annotations(before) == annotations(after)


def test_what_tells_parameters_apart_tells_nothing_of_a_password(iris):
    one = iris(actions=LIVE, password="correct-horse-battery")
    other = iris(actions=LIVE, password="another-horse-battery")

    assert annotations(one) == annotations(other)
    assert secret(one).secret_inputs == {"stringData"}


def test_live_is_known_in_a_preview(deploy, stack_config):
    config = stack_config("dev") | {"ha-iris:iris": json.dumps({"actions": LIVE})}
    main = str(ROOT / "__main__.py")

    planned = deploy(lambda: runpy.run_path(main), stack="dev", config=config, preview=True)

    assert len(annotations(planned)["ha-iris/parameters"]) == 16


def test_a_user_of_a_stack_file_gets_a_hash_with_a_salt_of_its_own(iris):
    users = [{"name": name, "password": "correct-horse"} for name in ("ann", "bob")]
    engine = iris(actions={"users": users})

    text = merge_file(engine)
    hashed = password_hash("correct-horse", "ab" * 64)
    assert f'CreateUser:Name=ann,PasswordHash="{hashed}",' in text
    assert "correct-horse" not in str(engine.resources)
    salts = engine.of_type("random:index/randomBytes:RandomBytes")
    assert {salt.name for salt in salts} == {
        "iris-credentials-salt",
        "iris-credentials-salt-ann",
        "iris-credentials-salt-bob",
    }
    # IRIS has a password once the user is there: a salt that goes with its user loses nothing.
    assert engine.named("iris-credentials-salt-ann").protect is False
