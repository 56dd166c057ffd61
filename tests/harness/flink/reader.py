"""Runs `Read.java`: which rows the formats of Flink's own `flink-json` make of messages."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from tests.harness import java, maven
from tests.harness.commands import run

PROGRAM: Final = Path(__file__).with_name("Read.java")
RELEASES: Final = {"2.3": "2.3.0", "1.20": "1.20.4"}
ARTIFACTS: Final = ("flink-json", "flink-table-api-java-bridge", "flink-table-runtime", "flink-streaming-java")
JVM: Final = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData")
REFUSED: Final = "!"

Format = Literal["canal-json", "debezium-json", "debezium-json-schema"]
Timestamps = Literal["SQL", "ISO-8601"]
Change = tuple[str, tuple[Any, ...]]


class Refused(Exception):
    """Flink would stop at this message; the text has its reasons, from the outermost in."""


@dataclass(slots=True)
class Verdict:
    """What becomes of one message: (kind, row) in their order, and why it is refused.

    A kind is +I, -U, +U or -D. Values are numbers (NaN and infinities as text), truth values and
    None; DECIMAL as digits, bytes as hexadecimal digits, DATE, TIME and TIMESTAMP as SQL writes
    them, TIMESTAMP_LTZ so too, in UTC and with a Z; ARRAY, ROW and the pairs of a MAP as lists.
    """

    changes: list[Change] = field(default_factory=list)
    refusal: str | None = None


def read(
    format: Format,
    columns: Mapping[str, str],
    values: Iterable[bytes | None],
    *,
    metadata: Sequence[str] = (),
    timestamps: Timestamps = "SQL",
    release: str = "2.3",
) -> list[Change]:
    """The rows of all messages. Raises Refused, as a Flink that does not ignore errors would stop.

    format    `debezium-json-schema` is `debezium-json` with `schema-include`
    columns   name -> type, as in DDL
    values    of messages, each one JSON text; None where a message has no value
    metadata  keys of the format, such as `pk-names`, whose values follow those of the columns
    """
    changes: list[Change] = []
    verdicts = judge(format, columns, values, metadata=metadata, timestamps=timestamps, release=release)
    for number, verdict in enumerate(verdicts):
        if verdict.refusal is not None:
            raise Refused(f"message {number}: {verdict.refusal}")
        changes += verdict.changes
    return changes


def judge(
    format: Format,
    columns: Mapping[str, str],
    values: Iterable[bytes | None],
    *,
    metadata: Sequence[str] = (),
    timestamps: Timestamps = "SQL",
    release: str = "2.3",
) -> list[Verdict]:
    """As `read`, for each message by itself. Raises ServerUnavailable if Flink cannot be had here."""
    lines = list(_lines(values))
    words = [format, timestamps, _row_type(columns), *metadata]
    jars = ":".join(map(str, _jars(release)))
    said = run(
        [java.find().program, *JVM, "-cp", jars, PROGRAM, *words],
        stdin=b"".join(line + b"\n" for line in lines),
        environment={**os.environ, "LC_ALL": "C.UTF-8"},  # in which Java reads its arguments
    )
    verdicts = [Verdict() for _ in lines]
    for line in said.split("\n"):  # a value may hold what Python takes for the end of a line
        if not line.startswith("["):  # a warning of Java's
            continue
        number, kind, what = json.loads(line)
        if kind == REFUSED:
            verdicts[number].refusal = what
        else:
            verdicts[number].changes.append((kind, tuple(what)))
    return verdicts


def _jars(release: str) -> tuple[Path, ...]:
    version = RELEASES[release]
    return maven.jars(f"flink-{version}", *(f"org.apache.flink:{name}:{version}" for name in ARTIFACTS), maven.LOGGER)


def _lines(values: Iterable[bytes | None]) -> Iterator[bytes]:
    for value in values:
        if value is not None and (b"\n" in value or b"\r" in value):
            raise ValueError(f"a message must be one line: {value!r}")
        yield value or b""


def _row_type(columns: Mapping[str, str]) -> str:
    quoted = {name.replace("`", "``"): kind for name, kind in columns.items()}
    return f"ROW<{', '.join(f'`{name}` {kind}' for name, kind in quoted.items())}>"
