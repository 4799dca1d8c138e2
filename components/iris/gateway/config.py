"""What the web gateway's container reads when it starts: CSP.ini and CSP.conf."""

from pathlib import Path

from components.iris.gateway.account import USER

CSP_CONF = Path(__file__).with_name("CSP.conf").read_text()
"""Apache's part (InterSystems, "Web Gateway Guide")."""

SERVER = "IRIS"
PATHS = ("/", "/csp")


def csp_ini(
    *,
    host: str,
    port: int,
    password: str,
    response_seconds: int,
    tls: bool = False,
    ca_file: str | None = None,
) -> str:
    """Text of CSP.ini ("Web Gateway Configuration File Parameter Reference").

    The password stands in it as it is. The container copies the file when it starts, and the
    gateway encodes the password in its copy ("Running InterSystems Products in Containers").

    Args:
        host: name of the superserver's Service.
        port: its port.
        password: of the gateway's user; letters and digits, which need no escape.
        response_seconds: how long IRIS may take to answer a request.
        tls: whether to reach IRIS by TLS.
        ca_file: certificate of the authority that IRIS's own is checked against; None: unchecked.
    """
    sections: dict[str, dict[str, str | int]] = {
        "SYSTEM": {
            # The pages would change one replica of several, until its next start, and ask for
            # no login where the client is local, as one of kubectl port-forward is.
            "SM_Forms": "Disabled",
            "Default_Server": SERVER,
            "Server_Response_Timeout": response_seconds,
            # Without a size the log grows as long as the pod lives.
            "Event_Log_Rotation_Size": "8M",
        },
        "SYSTEM_INDEX": {SERVER: "Enabled"},
        SERVER: {
            "Ip_Address": host,
            "TCP_Port": port,
            "Connection_Security_Level": 10 if tls else 0,
            "Username": USER,
            "Password": password,
            **(_tls(ca_file) if tls else {}),
        },
        "APP_PATH_INDEX": dict.fromkeys(PATHS, "Enabled"),
    }
    for path in PATHS:
        sections[f"APP_PATH:{path}"] = {
            "Default_Server": SERVER,
            "Alternative_Server_0": f"1~~~~~~{SERVER}",
        }
    return "\n".join(
        f"[{section}]\n" + "".join(f"{key}={value}\n" for key, value in entries.items())
        for section, entries in sections.items()
    )


def _tls(ca_file: str | None) -> dict[str, str | int]:
    """TLS 1.2 or 1.3, without a certificate of the gateway's own: it has a password."""
    entries: dict[str, str | int] = {"SSLCC_Protocol_Min": 16, "SSLCC_Protocol_Max": 32}
    if ca_file:
        entries["SSLCC_CA_Certificate_File"] = ca_file
    return entries
