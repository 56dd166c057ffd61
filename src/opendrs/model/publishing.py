"""How changes are published to Kafka: in which format, to which topics and partitions, with which guarantee."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, Self, get_args

from opendrs.errors import DrsError, Fault

Format = Literal["json", "json_c", "avro", "canal-json", "debezium-json"]
Delivery = Literal["exactly-once", "at-least-once"]
Compression = Literal["none", "gzip", "snappy", "lz4", "zstd"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
DELIVERIES: Final[tuple[Delivery, ...]] = get_args(Delivery)
COMPRESSIONS: Final[tuple[Compression, ...]] = get_args(Compression)

# Topic policies, and the partition policies that each may have (Huawei DRS, SyncPolicyReq). 4 and 5 have no published
# meaning.
ONE_TOPIC, BY_TABLE, BY_DATABASE, BY_SCHEMA = 0, 1, 2, 3
OF_TABLE, FIRST, OF_KEY, OF_DATABASE = 0, 1, 2, 3
PARTITION_POLICIES: Final[dict[int, tuple[int, ...]]] = {
    ONE_TOPIC: (OF_TABLE, FIRST, OF_KEY, OF_DATABASE),
    BY_TABLE: (OF_TABLE, FIRST, OF_KEY),
    BY_DATABASE: (OF_TABLE, FIRST, OF_KEY, OF_DATABASE),
    BY_SCHEMA: (OF_TABLE, FIRST),
}
NAME_FORMATS: Final[dict[int, str]] = {
    BY_TABLE: "$database$-$tablename$",
    BY_DATABASE: "$database$",
    BY_SCHEMA: "$database$",
}
VARIABLES: Final = ("$database$", "$schema$", "$tablename$")
PARTITIONS_MAX: Final = 2**31 - 1
REPLICAS_MAX: Final = 32_767
TOPIC: Final = re.compile(r"[A-Za-z0-9._-]{1,249}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishing:
    """Persisted as JSON within the policy: names are for ever.

    format              of the messages: docs/reference/kafka.md
    topic_policy        0: one topic, named in `topic`; 1: a topic a table; 2, 3: a topic a database
    topic               for policy 0
    topic_name_format   name of a topic, with $database$, $schema$ and $tablename$; empty: as the policy has it
    partition_policy    by hash of 0: database and table; 2: the key; 3: the database. 1: all to partition 0
    partitions          of a topic that is made
    replication_factor  of a topic that is made
    ddl_topic           where changes of the schema are published; empty: nowhere
    delivery            exactly-once: transactions of Kafka. at-least-once: for brokers that forbid them
    compression         of what is sent
    checkpoint_topic    where the job keeps its own state; empty: `_opendrs.` and the id of the job
    transaction_bytes   a source transaction of more is published in several transactions of Kafka
    """

    format: Format = "json"
    topic_policy: int = BY_TABLE
    topic: str = ""
    topic_name_format: str = ""
    partition_policy: int = OF_TABLE
    partitions: int = 1
    replication_factor: int = 1
    ddl_topic: str = ""
    delivery: Delivery = "exactly-once"
    compression: Compression = "lz4"
    checkpoint_topic: str = ""
    transaction_bytes: int = 1 << 30

    @property
    def name_format(self) -> str:
        """The format of names of topics, policies 1 to 3."""
        return self.topic_name_format or NAME_FORMATS[self.topic_policy]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**data)


# Options that a Kafka URL may have behind the question mark besides those of the connection, with the meaning.
URL_OPTIONS: Final[dict[str, str]] = {
    "format": f"one of {', '.join(FORMATS)}; default json",
    "topic_policy": "0: the one topic in the URL's path (default if there is one); 1: a topic a table; "
    "2, 3: a topic a database",
    "topic_name_format": "name of a topic, with $database$, $schema$ and $tablename$",
    "partition_policy": "by hash of 0: database and table (default); 2: the key; 3: the database. "
    "1: all to partition 0",
    "partitions": "of topics that are made, default 1",
    "replication_factor": "of topics that are made, default 1",
    "ddl_topic": "publish changes of the schema to this topic",
    "delivery": f"one of {', '.join(DELIVERIES)}; default exactly-once",
    "compression": f"one of {', '.join(COMPRESSIONS)}; default lz4",
    "checkpoint_topic": "where the job keeps its own state; default _opendrs. and the id of the job",
    "transaction_bytes": "a source transaction of more is published in several transactions; default 1 GiB",
}
WORDS: Final[dict[str, tuple[str, ...]]] = {
    "format": FORMATS,
    "delivery": DELIVERIES,
    "compression": COMPRESSIONS,
}
NUMBERS: Final[dict[str, tuple[int, int]]] = {
    "topic_policy": (0, 3),
    "partition_policy": (0, 3),
    "partitions": (1, PARTITIONS_MAX),
    "replication_factor": (1, REPLICAS_MAX),
    "transaction_bytes": (1, 1 << 40),
}


def from_texts(texts: dict[str, str], *, topic: str = "") -> Publishing:
    """As the options of a URL say; `topic` is its path. Raises SETTING_INVALID."""
    facts: dict[str, Any] = {"topic": topic, "topic_policy": ONE_TOPIC if topic else BY_TABLE}
    for name, text in texts.items():
        facts[name] = _value(name, text)
    publishing = Publishing(**facts)
    problem = next(iter(problems(publishing).items()), None)
    if problem is not None:
        raise DrsError(Fault.SETTING_INVALID, name=problem[0], reason=problem[1])
    return publishing


def _value(name: str, text: str) -> str | int:
    if name in WORDS and text not in WORDS[name]:
        raise DrsError(Fault.SETTING_INVALID, name=name, reason=f"{text!r} is none of {', '.join(WORDS[name])}")
    if name not in NUMBERS:
        return text
    found = number(name, text)
    if found is None:
        least, most = NUMBERS[name]
        raise DrsError(Fault.SETTING_INVALID, name=name, reason=f"{text!r} is no number from {least} to {most}")
    return found


def number(name: str, text: str) -> int | None:
    """The value of a field of NUMBERS; None: it is none of those that it can have."""
    least, most = NUMBERS[name]
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and least <= int(text) <= most):
        return None
    return int(text)


def problems(publishing: Publishing) -> dict[str, str]:
    """What does not fit together or into Kafka: by the name of a field, the reason."""
    found: dict[str, str] = {}
    if publishing.topic_policy == ONE_TOPIC and not publishing.topic:
        found["topic"] = "topic_policy 0 needs the name of the topic"
    if publishing.partition_policy not in PARTITION_POLICIES[publishing.topic_policy]:
        words = ", ".join(map(str, PARTITION_POLICIES[publishing.topic_policy]))
        found["partition_policy"] = f"with topic_policy {publishing.topic_policy} it is one of {words}"
    for name in ("topic", "ddl_topic", "checkpoint_topic"):
        value = getattr(publishing, name)
        if value and not legal(value):
            found[name] = f"{value!r} is no name of a topic (1 to 249 letters, digits, `.`, `_` and `-`)"
    plain = publishing.topic_name_format
    for variable in VARIABLES:
        plain = plain.replace(variable, "x")
    if plain and not legal(plain):
        found["topic_name_format"] = (
            f"{publishing.topic_name_format!r} makes no names of topics; {', '.join(VARIABLES)}"
        )
    if publishing.topic_policy == BY_TABLE and "$tablename$" not in publishing.name_format:
        found["topic_name_format"] = "topic_policy 1 needs $tablename$ in it"
    return found


def legal(topic: str) -> bool:
    """Whether Kafka takes that name for a topic."""
    return TOPIC.fullmatch(topic) is not None and topic not in (".", "..")
