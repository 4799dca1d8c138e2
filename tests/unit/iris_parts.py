"""The parts of a deployed IRIS that tests look at, as plain data."""

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
SERVICE = "kubernetes:core/v1:Service"
PRIORITY_CLASS = "kubernetes:scheduling.k8s.io/v1:PriorityClass"


def pod(engine):
    """Spec of the database pod."""
    return engine.one(DEPLOYMENT, "iris-deployment").inputs["spec"]["template"]["spec"]


def container(engine):
    """The only container of the database pod."""
    (only,) = pod(engine)["containers"]
    return only


def environment(engine):
    """Environment of that container."""
    return {entry["name"]: entry["value"] for entry in container(engine)["env"]}


def merge_file(engine) -> str:
    """Text of the CPF merge file."""
    return engine.named("iris-cpf").inputs["stringData"]["merge.cpf"]
