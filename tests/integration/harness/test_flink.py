"""What Flink makes of hand-written messages: which texts each type takes, and which changes each envelope means.

These are facts about Flink, written down because whoever writes messages for it has to know them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness import ServerUnavailable
from tests.harness.fixtures import not_exercised
from tests.harness.flink import RELEASES, Change, Refused, Verdict, judge, read

REFUSED = object()  # by a Flink that does not ignore errors: the job stops

# type -> JSON of the value -> what is read.
TYPES: dict[str, dict[str, Any]] = {
    "BOOLEAN": {
        "true": True,
        '"true"': True,
        '"TRUE"': True,
        "false": False,
        # Whatever is not the word is false, the one of MySQL's BOOLEAN too.
        "1": False,
        '"1"': False,
        '""': False,
        "null": None,
    },
    "TINYINT": {"-128": -128, '"127"': 127, "128": REFUSED},
    "SMALLINT": {'"32767"': 32767, "32768": REFUSED},
    "INT": {
        "1": 1,
        '"1"': 1,
        '" 1"': 1,
        "1.9": 1,  # as a number it is cut
        '"1.9"': REFUSED,
        "2147483648": REFUSED,
        '"2147483648"': REFUSED,
        "true": REFUSED,
        '""': REFUSED,
        "null": None,
    },
    "BIGINT": {
        "9223372036854775807": 9223372036854775807,
        '"-9223372036854775808"': -9223372036854775808,
        "9223372036854775808": REFUSED,  # BIGINT UNSIGNED needs DECIMAL(20, 0)
        '"9223372036854775808"': REFUSED,
    },
    "FLOAT": {"0.1": 0.1, '"0.1"': 0.1, "16777217": 16777216.0, '"1e39"': "Infinity"},
    "DOUBLE": {
        "0.1": 0.1,
        '"0.1"': 0.1,
        "1e22": 1e22,
        '"1e22"': 1e22,
        '"NaN"': "NaN",
        '"-Infinity"': "-Infinity",
        "1e400": "Infinity",
        '"x"': REFUSED,
    },
    "DECIMAL(20, 4)": {
        "12.5": "12.5000",
        '"12.5"': "12.5000",
        # Both are read exactly, not by way of a double.
        '"1234567890123456.1234"': "1234567890123456.1234",
        "1234567890123456.1234": "1234567890123456.1234",
        "0.1": "0.1000",
        '"1e3"': "1000.0000",
        '"1.00005"': "1.0001",  # rounded
        '"12345678901234567.1"': None,  # too large: lost without a word
        '"x"': REFUSED,
        '""': REFUSED,
    },
    "DECIMAL(38, 0)": {
        f'"{"9" * 38}"': "9" * 38,
        "9" * 38: "9" * 38,
        f'"1{"0" * 38}"': None,
    },
    "STRING": {
        '"é€😀"': "é€😀",
        r'"\u0000"': "\0",
        '""': "",
        "null": None,
        # What is no text becomes that of its JSON, numbers not as they were written.
        "1": "1",
        "1.50": "1.5",
        "1e3": "1E+3",
        "true": "true",
        '{"a": 1}': '{"a":1}',
    },
    "VARCHAR(2)": {'"abc"': "abc"},  # lengths are not looked at
    "CHAR(4)": {'"ab"': "ab"},
    "VARBINARY(1)": {'"3q0="': "dead"},
    "BYTES": {
        '"3q0="': "dead",  # base 64
        '""': "",
        '"3q0"': REFUSED,  # without its padding
        '"3q0_"': REFUSED,  # the other alphabet
        "null": None,
        "12": None,
    },
    "DATE": {
        '"2024-02-29"': "2024-02-29",
        '"0001-01-01"': "0001-01-01",
        '"9999-12-31"': "9999-12-31",
        '"10000-01-01"': REFUSED,
        '"2024-1-2"': REFUSED,
        '"2024-01-02 00:00:00"': REFUSED,
        "19724": REFUSED,  # days since 1970, as Debezium writes it
        '"0000-00-00"': REFUSED,
        '"2024-00-10"': REFUSED,
        '"2024-02-30"': REFUSED,
        '""': REFUSED,
        "null": None,
    },
    "TIME": {
        '"10:00:00"': "10:00:00",
        '"24:00:00"': "00:00:00",
        '"10:00"': REFUSED,
        '"-01:00:00"': REFUSED,  # MySQL's TIME is a duration and needs STRING
        '"838:59:59"': REFUSED,
        "36000000": REFUSED,
    },
    "TIMESTAMP(3)": {
        '"2024-01-02 10:00:00"': "2024-01-02 10:00:00",
        '"2024-01-02 10:00:00.123"': "2024-01-02 10:00:00.123",
        '"2024-01-02 10:00:00.123456789"': "2024-01-02 10:00:00.123456789",  # more than was declared
        '"2024-01-02 10:00:00.1234567891"': REFUSED,
        '"0001-01-01 00:00:00"': "0001-01-01 00:00:00",
        '"2024-02-30 00:00:00"': "2024-02-29 00:00:00",  # changed, unlike a DATE
        '"2024-01-02 24:00:00"': "2024-01-03 00:00:00",
        '"0000-00-00 00:00:00"': REFUSED,
        '"2024-01-02T10:00:00"': REFUSED,
        '"2024-01-02 10:00:00Z"': REFUSED,
        '"2024-01-02 10:00"': REFUSED,
        '"2024-01-02"': REFUSED,
        "1704189600000": REFUSED,
        "null": None,
    },
    "TIMESTAMP_LTZ(3)": {
        '"2024-01-02 10:00:00Z"': "2024-01-02 10:00:00Z",
        '"2024-01-02 10:00:00.123456Z"': "2024-01-02 10:00:00.123456Z",
        '"2024-01-02 10:00:00"': REFUSED,
        '"2024-01-02 10:00:00+00:00"': REFUSED,
        '"2024-01-02T10:00:00Z"': REFUSED,
        "1704189600000": REFUSED,
        '"0000-00-00 00:00:00Z"': REFUSED,
    },
}

# Fractions of a second are the one thing in which releases differ.
TIME_FRACTIONS = {"2.3": "10:00:00.123", "1.20": "10:00:00"}

# Envelopes: of a table with these columns.
COLUMNS = {"id": "INT", "name": "STRING"}
ONE, TWO = {"id": "1", "name": "a"}, {"id": "2", "name": None}

CANAL: list[tuple[dict[str, Any], list[Change] | object]] = [
    ({"type": "INSERT", "data": [ONE, TWO]}, [("+I", (1, "a")), ("+I", (2, None))]),
    ({"type": "INSERT", "data": [ONE], "old": None}, [("+I", (1, "a"))]),
    ({"type": "INSERT", "data": []}, []),
    ({"type": "INSERT", "data": None}, REFUSED),
    ({"type": "INSERT", "data": [{"id": "1", "NAME": "a", "more": "x"}]}, [("+I", (1, None))]),
    ({"type": "insert", "data": [ONE]}, REFUSED),
    ({"type": "DELETE", "data": [ONE, TWO], "old": None}, [("-D", (1, "a")), ("-D", (2, None))]),
    # `old` holds what was changed; the rest of the row before is taken from `data`.
    ({"type": "UPDATE", "data": [ONE], "old": [{"name": "z"}]}, [("-U", (1, "z")), ("+U", (1, "a"))]),
    ({"type": "UPDATE", "data": [ONE], "old": [{"name": None}]}, [("-U", (1, None)), ("+U", (1, "a"))]),
    ({"type": "UPDATE", "data": [TWO], "old": [{"name": "z"}]}, [("-U", (2, "z")), ("+U", (2, None))]),
    ({"type": "UPDATE", "data": [ONE], "old": [{"id": "9"}]}, [("-U", (9, "a")), ("+U", (1, "a"))]),
    ({"type": "UPDATE", "data": [ONE], "old": [{}]}, [("-U", (1, "a")), ("+U", (1, "a"))]),
    ({"type": "UPDATE", "data": [ONE], "old": [None]}, REFUSED),
    ({"type": "UPDATE", "data": [ONE], "old": None}, REFUSED),
    ({"type": "UPDATE", "data": [ONE, TWO], "old": [{"name": "z"}]}, REFUSED),
    # Several rows in one message, changed in different columns, are read wrong: a column that `old` names
    # for one of them is taken for changed to null in the others. Right: (1, "z") and (8, "b").
    (
        {"type": "UPDATE", "data": [ONE, {"id": "7", "name": "b"}], "old": [{"name": "z"}, {"id": "8"}]},
        [("-U", (None, "z")), ("+U", (1, "a")), ("-U", (8, None)), ("+U", (7, "b"))],
    ),
    (
        {"type": "UPDATE", "data": [ONE, TWO], "old": [{"name": "y"}, {"name": "z"}]},
        [("-U", (1, "y")), ("+U", (1, "a")), ("-U", (2, "z")), ("+U", (2, None))],
    ),
    # Of what is not about rows only the making of a table is passed over.
    ({"type": "CREATE", "data": None, "isDdl": True, "sql": "CREATE TABLE t (id INT)"}, []),
    ({"type": "ALTER", "data": None, "isDdl": True, "sql": "ALTER TABLE t ADD x INT"}, REFUSED),
    ({"type": "TRUNCATE", "data": None, "isDdl": True, "sql": "TRUNCATE TABLE t"}, REFUSED),
    ({"type": "ERASE", "data": None, "isDdl": True, "sql": "DROP TABLE t"}, REFUSED),
    ({"type": "QUERY", "data": None, "isDdl": True, "sql": "CREATE VIEW v AS SELECT 1"}, REFUSED),
]

DEBEZIUM: list[tuple[dict[str, Any], list[Change] | object]] = [
    ({"op": "c", "before": None, "after": {"id": 1, "name": "a"}}, [("+I", (1, "a"))]),
    ({"op": "r", "before": None, "after": {"id": 1, "name": "a"}}, [("+I", (1, "a"))]),
    ({"op": "c", "after": ONE}, [("+I", (1, "a"))]),
    ({"op": "u", "before": ONE, "after": TWO}, [("-U", (1, "a")), ("+U", (2, None))]),
    ({"op": "u", "before": {"id": 1}, "after": ONE}, [("-U", (1, None)), ("+U", (1, "a"))]),
    ({"op": "u", "before": None, "after": ONE}, REFUSED),
    ({"op": "d", "before": ONE, "after": None}, [("-D", (1, "a"))]),
    ({"op": "d", "before": None, "after": None}, REFUSED),
    ({"op": "t", "before": None, "after": None}, REFUSED),  # of a table that was emptied
    ({"op": "m", "message": {"prefix": "x"}}, REFUSED),  # of a logical message of PostgreSQL
    ({"ddl": "CREATE TABLE t (id INT)"}, REFUSED),
    ({"schema": {}, "payload": {"op": "c", "before": None, "after": ONE}}, REFUSED),
]


def flink(call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    try:
        return call(*arguments, **options)
    except ServerUnavailable as error:
        not_exercised("flink", str(error))


def outcome(verdict: Verdict) -> list[Change] | object:
    return verdict.changes if verdict.refusal is None else REFUSED


def columns_of_types() -> dict[str, str]:
    return {f"c{number}": kind for number, kind in enumerate(TYPES)}


def cells(verdicts: list[Verdict]) -> dict[str, dict[str, Any]]:
    """As TYPES, of the messages of one value each."""
    found: dict[str, dict[str, Any]] = {}
    answers = iter(verdicts)
    for number, (kind, texts) in enumerate(TYPES.items()):
        found[kind] = {}
        for text in texts:
            verdict = next(answers)
            found[kind][text] = REFUSED if verdict.refusal else verdict.changes[0][1][number]
    return found


@pytest.mark.parametrize("release", RELEASES)
def test_types_of_canal_json(release: str) -> None:
    values = [
        f'{{"type": "INSERT", "data": [{{"c{number}": {text}}}]}}'.encode()
        for number, texts in enumerate(TYPES.values())
        for text in texts
    ]
    assert cells(flink(judge, "canal-json", columns_of_types(), values, release=release)) == TYPES


def test_types_of_debezium_json() -> None:
    values = [
        f'{{"op": "c", "after": {{"c{number}": {text}}}}}'.encode()
        for number, texts in enumerate(TYPES.values())
        for text in texts
    ]
    assert cells(flink(judge, "debezium-json", columns_of_types(), values)) == TYPES


@pytest.mark.parametrize("release", RELEASES)
def test_fractions_of_a_time(release: str) -> None:
    value = b'{"type": "INSERT", "data": [{"t": "10:00:00.1239"}]}'
    assert flink(read, "canal-json", {"t": "TIME(6)"}, [value], release=release) == [("+I", (TIME_FRACTIONS[release],))]


def test_timestamps_as_iso_8601() -> None:
    columns = {"t": "TIMESTAMP(6)", "z": "TIMESTAMP_LTZ(6)"}
    texts = [
        {"t": "2024-01-02T10:00:00.123456", "z": "2024-01-02T10:00:00.123456Z"},
        {"t": "2024-01-02 10:00:00.123456", "z": None},
        {"t": None, "z": "2024-01-02 10:00:00.123456Z"},
        {"t": None, "z": "2024-01-02T10:00:00+08:00"},
    ]
    values = [json.dumps({"op": "c", "after": text}).encode() for text in texts]
    verdicts = flink(judge, "debezium-json", columns, values, timestamps="ISO-8601")
    row = ("2024-01-02 10:00:00.123456", "2024-01-02 10:00:00.123456Z")
    assert [outcome(verdict) for verdict in verdicts] == [[("+I", row)], REFUSED, REFUSED, REFUSED]


def test_changes_of_canal_json() -> None:
    values = [json.dumps(message).encode() for message, _ in CANAL]
    found = flink(judge, "canal-json", COLUMNS, values)
    assert [outcome(verdict) for verdict in found] == [expected for _, expected in CANAL]


def test_changes_of_debezium_json() -> None:
    values = [json.dumps(message).encode() for message, _ in DEBEZIUM]
    found = flink(judge, "debezium-json", COLUMNS, values)
    assert [outcome(verdict) for verdict in found] == [expected for _, expected in DEBEZIUM]


def test_debezium_json_with_its_schema() -> None:
    inside = {"op": "c", "before": None, "after": ONE}
    values = [json.dumps(message).encode() for message in ({"schema": {}, "payload": inside}, inside)]
    found = flink(judge, "debezium-json-schema", COLUMNS, values)
    assert [outcome(verdict) for verdict in found] == [[("+I", (1, "a"))], REFUSED]


def test_metadata_of_canal_json() -> None:
    keys = ("database", "table", "sql-type", "pk-names", "event-timestamp", "ingestion-timestamp")
    envelope = {"database": "shop", "table": "t", "sqlType": {"id": 4}, "pkNames": ["id", "x"]}
    times = {"es": 1704189600000, "ts": 1704189600123}
    messages = [{**envelope, **times, "type": "INSERT", "data": [ONE]}, {"type": "DELETE", "data": [ONE]}]
    found = flink(read, "canal-json", COLUMNS, [json.dumps(one).encode() for one in messages], metadata=keys)
    told = ("shop", "t", [["id", 4]], ["id", "x"], "2024-01-02 10:00:00Z", "2024-01-02 10:00:00.123Z")
    assert found == [("+I", (1, "a", *told)), ("-D", (1, "a", *[None] * 6))]


def test_metadata_of_debezium_json() -> None:
    keys = ("source.database", "source.schema", "source.table", "source.timestamp", "ingestion-timestamp")
    source = {"db": "shop", "schema": "public", "table": "t", "ts_ms": 1704189600000, "lsn": 1}
    value = {"op": "c", "after": ONE, "source": source, "ts_ms": 1704189600123, "transaction": None}
    found = flink(read, "debezium-json", COLUMNS, [json.dumps(value).encode()], metadata=keys)
    told = ("shop", "public", "t", "2024-01-02 10:00:00Z", "2024-01-02 10:00:00.123Z")
    assert found == [("+I", (1, "a", *told))]


def test_what_is_no_message() -> None:
    insert = json.dumps({"type": "INSERT", "data": [ONE]}).encode()
    latin = '{"type": "INSERT", "data": [{"id": 1, "name": "é"}]}'.encode("latin-1")
    values = [None, b"no JSON", b"null", b"[]", latin, insert + insert, insert]
    found = [outcome(verdict) for verdict in flink(judge, "canal-json", COLUMNS, values)]
    one = [("+I", (1, "a"))]
    # A message without a value is passed over. Of two in one value, the second is lost without a word.
    assert found == [[], REFUSED, REFUSED, REFUSED, REFUSED, one, one]


def test_a_reader_that_does_not_ignore_errors_stops() -> None:
    values = [b'{"type": "INSERT", "data": [{"id": "1"}]}', b'{"type": "INSERT", "data": [{"id": "x"}]}']
    with pytest.raises(Refused, match=r'(?s)message 1: Corrupt Canal JSON.*field: id.*For input string: "x"'):
        flink(read, "canal-json", {"id": "INT"}, values)


def test_names_of_columns_may_be_any() -> None:
    columns = {"select": "INT", "`": "STRING", "a b": "STRING", "é": "STRING"}
    value = json.dumps({"type": "INSERT", "data": [{"select": 1, "`": "2", "a b": "3", "é": "4"}]}).encode()
    assert flink(read, "canal-json", columns, [value]) == [("+I", (1, "2", "3", "4"))]


def test_a_message_is_one_line() -> None:
    with pytest.raises(ValueError, match="one line"):
        read("canal-json", COLUMNS, [b"{\n}"])
