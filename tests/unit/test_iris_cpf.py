"""What IRIS is told before it starts: the merge file and the password."""

import pytest

from components.iris.cpf import password_hash
from tests.unit.iris_parts import container, merge_file

# Published with the password SYS by intersystems-community/iris-embedded-python-template and by
# IRISMeister/iris-k8s-vs2021.
PUBLIC_HASHES = [
    (
        "0a4c463a2fa1e7542b61aa48800091ab688eb0a14bebf536638f411f5454c934"
        "3b9aa6402b4694f0a89b624407a5f43f0a38fc35216bb18aab7dc41ef9f056b1",
        "a31d24aecc0bfe560a7e45bd913ad27c667dc25a75cbfd358c451bb595b6bd52"
        "bd25c82cafaa23ca1dd30b3b4947d12d3bb0ffb2a717df29912b743a281f97c1",
    ),
    (
        "124e81ee6bf17fcaf0dfb38a4f8a7f46e9e4b0c8c9a40864bb189d4d200b161b"
        "1451874efcbed63b801cbab592434b93037e90810d96e4ee123ac03b756779e9",
        "34e80d2f1ad5135679b3a57a9c4b1611a8a8995e0849ebe954ac1c16ad253d02"
        "74296985fea058a8aaf2a149b88082595e6374b3c2f7d5f0774f05e4311ba52d",
    ),
]


@pytest.mark.parametrize(("salt", "key"), PUBLIC_HASHES)
def test_password_hash_is_the_one_that_intersystems_computes(salt, key):
    assert password_hash("SYS", salt) == f"{key},{salt},10000,SHA512"


def test_the_merge_file_holds_a_hash_and_never_the_password(iris):
    engine = iris(password="correct-horse-battery")
    text = merge_file(engine)

    assert f"PasswordHash={password_hash('correct-horse-battery', 'ab' * 64)}" in text
    assert "correct-horse-battery" not in str(engine.resources)
    assert engine.named("iris-cpf").secret_inputs == {"stringData"}


def test_the_merge_file_is_secret_and_cannot_change_under_a_running_database(iris):
    secret = iris().named("iris-cpf")

    assert secret.type == "kubernetes:core/v1:Secret"
    assert secret.inputs["immutable"] is True
    assert "name" not in secret.inputs["metadata"]


@pytest.mark.parametrize(
    ("memory_gib", "globals_mib", "routines_mib", "gmheap_kib"),
    [(2, 1024, 102, 307200), (4, 2048, 204, 307200), (64, 32768, 3276, 1006632)],
)
def test_caches_follow_the_memory_limit(iris, memory_gib, globals_mib, routines_mib, gmheap_kib):
    text = merge_file(iris(memory_gib=memory_gib))

    assert f"globals=0,0,{globals_mib},0,0,0\n" in text
    assert f"routines={routines_mib}\n" in text
    assert f"gmheap={gmheap_kib}\n" in text
    assert globals_mib + routines_mib + gmheap_kib // 1024 < memory_gib * 1024


def test_given_caches_are_taken(iris):
    text = merge_file(iris(globals_mib=700, routines_mib=90, gmheap_kib=400000))

    assert "globals=0,0,700,0,0,0\nroutines=90\ngmheap=400000\n" in text


def test_iris_leaves_huge_pages_alone_that_its_pod_did_not_ask_for(iris):
    assert "\nmemlock=32\n" in merge_file(iris()).split("[config]")[1].split("[")[0]
    resources = container(iris())["resources"]
    assert not [name for name in resources["limits"] if name.startswith("hugepages")]


def test_iris_waits_for_its_journal_instead_of_going_on_without(iris):
    assert "[Journal]\nFreezeOnError=1\n" in merge_file(iris())


def test_a_commit_waits_for_its_journal_unless_a_stack_file_says_otherwise(iris):
    assert "[Miscellaneous]\nSynchCommit=1\n" in merge_file(iris())
    assert "[Miscellaneous]\nSynchCommit=0\n" in merge_file(iris(synch_commit=False))


def test_further_lines_join_the_sections_of_the_merge_file(iris):
    role, resource = "CreateRole:Name=r,Resources=%DB_USER", "CreateResource:Name=q"
    text = merge_file(iris(cpf={"config": ["locksiz=0"], "Actions": [resource, role]}))

    assert text.count("[config]") == text.count("[Actions]") == 1
    assert "\nlocksiz=0\n" in text.split("[config]")[1].split("[")[0]
    actions = text.split("[Actions]\n")[1].splitlines()
    assert actions[0].startswith("CreateUser:Name=dba,")
    assert actions[1:] == [resource, role]


def test_a_mapping_of_globals_has_a_section_of_its_own(iris):
    text = merge_file(iris(cpf={"Map.USER": ["Global_demo=SAMPLES"]}))

    assert "[Map.USER]\nGlobal_demo=SAMPLES\n" in text


def test_the_password_is_of_a_user_who_need_not_change_it_at_the_first_login(iris):
    text = merge_file(iris(username="operations", password="correct-horse-battery"))

    (action,) = [line for line in text.splitlines() if line.startswith("CreateUser:")]
    hashed = password_hash("correct-horse-battery", "ab" * 64)
    assert action == (
        f'CreateUser:Name=operations,PasswordHash="{hashed}",Roles="%All",'
        "ChangePassword=0,PasswordNeverExpires=1,AccountNeverExpires=1"
    )


def test_without_a_password_one_is_generated(iris):
    engine = iris()

    generated = engine.one("random:index/randomPassword:RandomPassword").inputs
    assert generated["length"] == 24
    assert password_hash("generated-iris-credentials-password", "ab" * 64) in merge_file(engine)


def test_a_given_password_is_not_generated_too(iris):
    engine = iris(password="correct-horse-battery")

    assert engine.of_type("random:index/randomPassword:RandomPassword") == []


@pytest.mark.parametrize("bad", ["ab", "xy" * 64, "ab" * 32])
def test_a_salt_of_another_length_is_refused(bad):
    with pytest.raises(ValueError, match=r"64 bytes|hexadecimal"):
        password_hash("SYS", bad)
