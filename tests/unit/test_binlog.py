"""The decoder of the binary log as Python sees it, over recorded logs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from opendrs import _core

GOLDEN = Path(__file__).parent.parent / "golden/binlog"


def recorded(case: str) -> tuple[dict[str, Any], bytes]:
    folder = GOLDEN / case
    return json.loads((folder / "tables.json").read_text()), (folder / "events.bin").read_bytes()


def replay(
    case: dict[str, Any], log: bytes, **options: Any
) -> Iterator[_core.Window | _core.SchemaChange | _core.Heartbeat]:
    decoder = _core.BinlogDecoder(json.dumps(case["start"]), **options)
    decoder.select(json.dumps(case["selection"]))
    changes = iter(case.get("changes", []))
    for table in case.get("tables", []):
        decoder.register(json.dumps(table))
    events = [log[at : at + length] for at, length in _core.binlog_events(log)]
    for number, event in enumerate(events, 1):
        decoder.feed(event)
        while decoder.must_take() or number == len(events):
            taken = decoder.take()
            if taken is None:
                break
            yield taken
            if isinstance(taken, _core.SchemaChange):
                for table in next(changes, []):
                    decoder.register(json.dumps(table))
                decoder.resume()


def test_windows_are_arrow_batches() -> None:
    case, log = recorded("mysql-9.7/foreign_keys")
    windows = [event for event in replay(case, log) if isinstance(event, _core.Window)]
    (window,) = windows
    assert (window.transactions, window.changes, window.part) == (3, 6, False)
    names = [(schema, table) for schema, table, _ in window.tables]
    assert names == [("golden", "p"), ("golden", "c")]
    batch = pa.record_batch(window.tables[1][2])
    assert batch.column_names == ["op", "seq", "txn", "flags", "id", "p"]
    assert batch.column("op").to_pylist() == [1, 1, 4]
    assert batch.column("flags").to_pylist() == [1, 1, 1]
    assert batch.schema.field("id").metadata[b"opendrs.type"] == b'{"kind":"int","bits":32,"unsigned":false}'
    assert window.position is not None
    assert window.first_commit_us <= window.last_commit_us


def test_schema_changes_are_barriers() -> None:
    case, log = recorded("mysql-9.7/schema_changes")
    changes = [event for event in replay(case, log) if isinstance(event, _core.SchemaChange)]
    assert [change.in_group for change in changes].count(True) == 1
    assert all((change.position is None) == change.in_group for change in changes)
    assert changes[0].sql == "CREATE TABLE t (id INT PRIMARY KEY, x INT)"


def test_errors_say_what_where_and_which_table() -> None:
    case, log = recorded("mariadb-10.11/statement_format")
    with pytest.raises(_core.DecodeError) as caught:
        list(replay(case, log))
    assert caught.value.kind == "statement_logged"
    assert caught.value.table == ("golden", "t")
    assert caught.value.position > 0
    assert "binlog_format=ROW" in str(caught.value)


def test_positions_compare() -> None:
    lines = (GOLDEN / "positions-v1.jsonl").read_text().splitlines()
    positions = [_core.BinlogPosition(line) for line in lines]
    assert [str(position) for position in positions] == lines
    assert positions[1].covers(positions[0])
    assert not positions[0].covers(positions[1])
    assert positions[4].restart() == ("mysql-file", "binlog.000002:4")
    with pytest.raises(ValueError, match="version 2"):
        _core.BinlogPosition('{"version": 2}')
