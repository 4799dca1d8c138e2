"""Stack files that a cloud, Kubernetes or Longhorn would refuse halfway are refused at once."""

from typing import Any

import pytest

from tests.unit.conftest import changed

KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
CLOUD_KEY = "projects/p/locations/us/keyRings/r/cryptoKeys/k"
BY_HALVES = ["0.0.0.0/1", "128.0.0.0/1"]


def service(**settings: Any) -> dict[str, Any]:
    return {"iris": {"service": settings}}


def balanced(*ranges: str) -> dict[str, Any]:
    return service(type="LoadBalancer", sourceRanges=ranges)


# Which committed stack file, what is changed in it, and what the refusal must say.
BAD: dict[str, tuple[str, dict[str, Any], str]] = {
    "a database for the whole Internet": (
        "dev",
        balanced("0.0.0.0/0"),
        "iris.service.sourceRanges is ['0.0.0.0/0']: this offers the database to the whole",
    ),
    "a database for the whole Internet by halves": (
        "dev",
        balanced(*BY_HALVES),
        "this offers the database to the whole Internet; list the networks of its clients",
    ),
    "an annotation with a space in its key": (
        "dev",
        service(annotations={"a key": "x"}),
        "iris.service.annotations.a key is a key: it must be text that matches",
    ),
    "an annotation with too long a key": (
        "dev",
        service(annotations={f"example.com/{'k' * 64}": "x"}),
        "it must be text that matches",
    ),
    "a namespace of Kubernetes": (
        "dev",
        {"iris": {"namespace": "kube-system"}},
        "iris.namespace is kube-system: that namespace is others' already",
    ),
    "Longhorn's namespace": (
        "dev",
        {"iris": {"namespace": "longhorn-system"}},
        "iris.namespace is longhorn-system: that namespace is others' already",
    ),
    "an image in capitals": (
        "dev",
        {"iris": {"image": "Example.com/IRIS:2026.1"}},
        "iris.image is Example.com/IRIS:2026.1: it must be text that matches",
    ),
    "a tag that no registry takes": (
        "dev",
        {"iris": {"image": "example.com/iris:2026!1"}},
        "iris.image is example.com/iris:2026!1: it must be text that matches",
    ),
    "a registry with its scheme": (
        "dev",
        {"iris": {"registryLogin": {"server": "https://example.com", "username": "u"}}},
        "iris.registryLogin.server is https://example.com: it must be text that matches",
    ),
    "a volume that ext4 cannot hold": (
        "dev",
        {"iris": {"storageGib": 20000}},
        "iris.storageGib is 20000: it must be 16383 or less",
    ),
    "a toleration of a month": (
        "dev",
        {"iris": {"tolerationSeconds": 2592000}},
        "iris.tolerationSeconds is 2592000: it must be 3600 or less",
    ),
    "a start of a year": (
        "dev",
        {"iris": {"startupSeconds": 31536000}},
        "iris.startupSeconds is 31536000: it must be 86400 or less",
    ),
    "a chart that is nowhere": (
        "dev",
        {"longhorn": {"chart": "./nowhere/longhorn"}},
        "longhorn.chart is ./nowhere/longhorn: there is no such folder or archive; name one",
    ),
    "people let in to an interface that is off": (
        "dev",
        {"longhorn": {"ui": {"enabled": False, "loadBalancerSourceRanges": ["10.0.0.0/8"]}}},
        "the interface is off, so nobody could be let in; drop the ranges, or drop enabled",
    ),
    "Longhorn's interface for everybody by halves": (
        "dev",
        {"longhorn": {"ui": {"loadBalancerSourceRanges": BY_HALVES}}},
        "Longhorn's interface has no login and can delete every volume",
    ),
    "a mirror with its scheme": (
        "dev",
        {"longhorn": {"imageRegistry": "https://mirror.example.com"}},
        "longhorn.imageRegistry is https://mirror.example.com: it must be text that matches",
    ),
    "a mirror with a slash at its end": (
        "dev",
        {"longhorn": {"imageRegistry": "mirror.example.com/"}},
        "longhorn.imageRegistry is mirror.example.com/: it must be text that matches",
    ),
    "copies in a folder of the system": (
        "dev",
        {"longhorn": {"dataPath": "/etc/"}},
        "longhorn.dataPath is /etc/: the system keeps its own files there",
    ),
    "copies in a folder by a detour": (
        "dev",
        {"longhorn": {"dataPath": "/var/../etc/"}},
        "name a folder for data, such as /var/lib/longhorn/",
    ),
    "a kubelet's folder with a space": (
        "dev",
        {"longhorn": {"kubeletRootDir": "/var/lib/my kubelet"}},
        "longhorn.kubeletRootDir is /var/lib/my kubelet: it must be text that matches",
    ),
    "a zone for AWS's region": (
        "eks",
        {"aws:region": "eu-west-1a", "network": {"zones": []}},
        "aws:region is eu-west-1a: this is no region; write it as in eu-west-1",
    ),
    "a region by its place": (
        "eks",
        {"aws:region": "Ireland", "network": {"zones": []}},
        "aws:region is Ireland: this is no region",
    ),
    "an instance size that EC2 does not have": (
        "eks",
        {"cluster": {"nodeType": "m7i.xlrge"}},
        "cluster.nodeType is m7i.xlrge: this is no EC2 instance type; write it as in m7i.xlarge",
    ),
    "a disks' key of another region": (
        "eks",
        {"cluster": {"diskKmsKey": KEY}},
        f"cluster.diskKmsKey is {KEY}: it is not in aws:region eu-west-1, where it is needed",
    ),
    "a Secrets' key of another region": (
        "eks",
        {"cluster": {"secretsKmsKey": KEY}},
        f"cluster.secretsKmsKey is {KEY}: it is not in aws:region eu-west-1",
    ),
    "a bucket's key of another region": (
        "eks",
        {"backup": {"kmsKey": KEY}},
        f"backup.kmsKey is {KEY}: it is not in aws:region eu-west-1",
    ),
    "tags that IAM takes for one": (
        "eks",
        {"tags": {"Team": "a", "team": "b"}},
        "Team and team are one tag to the cloud, which looks at no capitals; keep one of them",
    ),
    "a VPC with addresses of others": (
        "eks",
        {"network": {"vpcRange": "8.8.0.0/16"}},
        "network.vpcRange is 8.8.0.0/16: these addresses belong to others",
    ),
    "a VPC with addresses that are never routed": (
        "eks",
        {"network": {"vpcRange": "169.254.0.0/16"}},
        "network.vpcRange is 169.254.0.0/16: these addresses belong to others",
    ),
    "EKS's API for the whole Internet by halves": (
        "eks",
        {"cluster": {"apiAccessCidrs": BY_HALVES}},
        "0.0.0.0/0 shows the Kubernetes API to the whole Internet",
    ),
    "AKS's API for the whole Internet by halves": (
        "aks",
        {"cluster": {"apiAccessCidrs": BY_HALVES}},
        "0.0.0.0/0 shows the Kubernetes API to the whole Internet",
    ),
    "GKE's API for the whole Internet by halves": (
        "gke",
        {"cluster": {"apiAccessCidrs": BY_HALVES}},
        "0.0.0.0/0 shows the Kubernetes API to the whole Internet",
    ),
    "a location by its display name": (
        "aks",
        {"azure-native:location": "West Europe"},
        "azure-native:location is West Europe: this is no name of a region; write it as in west",
    ),
    "a zone for Azure's location": (
        "aks",
        {"azure-native:location": "westeurope-1"},
        "azure-native:location is westeurope-1: this is no name of a region",
    ),
    "tags that Azure takes for one": (
        "aks",
        {"tags": {"Team": "a", "team": "b"}},
        "Team and team are one tag to the cloud, which looks at no capitals; keep one of them",
    ),
    "a virtual network with addresses of others": (
        "aks",
        {"network": {"nodesRange": "8.8.0.0/22"}},
        "network.nodesRange is 8.8.0.0/22: these addresses belong to others",
    ),
    "a zone for Google's region": (
        "gke",
        {"gcp:region": "europe-west1-b"},
        "gcp:region is europe-west1-b: this is no region; write it as in europe-west1",
    ),
    "a project by its display name": (
        "gke",
        {"gcp:project": "My Project"},
        "gcp:project is My Project: this is no project ID; `gcloud projects list` shows it",
    ),
    "a role without its folder": (
        "gke",
        {"cluster": {"nodeRoles": ["artifactregistry.reader"]}},
        "cluster.nodeRoles.0 is artifactregistry.reader: it must be text that matches",
    ),
    "nodes that own the project": (
        "gke",
        {"cluster": {"nodeRoles": ["roles/owner"]}},
        "with roles/owner whoever breaks into a pod of a node has the project",
    ),
    "a disks' key of another location": (
        "gke",
        {"cluster": {"diskKmsKey": CLOUD_KEY}},
        f"cluster.diskKmsKey is {CLOUD_KEY}: what it encrypts is in europe-west1; name a key of",
    ),
    "a bucket's key of another location": (
        "gke",
        {"backup": {"kmsKey": CLOUD_KEY, "location": "EU"}},
        f"backup.kmsKey is {CLOUD_KEY}: what it encrypts is in eu; name a key of that location",
    ),
    "a bucket that is nowhere": (
        "gke",
        {"backup": {"location": "Europa"}},
        "backup.location is Europa: it must be text that matches",
    ),
    "a disk that Google does not have": (
        "gke",
        {"cluster": {"diskSizeGib": 100000}},
        "cluster.diskSizeGib is 100000: it must be 65536 or less",
    ),
    "a VPC without room for nodes": (
        "gke",
        {"network": {"nodesRange": "10.40.0.0/30"}},
        "network.nodesRange is 10.40.0.0/30: GKE takes a /27 or larger",
    ),
    "a VPC without room for services": (
        "gke",
        {"network": {"servicesRange": "10.45.0.0/30"}},
        "network.servicesRange is 10.45.0.0/30: GKE takes a /27 or larger",
    ),
    "a subnetwork with addresses of others": (
        "gke",
        {"network": {"nodesRange": "8.8.0.0/22"}},
        "network.nodesRange is 8.8.0.0/22: these addresses belong to others",
    ),
    "a subnetwork of another network": (
        "gke",
        {
            "network": {
                "existing": {
                    "network": "projects/a/global/networks/n",
                    "subnetwork": "projects/b/regions/europe-west1/subnetworks/s",
                }
            }
        },
        "the network is projects/a/global/networks/n, of another project; name a subnetwork of",
    ),
    "more labels than GKE takes": (
        "gke",
        {"labels": {f"k{number}": "v" for number in range(70)}},
        "a list or group of at most 60",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_what_would_fail_halfway_is_refused_with_key_value_reason_and_cure(
    refused, stack_config, what
):
    stack, groups, expected = BAD[what]

    message = refused(changed(stack_config(stack), groups), stack=stack)

    assert expected in message
    assert message.startswith(
        f"ha-iris: Pulumi.{stack}.yaml is not a stack this program can build:\n"
    )


@pytest.mark.parametrize(
    ("stack", "groups"),
    [
        ("dev", balanced("10.0.0.0/8", "192.168.0.0/16")),
        ("dev", {"iris": {"image": "localhost:5000/a/iris-community:2026.2-zpm"}}),
        ("dev", {"iris": {"image": f"intersystems/iris-community@sha256:{'0' * 64}"}}),
        ("dev", {"longhorn": {"imageRegistry": "mirror.example.com:5000/docker"}}),
        ("dev", {"longhorn": {"kubeletRootDir": "/var/snap/microk8s/common/var/lib/kubelet"}}),
        ("eks", {"network": {"vpcRange": "100.64.0.0/16"}}),
        ("gke", {"backup": {"location": "EUR4"}}),
        ("gke", {"cluster": {"nodeRoles": ["projects/my-project/roles/puller"]}}),
    ],
)
def test_what_looks_like_it_and_works_is_built(committed, stack, groups):
    assert committed(stack, **groups).of_type("kubernetes:apps/v1:Deployment")
