"""How a policy is persisted."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from opendrs.model.job import Policy
from opendrs.model.publishing import Publishing
from opendrs.model.rules import EVERY_DML, NO_RULE, Dml, TableRule
from opendrs.model.start import StartPosition

# As releases have written them: they stand in stores, and are read for ever.
VERSION_1 = """{"version": 1, "apply": "merged", "readers": 4, "consistent": false, "invalid_dates": "null",
    "nul_in_text": "stop", "skipped_ddl": ["drop_table"], "server_id": 77, "spool_bytes": 10737418240}"""
VERSION_2 = """{"version": 2, "apply": "transactional", "readers": 3, "consistent": true, "invalid_dates": "epoch",
    "nul_in_text": "remove", "skipped_ddl": ["drop_index"], "ddl": "refuse", "indexes": "unique", "server_id": 0,
    "spool_bytes": 1}"""
VERSION_3 = """{"version": 3, "apply": "transactional", "readers": 2, "consistent": false, "invalid_dates": "stop",
    "nul_in_text": "stop", "skipped_ddl": [], "ddl": "carry", "indexes": "all", "server_id": 0,
    "spool_bytes": 10737418240, "publishing": {"format": "avro", "topic_policy": 0, "topic": "all",
    "topic_name_format": "", "partition_policy": 2, "partitions": 6, "replication_factor": 3, "ddl_topic": "ddl",
    "delivery": "at-least-once", "compression": "zstd", "checkpoint_topic": "mine", "transaction_bytes": 4096}}"""
VERSION_4 = json.dumps({**json.loads(VERSION_3), "version": 4, "topology": "many2one"})
VERSION_5 = json.dumps(
    {
        **json.loads(VERSION_4),
        "version": 5,
        "start": {
            "file_and_position": "mysql-bin.000277:805",
            "gtid_set": "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5",
            "time": "",
        },
    }
)
VERSION_6 = json.dumps(
    {**json.loads(VERSION_5), "version": 6, "batch_rows": 100, "batch_bytes": 1000, "chunk_rows": 5000}
)
VERSION_7 = json.dumps({**json.loads(VERSION_6), "version": 7, "conflict": "overwrite", "dml": "iu"})


def test_a_policy_comes_through_whole() -> None:
    policy = Policy(
        apply="merged", ddl="refuse", indexes="unique", skipped_ddl=("drop_table",),
        publishing=Publishing(format="debezium-json", partitions=7), start=StartPosition(time="2026-11-30T07:00:00Z"),
    )  # fmt: skip
    assert Policy.from_json(json.loads(json.dumps(policy.to_json()))) == policy


def test_a_policy_of_an_old_store_is_readable() -> None:
    assert Policy.from_json(json.loads(VERSION_1)) == Policy(
        apply="merged", readers=4, invalid_dates="null", skipped_ddl=("drop_table",), server_id=77, ddl="carry",
        indexes="all", publishing=Publishing(),
    )  # fmt: skip
    assert Policy.from_json(json.loads(VERSION_2)) == Policy(
        readers=3, consistent=True, invalid_dates="epoch", nul_in_text="remove", skipped_ddl=("drop_index",),
        ddl="refuse", indexes="unique", spool_bytes=1, publishing=Publishing(),
    )  # fmt: skip
    publishing = Publishing(
        format="avro", topic_policy=0, topic="all", partition_policy=2, partitions=6, replication_factor=3,
        ddl_topic="ddl", delivery="at-least-once", compression="zstd", checkpoint_topic="mine", transaction_bytes=4096,
    )  # fmt: skip
    assert Policy.from_json(json.loads(VERSION_3)) == Policy(publishing=publishing)
    assert Policy.from_json(json.loads(VERSION_4)) == Policy(publishing=publishing, topology="many2one")
    start = StartPosition(file_and_position="mysql-bin.000277:805", gtid_set="3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5")
    policy = Policy(publishing=publishing, topology="many2one", start=start)
    assert Policy.from_json(json.loads(VERSION_5)) == policy


def test_a_policy_of_today_is_written_as_it_will_be_read_for_ever() -> None:
    start = StartPosition(file_and_position="mysql-bin.000277:805", gtid_set="3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5")
    policy = replace(
        Policy.from_json(json.loads(VERSION_3)),
        topology="many2one", start=start, batch_rows=100, batch_bytes=1000, chunk_rows=5000,
    )  # fmt: skip
    assert Policy.from_json(json.loads(VERSION_6)) == policy
    policy = replace(policy, conflict="overwrite", dml="iu")
    assert Policy.from_json(json.loads(VERSION_7)) == policy
    assert policy.to_json() == json.loads(VERSION_7)


def test_a_policy_of_a_newer_release_is_refused() -> None:
    with pytest.raises(ValueError, match="version 8"):
        Policy.from_json({**json.loads(VERSION_7), "version": 8})


def test_what_is_said_of_a_table_counts_before_the_policy() -> None:
    policy = Policy(dml="iu")
    assert policy.carries(NO_RULE) == {"i", "u"}
    assert policy.carries(TableRule(dml=frozenset("d"))) == {"d"}
    assert policy.carries(TableRule(dml=frozenset())) == frozenset()
    assert policy.carries(TableRule(dml=EVERY_DML)) == EVERY_DML, "that it is all was said"
    assert Policy().carries(NO_RULE) == EVERY_DML


@pytest.mark.parametrize("dml", [None, frozenset(), frozenset("u"), EVERY_DML])
def test_what_is_said_of_changes_is_kept_as_it_was_said(dml: frozenset[Dml] | None) -> None:
    rule = TableRule(filter="id > 1", dml=dml)
    assert TableRule.from_json(json.loads(json.dumps(rule.to_json()))) == rule
