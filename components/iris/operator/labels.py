"""What the operator calls its kind, and the labels of the pods that it makes."""

GROUP = "intersystems.com"
API_VERSION = f"{GROUP}/v1alpha1"
KIND = "IrisCluster"
DEFINITION = f"irisclusters.{GROUP}"
"""Of the kind: the operator makes it when it starts, and no chart has it."""
DEFINITION_PATH = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{DEFINITION}"
"""Where the API has it."""

NAME = "iris"
"""Of the IrisCluster, and the beginning of the name of all that the operator makes for it.

It is no setting: claims are named after it, and another name is another, empty database.
"""

EVERY_POD = {f"{GROUP}/kind": KIND, f"{GROUP}/name": NAME}
"""Labels of all pods that the operator makes for the IrisCluster."""


def pods(component: str, *, mirrored: bool = False) -> dict[str, str]:
    """Labels of the pods of one part of the topology; of a mirror, of its primary alone."""
    labels = {**EVERY_POD, f"{GROUP}/component": component}
    # The operator moves it from member to member.
    return {**labels, f"{GROUP}/mirrorRole": "primary"} if mirrored else labels
