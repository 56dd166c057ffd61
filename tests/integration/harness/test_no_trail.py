"""Asking a server that is down leaves nothing open."""

from __future__ import annotations

import gc
import warnings

import pymysql
import pytest

from tests.harness.fixtures import StartServer
from tests.harness.mysql_family import FamilyServer


def test_a_server_that_is_down_leaves_no_sockets(start_server: StartServer) -> None:
    server = start_server("mariadb")
    assert isinstance(server, FamilyServer)
    server.kill()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for _ in range(3):
            with pytest.raises(pymysql.err.OperationalError):
                server.execute("SELECT 1")
        gc.collect()
    assert [str(one.message) for one in seen] == []
    server.start()
    assert server.execute("SELECT 1") == [(1,)]
