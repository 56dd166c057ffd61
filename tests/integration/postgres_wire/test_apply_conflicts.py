"""Strict by default: a target that is not as the change presupposes stops the apply, and the key is named."""

from __future__ import annotations

import random

import pytest

from opendrs._core import PgConnection, PgError
from tests.integration.postgres_wire.history import AFTER, BEFORE, DELETE, INSERT
from tests.integration.postgres_wire.tables import Column, Row, Table

INT = {"kind": "int", "bits": 32}
TABLE = Table(
    name="t",
    columns=(
        Column(name="a", logical=INT, type="int4", not_null=True),
        Column(name="b", logical={"kind": "text"}, type="text", not_null=True),
        Column(name="v", logical=INT, type="int4"),
        Column(name="u", logical=INT, type="int4"),
    ),
    key=("a", "b"),
    uniques=(("u",),),
)
KEYLESS = Table(name="k", columns=TABLE.columns)
# One by one; by sets; by sets among many other rows.
FORMS = [
    ("transactional", 1000, 0),
    ("merged", 1000, 0),
    ("transactional", 1, 0),
    ("merged", 1, 0),
    ("merged", 64, 300),
]


def row(at: int, value: int | None = None, unique: int | None = None) -> Row:
    return (at, "x", value, unique)


def make(connection: PgConnection, rows: list[Row], table: Table = TABLE) -> None:
    connection.execute(table.sql())
    copy = connection.copy_in(table.described())
    copy.write(table.batch(rows))
    copy.finish()


def refused(
    connection: PgConnection, changes: list[tuple[int, int, int, Row]], mode: str, threshold: int, table: Table = TABLE
) -> PgError:
    applier = connection.applier(threshold)
    applier.register(5, table.described())
    connection.execute("BEGIN")
    with pytest.raises(PgError) as raised:
        applier.apply([(5, table.changes(changes))], mode, [])
    with pytest.raises(PgError) as again:
        applier.apply([(5, table.changes(changes))], mode, [])
    assert again.value.kind == "usage", "nothing more before ROLLBACK"
    connection.execute("ROLLBACK")
    error = raised.value
    assert (error.kind, error.schema, error.table) == ("conflict", "app", table.name), error
    return error


def among(others: int, op: int, make_row: tuple[int, ...] = ()) -> list[tuple[int, int, int, Row]]:
    """Changes of other rows, from 1000 on, that are all right."""
    changes: list[tuple[int, int, int, Row]] = []
    for at in range(1000, 1000 + others):
        if op == BEFORE:
            changes += [(BEFORE, at, 0, row(at)), (AFTER, at, 0, row(at, 1))]
        else:
            changes.append((op, at, 0, row(at)))
    return changes


@pytest.mark.parametrize(("mode", "threshold", "others"), FORMS)
def test_an_insert_of_what_is_there(connection: PgConnection, mode: str, threshold: int, others: int) -> None:
    make(connection, [row(7)])
    error = refused(connection, [(INSERT, 0, 0, row(7)), *among(others, INSERT)], mode, threshold)
    assert (error.key, error.constraint) == ("(a, b)=(7, x)", "t_pkey")
    assert error.message.startswith("insert in app.t")


@pytest.mark.parametrize(("mode", "threshold", "others"), FORMS)
def test_an_update_of_what_is_not_there(connection: PgConnection, mode: str, threshold: int, others: int) -> None:
    make(connection, [row(at) for at in range(1000, 1000 + others)])
    changes = [*among(others, BEFORE), (BEFORE, 5000, 0, row(7)), (AFTER, 5000, 0, row(7, 1))]
    error = refused(connection, changes, mode, threshold)
    assert error.key == "(a, b)=(7, x)"
    assert error.message.startswith("update in app.t")
    assert "expected one row, found no row" in error.message


@pytest.mark.parametrize(("mode", "threshold", "others"), FORMS)
def test_a_delete_of_what_is_not_there(connection: PgConnection, mode: str, threshold: int, others: int) -> None:
    make(connection, [row(at) for at in range(1000, 1000 + others)])
    error = refused(connection, [*among(others, DELETE), (DELETE, 5000, 0, row(7))], mode, threshold)
    assert error.key == "(a, b)=(7, x)"
    assert error.message.startswith("delete in app.t")


@pytest.mark.parametrize(("mode", "threshold", "others"), FORMS)
def test_a_key_change_of_what_is_not_there(connection: PgConnection, mode: str, threshold: int, others: int) -> None:
    make(connection, [row(at) for at in range(1000, 1000 + others)])
    changes = [(BEFORE, 0, 0, row(7)), (AFTER, 0, 0, row(8)), *among(others, DELETE)]
    assert refused(connection, changes, mode, threshold).key == "(a, b)=(7, x)"


@pytest.mark.parametrize(("mode", "threshold", "others"), FORMS)
def test_what_comes_and_goes_must_not_have_been_there(
    connection: PgConnection, mode: str, threshold: int, others: int
) -> None:
    make(connection, [row(at) for at in (7, *range(1000, 1000 + others))])
    changes = [(INSERT, 0, 0, row(7)), (DELETE, 1, 0, row(7)), *among(others, DELETE)]
    error = refused(connection, changes, mode, threshold)
    assert error.key == "(a, b)=(7, x)"
    assert error.message.startswith("insert in app.t")


