"""What drills ask of InterSystems' driver for Python, held against the driver itself.

No IRIS answers here: what a statement does is not part of this.
"""

import inspect
import pickle
import socket
import time
from collections.abc import Iterator
from functools import partial

import iris.dbapi as driver
import pytest

from drills import iris
from drills.clients import Commits
from drills.iris import Login, connect


@pytest.fixture
def silent() -> Iterator[Login]:
    """A superserver that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield Login("127.0.0.1", server.getsockname()[1], "user", "password")


@pytest.fixture
def closed() -> Login:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return Login("127.0.0.1", port, "user", "password")


def test_a_number_is_handed_over_as_the_driver_takes_parameters():
    assert (driver.apilevel, driver.paramstyle) == ("2.0", "qmark")
    assert iris.INSERT.count("?") == 1


def test_the_connection_and_its_cursor_have_what_a_drill_calls():
    for name in ("cursor", "commit", "rollback", "close"):
        assert callable(getattr(driver.IRISConnection, name)), name
    for name in ("fetchone", "fetchall"):
        assert callable(getattr(driver.Cursor, name)), name
    execute = inspect.signature(driver.Cursor.execute)
    assert list(execute.parameters) == ["self", "operation", "parameters"]


def test_the_driver_knows_every_argument_that_a_connection_is_opened_with(closed: Login):
    # One that it does not know is a TypeError, before it looks for a server.
    with pytest.raises(driver.OperationalError, match="Failed to connect"):
        connect(closed)
    with pytest.raises(TypeError):
        driver.connect(hostname="127.0.0.1", port=closed.port, namespace="USER", autocommit=False)


def test_a_server_that_says_nothing_costs_no_more_than_the_time_for_connecting(
    silent: Login, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(iris, "CONNECT_SECONDS", 1)

    began = time.monotonic()
    with pytest.raises(driver.OperationalError):
        connect(silent)
    assert 0.9 < time.monotonic() - began < 4


def test_what_was_never_sent_has_failed_and_is_not_unknown(closed: Login):
    opens = partial(connect, closed)
    assert pickle.loads(pickle.dumps(opens)).args == (closed,)
    client = Commits(opens, insert=iris.INSERT, writer=iris.CURRENT_START)

    client.begin()
    while not client.attempts():
        time.sleep(0.1)
    tried = client.end()

    assert {attempt.outcome for attempt in tried} == {"failed"}
    assert "OperationalError" in tried[0].reason
