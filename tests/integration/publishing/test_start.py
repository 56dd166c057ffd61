"""Jobs without a load that publish from a place in the log on."""

from __future__ import annotations

import json

from opendrs.engines.mysql.connect import Session
from opendrs.engines.mysql.starting import resolve
from opendrs.errors import Fault
from opendrs.model.start import StartPosition
from tests.harness.kafka import Kafka
from tests.harness.mysql_family import FamilyServer
from tests.integration.publishing.conftest import NewTale
from tests.integration.publishing.tale import Tale

T = "CREATE TABLE t (id INT PRIMARY KEY, v TEXT)"


def here(tale: Tale) -> str:
    """Where the log of the source ends now."""
    with Session(tale.job.source) as session:
        return resolve(session, StartPosition(time="2200-01-01T00:00:00Z")).place


def told(tale: Tale) -> list[str]:
    """Each message in few words: `INSERT t 1`, or the begin of a statement."""
    found = []
    for value in tale.values():
        record = json.loads(value)
        row = (record["data"] or [{}])[0]
        found.append(record["sql"][:18] if record["isDdl"] else f"{record['type']} {record['table']} {row['id']}")
    return found


def test_what_comes_from_there_on_is_published_and_nothing_else(
    source: FamilyServer, kafka: Kafka, tell: NewTale
) -> None:
    tale = tell(source, kafka, of={"task": "incremental"})
    tale.at_source(f"{T};\nINSERT INTO t VALUES (1, 'before')")
    tale.start = StartPosition(file_and_position=here(tale))
    tale.at_source("INSERT INTO t VALUES (2, 'a');\nUPDATE t SET v = 'b' WHERE id = 1;\nFLUSH BINARY LOGS")
    tale.at_source("CREATE TABLE u (id INT PRIMARY KEY);\nINSERT INTO u VALUES (7);\nDELETE FROM t WHERE id = 2")
    assert [one for one in tale.checked() if one.result == "FAILED"] == []
    tale.play(check=True)
    expected = ["INSERT t 2", "UPDATE t 1", "CREATE TABLE u (id", "INSERT u 7", "DELETE t 2"]
    assert told(tale) == expected
    # The one that comes after goes on from the checkpoint.
    tale.start = StartPosition(file_and_position="binlog.999999:4")
    tale.at_source("INSERT INTO t VALUES (3, 'c')")
    tale.play(check=True)
    assert told(tale) == [*expected, "INSERT t 3"]


def test_tables_that_were_altered_since(source: FamilyServer, kafka: Kafka, tell: NewTale) -> None:
    """Rows of then would be told with the columns of now: nothing is published."""
    tale = tell(source, kafka, of={"task": "incremental"})
    tale.at_source(f"{T};\nCREATE TABLE u (id INT PRIMARY KEY)")
    tale.start = StartPosition(file_and_position=here(tale))
    tale.at_source("INSERT INTO t VALUES (1, 'a');\nALTER TABLE t ADD COLUMN w INT FIRST;\nDROP TABLE u")
    error = tale.fails(Fault.DEFINITION_CHANGED, f"{tale.name}.t, {tale.name}.u", "DROP TABLE")
    assert tale.name not in kafka.topics(), "not even a topic was made"
    tale.start = StartPosition(file_and_position=error.details["position"])
    tale.at_source("INSERT INTO t VALUES (5, 2, 'b')")
    tale.play()
    assert told(tale) == ["INSERT t 2"]
