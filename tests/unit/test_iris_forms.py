"""The forms in which IRIS runs, and what they have in common."""

PARTS = {
    "iris-namespace": ("kubernetes:core/v1:Namespace", "iris"),
    "iris-network": ("ha-iris:database:NetworkPolicies", "iris"),
    "iris-credentials": ("ha-iris:database:Credentials", "iris"),
    "iris-credentials-password": ("random:index/randomPassword:RandomPassword", "iris-credentials"),
    "iris-credentials-salt": ("random:index/randomBytes:RandomBytes", "iris-credentials"),
    "iris-registry-login": ("kubernetes:core/v1:Secret", "iris"),
    "iris-service-account": ("kubernetes:core/v1:ServiceAccount", "iris"),
    "iris-priority-class": ("kubernetes:scheduling.k8s.io/v1:PriorityClass", "iris"),
    "iris-cpf": ("kubernetes:core/v1:Secret", "iris"),
    "iris-scripts": ("kubernetes:core/v1:ConfigMap", "iris"),
    "iris-license": ("kubernetes:core/v1:Secret", "iris"),
    "iris-data": ("kubernetes:core/v1:PersistentVolumeClaim", "iris"),
    "iris-deployment": ("kubernetes:apps/v1:Deployment", "iris"),
    "iris-service": ("kubernetes:core/v1:Service", "iris"),
    "iris-web-gateway": ("ha-iris:database:WebGateway", "iris"),
    "iris-web-gateway-credentials": ("ha-iris:database:Credentials", "iris"),
}
"""Type and parent by name: together they are the URN, and another URN is another object."""


def test_the_parts_of_a_database_of_an_earlier_release_are_found_again(iris):
    engine = iris(
        image="containers.intersystems.com/intersystems/iris:2026.1",
        license_key="[ConfigFile]",
        registry_login={"username": "user", "password": "token"},
    )

    parts = {name: engine.named(name) for name in PARTS}
    assert {name: (part.type, part.parent) for name, part in parts.items()} == PARTS
