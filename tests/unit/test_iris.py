"""What must be true of the database, whatever cluster it runs on."""

from pathlib import Path

import pytest
import yaml

from components.existing_cluster import ExistingCluster, ExistingClusterSettings
from components.iris import Iris, IrisSettings
from components.iris.cpf import password_hash

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


@pytest.fixture
def kubeconfig(tmp_path: Path) -> str:
    """A kubeconfig with one context, ``here``."""
    file = tmp_path / "kubeconfig"
    file.write_text(
        yaml.safe_dump(
            {
                "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
                "users": [{"name": "u", "user": {"token": "t"}}],
                "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "here",
            }
        )
    )
    return str(file)


@pytest.fixture
def iris(deploy, kubeconfig):
    """Deploys IRIS with the given settings and returns the engine."""

    def run(*, protect_data: bool = True, **settings):
        def program():
            cluster = ExistingCluster("cluster", ExistingClusterSettings(kubeconfig=kubeconfig))
            Iris(
                "iris",
                IrisSettings(**settings),
                cluster=cluster,
                storage_class="longhorn-iris",
                storage_ready=[],
                protect_data=protect_data,
            )

        return deploy(program)

    return run


def test_there_are_never_two_instances_on_one_volume(iris):
    spec = iris().one("kubernetes:apps/v1:Deployment").inputs["spec"]

    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "Recreate"}
