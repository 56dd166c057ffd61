"""Tables that come to a job into Kafka that follows, and tables that leave it: no message too many, none too few."""

from __future__ import annotations

import pytest

from opendrs.model.selection import Selection
from tests.harness.kafka import Kafka
from tests.harness.mysql_family import FamilyServer
from tests.integration.links.edits import Editing, named
from tests.integration.publishing.conftest import NewTale
from tests.integration.publishing.tale import Tale
from tests.integration.publishing.told import differing

MADE = """
CREATE TABLE p (id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE q (id INT PRIMARY KEY, v INT);
CREATE TABLE keyless (v INT);
INSERT INTO p VALUES (1, 'one'), (2, 'two'), (3, 'three');
INSERT INTO q VALUES (1, 1), (2, 1), (3, 2);
INSERT INTO keyless VALUES (1), (1), (2)
"""
CHANGES = """
INSERT INTO p VALUES ({n}, 'new');
UPDATE p SET v = CONCAT(v, '{n}') WHERE id < 3;
INSERT INTO q VALUES ({n}, 4);
UPDATE q SET v = v + {n} WHERE id < 3;
INSERT INTO keyless VALUES ({n}), (3);
DELETE FROM keyless WHERE v = 3 LIMIT 1
"""
# Where the worker may die while tables come: in the guest's load, before the exchange is told to the broker, and
# before what was told is committed.
PLACES = ("load.begun", "chunk.written", "table.finished", "load.loaded", "tables.exchanged", "window.flushed")


def begun(source: FamilyServer, kafka: Kafka, tell: NewTale, *tables: str) -> tuple[Tale, Editing]:
    tale = tell(source, kafka)
    tale.selection, tale.identity = named(tale.name, *tables), f"{abs(hash(tale.name)):032x}"[-32:]
    tale.at_source(MADE)
    tale.play()
    return tale, Editing(tale.job, tale.folder)


def edited(tale: Tale, editing: Editing, key: str, selection: Selection) -> None:
    assert editing.outcome(key).status == "success"
    tale.selection = selection
    assert differing(tale) == []


def test_tables_join_a_job_that_follows(source: FamilyServer, kafka: Kafka, tell: NewTale) -> None:
    tale, editing = begun(source, kafka, tell, "p")
    wanted = named(tale.name, "p", "q", "keyless")
    key, before = editing.ask(wanted), set(tale.broker.topics())
    tale.at_source(CHANGES.format(n=10))
    tale.play({"load.begun": CHANGES.format(n=11), "tables.exchanged": CHANGES.format(n=12)})
    edited(tale, editing, key, wanted)
    tale.at_source(CHANGES.format(n=13))
    tale.play()
    assert differing(tale) == []
    assert set(tale.broker.topics()) == before, "nothing of the guest stays"


@pytest.mark.parametrize("place", PLACES)
def test_the_worker_dies_while_tables_join(mariadb: FamilyServer, kafka: Kafka, tell: NewTale, place: str) -> None:
    tale, editing = begun(mariadb, kafka, tell, "p")
    wanted = named(tale.name, "p", "q", "keyless")
    key = editing.ask(wanted)
    tale.at_source(CHANGES.format(n=10))
    tale.dies(place)
    tale.at_source(CHANGES.format(n=11))
    tale.play()
    edited(tale, editing, key, wanted)
    tale.at_source(CHANGES.format(n=12))
    tale.play()
    assert differing(tale) == []


def test_tables_leave_a_job_that_follows(source: FamilyServer, kafka: Kafka, tell: NewTale) -> None:
    tale, editing = begun(source, kafka, tell, "p", "q", "keyless")
    kept = named(tale.name, "p", "keyless")
    key = editing.ask(kept, narrows=True)
    tale.play()
    assert editing.outcome(key).status == "success"
    before = len(tale.values())
    tale.selection = kept
    tale.at_source("INSERT INTO q VALUES (50, 5);\nINSERT INTO p VALUES (5, 'five')")
    tale.play()
    assert len(tale.values()) == before + 1
