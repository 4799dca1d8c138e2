"""What the operator gives to IRIS as its merge files, in the one ConfigMap that it reads.

Keys of it: ``common.cpf`` for all nodes, ``data.cpf`` for those that hold data, ``CSP-merge.ini``
for web gateways ("Using the InterSystems Kubernetes Operator", configSource). The operator merges
its own lines as well: the port 1972, the folders of journals and write image journal, what ECP and
mirrors need.
"""

from components.iris.cpf.data import VOLUME
from components.iris.operator.iris_cluster import DATA

OF_DATA_NODES = ("CreateDatabase", "ModifyDatabase", "CreateNamespace", "ModifyNamespace")
"""Actions about data; all others are about the instance, of which a compute node is one too."""


def config_source(merge_file: str, *, response_seconds: int | None = None) -> dict[str, str]:
    """Content of the ConfigMap.

    Args:
        merge_file: what the other forms merge, as one text; actions come last in it.
        response_seconds: how long IRIS may take to answer the web gateways; None: there are none.
    """
    parameters, _, actions = merge_file.partition("[Actions]\n")
    lines = [line.replace(f"={VOLUME}/", f"={DATA}/") for line in actions.splitlines()]
    of_data = [line for line in lines if line.partition(":")[0] in OF_DATA_NODES]
    common = [line for line in lines if line not in of_data]
    files = {"common.cpf": f"{parameters}{_section(common)}"}
    if of_data:
        files["data.cpf"] = _section(of_data)
    if response_seconds is not None:
        files["CSP-merge.ini"] = (
            "[SYSTEM]\n"
            "SM_Forms=Disabled\n"
            f"Server_Response_Timeout={response_seconds}\n"
            "Event_Log_Rotation_Size=8M\n"
        )
    return files


def _section(lines: list[str]) -> str:
    return "[Actions]\n" + "".join(f"{line}\n" for line in lines) if lines else ""
