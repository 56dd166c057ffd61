"""Transactions of the source that are large, have savepoints, or are prepared first: told whole or in parts, and once."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

import pymysql
import pytest

from opendrs.engines.mysql import snapshot, stream
from opendrs.errors import Fault
from opendrs.model.selection import Selection
from opendrs.pipeline import run
from tests.harness.kafka import Kafka
from tests.harness.mysql_family import FamilyServer
from tests.integration.publishing.conftest import NewTale
from tests.integration.publishing.tale import Tale
from tests.integration.publishing.told import differing, ids_of_log

TABLES = """
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(1000));
CREATE TABLE u (id INT PRIMARY KEY, v VARCHAR(1000));
CREATE TABLE left_out (id INT PRIMARY KEY, v VARCHAR(1000));
INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, 'three')
"""
KEPT = "CREATE TABLE kept (id INT PRIMARY KEY, v VARCHAR(1000)) ENGINE=MyISAM"


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """How the log is cut. Each part is taken by itself, however busy the machine is."""
    monkeypatch.setattr(run, "QUEUE_BYTES_MAX", 1)
    options: dict[str, Any] = {"part_bytes": 4000}
    plain = stream.log_options
    monkeypatch.setattr(stream, "log_options", lambda *args, **facts: plain(*args, **facts) | options)
    return options


def rows(table: str, first: int, count: int, size: int = 300) -> str:
    """One statement, several events of the log."""
    values = ", ".join(f"({number}, REPEAT('{number % 10}', {size}))" for number in range(first, first + count))
    return f"INSERT INTO {table} VALUES {values}"


def large() -> str:
    """Of about 60 kB, in which rows are changed and deleted again, and of which a table is not selected."""
    return ";\n".join([
        "BEGIN", rows("t", 100, 30), rows("left_out", 100, 30), "UPDATE t SET v = 'changed' WHERE id < 120",
        rows("u", 100, 60), "DELETE FROM t WHERE id BETWEEN 110 AND 115", "REPLACE INTO u VALUES (130, 'replaced')",
        "UPDATE t SET id = id + 1000 WHERE id > 124", rows("t", 200, 20), "COMMIT",
    ])  # fmt: skip


def following(tale: Tale, more: str = "") -> None:
    """The job has loaded, and follows."""
    tale.at_source(f"{TABLES};\n{more}")
    tale.play()


def dense(values: list[bytes]) -> bool:
    ids = ids_of_log(values)
    return ids == list(range(ids[0], ids[0] + len(ids)))


@pytest.mark.usefixtures("parts")
def test_a_large_one_is_seen_in_parts(mysql: FamilyServer, kafka: Kafka, tell: NewTale) -> None:
    tale = tell(mysql, kafka, transaction_bytes=10_000)
    tale.selection = Selection(patterns=(f"{tale.name}.t", f"{tale.name}.u"))
    following(tale)
    before = len(tale.values())
    tale.at_source(large())
    seen: list[int] = []
    acts = {f"window.written:{number}": lambda: seen.append(len(tale.values())) for number in range(1, 8)}
    tale.play(acts)
    assert seen == sorted(seen) and before < seen[0] < seen[3] < seen[-1]
    values = tale.values()
    assert dense(values)
    assert differing(tale, values) == []


@pytest.mark.parametrize("moments", [
    ("window.written:3", "window.written:6", "window.written:2", "window.flushed:1"),
    ("window.taken:4", "window.written:6", "source.acknowledged:1"),
])  # fmt: skip
def test_killed_between_parts(
    mariadb: FamilyServer,
    mysql: FamilyServer,
    kafka: Kafka,
    tell: NewTale,
    parts: dict[str, Any],
    moments: tuple[str, ...],
) -> None:
    """Where the parts are cut is another place each time."""
    source = mysql if len(moments) == 4 else mariadb
    tale = tell(source, kafka, transaction_bytes=9_000)
    following(tale)
    tale.at_source(large())
    tale.at_source("INSERT INTO u VALUES (1, 'behind it')")
    counts = []
    for number, moment in enumerate(moments):
        parts["part_bytes"] = (4000, 2500, 3100, 5000)[number]
        tale.dies(moment)
        counts.append(len(tale.values()))
    assert counts == sorted(counts) and counts[0] < counts[-1]
    tale.play()
    values = tale.values()
    assert dense(values)
    assert differing(tale, values) == []


# A rollback is only logged if something in the transaction stays: rows of MyISAM do.
REGRETTED = {
    "to a savepoint": ["SAVEPOINT a", rows("t", 200, 30), "INSERT INTO kept VALUES (1, 'kept')", rows("u", 200, 20),
                       "ROLLBACK TO SAVEPOINT a", rows("t", 200, 5)],
    "to each of two": [rows("u", 1, 20), "SAVEPOINT a", rows("t", 200, 20), "SAVEPOINT b", rows("t", 300, 20),
                       "INSERT INTO kept VALUES (1, 'kept')", "ROLLBACK TO SAVEPOINT b", rows("t", 300, 3),
                       rows("u", 300, 20), "ROLLBACK TO SAVEPOINT a", rows("t", 200, 2)],
    "to the same again": ["SAVEPOINT A", rows("t", 200, 20), "SAVEPOINT a", "INSERT INTO kept VALUES (1, 'kept')",
                          rows("t", 300, 20), "ROLLBACK TO SAVEPOINT a", rows("t", 400, 20), "ROLLBACK TO SAVEPOINT A",
                          "RELEASE SAVEPOINT a", rows("u", 300, 3)],
}  # fmt: skip


@pytest.mark.parametrize("died", [False, True])
def test_what_is_rolled_back_is_never_told(
    mariadb: FamilyServer, kafka: Kafka, tell: NewTale, parts: dict[str, Any], died: bool
) -> None:
    tale = tell(mariadb, kafka)
    following(tale, KEPT)
    for number, regretted in enumerate(REGRETTED.values()):
        statements = ["BEGIN", rows("t", 100, 20), *regretted, rows("u", 5000, 20), "COMMIT"]
        tale.at_source(";\n".join(statements))
        tale.at_source(f"DELETE FROM t WHERE id > 3;\nDELETE FROM u;\nUPDATE kept SET id = {number} + 10 WHERE id = 1")
    if died:
        for moment in ("window.written:9", "window.written:14", "window.taken:5"):
            tale.dies(moment)
    tale.play()
    values = tale.values()
    assert dense(values)
    assert differing(tale, values) == []


@pytest.mark.usefixtures("parts")
def test_what_is_seen_cannot_be_rolled_back(mariadb: FamilyServer, kafka: Kafka, tell: NewTale) -> None:
    tale = tell(mariadb, kafka, transaction_bytes=6000)
    following(tale, KEPT)
    tale.at_source(";\n".join(["BEGIN", rows("u", 1, 5), *REGRETTED["to a savepoint"], "COMMIT"]))
    for _ in range(2):
        tale.fails(Fault.LOG_UNSUPPORTED, "rolled back that is published already", "transaction_bytes")
    # The job can only begin anew: with a larger one it does.
    tale.publishes(transaction_bytes=1 << 30)
    before = len(tale.values())
    tale.play(reset=True)
    assert differing(tale, tale.values()[before:]) == []


def test_one_that_is_seen_in_parts_is_rolled_back_behind_them(
    mariadb: FamilyServer, kafka: Kafka, tell: NewTale, parts: dict[str, Any]
) -> None:
    """Only what is rolled back must not be seen; what stood before the savepoint may be."""
    tale = tell(mariadb, kafka, transaction_bytes=6000)
    following(tale, KEPT)
    parts["part_bytes"] = 1500
    tale.at_source(";\n".join([
        "BEGIN", rows("t", 100, 40), "SAVEPOINT a", rows("u", 1, 8), "INSERT INTO kept VALUES (1, 'x')",
        "ROLLBACK TO SAVEPOINT a", rows("t", 300, 40), "COMMIT",
    ]))  # fmt: skip
    seen: list[int] = []
    tale.play({f"window.written:{number}": lambda: seen.append(len(tale.values())) for number in range(1, 10)})
    values = tale.values()
    assert len(set(seen)) > 3
    assert dense(values) and differing(tale, values) == []


def test_small_savepoints(source: FamilyServer, kafka: Kafka, tell: NewTale) -> None:
    tale = tell(source, kafka)
    following(tale)
    tale.at_source("""
