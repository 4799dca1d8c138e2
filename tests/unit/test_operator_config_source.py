"""The merge files that the operator gives to IRIS say what the other forms' merge file says."""

from components.iris.operator.config_source import config_source
from tests.unit.cpf_reader import sections

WHOLE = """[Startup]
PasswordHash=abc

[config]
globals=0,0,2048,0,0,0

[Actions]
CreateDatabase:Name=APP,Directory=/data/app,Size=100
CreateNamespace:Name=APP,Globals=APP
CreateRole:Name=clerk,Resources="%DB_APP:RW"
ModifyDatabase:Name=APP,Directory=/data/app,MaxSize=200
CreateUser:Name=dba,Roles="%All"
"""


def test_every_node_gets_parameters_and_users_and_data_nodes_alone_the_databases():
    files = {name: sections(text) for name, text in config_source(WHOLE).items()}

    assert files.keys() == {"common.cpf", "data.cpf"}
    assert files["common.cpf"]["Startup"] == ["PasswordHash=abc"]
    assert files["common.cpf"]["config"] == ["globals=0,0,2048,0,0,0"]
    kinds = [line.split(":")[0] for line in files["common.cpf"]["Actions"]]
    assert kinds == ["CreateRole", "CreateUser"]
    kinds = [line.split(":")[0] for line in files["data.cpf"]["Actions"]]
    assert kinds == ["CreateDatabase", "CreateNamespace", "ModifyDatabase"]


def test_databases_lie_on_the_volume_that_the_operator_mounts():
    text = "".join(config_source(WHOLE).values())

    assert text.count("Directory=/irissys/data/app") == 2
    assert "=/data/" not in text


def test_without_databases_there_is_no_file_for_data_nodes():
    assert config_source("[Startup]\nPasswordHash=abc\n\n[Actions]\n").keys() == {"common.cpf"}


def test_the_operators_web_gateways_have_no_pages_of_their_own_and_wait_as_told():
    (gateway,) = sections(config_source(WHOLE, response_seconds=300)["CSP-merge.ini"]).values()

    assert {"SM_Forms=Disabled", "Server_Response_Timeout=300"} <= {*gateway}
