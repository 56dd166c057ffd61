"""How a job publishes to Kafka, on the wire: the fields of SyncPolicyReq, and ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from opendrs.api.body import Wire
from opendrs.api.wire.problems import MISSING, demand_none
from opendrs.control.asking import shown
from opendrs.model.publishing import NUMBERS, WORDS, Publishing, number, problems

# Names on the wire, and those of model.publishing. The last four are ours.
FIELDS: Final = {
    "topic_policy": "topic_policy",
    "topic": "topic",
    "topic_name_format": "topic_name_format",
    "partition_policy": "partition_policy",
    "partitions_num": "partitions",
    "replication_factor": "replication_factor",
    "kafka_data_format": "format",
    "ddl_topic": "ddl_topic",
    "delivery": "delivery",
    "compression": "compression",
    "checkpoint_topic": "checkpoint_topic",
    "transaction_bytes": "transaction_bytes",
}
_WIRE: Final = {ours: wire for wire, ours in FIELDS.items()}
# Published as allowed, and nowhere said what they mean.
MEANINGLESS: Final = {"topic_policy": ("4",), "partition_policy": ("4", "5")}
NO_KAFKA: Final = "the target of this job is no Kafka"


class KafkaFields(Wire):
    """What is to be changed; what is absent stays. Numbers are digits, as published."""

    topic_policy: str | None = None
    topic: str | None = None
    topic_name_format: str | None = None
    partition_policy: str | None = None
    partitions_num: str | None = None
    replication_factor: str | None = None
    kafka_data_format: str | None = None
    ddl_topic: str | None = None
    delivery: str | None = None
    compression: str | None = None
    checkpoint_topic: str | None = None
    transaction_bytes: str | None = None


def refuse_kafka(asked: KafkaFields, where: str) -> None:
    """Of a job with another target. Raises PARAMETER_INVALID."""
    demand_none({f"{where}{name}": NO_KAFKA for name in FIELDS if getattr(asked, name)})


def published(old: Publishing, asked: KafkaFields, where: str, *, statements: bool) -> Publishing:
    """With what is asked for.

    where        stands before the names of fields
    statements   it is demanded that changes of the schema are published
    Raises PARAMETER_EMPTY, PARAMETER_INVALID: all that is wrong.
    """
    wrong: dict[str, str] = {}
    facts: dict[str, Any] = {}
    for wire, ours in FIELDS.items():
        text = getattr(asked, wire)
        if text is None or (not text and ours in (*WORDS, *NUMBERS)):
            continue  # an empty word is none
        try:
            facts[ours] = _value(ours, text)
        except ValueError as error:
            wrong[wire] = str(error)
    new = replace(old, **facts)
    if "topic_policy" not in wrong:
        wrong = dict(_misfits(new)) | wrong
    if statements and not new.ddl_topic:
        wrong["ddl_topic"] = MISSING
    demand_none({f"{where}{name}": reason for name, reason in wrong.items()})
    return new


def shown_publishing(publishing: Publishing) -> dict[str, Any]:
    """As it is, in the published types: digits for numbers, but for ours."""
    found = {wire: getattr(publishing, ours) for wire, ours in FIELDS.items()}
    return {wire: value if wire == "transaction_bytes" else str(value) for wire, value in found.items()}


def _value(name: str, text: str) -> str | int:
    """Raises ValueError with the reason."""
    if name in WORDS:
        for word in WORDS[name]:
            if word == text.lower():
                return word
        raise ValueError(f"{shown(text)!r} is none of {', '.join(WORDS[name])}")
    if name not in NUMBERS:
        return text
    found = number(name, text)
    if found is None:
        least, most = NUMBERS[name]
        why = "has no published meaning; it" if text in MEANINGLESS.get(name, ()) else "is no number that it can be: it"
        raise ValueError(f"{shown(text)!r} {why} is from {least} to {most}")
    return found


def _misfits(publishing: Publishing) -> Iterator[tuple[str, str]]:
    for name, reason in problems(publishing).items():
        yield _WIRE[name], MISSING if name == "topic" and not publishing.topic else reason
