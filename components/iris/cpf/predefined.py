"""Names that IRIS brings along, so that a stack file may use them and must not make them again."""

USERS = (
    *("_SYSTEM", "_PUBLIC", "_Ensemble", "Admin", "CSPSystem", "IAM", "SuperUser", "UnknownUser"),
    *("irisowner", "root"),
)
"""Users; their names have no case."""

DATABASES = (
    *("IRISSYS", "IRISSECURITY", "IRISLIB", "IRISTEMP", "IRISLOCALDATA", "IRISAUDIT", "ENSLIB"),
    *("IRISMETRICS", "USER"),
)
"""Databases (the sample in InterSystems' "Configuration Parameter File Reference", 2025.3)."""

NAMESPACES = ("%SYS", "USER")
"""Namespaces; the same sample. Their names have no case."""


def not_predefined(user: str) -> str:
    """A check of a user's name.

    Raises:
        ValueError: IRIS has one of that name.
    """
    if user.lower() in (name.lower() for name in USERS):
        raise ValueError(
            "IRIS brings this user along, and its own rules for the password; choose another name"
        )
    return user