@pytest.mark.parametrize(("mode", "threshold", "others"), FORMS)
def test_a_unique_value_that_another_row_has(connection: PgConnection, mode: str, threshold: int, others: int) -> None:
    make(connection, [row(1, unique=50), *(row(at) for at in range(1000, 1000 + others))])
    error = refused(connection, [*among(others, BEFORE), (INSERT, 5000, 0, row(2, unique=50))], mode, threshold)
    assert error.constraint == "t_u_key"


@pytest.mark.parametrize(("mode", "threshold", "others"), FORMS)
def test_changes_that_contradict_each_other(connection: PgConnection, mode: str, threshold: int, others: int) -> None:
    make(connection, [row(at) for at in (7, *range(1000, 1000 + others))])
    changes = [(DELETE, 0, 0, row(7)), *among(others, BEFORE), (DELETE, 5000, 0, row(7))]
    assert refused(connection, changes, mode, threshold).key == "(a, b)=(7, x)"


@pytest.mark.parametrize("mode", ["merged", "transactional"])
def test_a_row_without_a_key_that_is_not_there(connection: PgConnection, mode: str) -> None:
    make(connection, [row(1), row(1)], KEYLESS)
    changes = [(DELETE, 0, 0, row(1)), (DELETE, 1, 0, row(1)), (DELETE, 2, 0, row(1))]
    error = refused(connection, changes, mode, 64, KEYLESS)
    assert error.key is None
    assert connection.query("SELECT count(*) FROM app.k") == [("2",)]


@pytest.mark.parametrize("seed", range(10))
def test_one_missing_row_among_many_is_found(connection: PgConnection, seed: int) -> None:
    """Whatever the mode: the key of the row that somebody removed from the target is in the error."""
    chance = random.Random(seed)
    make(connection, [row(at) for at in range(500)])
    missing = chance.randrange(500)
    connection.execute(f"DELETE FROM app.t WHERE a = {missing}")
    changes: list[tuple[int, int, int, Row]] = []
    for seq, at in enumerate(chance.sample(range(500), 500)):
        match chance.choice(("delete", "update", "move")):
            case "delete":
                changes.append((DELETE, seq, 0, row(at)))
            case "update":
                changes += [(BEFORE, seq, 0, row(at)), (AFTER, seq, 0, row(at, 1))]
            case "move":
                changes += [(BEFORE, seq, 0, row(at)), (AFTER, seq, 0, row(at + 1000))]
    mode = chance.choice(("merged", "transactional"))
    assert refused(connection, changes, mode, 64).key == f"(a, b)=({missing}, x)"


@pytest.mark.parametrize("mode", ["merged", "transactional"])
@pytest.mark.parametrize("threshold", [1, 1000])
def test_flagged_changes_may_have_been_done_already(connection: PgConnection, mode: str, threshold: int) -> None:
    make(connection, [row(1), row(2), row(13)])
    applier = connection.applier(threshold)
    applier.register(5, TABLE.described())
    connection.execute("BEGIN")
    changes = [
        (DELETE, 0, 1, row(99)),
        (BEFORE, 1, 1, row(98)),
        (AFTER, 1, 1, row(98, 5)),
        (BEFORE, 2, 1, row(2)),
        (AFTER, 2, 1, row(2, 6)),
        (BEFORE, 3, 1, row(3)),  # the target has moved the row already
        (AFTER, 3, 1, row(13, 7)),
    ]
    applier.apply([(5, TABLE.changes(changes))], mode, [])
    connection.execute("COMMIT")
    assert connection.query("SELECT a, v FROM app.t ORDER BY a") == [("1", None), ("2", "6"), ("13", "7")]


def test_what_a_batch_must_look_like(connection: PgConnection) -> None:
    make(connection, [])
    applier = connection.applier()
    applier.register(5, TABLE.described())
    wrong = [
        [(AFTER, 0, 0, row(1))],
        [(BEFORE, 0, 0, row(1))],
        [(BEFORE, 0, 0, row(1)), (AFTER, 1, 0, row(1))],
        [(9, 0, 0, row(1))],
        [(INSERT, 1, 0, row(1)), (INSERT, 1, 0, row(2))],
        [(INSERT, 2, 0, row(1)), (INSERT, 1, 0, row(2))],
    ]
    for changes in wrong:
        connection.execute("BEGIN")
        with pytest.raises(PgError) as raised:
            applier.apply([(5, TABLE.changes(changes))], "merged", [])
        assert raised.value.kind == "usage", changes
        connection.execute("ROLLBACK")
    with pytest.raises(PgError) as raised:
        applier.apply([], "merged", [])
    assert raised.value.kind == "usage", "no transaction is open"
    connection.execute("BEGIN")
    for tables, mode, idempotent in (
        ([(6, TABLE.changes([]))], "merged", []),
        ([(5, TABLE.batch([row(1)]))], "merged", []),
        ([], "no such mode", []),
    ):
        with pytest.raises(PgError) as raised:
            applier.apply(tables, mode, idempotent)
        assert raised.value.kind == "usage"
        connection.execute("ROLLBACK; BEGIN")
    make_keyless = KEYLESS.sql()
    connection.execute(make_keyless)
    applier.register(6, KEYLESS.described())
    with pytest.raises(PgError) as raised:
        applier.apply([(6, KEYLESS.changes([(INSERT, 0, 0, row(1))]))], "merged", [6])
    assert "without a key" in raised.value.message
