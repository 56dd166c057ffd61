"""Every type, loaded and logged, in every format: consumers are told what the server itself prints.

What is expected is asked of the server in SQL, and made comparable here; our encoder has no part in it.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from opendrs.model.publishing import FORMATS, Format
from tests.harness.fold import Row, changes
from tests.harness.kafka import Kafka
from tests.harness.mysql_family import FamilyServer
from tests.integration.binlog.samples import samples
from tests.integration.binlog.test_values import product
from tests.integration.publishing.conftest import NewTale
from tests.integration.publishing.tale import Tale

SEED: Final = 11
FORMATS_OF: Final[dict[str, tuple[Format, ...]]] = {
    "mysql": FORMATS, "mariadb": ("json", "avro", "debezium-json"), "mariadb_11": ("json_c", "canal-json"),
}  # fmt: skip
GENERATED: Final = frozenset({"stored", "virtual"})  # MariaDB 11.4 and newer leaves their values out of the log
COLUMNS: Final = 45  # of a table
ROWS: Final = 40
LOGGED: Final = 1000  # what is loaded under a key is logged under that and so much
TEXTS: Final = (
    "CONCAT('a', CHAR(0), 'b')", "'<a href=\"x\">&amp;=</a>'", "_utf8mb4 x'e280a8e280a9'", "'😀\\\\\\\\\\t\\n\\r\\\"/'", "''",
)  # fmt: skip
BYTES: Final = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "geometry", "point"})
SPECIAL: Final = """
CREATE TABLE special (id INT PRIMARY KEY, a INT, `stored` INT GENERATED ALWAYS AS (a * 2) STORED,
 `virtual` INT GENERATED ALWAYS AS (a + 1) VIRTUAL, hidden INT INVISIBLE DEFAULT 7,
 `<b>"x\\\\ü.漢y'` VARCHAR(20), `a b` TIMESTAMP(2) NULL, extra INT)
"""
# The server prints the seconds since 1970 by a function of its own.
SECONDS: Final = "IF(`{0}` = 0, CAST(`{0}` AS CHAR), CAST(UNIX_TIMESTAMP(`{0}`) AS CHAR))"


def groups(server: FamilyServer) -> list[list[tuple[str, list[str]]]]:
    """Column types with values, as many as a table may have."""
    found = [("VARCHAR(60) CHARACTER SET utf8mb4", list(TEXTS)), *samples(product(server), SEED)]
    return [found[start : start + COLUMNS] for start in range(0, len(found), COLUMNS)]


def make(tale: Tale) -> None:
    with tale.source.connect(tale.name) as connection, connection.cursor() as cursor:
        for number, group in enumerate(groups(tale.source)):
            columns = ", ".join(f"c{n} {native}" for n, (native, _) in enumerate(group))
            cursor.execute(f"CREATE TABLE g{number} (id INT PRIMARY KEY, {columns}, extra INT)")
        cursor.execute(SPECIAL)


def fill(tale: Tale, first: int) -> None:
    with tale.source.connect(tale.name) as connection, connection.cursor() as cursor:
        cursor.execute("SET time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES'")
        for number, group in enumerate(groups(tale.source)):
            count = min(max(len(values) for _, values in group), ROWS)
            rows = [", ".join(values[row % len(values)] for _, values in group) for row in range(count)]
            rows.append(", ".join(values[0] if "NOT NULL" in native else "NULL" for native, values in group))
            for row, values in enumerate(rows, first):
                cursor.execute(f"INSERT INTO g{number} VALUES ({row}, {values}, 0)")
        names = "id, a, hidden, `<b>\"x\\\\ü.漢y'`, `a b`, extra"
        cursor.execute(f"INSERT INTO special ({names}) VALUES ({first}, 5, 6, 'x', '2024-02-29 00:00:01.25', 0)")


def printed(tale: Tale, form: str) -> dict[tuple[str, int], dict[str, Any]]:
    """What the server says that each row holds, by table and key."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    with tale.source.connect(tale.name, conv={}) as connection, connection.cursor() as cursor:
        cursor.execute("SET time_zone = '+00:00'")
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position"
        )
        kinds: dict[str, dict[str, str]] = {}
        for table, column, kind in cursor.fetchall():
            kinds.setdefault(table, {})[column] = kind
        for table, columns in kinds.items():
            wanted = ", ".join(asked(name, kind, form) for name, kind in columns.items())
            cursor.execute(f"SELECT {wanted} FROM {table}")
            for row in cursor.fetchall():
                values = zip(columns.items(), row, strict=True)
                one = {name: of_server(value, kind, form) for (name, kind), value in values}
                found[table, int(row[0])] = one
    return found


def asked(name: str, kind: str, form: str) -> str:
    match kind:
        case "bit":
            return f"`{name}` + 0"
        case "float":
            return f"`{name}` + 0e0"  # as text it has six digits
        case "timestamp" if form == "json":
            return SECONDS.format(name)
        case _ if kind in BYTES or kind == "vector":
            return f"HEX(`{name}`)"
        case "inet4" | "inet6" | "uuid" | "double":
            return f"`{name}`"
    return f"CAST(`{name}` AS CHAR)"


