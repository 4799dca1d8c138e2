"""How Kubernetes logs in to the registry of the IRIS image."""

import base64
import json

from components.iris.image_settings import RegistryLogin


def docker_config(login: RegistryLogin) -> str:
    """Content of ``.dockerconfigjson`` for one registry, password in clear."""
    password = login.password.get_secret_value()
    return json.dumps(
        {
            "auths": {
                login.server: {
                    "username": login.username,
                    "password": password,
                    "auth": base64.b64encode(f"{login.username}:{password}".encode()).decode(),
                }
            }
        }
    )