BEGIN;
INSERT INTO t VALUES (10, 'stays');
SAVEPOINT a;
UPDATE t SET v = 'goes' WHERE id < 3;
INSERT INTO u VALUES (10, 'goes');
ROLLBACK TO SAVEPOINT a;
DELETE FROM t WHERE id = 3;
COMMIT;
BEGIN;
DELETE FROM t;
ROLLBACK
""")
    if source.name.startswith("mariadb"):
        tale.dies("window.written:1")
    tale.play()
    assert differing(tale) == []
    assert Counter(json.loads(value)["type"] for value in tale.values()) == {
        "INIT_DDL": 3,
        "INIT": 3,
        "INSERT": 1,
        "DELETE": 1,
    }


def prepare(name: str, *statements: str) -> str:
    return ";\n".join([f"XA START '{name}'", *statements, f"XA END '{name}'", f"XA PREPARE '{name}'"])


def decide(source: FamilyServer, decision: str, name: str) -> None:
    """Whoever prepared it may not have left yet."""
    for _ in range(100):
        try:
            source.execute(f"XA {decision} '{name}'")
        except pymysql.err.MySQLError:  # nobody but its own session may, as long as that is there
            time.sleep(0.02)
        else:
            return
    raise AssertionError("the transaction cannot be ended")


def test_prepared_ones(source: FamilyServer, kafka: Kafka, tell: NewTale, parts: dict[str, Any]) -> None:
    """Told when they are committed, however long that takes and whoever has the job then."""
    parts["held_bytes_max"] = 10_000
    tale = tell(source, kafka, transaction_bytes=8_000)
    tale.at_source(TABLES)
    at_once = prepare("now", "INSERT INTO t VALUES (4, 'four')", "DELETE FROM t WHERE id = 1") + ";\nXA COMMIT 'now'"
    tale.play({"load.begun": at_once, "chunk.committed": at_once.replace("1", "2").replace("(4", "(5")})
    assert differing(tale) == []
    tale.at_source(prepare("long", rows("t", 100, 60), "UPDATE t SET v = 'prepared' WHERE id < 110"))
    tale.at_source(prepare("never", rows("u", 100, 60)))
    tale.at_source("INSERT INTO u VALUES (1, 'before it')")
    tale.play()
    tale.at_source("INSERT INTO u VALUES (2, 'still before it')")
    tale.dies("window.written:1")
    decide(source, "COMMIT", "long")
    decide(source, "ROLLBACK", "never")
    tale.at_source("XA START 'one';\nUPDATE u SET v = 'one phase';\nXA END 'one';\nXA COMMIT 'one' ONE PHASE")
    tale.dies("window.written:3")
    tale.play()
    values = tale.values()
    assert dense(values) and differing(tale, values) == []


def test_one_that_is_prepared_when_the_load_begins(
    source: FamilyServer, kafka: Kafka, tell: NewTale, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On MySQL it holds its tables; the load says so, and begins when it has ended. On MariaDB it does not, and its
    rows are told when it ends."""
    monkeypatch.setattr(snapshot, "LOCK_WAIT_S", 1)
    tale = tell(source, kafka)
    tale.at_source(TABLES)
    acts = {"load.begun": prepare("held", "INSERT INTO t VALUES (4, 'four')", "DELETE FROM t WHERE id = 1")}
    if source.name.startswith("mariadb"):
        tale.play(acts)
    else:
        tale.fails(Fault.SOURCE_REFUSED, "a transaction has held a selected table", acts=acts)
    decide(source, "COMMIT", "held")
    tale.play()
    assert differing(tale) == []
