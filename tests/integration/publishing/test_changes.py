"""What happened at the source, as its own tool prints its log, and as consumers are told: what, in which order, when."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from opendrs.model.publishing import Format
from opendrs.model.selection import Selection
from tests.harness.binlog_text import LoggedTransaction, Op, logged_transactions
from tests.harness.fold import told
from tests.harness.kafka import Kafka
from tests.harness.mysql_family import FamilyServer
from tests.integration.publishing.conftest import NewTale

TABLES: Final = """
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), u INT UNIQUE);
CREATE TABLE pair (b VARCHAR(5), a INT, v INT, PRIMARY KEY (a, b));
CREATE TABLE loose (v INT, w VARCHAR(10));
CREATE TABLE elsewhere (id INT PRIMARY KEY)
"""
COLUMNS: Final = {"t": ("id", "v", "u"), "pair": ("b", "a", "v"), "loose": ("v", "w")}
KEYS: Final = {"t": ("id",), "pair": ("a", "b"), "loose": ()}
CHANGES: Final = """
INSERT INTO t VALUES (1, 'one', 1);
INSERT INTO t VALUES (2, 'two', 2), (3, 'three', 3), (4, NULL, NULL);
UPDATE t SET v = 'changed' WHERE id > 2;
UPDATE t SET v = 'changed' WHERE id > 2;
UPDATE t SET id = 10 WHERE id = 1;
UPDATE t SET id = id + 1 ORDER BY id DESC;
DELETE FROM t WHERE id = 5;
REPLACE INTO t VALUES (3, 'replaced', 2);
REPLACE INTO t VALUES (20, 'takes two', 3);
INSERT INTO t VALUES (20, 'x', 9) ON DUPLICATE KEY UPDATE v = 'duplicate';
BEGIN;
INSERT INTO pair VALUES ('x', 1, 1), ('y', 1, 2), ('x', 2, 3);
INSERT INTO elsewhere VALUES (1);
INSERT INTO loose VALUES (1, 'a'), (1, 'a'), (2, NULL);
UPDATE pair SET b = 'z', v = 9 WHERE a = 1 AND b = 'x';
UPDATE pair, t SET pair.v = 7, t.v = 'both' WHERE pair.a = 2 AND t.id = 20;
DELETE FROM loose WHERE v = 1 LIMIT 1;
COMMIT;
BEGIN;
DELETE FROM t;
ROLLBACK;
UPDATE loose SET w = 'later';
DELETE pair, t FROM pair JOIN t ON pair.v = 7 AND t.id = 20
"""
Image = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Change:
    """One that consumers must be told of; `row` is its number in its transaction."""

    op: Op
    table: str
    before: Image | None
    after: Image | None
    of: LoggedTransaction
    row: int


def logged(source: FamilyServer, file: str, database: str) -> Iterator[Change]:
    """Without those of tables that are not selected."""
    for one in logged_transactions(source, file):
        selected = [change for change in one.changes if change.table[0] == database and change.table[1] in COLUMNS]
        for row, change in enumerate(selected):
            table = change.table[1]
            yield Change(change.op, table, image(table, change.before), image(table, change.after), one, row)


def image(table: str, values: Mapping[int, str]) -> Image | None:
    """From a row as the tool prints it."""
    plain = {number: re.sub(r" /\*.*\*/$", "", text) for number, text in values.items()}
    texts = {number: None if text == "NULL" else text.strip("'") for number, text in plain.items()}
    return {name: texts[number] for number, name in enumerate(COLUMNS[table], 1)} if texts else None


def split(one: Change) -> list[Change]:
    """A change of the key, as those are told of it who know rows by their keys."""
    if one.before is None or one.after is None or all(one.before[name] == one.after[name] for name in KEYS[one.table]):
        return [one]
    return [replace(one, op="delete", after=None), replace(one, op="insert", before=None)]


def as_text(values: Mapping[str, Any] | None) -> Image | None:
    return None if values is None else {name: v if v is None else str(v) for name, v in values.items()}


@pytest.mark.parametrize(
    ("server", "form", "policy", "splits"),
    [
        ("mysql", "json_c", 1, False), ("mariadb", "json", 2, True), ("mysql", "debezium-json", 1, True),
        ("mariadb", "debezium-json", 0, True), ("mysql", "canal-json", 2, True), ("mariadb_11", "canal-json", 3, False),
    ],
)  # fmt: skip
def test_consumers_are_told_what_the_log_has(
    request: pytest.FixtureRequest, kafka: Kafka, tell: NewTale, server: str, form: Format, policy: int, splits: bool
) -> None:
    source: FamilyServer = request.getfixturevalue(server)
    tale = tell(source, kafka)
    tale.publishes(format=form, partition_policy=policy, ddl_topic="")
    tale.selection = Selection(patterns=tuple(f"{tale.name}.{name}" for name in COLUMNS))
    tale.at_source(TABLES)
    tale.play()
    source.execute("FLUSH BINARY LOGS")
    file, begun_ms = source.execute("SHOW BINARY LOGS")[-1][0], time.time() * 1000
    tale.at_source(CHANGES)
    wanted = list(logged(source, file, tale.name))
    wanted = [one for change in wanted for one in (split(change) if splits else [change])]
    tale.play()
    values = tale.values()
    records, heard = [json.loads(value) for value in values], [told(value, form) for value in values]
    assert [(one.op, one.table[1], as_text(one.before), as_text(one.after)) for one in heard if one] == [
        (one.op, one.table, one.before, one.after) for one in wanted
    ]
    assert [one.moment_ms for one in heard if one] == [one.of.moment_ms for one in wanted]
    made = [record["ts_ms" if form == "debezium-json" else "ts"] for record in records]
    assert made == sorted(made) and begun_ms <= made[0] <= made[-1] <= time.time() * 1000
    if form == "debezium-json":
        places = [[record["source"][name] for name in ("gtid", "file", "pos", "row")] for record in records]
        assert places == [[one.of.gtid, one.of.file, one.of.pos, one.row] for one in wanted]
    else:
        assert [record["id"] for record in records] == list(range(1, len(records) + 1))
    if form == "canal-json":
        assert [record["gtid"] for record in records] == [one.of.gtid for one in wanted]
