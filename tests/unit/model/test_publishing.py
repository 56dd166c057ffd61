"""How changes are published: what may be asked for, what is refused, and how it is persisted."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendrs.errors import DrsError, Fault
from opendrs.model import publishing as model
from opendrs.model.publishing import PARTITION_POLICIES, Publishing, from_texts, legal, problems


def refused(texts: dict[str, str], *, topic: str = "") -> dict[str, str]:
    with pytest.raises(DrsError) as raised:
        from_texts(texts, topic=topic)
    assert raised.value.fault is Fault.SETTING_INVALID
    return dict(raised.value.details)


# --- what it is if nobody says anything ---


def test_defaults_are_those_that_stores_without_it_mean() -> None:
    """A policy of version 2 has none: what is not written must mean the same for ever."""
    assert Publishing().to_json() == {
        "format": "json", "topic_policy": 1, "topic": "", "topic_name_format": "", "partition_policy": 0,
        "partitions": 1, "replication_factor": 1, "ddl_topic": "", "delivery": "exactly-once", "compression": "lz4",
        "checkpoint_topic": "", "transaction_bytes": 1 << 30,
    }  # fmt: skip
    assert Publishing.from_json({}) == Publishing()


def test_a_topic_in_the_path_is_the_one_topic() -> None:
    assert from_texts({}) == Publishing(topic_policy=1)
    assert from_texts({}, topic="all") == Publishing(topic_policy=0, topic="all")
    # Who names a policy means it; the path is then only where the job is known by.
    assert from_texts({"topic_policy": "2"}, topic="all") == Publishing(topic_policy=2, topic="all")


# --- what a URL says ---


def test_everything_that_a_url_may_say() -> None:
    texts = {
        "format": "canal-json", "topic_policy": "2", "topic_name_format": "cdc.$database$", "partition_policy": "3",
        "partitions": "12", "replication_factor": "3", "ddl_topic": "ddl", "delivery": "at-least-once",
        "compression": "zstd", "checkpoint_topic": "state", "transaction_bytes": "1048576",
    }  # fmt: skip
    assert texts.keys() == model.URL_OPTIONS.keys()
    assert from_texts(texts) == Publishing(
        format="canal-json", topic_policy=2, topic_name_format="cdc.$database$", partition_policy=3, partitions=12,
        replication_factor=3, ddl_topic="ddl", delivery="at-least-once", compression="zstd",
        checkpoint_topic="state", transaction_bytes=1 << 20,
    )  # fmt: skip


def test_every_field_but_the_topic_can_be_said_in_a_url() -> None:
    assert {field.name for field in fields(Publishing)} == model.URL_OPTIONS.keys() | {"topic"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("format", "xml"), ("format", ""), ("format", "JSON"), ("delivery", "at-most-once"), ("compression", "br"),
        ("topic_policy", "4"), ("topic_policy", "-1"), ("topic_policy", ""), ("topic_policy", "1.0"),
        ("partition_policy", "5"), ("partitions", "0"), ("partitions", str(2**31)), ("partitions", "9" * 30),
        ("partitions", "٣"), ("partitions", "²"), ("partitions", " 3"), ("partitions", "1_0"),
        ("replication_factor", "0"), ("replication_factor", "32768"), ("transaction_bytes", "0"),
        ("transaction_bytes", str((1 << 40) + 1)), ("ddl_topic", "a b"), ("ddl_topic", ".."),
        ("checkpoint_topic", "a/b"), ("checkpoint_topic", "x" * 250), ("topic_name_format", "$tablename$ "),
    ],
)  # fmt: skip
def test_what_is_refused_names_the_option_and_shows_the_word(name: str, text: str) -> None:
    details = refused({name: text}, topic="all")
    assert details["name"] == name
    assert repr(text) in details["reason"]


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("partitions", 1, 2**31 - 1), ("replication_factor", 1, 32_767), ("transaction_bytes", 1, 1 << 40),
    ],
)  # fmt: skip
def test_numbers_up_to_what_kafka_can_hold(name: str, least: int, most: int) -> None:
    for number in (least, most):
        assert getattr(from_texts({name: str(number)}), name) == number


# --- what does not fit together ---


def test_one_topic_must_be_named() -> None:
    assert refused({"topic_policy": "0"})["name"] == "topic"
    assert refused({}, topic="no such name!")["name"] == "topic"


@pytest.mark.parametrize("topic_policy", sorted(PARTITION_POLICIES))
@pytest.mark.parametrize("partition_policy", range(4))
def test_partition_policies_that_a_topic_policy_may_have(topic_policy: int, partition_policy: int) -> None:
    """Huawei DRS, SyncPolicyReq: what a topic holds one of needs no hash over it."""
    allowed = {0: {0, 1, 2, 3}, 1: {0, 1, 2}, 2: {0, 1, 2, 3}, 3: {0, 1}}
    found = problems(Publishing(topic_policy=topic_policy, topic="all", partition_policy=partition_policy))
    assert ("partition_policy" in found) is (partition_policy not in allowed[topic_policy])
    assert found.keys() <= {"partition_policy"}


@pytest.mark.parametrize(
    ("topic_policy", "name_format", "fits"),
    [
        (1, "$tablename$", True), (1, "$database$", False), (1, "plain", False), (1, "$schema$.$tablename$", True),
        (2, "$database$", True), (2, "plain", True), (2, "a $database$", False), (2, "$db$", False), (3, "$$", False),
        (1, "x" * 248 + "$tablename$", True), (1, "x" * 249 + "$tablename$", False),
    ],
)  # fmt: skip
def test_formats_of_names(topic_policy: int, name_format: str, fits: bool) -> None:
    found = problems(Publishing(topic_policy=topic_policy, topic_name_format=name_format))
    assert found.keys() == (set() if fits else {"topic_name_format"})


def test_formats_of_names_that_nobody_wrote() -> None:
    assert {policy: Publishing(topic_policy=policy).name_format for policy in (1, 2, 3)} == {
        1: "$database$-$tablename$", 2: "$database$", 3: "$database$",
    }  # fmt: skip
    assert Publishing(topic_policy=2, topic_name_format="x").name_format == "x"


def test_all_problems_are_told_at_once() -> None:
    wrong = Publishing(topic_policy=1, partition_policy=3, ddl_topic="a b", topic_name_format="a")
    assert problems(wrong).keys() == {"partition_policy", "ddl_topic", "topic_name_format"}


@pytest.mark.parametrize("topic", ["a", "A.b_c-9", "...", "x" * 249, "_opendrs.1"])
def test_names_that_kafka_takes(topic: str) -> None:
    assert legal(topic)


@pytest.mark.parametrize("topic", ["", ".", "..", "x" * 250, "a b", "a/b", "ä", "a\n", "a:b", "$database$"])
def test_names_that_kafka_does_not_take(topic: str) -> None:
    assert not legal(topic)


# --- persisted ---

NAMES = st.from_regex(r"[A-Za-z0-9._-]{1,249}", fullmatch=True)
PUBLISHED = st.builds(
    Publishing,
    format=st.sampled_from(model.FORMATS),
    topic_policy=st.integers(0, 3),
    topic=st.just("") | NAMES,
    topic_name_format=st.just("") | NAMES.map(lambda name: f"{name[:200]}$database$.$tablename$"),
    partition_policy=st.integers(0, 3),
    partitions=st.integers(1, model.PARTITIONS_MAX),
    replication_factor=st.integers(1, model.REPLICAS_MAX),
    ddl_topic=st.just("") | NAMES,
    delivery=st.sampled_from(model.DELIVERIES),
    compression=st.sampled_from(model.COMPRESSIONS),
    checkpoint_topic=st.just("") | NAMES,
    transaction_bytes=st.integers(1, 1 << 40),
)


@given(PUBLISHED)
def test_whatever_is_published_comes_through_whole(publishing: Publishing) -> None:
    assert Publishing.from_json(json.loads(json.dumps(publishing.to_json()))) == publishing


@given(PUBLISHED)
def test_a_url_can_say_whatever_has_no_problem(publishing: Publishing) -> None:
    """And says nothing else: texts that are taken make something without a problem."""
    texts = {name: str(getattr(publishing, name)) for name in model.URL_OPTIONS}
    found = problems(publishing)
    if found:
        assert refused(texts, topic=publishing.topic)["name"] == next(iter(found))
    else:
        assert from_texts(texts, topic=publishing.topic) == publishing


def test_what_a_newer_release_has_written_is_not_understood() -> None:
    with pytest.raises(TypeError):
        Publishing.from_json({**replace(Publishing()).to_json(), "headers": True})
