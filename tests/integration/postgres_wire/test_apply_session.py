"""The apply over the life of a session: parts of transactions, savepoints, new shapes, counts, round trips."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opendrs._core import PgApplier, PgConnection, PgError
from tests.harness.postgres import Postgres
from tests.integration.postgres_wire.conftest import Connect
from tests.integration.postgres_wire.history import AFTER, BEFORE, DELETE, INSERT
from tests.integration.postgres_wire.relay import Relay
from tests.integration.postgres_wire.tables import Column, Row, Table

INT = {"kind": "int", "bits": 32}
TEXT = {"kind": "text"}
TABLE = Table(
    name="t",
    columns=(
        Column(name="id", logical=INT, type="int4", not_null=True),
        Column(name="v", logical=TEXT, type="text"),
    ),
    key=("id",),
)


def rows(connection: PgConnection, sql: str = "SELECT id, v FROM app.t ORDER BY id") -> list[tuple[str | None, ...]]:
    return connection.query(sql)


def ready(connection: PgConnection, table: Table = TABLE, threshold: int | None = None) -> PgApplier:
    connection.execute(table.sql())
    applier = connection.applier(threshold)
    applier.register(1, table.described())
    return applier


def inserts(first: int, count: int, value: str = "a") -> list[tuple[int, int, int, Row]]:
    return [(INSERT, at, 0, (at, value)) for at in range(first, first + count)]


def updates(first: int, count: int, old: str, new: str) -> list[tuple[int, int, int, Row]]:
    changes: list[tuple[int, int, int, Row]] = []
    for at in range(first, first + count):
        changes += [(BEFORE, at, 0, (at, old)), (AFTER, at, 0, (at, new))]
    return changes


def apply(applier: PgApplier, changes: list[tuple[int, int, int, Row]], mode: str = "merged") -> dict[str, object]:
    return applier.apply([(1, TABLE.changes(changes))], mode, [])


def test_an_applier_is_made_outside_of_transactions(connection: PgConnection) -> None:
    connection.execute("BEGIN")
    with pytest.raises(PgError) as raised:
        connection.applier()
    assert raised.value.kind == "usage"


def test_counts_are_of_changes_and_not_of_rows(connection: PgConnection) -> None:
    applier = ready(connection)
    connection.execute("BEGIN")
    changes = [*inserts(0, 100), *[(op, seq + 1000, f, r) for op, seq, f, r in updates(0, 50, "a", "b")]]
    changes += [(DELETE, 5000 + at, 0, (at, "b")) for at in range(10)]
    for mode in ("merged", "transactional"):
        connection.execute("SAVEPOINT s")
        counts = apply(applier, changes, mode)
        assert counts["tables"] == {1: {"inserted": 100, "updated": 50, "deleted": 10}}
        assert counts["bytes"] > 0
        assert rows(connection, "SELECT count(*), count(*) FILTER (WHERE v = 'b') FROM app.t") == [("90", "40")]
        connection.execute("ROLLBACK TO s")
    assert applier.apply([], "merged", []) == {"tables": {}, "bytes": 0, "resolved": []}
    assert apply(applier, []) == {
        "tables": {1: {"inserted": 0, "updated": 0, "deleted": 0}},
        "bytes": 0,
        "resolved": [],
    }


@pytest.mark.parametrize("threshold", [1, None])
def test_parts_of_one_transaction(connection: PgConnection, threshold: int | None) -> None:
    applier = ready(connection, threshold=threshold)
    connection.execute("BEGIN")
    for part in range(5):
        apply(applier, inserts(part * 100, 100))
        apply(applier, updates(part * 100, 100, "a", "b"))
        apply(applier, [(DELETE, at, 0, (at, "b")) for at in range(part * 100, part * 100 + 70)])
    connection.execute("COMMIT")
    connection.execute("BEGIN")
    apply(applier, updates(70, 30, "b", "c"))
    connection.execute("COMMIT")
    assert rows(connection, "SELECT v, count(*) FROM app.t GROUP BY v ORDER BY v") == [("b", "120"), ("c", "30")]


@pytest.mark.parametrize("ending", ["ROLLBACK", "ROLLBACK TO one"])
def test_staging_survives_rollbacks(connection: PgConnection, ending: str) -> None:
    applier = ready(connection, threshold=1)
    connection.execute("BEGIN")
    apply(applier, inserts(0, 10))
    connection.execute("COMMIT")
    for value in ("b", "c"):
        connection.execute("BEGIN; SAVEPOINT one")
        apply(applier, updates(0, 10, "a", value))
        connection.execute(ending)
        if ending == "ROLLBACK":
            connection.execute("BEGIN")
        apply(applier, updates(0, 5, "a", value))
        apply(applier, updates(0, 5, value, "a"))
        connection.execute("COMMIT")
    connection.execute("BEGIN")
    apply(applier, updates(3, 3, "a", "z"))
    connection.execute("COMMIT")
    assert rows(connection) == [(str(at), "z" if 3 <= at < 6 else "a") for at in range(10)]


def test_after_a_failure_the_session_goes_on(connection: PgConnection) -> None:
    for threshold in (1, 1000):
        connection.execute("DROP TABLE IF EXISTS app.t")
        applier = ready(connection, threshold=threshold)
        for _ in range(3):
            connection.execute("BEGIN")
            with pytest.raises(PgError):
                apply(applier, [*inserts(0, 3), (DELETE, 10, 0, (99, "a"))])
            connection.execute("ROLLBACK")
            connection.execute("BEGIN")
            apply(applier, inserts(0, 3))
            apply(applier, [(DELETE, at, 0, (at, "a")) for at in range(3)])
            connection.execute("COMMIT")
        assert rows(connection) == []


@pytest.mark.parametrize("threshold", [1, 1000])
def test_a_table_gets_a_new_shape(connection: PgConnection, threshold: int) -> None:
    applier = ready(connection, threshold=threshold)
    connection.execute("BEGIN")
    apply(applier, inserts(0, 3))
    apply(applier, updates(0, 3, "a", "b"))
    connection.execute("ALTER TABLE app.t ADD COLUMN w int DEFAULT 7; ALTER TABLE app.t ALTER COLUMN v TYPE varchar(9)")
    wider = Table(
        name="t",
        columns=(
            Column(name="w", logical=INT, type="int4"),
            TABLE.columns[0],
            Column(name="v", logical=TEXT, type="varchar(9)"),
        ),
        key=("id",),
    )
    applier.register(1, wider.described())
    changes = [(BEFORE, 0, 0, (7, 1, "b")), (AFTER, 0, 0, (8, 1, "b")), (INSERT, 1, 0, (None, 9, "new"))]
    applier.apply([(1, wider.changes(changes))], "merged", [])
    with pytest.raises(PgError) as raised:
        apply(applier, inserts(20, 1))
    assert raised.value.kind == "usage", "the old shape"
    connection.execute("ROLLBACK; DROP TABLE app.t")


def test_a_table_whose_shape_was_changed_behind_our_back(connection: PgConnection) -> None:
    applier = ready(connection)
    connection.execute("ALTER TABLE app.t ALTER COLUMN v TYPE bytea USING ''")
    with pytest.raises(PgError) as raised:
        applier.register(1, TABLE.described())
    assert raised.value.message == "app.t, column v: the target has type bytea and not text"


def test_many_shapes_of_statements(connection: PgConnection) -> None:
    """More than are kept prepared: they are forgotten and made again."""
    columns = tuple(Column(name=f"c{at}", logical=INT, type="int4") for at in range(12))
    table = Table(name="wide", columns=(TABLE.columns[0], *columns), key=("id",))
    applier = ready(connection, table)
    connection.execute("BEGIN")
    row: list[int] = [0] * 12
    applier.apply([(1, table.changes([(INSERT, 0, 0, (1, *row))]))], "transactional", [])
    for number in range(1, 1200):
        before = tuple(row)
        row = [value + (number >> at & 1) for at, value in enumerate(row)]
        changes = [(BEFORE, number, 0, (1, *before)), (AFTER, number, 0, (1, *row))]
        applier.apply([(1, table.changes(changes))], "transactional", [])
    connection.execute("COMMIT")
    assert rows(connection, "SELECT * FROM app.wide") == [("1", *map(str, row))]
    ((prepared,),) = connection.query("SELECT count(*) FROM pg_prepared_statements")
    assert int(prepared) < 600


@pytest.mark.parametrize("threshold", [1, 1000])
def test_one_window_is_one_round_trip(server: Postgres, connect: Connect, threshold: int) -> None:
    with Relay(server.port) as relay:
        connection = connect(port=relay.port)
        applier = ready(connection, threshold=threshold)
        other = Table(name="o", columns=TABLE.columns)
        connection.execute(other.sql())
        applier.register(2, other.described())
        for mode in ("merged", "transactional"):
            connection.execute("BEGIN")
            windows = [inserts(0, 20), updates(0, 20, "a", "b"), [(DELETE, at, 0, (at, "b")) for at in range(20)]]
            for changes in windows:
                turns = relay.turns
                applier.apply([(1, TABLE.changes(changes)), (2, other.changes(inserts(100, 3)))], mode, [])
                assert relay.turns == turns + 1
            connection.execute("COMMIT")
        connection.close()


def test_a_copy_may_begin_where_a_chunk_is_full(connection: PgConnection) -> None:
    """Nothing may wait for the answer to a COPY whose rows were not sent. (It did, if the COPY's own statement
    filled a chunk of what is sent at once.)"""
    other = replace(TABLE, name="other")
    connection.execute(other.sql())
    applier = ready(connection)
    applier.register(2, other.described())
    connection.execute(f"INSERT INTO app.other SELECT n, '' FROM generate_series(0, {LONG - 1}) n")
    for padding in range(0, 4200, 12):  # in steps shorter than the statement, over more than one of its fellows
        connection.execute("BEGIN")
        changes = numbered([(2, at, "x" * 2000) for at in range(15)] + [(2, 15, "x" * padding)])
        changes += numbered([(1, at, "c") for at in range(64)], len(changes))
        changes += numbered([(2, at, "y" * 2000) for at in range(16, LONG)], len(changes))
        batches = [(1, TABLE.changes([c[1:] for c in changes if c[0] == 1]))]
        batches += [(2, other.changes([c[1:] for c in changes if c[0] == 2]))]
        applier.apply(batches, "transactional", [])
        connection.execute("ROLLBACK")


LONG = 16 + 60


def numbered(images: list[tuple[int, int, str]], first: int = 0) -> list[tuple[int, int, int, int, Row]]:
    """Inserts into the first table, updates of the second, behind each other."""
    changes: list[tuple[int, int, int, int, Row]] = []
    for seq, (table, at, value) in enumerate(images, first):
        if table == 1:
            changes.append((table, INSERT, seq, 0, (at, value)))
        else:
            changes += [(table, BEFORE, seq, 0, (at, "")), (table, AFTER, seq, 0, (at, value))]
    return changes


@pytest.mark.parametrize("mode", ["merged", "transactional"])
def test_a_large_window_does_not_choke(connection: PgConnection, mode: str) -> None:
    """Long rows, and a trigger that warns of every row."""
    applier = ready(connection)
    connection.execute(
        "CREATE FUNCTION app.warn() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE WARNING '%', repeat('w', 1000); RETURN NEW; END $$; "
        "CREATE TRIGGER warn BEFORE UPDATE ON app.t FOR EACH ROW EXECUTE FUNCTION app.warn()"
    )
    connection.execute("BEGIN")
    apply(applier, [(INSERT, at, 0, (at, "x" * 5000)) for at in range(3000)], mode)
    changes: list[tuple[int, int, int, Row]] = []
    for at in range(3000):
        changes += [(BEFORE, at, 0, (at, "x" * 5000)), (AFTER, at, 0, (at, "y" * 5000))]
    other = Table(name="o", columns=TABLE.columns, key=("id",))
    connection.execute(other.sql())
    applier.register(2, other.described())
    # Two tables in turn: short runs, so that the transactional mode goes row by row.
    left = [(op, 2 * seq, f, r) for op, seq, f, r in changes]
    right = [(INSERT, 2 * at + 1, 0, (at, "z")) for at in range(3000)]
    applier.apply([(1, TABLE.changes(left)), (2, other.changes(right))], mode, [])
    connection.execute("COMMIT")
    assert rows(connection, "SELECT count(*), min(v) = repeat('y', 5000) FROM app.t") == [("3000", "t")]


@pytest.mark.parametrize("threshold", [1, 1000])
def test_a_text_that_is_too_long_is_not_cut(connection: PgConnection, threshold: int) -> None:
    for binary in (True, False):
        short = Column(name="v", logical=TEXT, type="varchar(3)", binary=binary)
        table = Table(name=f"s{binary}", columns=(TABLE.columns[0], short), key=("id",))
        applier = ready(connection, table, threshold)
        for mode, idempotent in (("merged", []), ("transactional", []), ("merged", [1])):
            connection.execute("BEGIN")
            with pytest.raises(PgError) as raised:
                applier.apply([(1, table.changes([(INSERT, 0, 0, (1, "long"))]))], mode, idempotent)
            assert raised.value.sqlstate == "22001", (mode, idempotent)
            connection.execute("ROLLBACK")


def test_names_that_need_quotes(connection: PgConnection) -> None:
    columns = (
        Column(name='i"d', logical=INT, type="int4", not_null=True),
        Column(name="select", logical=TEXT, type="text"),
        Column(name="n", logical=TEXT, type="text"),
        Column(name="c0", logical=TEXT, type="text"),
    )
    table = Table(name='Ta"ble $1', columns=columns, key=('i"d',))
    name = '"app"."Ta""ble $1"'
    connection.execute(f'CREATE TABLE {name} ("i""d" int PRIMARY KEY, "select" text, n text, c0 text)')
    for threshold in (1, 1000):
        applier = connection.applier(threshold)
        applier.register(1, table.described())
        connection.execute("BEGIN")
        for idempotent in ([], [1]):
            changes = [
                (INSERT, 0, 0, (1, "a", "b", "c")),
                (BEFORE, 1, 0, (1, "a", "b", "c")),
                (AFTER, 1, 0, (1, "x", "y", "z")),
            ]
            applier.apply([(1, table.changes(changes))], "merged", idempotent)
            assert connection.query(f"SELECT * FROM {name}") == [("1", "x", "y", "z")]
            changes = [(BEFORE, 0, 0, (1, "x", "y", "z")), (AFTER, 0, 0, (1, "x", "y", None))]
            applier.apply([(1, table.changes(changes))], "transactional", idempotent)
            applier.apply([(1, table.changes([(DELETE, 0, 0, (1, "x", "y", None))]))], "merged", idempotent)
        connection.execute("COMMIT")


@pytest.mark.parametrize("mode", ["merged", "transactional"])
def test_what_refers_to_a_row_follows_it_when_changes_are_repeated(connection: PgConnection, mode: str) -> None:
    parent = Table(name="t", columns=TABLE.columns, key=("id",), referenced_with_actions=True)
    applier = ready(connection, parent)
    connection.execute(
        "CREATE TABLE app.child (id int REFERENCES app.t ON DELETE CASCADE ON UPDATE CASCADE); "
        "INSERT INTO app.t VALUES (1, 'a'); INSERT INTO app.child VALUES (1)"
    )
    changes = [(BEFORE, 0, 0, (1, "a")), (AFTER, 0, 0, (2, "b")), (BEFORE, 1, 0, (2, "b")), (AFTER, 1, 0, (3, "c"))]
    for _ in range(2):
        connection.execute("BEGIN")
        applier.apply([(1, parent.changes(changes))], mode, [1])
        connection.execute("COMMIT")
        assert rows(connection) == [("3", "c")]
        assert rows(connection, "SELECT id FROM app.child") == [("3",)]


@pytest.mark.parametrize("threshold", [1, None])
@pytest.mark.parametrize("mode", ["merged", "transactional"])
def test_what_is_unique_by_an_expression_goes_in_order(
    connection: PgConnection, mode: str, threshold: int | None
) -> None:
    table = replace(TABLE, opaque_uniques=True)
    applier = ready(connection, table, threshold)
    connection.execute("CREATE UNIQUE INDEX ON app.t (left(v, 2))")
    connection.execute("INSERT INTO app.t SELECT n, n || 'x' FROM generate_series(10, 89) n")
    changes: list[tuple[int, int, int, Row]] = []
    for at in range(10, 89):  # each takes what the one before it has just given up
        changes += [(BEFORE, at, 0, (at, f"{at}x")), (AFTER, at, 0, (at, f"{at - 1}y"))]
    changes += [(DELETE, 100, 0, (89, "89x")), (INSERT, 101, 0, (0, "88z")), (INSERT, 102, 0, (1, "89z"))]
    connection.execute("BEGIN")
    applier.apply([(1, table.changes(changes))], mode, [])
    connection.execute("COMMIT")
    assert rows(connection) == [("0", "88z"), ("1", "89z"), *((str(n), f"{n - 1}y") for n in range(10, 89))]
