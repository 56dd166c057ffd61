"""Tables that are altered, renamed, emptied, dropped and made while they are being loaded."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import partial
from typing import Final

import pytest

from opendrs.engines.kafka.loader import Loader
from opendrs.engines.mysql import snapshot
from opendrs.errors import Fault
from opendrs.model.checkpoint import LoadedChunk
from tests.harness.kafka import Kafka
from tests.harness.mysql_family import FamilyServer
from tests.integration.links.story import Deed
from tests.integration.publishing.conftest import NewTale
from tests.integration.publishing.told import differing

NUMBERS: Final = (
    "WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 80) SELECT i, i, 'word' FROM n"
)
TABLE: Final = f"""
CREATE TABLE t (id INT PRIMARY KEY, v INT, w VARCHAR(20));
INSERT INTO t {NUMBERS}
"""
# Rows of chunks that are there, and of others; some get from here to there.
WRITES: Final = """
REPLACE INTO t (id, v) VALUES (101, 1), (-5, 2), (16, 3), (77, 4);
UPDATE t SET v = v + 1000 WHERE id IN (1, 17, 40, 79);
DELETE FROM t WHERE id IN (2, 18, 41, 80);
UPDATE t SET id = 200 + v MOD 100 WHERE id IN (3, 4) ORDER BY id DESC LIMIT 1;
UPDATE IGNORE t SET id = 2 WHERE id > 60 ORDER BY id LIMIT 1
"""
# What is done to a table `t`, and behind it.
CHANGES: Final = {
    "column_added": ("ALTER TABLE t ADD COLUMN x INT DEFAULT 7 AFTER id", f"{WRITES};\nUPDATE t SET x = 8"),
    "column_added_at_once": ("ALTER TABLE t ADD COLUMN x INT NOT NULL DEFAULT 7, ALGORITHM=INSTANT", WRITES),
    "column_dropped": ("ALTER TABLE t DROP COLUMN w", WRITES),
    "column_widened": ("ALTER TABLE t MODIFY v BIGINT, MODIFY w VARCHAR(200)", WRITES),
    "column_renamed": ("ALTER TABLE t CHANGE w renamed VARCHAR(20)", WRITES),
    "index_added": ("CREATE INDEX i ON t (v)", WRITES),
    "renamed": ("RENAME TABLE t TO t_new", WRITES.replace(" t ", " t_new ")),
    "emptied": ("TRUNCATE TABLE t", WRITES),
    "dropped": ("DROP TABLE t", ""),
    "made_anew": ("DROP TABLE t;\nCREATE TABLE t (id INT PRIMARY KEY, v INT);\nINSERT INTO t VALUES (5, 5)", WRITES),
    "copied": ("CREATE TABLE t_copy LIKE t;\nINSERT INTO t_copy SELECT * FROM t", WRITES.replace(" t ", " t_copy ")),
    "swapped": (
        """
