"""The first password of the database, and the hash that IRIS is told instead of it."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_random as random
from pydantic import SecretStr

from components.iris.cpf import password_hash


class Credentials(pulumi.ComponentResource):
    """A password, given or generated, and its salted hash; both secret, both made once."""

    password: pulumi.Output[str]
    """The password in clear."""

    password_hash: pulumi.Output[str]
    """Value of the CPF parameter PasswordHash, and of the action CreateUser's property."""

    user_hashes: pulumi.Output[dict[str, str]]
    """The same of each further user, by name."""

    def __init__(
        self,
        name: str,
        *,
        password: SecretStr | None,
        users: Mapping[str, SecretStr] | None = None,
        protect_data: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:database:Credentials", name, None, opts)
        # A random value lives in the state alone: the second lock cannot keep what that forgets.
        kept = pulumi.ResourceOptions(
            parent=self, protect=protect_data, retain_on_delete=protect_data
        )
        if password is None:
            generated = random.RandomPassword(
                f"{name}-password",
                length=24,
                special=False,
                min_lower=1,
                min_upper=1,
                min_numeric=1,
                opts=kept,
            ).result
            self.password = pulumi.Output.secret(generated)
        else:
            self.password = pulumi.Output.secret(password.get_secret_value())
        # A salt that changed would change the merge file, and so restart the database.
        salt = random.RandomBytes(f"{name}-salt", length=64, opts=kept).hex
        self.password_hash = pulumi.Output.secret(
            pulumi.Output.all(self.password, salt).apply(lambda pair: password_hash(*pair))
        )
        # Not kept: IRIS has a user's password once the user is there.
        hashes: dict[str, Any] = {
            user: random.RandomBytes(
                f"{name}-salt-{user}", length=64, opts=pulumi.ResourceOptions(parent=self)
            ).hex.apply(
                lambda salt, password=password: password_hash(password.get_secret_value(), salt)
            )
            for user, password in (users or {}).items()
        }
        self.user_hashes = pulumi.Output.secret(pulumi.Output.from_input(hashes))
        self.register_outputs({"password": self.password})
