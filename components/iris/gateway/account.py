"""The user that the web gateway logs in to IRIS as."""

USER = "webgateway"
"""Not CSPSystem, whose name and first password everybody knows."""


def account_actions(password_hash: str | None) -> list[str]:
    """Lines of ``[Actions]`` that make the gateway's user; none where there is no gateway.

    It holds no role, as CSPSystem holds none (InterSystems, "Predefined User Accounts"): whoever
    has its password can bring requests to IRIS, and each of these still has to log in. Creating
    does nothing where the user exists, so the second line is what renews a password.
    """
    if password_hash is None:
        return []
    return [
        f'{action}:Name={USER},PasswordHash="{password_hash}",'
        "ChangePassword=0,PasswordNeverExpires=1,AccountNeverExpires=1"
        for action in ("CreateUser", "ModifyUser")
    ]