CREATE TABLE _t_gho (id INT PRIMARY KEY, v BIGINT, w VARCHAR(20), x INT DEFAULT 5);
INSERT INTO _t_gho (id, v, w) SELECT id, v, w FROM t;
DELETE FROM _t_gho WHERE id = 30;
DELETE FROM t WHERE id = 30;
RENAME TABLE t TO _t_del, _t_gho TO t;
DROP TABLE _t_del
""",
        WRITES,
    ),
}


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.integration.publishing.tale.CHUNK_ROWS", 16)


@pytest.fixture
def giving(source: FamilyServer) -> Iterator[FamilyServer]:
    """One that takes a table back from a snapshot when a chunk is read."""
    if not source.name.startswith("mariadb"):
        yield source
        return
    source.execute("GRANT BINLOG ADMIN ON *.* TO opendrs")
    yield source
    source.execute("REVOKE BINLOG ADMIN ON *.* FROM opendrs")


def of(name: str, text: str) -> str:
    """Statements about `t`, about a table of that name."""
    return re.sub(r"\bt\b", name, text).replace("_t_", f"_{name}_").replace(" t_", f" {name}_")


def all_of(number: int) -> str:
    return ";\n".join(of(name, change[number]) for name, change in CHANGES.items())


@pytest.fixture
def first_chunk(monkeypatch: pytest.MonkeyPatch) -> dict[str, Deed]:
    """What is done as soon as the first chunk of a table is there."""
    waiting: dict[str, Deed] = {}
    commit = Loader.commit

    def patched(self: Loader, loaded: LoadedChunk) -> None:
        commit(self, loaded)
        waiting.pop(loaded.chunk.table.table, lambda: None)()

    monkeypatch.setattr(Loader, "commit", patched)
    return waiting


def test_between_two_chunks(giving: FamilyServer, kafka: Kafka, tell: NewTale, first_chunk: dict[str, Deed]) -> None:
    tale = tell(giving, kafka)
    for name, (change, _) in CHANGES.items():
        tale.at_source(of(name, TABLE))
        first_chunk[name] = partial(tale.at_source, of(name, f"{WRITES};\n{change}"))
    tale.play({"load.loaded": all_of(1)})
    assert not first_chunk, "some tables were not loaded"
    assert differing(tale) == []


def test_while_the_job_is_away(mariadb_11: FamilyServer, kafka: Kafka, tell: NewTale) -> None:
    """Some tables are there, one is there in part, others have not begun."""
    tale = tell(mariadb_11, kafka)
    for name in CHANGES:
        tale.at_source(of(name, TABLE))
    tale.dies(f"chunk.committed:{5 * len(CHANGES) // 2}")
    tale.at_source(";\n".join(of(name, f"{WRITES};\n{change}") for name, (change, _) in CHANGES.items()))
    tale.play({"load.loaded": all_of(1)})
    assert differing(tale) == []


def test_before_the_load(source: FamilyServer, kafka: Kafka, tell: NewTale) -> None:
    """What is done between the position and the first chunk is told as it was done."""
    tale = tell(source, kafka)
    tale.at_source(f"{TABLE};\nCREATE TABLE gone (id INT PRIMARY KEY);\nINSERT INTO gone VALUES (1)")
    tale.play({
        "sink.opened": "ALTER TABLE t ADD COLUMN x INT DEFAULT 1",
        "load.begun": "CREATE TABLE made (id INT PRIMARY KEY, v INT);\nINSERT INTO made VALUES (1, 1), (2, 2);\n"
        "DROP TABLE gone;\nALTER TABLE t DROP COLUMN w;\nRENAME TABLE t TO u;\nUPDATE u SET v = -1 WHERE id < 9",
        "chunk.committed": "UPDATE made SET v = 3 WHERE id = 2",
    })  # fmt: skip
    assert differing(tale) == []


def test_another_key_stops_the_job(giving: FamilyServer, kafka: Kafka, tell: NewTale) -> None:
    """Of which rows are told already, the old key is the only name."""
    tale = tell(giving, kafka)
    tale.at_source(TABLE)
    change = "ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (v, id)"
    words = ("ALTER TABLE t DROP PRIMARY KEY", f"the key of {tale.name}.t changed", "reset the job")
    if giving.name.startswith("mariadb"):
        tale.fails(Fault.DDL_UNSUPPORTED, *words, acts={"chunk.committed:2": change})
    else:
        tale.dies("chunk.committed:2")
        tale.at_source(change)
    tale.fails(Fault.DDL_UNSUPPORTED, *words)
    before = len(tale.values())
    tale.play(reset=True)
    assert differing(tale, tale.values()[before:]) == []


def test_who_waits_to_alter_a_table_is_let_in(
    mariadb: FamilyServer, kafka: Kafka, tell: NewTale, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On MariaDB a snapshot keeps what it has read, and whoever comes behind the one who waits for it waits too. So
    the job gives up its moment, and tries again as when a server does not answer."""
    monkeypatch.setattr(snapshot, "LOCK_WAIT_S", 1)
    tale = tell(mariadb, kafka)
    tale.at_source(TABLE)
    waiting = threading.Thread(target=tale.at_source, args=("ALTER TABLE t ADD COLUMN x INT",))

    def begin() -> None:
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()

    tale.fails(Fault.SOURCE_UNREACHABLE, "waits to alter it", acts={"chunk.committed:2": begin})
    waiting.join()
    tale.play()
    assert differing(tale) == []
