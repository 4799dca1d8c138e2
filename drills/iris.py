"""The drill's own user and table in IRIS, through InterSystems' driver for Python.

Statements are written from InterSystems' SQL reference (CREATE TABLE, CREATE FUNCTION, CREATE USER,
GRANT, SET TRANSACTION) and calls checked against the driver itself (tests/contract). No IRIS has
run them.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from drills import DrillError
from drills.clients import Commits

USER = "ha_iris_drill"
TABLE = "HaIrisDrill.Commits"
FUNCTION = "HaIrisDrill.CurrentStart"
READ_SECONDS = 600
CONNECT_SECONDS = 5

# Globals whose names begin with IRIS.TempUser are in IRISTEMP ("Formal Rules about Globals"), which
# every start empties: the value lives as long as one run of the instance.
START = "^IRIS.TempUser.HaIrisDrill"
WRITER = f"""CREATE FUNCTION {FUNCTION}() RETURNS VARCHAR(64) LANGUAGE OBJECTSCRIPT {{
    if '$data({START}) set {START}=$system.Util.CreateGUID()
    quit {START}
}}"""

SETUP = (
    f"CREATE TABLE {TABLE} (CommitNumber BIGINT NOT NULL)",
    WRITER,
    f"CREATE USER {USER} IDENTIFY BY '{{password}}'",
    # A new user has no roles: these are the way in by SQL and the database of the namespace USER.
    f"GRANT %SQL,%DB_USER TO {USER}",
    f"GRANT INSERT, SELECT ON {TABLE} TO {USER}",
    f"GRANT EXECUTE ON {FUNCTION} TO {USER}",
)
INSERT = f"INSERT INTO {TABLE} (CommitNumber) VALUES (?)"
CURRENT_START = f"SELECT {FUNCTION}()"
# IRIS reads what others have not committed unless it is told otherwise.
COMMITTED = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"
CLEAN = (f"DROP TABLE {TABLE}", f"DROP FUNCTION {FUNCTION}", f"DROP USER {USER}")


@dataclass(frozen=True)
class Login:
    """Where IRIS is and who asks."""

    host: str
    port: int
    username: str
    password: str
    namespace: str = "USER"


def connect(login: Login) -> Any:
    """A DB-API connection that commits when it is told to.

    Raises:
        DrillError: the driver is not installed.
    """
    try:
        import iris.dbapi  # pyright: ignore[reportMissingImports]
    except ModuleNotFoundError:
        raise DrillError(
            "intersystems-irispython",
            "InterSystems' driver is not installed, and commits go through it",
            "run `.venv/bin/pip install -r drills/requirements.txt`",
        ) from None
    return iris.dbapi.connect(
        hostname=login.host,
        port=login.port,
        namespace=login.namespace,
        username=login.username,
        password=login.password,
        timeout=CONNECT_SECONDS,
        sharedmemory=False,
        autoCommit=False,
    )


class Ledger:
    """The numbers that are in the database, and those who write them."""

    def __init__(self, owner: Login) -> None:
        """Make table and user, as a user with all rights; what a killed drill has left goes first.

        Raises:
            DrillError: there is no driver.
        """
        self._owner = owner
        self.clean()
        password = secrets.token_urlsafe(18)
        connection = connect(owner)
        cursor = connection.cursor()
        for statement in SETUP:
            cursor.execute(statement.replace("{password}", password))
            connection.commit()
        connection.close()
        self._user = Login(owner.host, owner.port, USER, password, owner.namespace)

    def client(self, first: int = 1) -> Commits:
        """A client that writes numbers from this one on."""
        return Commits(
            partial(connect, self._user),
            insert=INSERT,
            writer=CURRENT_START,
            first=first,
        )

    def rows(self) -> list[int]:
        """Every number in the table, as often as it is there; waits for the database.

        Raises:
            DrillError: it does not answer for ten minutes.
        """
        deadline = time.monotonic() + READ_SECONDS
        while True:
            try:
                connection = connect(self._owner)
                cursor = connection.cursor()
                cursor.execute(COMMITTED)
                cursor.execute(f"SELECT CommitNumber FROM {TABLE}")
                found = [int(row[0]) for row in cursor.fetchall()]
                connection.close()
                return found
            except DrillError:
                raise
            except Exception as error:  # whatever the driver raises
                if time.monotonic() > deadline:
                    raise DrillError(
                        TABLE, f"cannot be read: {error}", "read it when IRIS is back"
                    ) from None
                time.sleep(1)

    def clean(self) -> None:
        """Drop what the drill made; what is not there is left at that.

        Raises:
            DrillError: there is no driver, or the database takes no connection.
        """
        try:
            connection = connect(self._owner)
        except DrillError:
            raise
        except Exception as error:  # whatever the driver raises
            raise DrillError(
                f"{self._owner.host}:{self._owner.port}",
                f"takes no connection: {error}",
                f"see the database; where a drill has made its user {USER} and its table {TABLE}, "
                "the next one drops them",
            ) from None
        cursor = connection.cursor()
        for statement in CLEAN:
            try:
                cursor.execute(statement)
                connection.commit()
            except Exception:  # not there
                connection.rollback()
        connection.close()
