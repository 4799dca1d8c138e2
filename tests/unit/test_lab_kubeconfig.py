"""What the lab's provider reads of a kubeconfig."""

import pytest

from lab.plugins.kubernetes.cluster import Cluster, Refused
from lab.plugins.kubernetes.kubeconfig import Server

NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-0"}}


def kubeconfig(**user: str) -> dict[str, object]:
    return {
        "current-context": "here",
        "clusters": [{"name": "lab", "cluster": {"server": "http://127.0.0.1:9"}}],
        "contexts": [{"name": "here", "context": {"cluster": "lab", "user": "admin"}}],
        "users": [{"name": "admin", "user": user}],
    }


def test_a_way_to_log_in_that_the_lab_does_not_know_is_refused_by_name():
    with pytest.raises(ValueError, match="have no exec"):
        Server(kubeconfig(exec="aws"))


def test_a_context_that_is_not_there_is_refused_by_name_when_it_is_used():
    cluster = Cluster(kubeconfig(token="secret"), "elsewhere")

    with pytest.raises(Refused, match="the kubeconfig has no context elsewhere"):
        cluster.get(NODE)


def test_a_certificate_that_is_none_refuses_the_object_and_not_the_plugin():
    refused = kubeconfig(**{"client-certificate-data": "bm9uZQ==", "client-key-data": "bm9uZQ=="})

    with pytest.raises(Refused, match="the cluster cannot be reached"):
        Cluster(refused, None).get(NODE)
