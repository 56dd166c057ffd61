"""How a job publishes, as it is asked for and shown."""

from __future__ import annotations

from typing import Any

import pytest

from opendrs.api.wire.policy import PolicyConfig, changed, shown_policy
from opendrs.api.wire.publishing import FIELDS
from opendrs.errors import DrsError, Fault
from opendrs.model.job import Policy
from opendrs.model.publishing import Publishing

EMPTY, INVALID = Fault.PARAMETER_EMPTY, Fault.PARAMETER_INVALID


def asked(policy: Policy | None = None, target: Any = "kafka", **fields: Any) -> Policy:
    return changed(policy or Policy(), PolicyConfig.model_validate(fields), target, "")


def refused(fault: Fault, target: Any = "kafka", **fields: Any) -> str:
    with pytest.raises(DrsError) as raised:
        asked(target=target, **fields)
    assert raised.value.fault is fault, raised.value
    return raised.value.message


def test_every_field() -> None:
    found = asked(
        topic_policy=0, topic="all", partition_policy="3", partitions_num="7", replication_factor=2,
        kafka_data_format="JSON_C", ddl_topic="ddl", delivery="at-least-once", compression="zstd",
        checkpoint_topic="own", transaction_bytes=1024, topic_name_format="$database$",
    ).publishing  # fmt: skip
    assert found == Publishing(
        topic_policy=0, topic="all", partition_policy=3, partitions=7, replication_factor=2, format="json_c",
        ddl_topic="ddl", delivery="at-least-once", compression="zstd", checkpoint_topic="own",
        transaction_bytes=1024, topic_name_format="$database$",
    )  # fmt: skip
    assert set(FIELDS.values()) == set(Publishing.__dataclass_fields__)


def test_what_is_absent_stays_and_an_empty_word_is_absent() -> None:
    first = asked(topic_policy="2", kafka_data_format="avro", ddl_topic="ddl", ddl_trans=True)
    again = asked(first, topic_policy="", kafka_data_format="", partitions_num="", delivery="", conflict_policy="")
    assert again == first
    assert asked(first, ddl_topic="").publishing.ddl_topic == ""


@pytest.mark.parametrize("words", ["json", "json_c", "avro", "canal-json", "debezium-json"])
def test_formats(words: str) -> None:
    assert asked(kafka_data_format=words).publishing.format == words


def test_schema_changes() -> None:
    assert "ddl_topic" in refused(EMPTY, ddl_trans=True)
    assert "ddl_topic" in refused(EMPTY, ddl_trans=True, ddl_topic="")
    carried = asked(ddl_trans=True, ddl_topic="ddl")
    assert carried.ddl == "carry" and shown_policy(carried, "kafka")["ddl_trans"] is True
    assert asked(carried, ddl_trans=True) == carried
    stopped = asked(carried, ddl_trans=False)
    assert (stopped.ddl, shown_policy(stopped, "kafka")["ddl_trans"]) == ("refuse", False)
    assert shown_policy(Policy(), "kafka")["ddl_trans"] is False, "nowhere is none"
    assert asked(filter_ddl_policy="drop_database").skipped_ddl == ("drop_database",)


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"partition_policy": "4"}, ["partition_policy", "no published meaning"]),
        ({"partition_policy": "5"}, ["partition_policy", "no published meaning"]),
        ({"topic_policy": "4"}, ["topic_policy", "no published meaning"]),
        ({"topic_policy": "9"}, ["topic_policy", "from 0 to 3"]),
        ({"topic_policy": "one", "partition_policy": "3"}, ["topic_policy"]),
        ({"topic_policy": "3", "partition_policy": "2"}, ["partition_policy", "0, 1"]),
        ({"topic_policy": "1", "partition_policy": "3"}, ["partition_policy", "0, 1, 2"]),
        ({"topic_policy": "1", "topic_name_format": "$database$"}, ["topic_name_format", "$tablename$"]),
        ({"topic_name_format": "a b$tablename$"}, ["topic_name_format"]),
        ({"topic_policy": "0", "topic": "a/b"}, ["topic", "'a/b'"]),
        ({"ddl_topic": ".."}, ["ddl_topic"]),
        ({"checkpoint_topic": "中"}, ["checkpoint_topic"]),
        ({"partitions_num": "0"}, ["partitions_num", "from 1 to 2147483647"]),
        ({"partitions_num": "１"}, ["partitions_num"]),
        ({"replication_factor": "32768"}, ["replication_factor"]),
        ({"kafka_data_format": "xml"}, ["kafka_data_format", "json, json_c, avro"]),
        ({"delivery": "at-most-once"}, ["delivery"]),
        ({"compression": "rar"}, ["compression"]),
        ({"transaction_bytes": "0"}, ["transaction_bytes"]),
        ({"conflict_policy": "ignore"}, ["conflict_policy", "no rows"]),
        ({"conflict_policy": "overwrite", "index_trans": False}, ["conflict_policy", "index_trans", "no indexes"]),
        ({"apply_mode": "merged"}, ["apply_mode"]),
        ({"export_snapshot": True}, ["export_snapshot", "PostgreSQL"]),
        ({"slot_name": "s", "is_fill_materialized_view": True}, ["slot_name", "is_fill_materialized_view"]),
    ],
)  # fmt: skip
def test_what_is_refused(fields: dict[str, Any], words: list[str]) -> None:
    told = refused(INVALID, **fields)
    assert all(word in told for word in words), told


def test_all_of_it_is_told() -> None:
    told = refused(
        INVALID, topic_policy="3", partition_policy="2", kafka_data_format="xml", ddl_topic="/", ddl_trans=True
    )
    assert all(name in told for name in ("partition_policy", "kafka_data_format", "ddl_topic"))
    told = refused(INVALID, topic_policy="0", partitions_num="x", ddl_trans=True)
    assert "topic: it is empty" in told and "ddl_topic: it is empty" in told
    assert "topic, ddl_topic" in refused(EMPTY, topic_policy="0", ddl_trans=True)
    told = refused(INVALID, topic_policy="many", partition_policy="3")
    assert "with topic_policy" not in told, "which it has is not known"


def test_what_means_nothing_is_taken() -> None:
    nothing = {
        "conflict_policy": "STOP", "index_trans": True, "apply_mode": "transactional", "export_snapshot": False,
        "slot_name": "", "is_fill_materialized_view": False, "file_and_position": "", "gtid_set": "",
        "sync_type_policy": "supportAllType", "dml_types": "d,i,u",
    }  # fmt: skip
    assert asked(**nothing) == Policy() == asked(target="postgresql", **nothing)


def test_a_job_with_another_target() -> None:
    told = refused(INVALID, "postgresql", topic_policy="1", compression="lz4", topic="")
    assert "topic_policy is invalid: the target of this job is no Kafka; compression: the target" in told
    assert "topic_policy" not in shown_policy(Policy(), "postgresql")


def test_what_is_shown_can_be_asked_for() -> None:
    policy = asked(topic_policy="0", topic="all", ddl_topic="ddl", ddl_trans=True, partitions_num="3")
    shown = shown_policy(policy, "kafka")
    assert {"index_trans", "apply_mode", "conflict_policy"}.isdisjoint(shown)
    assert shown["partitions_num"] == "3" and shown["transaction_bytes"] == 1 << 30
    assert asked(policy, **shown) == policy
    assert asked(**shown) == policy