def of_server(value: Any, kind: str, form: str) -> Any:
    text = value.decode() if isinstance(value, bytes) else value
    if text is None:
        return None
    match kind:
        case "float":
            return struct.pack("f", float(text))
        case "double":
            return float(text)
        case "timestamp" if form == "debezium-json" and not text.startswith("0000"):
            return f"{text}Z"
        case "vector":
            return bytes.fromhex(text)
        case "bit" | "year" if kind == "bit" or form == "debezium-json":
            return int(text)
        case _ if kind in BYTES:
            return bytes.fromhex(text)
        case _ if form == "debezium-json" and kind.endswith("int"):
            return int(text)
    return text


def of_message(value: Any, kind: str, form: str, native: str) -> Any:
    """The same, from what a consumer reads."""
    if value is None:
        return None
    match kind:
        case "float":
            return struct.pack("f", float(value))
        case "double":
            return float(value)
        case "vector":
            numbers = json.loads(value)
            return struct.pack(f"<{len(numbers)}f", *numbers)
        case "bit":
            return _bits(value, form, native)
        case _ if kind in BYTES:
            return _bytes(value, form)
    return value


def _bytes(value: Any, form: str) -> bytes:
    if form == "avro":
        assert isinstance(value, bytes)
        return value
    if form in ("json", "json_c"):
        return bytes(number & 255 for number in json.loads(value))
    return base64.b64decode(value, validate=True)


def _bits(value: Any, form: str, native: str) -> int:
    if form != "debezium-json":
        return int(value)
    if native == "bit(1)":
        assert isinstance(value, bool)
        return int(value)
    return int.from_bytes(base64.b64decode(value, validate=True), "little")


def natives(tale: Tale) -> dict[tuple[str, str], tuple[str, str]]:
    rows = tale.source.execute(
        "SELECT table_name, column_name, data_type, column_type FROM information_schema.columns"
        f" WHERE table_schema = '{tale.name}'"
    )
    return {(table, column): (kind, native) for table, column, kind, native in rows}


@pytest.mark.parametrize("server", FORMATS_OF)
def test_consumers_are_told_what_the_server_prints(
    request: pytest.FixtureRequest, kafka: Kafka, tell: NewTale, server: str
) -> None:
    source, forms = request.getfixturevalue(server), FORMATS_OF[server]
    first = tell(source, kafka, topic_policy=0, topic="any", format="json")
    tales = [first.another(format=form, topic=f"{first.name}-{form}") for form in forms]
    make(first)
    fill(first, 0)
    for tale in tales:
        tale.play()
    fill(first, LOGGED)
    rows = [(table, key) for table, key in printed(first, "json") if key >= LOGGED]
    tables = sorted({table for table, _ in rows})
    for table in tables:
        source.execute(f"UPDATE {table} SET extra = 1 WHERE id >= {LOGGED}", database=first.name)
    expected = {form: printed(first, form) for form in forms}
    for table in tables:
        source.execute(f"DELETE FROM {table} WHERE id = {LOGGED}", database=first.name)
    kinds = natives(first)
    for tale in tales:
        tale.play()
        form = tale.publishing.format
        wrong = list(differing(tale, expected[form], kinds))
        assert not wrong, f"{form}: {len(wrong)} values: {wrong[:5]}"


def differing(
    tale: Tale, expected: Mapping[tuple[str, int], Mapping[str, Any]], kinds: Mapping[tuple[str, str], tuple[str, str]]
) -> Iterator[tuple[Any, ...]]:
    form = tale.publishing.format
    left_out = GENERATED if tale.source.name == "mariadb-11" else frozenset()
    told: set[tuple[str, int, str]] = set()
    for change in changes(tale.values(tale.publishing.topic), form):
        for image in (change.before, change.after):
            if image is None:
                continue
            table, key = change.table[1], int(image["id"])
            told.add((table, key, "initial" if change.initial or key < LOGGED else change.op))
            yield from _wrong(form, table, image, expected[table, key], kinds, left_out)
    for table, key in expected:
        loaded = key < LOGGED
        ops = {"initial"} if loaded else {"insert", "update"} | ({"delete"} if key == LOGGED else set())
        for op in ops - {op for one, at, op in told if (one, at) == (table, key)}:
            yield table, key, f"no {op}"


def _wrong(
    form: str,
    table: str,
    image: Row,
    expected: Mapping[str, Any],
    kinds: Mapping[tuple[str, str], tuple[str, str]],
    left_out: frozenset[str],
) -> Iterator[tuple[Any, ...]]:
    for column in expected.keys() - image.keys() - left_out:
        yield table, column, "is not there"
    for column, value in image.items():
        kind, native = kinds[table, column]
        if column == "extra":
            continue
        heard = of_message(value, kind, form, native)
        if heard != expected[column]:
            yield table, image["id"], column, native, expected[column], heard
