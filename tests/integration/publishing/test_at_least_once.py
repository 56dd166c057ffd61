"""Without transactions of Kafka: whatever is sent is seen, so messages may come twice, and nothing may be lost or told
that never was."""

from __future__ import annotations

import json
import time
from typing import Any
from unittest.mock import patch

import pytest

from opendrs.engines.kafka import loader
from opendrs.engines.kafka.producing import Producer
from tests.harness.kafka import Kafka
from tests.harness.mysql_family import FamilyServer
from tests.integration.publishing.conftest import NewTale
from tests.integration.publishing.tale import Died, Tale, die
from tests.integration.publishing.test_transactions import KEPT, REGRETTED, following, parts, rows
from tests.integration.publishing.told import differing

__all__ = ("parts",)

LEAST: dict[str, Any] = {"delivery": "at-least-once"}
TABLE = """
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO t WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 80) SELECT i, 'first' FROM n
"""
MEANWHILE = """
DELETE FROM t WHERE id IN (2, 18, 40, 79);
UPDATE t SET v = 'changed' WHERE id IN (1, 17, 41);
UPDATE t SET id = 200 + id WHERE id IN (5, 60);
INSERT INTO t VALUES (-1, 'new'), (90, 'new')
"""


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.integration.publishing.tale.CHUNK_ROWS", 16)


def believed(tale: Tale) -> dict[int, str]:
    """What a consumer has that takes the newest of each row."""
    found: dict[int, str] = {}
    for value in tale.values():
        record = json.loads(value)
        if record["table"] != "t" or record["isDdl"]:
            continue
        if record["type"] == "DELETE":
            found.pop(int(record["data"][0]["id"]), None)
            continue
        for old in record["old"] or []:
            found.pop(int(old["id"]), None)
        for row in record["data"]:
            found[int(row["id"])] = row["v"]
    return found


def there(tale: Tale) -> dict[int, str]:
    return dict(tale.source.execute(f"SELECT id, v FROM {tale.name}.t"))


def test_what_is_rolled_back_is_never_told(
    mariadb: FamilyServer, kafka: Kafka, tell: NewTale, parts: dict[str, Any]
) -> None:
    del parts  # the log is cut into them
    tale = tell(mariadb, kafka, **LEAST)
    following(tale, KEPT)
    for number, regretted in enumerate(REGRETTED.values()):
        tale.at_source(";\n".join(["BEGIN", rows("t", 100, 20), *regretted, rows("u", 5000, 20), "COMMIT"]))
        tale.at_source(f"DELETE FROM t WHERE id > 3;\nDELETE FROM u;\nUPDATE kept SET id = {number} + 10 WHERE id = 1")
    tale.play()
    assert differing(tale) == [], "nothing was interrupted: nothing comes twice either"


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("chunk", [1, 3])
def test_what_became_of_rows_while_their_load_was_interrupted(
    source: FamilyServer, kafka: Kafka, tell: NewTale, chunk: int
) -> None:
    tale = tell(source, kafka, **LEAST)
    tale.at_source(TABLE)

    def seen_then_dead() -> None:
        """The brokers have what was sent."""
        deadline = time.monotonic() + 20
        while len(believed(tale)) < 16 * chunk:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        die()

    with pytest.raises(Died), patch.object(Producer, "close", lambda producer: producer.core.close()):
        tale.play({f"chunk.written:{chunk}": seen_then_dead})
    tale.at_source(MEANWHILE)
    tale.play({"load.loaded": "DELETE FROM t WHERE id = 3"})
    assert believed(tale) == there(tale)


@pytest.mark.usefixtures("small_chunks")
def test_the_same_where_a_chunk_takes_longer_than_a_transaction_may(
    source: FamilyServer, kafka: Kafka, tell: NewTale, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exactly once is what is wanted there, and what cannot be kept for a chunk that was begun and interrupted."""
    monkeypatch.setattr(loader, "PATIENT_SHARE", 0.0)
    tale = tell(source, kafka)
    tale.at_source(TABLE)
    monkeypatch.setattr("tests.integration.publishing.tale.BATCH_ROWS", 5)
    tale.dies("chunk.written:2")
    assert 16 < len(believed(tale)) < 32, "some of the second chunk can be seen"
    tale.at_source(MEANWHILE)
    tale.play({"load.loaded": "DELETE FROM t WHERE id = 3"})
    assert believed(tale) == there(tale)
    assert any("take longer than a transaction" in why for _, why in tale.reports)
