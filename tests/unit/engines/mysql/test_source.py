"""What a MySQL source is asked besides its rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from opendrs.engines.mysql import source as module
from opendrs.engines.mysql.source import Source
from opendrs.model.catalog import TableName
from opendrs.model.endpoint import Endpoint
from opendrs.model.selection import Selection


class Sessions:
    """Opens sessions that answer with one row."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **row: str | None) -> None:
        self.asked: list[str] = []

        @contextmanager
        def session(source: Source) -> Iterator[Any]:
            yield SimpleNamespace(query=lambda sql: self.asked.append(sql) or [row])

        monkeypatch.setattr(module.Source, "session", session)


def source() -> Source:
    made: Any = None
    return Source(Endpoint.parse("mysql://h"), Selection(), made, readers=1)


@pytest.mark.parametrize("column", ["Create Table", "Create View"])
def test_the_statement_that_makes_a_table_is_the_servers(monkeypatch: pytest.MonkeyPatch, column: str) -> None:
    sessions = Sessions(monkeypatch, **{"Table": "t", column: "CREATE ...", "character_set_client": "utf8"})
    assert source().create_statement(TableName("a`b", "t")) == "CREATE ..."
    assert sessions.asked == ["SHOW CREATE TABLE `a``b`.`t`"]


def test_a_statement_that_the_server_does_not_print(monkeypatch: pytest.MonkeyPatch) -> None:
    Sessions(monkeypatch, **{"Table": "t", "Create Table": None})
    assert source().create_statement(TableName("a", "t")) == ""
