"""A target that others write to as well: whatever they do, conflicts are found, told once, and resolved as is wanted."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendrs._core import PgApplier, PgConnection, PgError
from tests.integration.postgres_wire.conftest import Connect
from tests.integration.postgres_wire.history import (
    AFTER,
    BEFORE,
    DELETE,
    INSERT,
    INT,
    Change,
    History,
    Schema,
    Source,
    random_statement,
)
from tests.integration.postgres_wire.model import Model, OnConflict, Record, whole
from tests.integration.postgres_wire.tables import Column, Constant, Row, Table, Touched, names
from tests.integration.postgres_wire.test_apply_law import (
    Target,
    as_window,
    lawful,
    modes,
    pieces,
    registered,
    seeds,
    target,
    thresholds,
)

__all__ = ["target"]
policies = st.sampled_from(["ignore", "overwrite"])
Told = tuple[str, int, str, int, str]
"""Table, ordinal of the change, what was done, number of the row that had to go for it, and what became of it."""


def random_tables(chance: random.Random, *, uniques: bool, partial: bool) -> Schema:
    """Tables of whole numbers; some share one of the target, some get not all changes of their rows."""
    tables: list[Table] = []
    for number in range(chance.randint(1, 2)):
        key = tuple(f"k{at}" for at in range(chance.choice((0, 1, 1, 2))))
        unique = [f"u{at}" for at in range(chance.randint(0, 2) if uniques else 0)]
        rest = [*unique, *(f"v{at}" for at in range(chance.randint(1, 2)))]
        columns = [Column(name=name, logical=INT, type="int4", not_null=True) for name in key]
        columns += [Column(name=name, logical=INT, type="int4") for name in rest]
        pairs = [tuple(unique)] if len(unique) == 2 and chance.random() < 0.5 else [(name,) for name in unique]
        table = Table(name=f"t{number}", columns=tuple(columns), key=key, uniques=tuple(pairs), partial=partial)
        match chance.choice(("plain", "constant", "shared")):
            case "plain":
                tables.append(table)
            case "constant":
                tables.append(replace(table, constants=(Constant(name="c", type="int4", value="7"),)))
            case "shared":
                keyed = replace(
                    table, key=(*key, "c") if key else (), uniques=tuple((*unique, "c") for unique in table.uniques)
                )
                for value in ("1", "2"):
                    tables.append(replace(keyed, constants=(Constant(name="c", type="int4", value=value),)))
    return Schema(tuple(tables), ())


def random_history(chance: random.Random, schema: Schema, statements: int) -> History:
    source = Source(schema, chance, logs_cascades=False)
    kinds = [["int"] * len(table.columns) for table in schema.tables]
    for _ in range(chance.choice((0, 5, 20))):
        source.statement(lambda: random_statement(source, chance, kinds))
    history = History(schema, loaded=[list(rows) for rows in source.rows])
    source.log.clear()
    for number in range(statements):
        if number == 0 or chance.random() < 0.4:
            history.transactions.append([])
        source.statement(lambda: random_statement(source, chance, kinds))
        history.transactions[-1].extend(source.log)
        source.log.clear()
    return history


def interfere(target: Target, chance: random.Random, table: Table, model: Model) -> None:
    """Somebody writes to the target."""
    rows = model.rows[table.name]
    at = chance.randrange(len(rows)) if rows else None
    if at is not None and chance.random() < 0.5:
        found = " AND ".join(
            f"{names([c.name])} IS NOT DISTINCT FROM {shown(value)}"
            for c, value in zip(table.written, rows[at], strict=True)
        )
        where = f"ctid = (SELECT ctid FROM {table.qualified} WHERE {found} LIMIT 1)"
        target.connection.execute(f"DELETE FROM {table.qualified} WHERE {where}")
        del rows[at]
        return
    row = whole(table, tuple(chance.choice([*range(8), None]) if not c.not_null else chance.randrange(8)
                             for c in table.columns))  # fmt: skip
    values = ", ".join(shown(value) for value in row)
    try:
        target.connection.execute(f"INSERT INTO {table.qualified} VALUES ({values})")
    except PgError as error:
        assert error.sqlstate == "23505"
    else:
        rows.append(row)


def shown(value: Any) -> str:
    return "NULL" if value is None else str(value)


def state(target: Target, table: Table) -> Counter[tuple[Any, ...]]:
    rows = target.connection.query(f"SELECT * FROM {table.qualified}")
    return Counter(tuple(None if value is None else int(value) for value in row) for row in rows)


def apply(applier: PgApplier, schema: Schema, changes: list[Change], mode: str, on_conflict: str) -> list[Told]:
    """The conflicts; ordinals are places in `changes`."""
    told = applier.apply(as_window(schema, changes), mode, [], on_conflict)["resolved"]
    for one in told:
        assert one["reason"] and one["statement"].startswith(one["op"].upper()), one
    return [(schema.tables[one["table"]].name, one["seq"], one["op"], one["part"], one["resolved"]) for one in told]


def expected(schema: Schema, changes: list[Change], model: Model) -> list[Told]:
    told: list[Told] = []
    word = {"ignore": "ignored", "overwrite": "overwritten"}[model.on_conflict]
    for seq, change in enumerate(changes):
        table = schema.tables[change.table]
        records: list[Record] = model.apply(table, change)
        told += [(table.name, seq, op, part, word) for op, part in records]
    return told


def carried(chance: random.Random, transactions: list[list[Change]]) -> list[list[Change]]:
    """Without some kinds of changes."""
    letters = chance.choice(("iu", "id", "ud", "i", "u", "d"))

    def kind(change: Change) -> str:
        return "i" if change.before is None else "d" if change.after is None else "u"

    return [[change for change in changes if kind(change) in letters] for changes in transactions]


@lawful
@given(seeds, st.booleans(), st.integers(1, 60), policies)
def test_row_by_row_as_the_model_says(
    target: Target, seed: int, partial: bool, statements: int, on_conflict: OnConflict
) -> None:
    chance = random.Random(seed)
    schema = random_tables(chance, uniques=True, partial=partial)
    history = random_history(chance, schema, statements)
    target.make(schema, history.loaded)
    model = Model(on_conflict)
    for table, rows in zip(schema.tables, history.loaded, strict=True):
        model.load(table, rows)
    applier = registered(target.connection, schema, 1000)
    transactions = carried(chance, history.transactions) if partial else history.transactions
    for changes, whole_transaction in pieces(chance, transactions):
        if not target.connection.in_transaction:
            for _ in range(chance.randint(0, 4)):
                interfere(target, chance, chance.choice(schema.tables), model)
            target.connection.execute("BEGIN")
        told = apply(applier, schema, changes, "transactional", on_conflict)
        assert told == expected(schema, changes, model)
        for table in schema.tables:
            assert state(target, table) == Counter(model.rows[table.name]), (table.name, changes)
        if whole_transaction and chance.random() < 0.7:
            target.connection.execute("COMMIT")
    if target.connection.in_transaction:
        target.connection.execute("COMMIT")
    for table in schema.tables:
        assert state(target, table) == Counter(model.rows[table.name])


@lawful
@given(seeds, st.booleans(), st.integers(1, 60), policies, modes, thresholds)
def test_by_sets_as_row_by_row(
    target: Target, seed: int, partial: bool, statements: int, on_conflict: OnConflict, mode: str, threshold: int
) -> None:
    """Where each row has one change in a window, and no value but its key's is in others' way: then all ways of
    applying it find the same conflicts. (Values of rows that others have written may differ: an update in sets writes
    more of them than it changed.)"""
    chance = random.Random(seed)
    schema = random_tables(chance, uniques=False, partial=partial)
    history = random_history(chance, schema, statements)
    target.make(schema, history.loaded)
    model = Model(on_conflict)
    for table, rows in zip(schema.tables, history.loaded, strict=True):
        model.load(table, rows)
    applier = registered(target.connection, schema, threshold)
    changes = [change for transaction in history.transactions for change in transaction]
    if partial:
        (changes,) = carried(chance, [changes])
    for window in without_repetition(schema, changes):
        for _ in range(chance.randint(0, 4)):
            interfere(target, chance, chance.choice(schema.tables), model)
        target.connection.execute("BEGIN")
        told = apply(applier, schema, window, mode, on_conflict)
        target.connection.execute("COMMIT")
        assert told == expected(schema, window, model)
        for table in schema.tables:
            found, wanted = state(target, table), Counter(model.rows[table.name])
            if table.key and not partial:
                # The model goes on with the target's values.
                model.rows[table.name] = list(found.elements())
                found, wanted = keys(table, found), keys(table, wanted)
            assert found == wanted, (table.name, window)
        for _, seq, op, part, word in told:
            after, table = window[seq].after, schema.tables[window[seq].table]
            if (part, word) == (0, "overwritten") and after is not None:
                assert state(target, table)[whole(table, after)] > 0, (op, after)


@lawful
@given(seeds, st.integers(1, 60), modes, thresholds)
def test_changes_of_which_some_never_come(
    target: Target, seed: int, statements: int, mode: str, threshold: int
) -> None:
    """Insertions of what is there, changes of what is not: no conflict, and the same row by row and by sets."""
    chance = random.Random(seed)
    schema = random_tables(chance, uniques=False, partial=True)
    history = random_history(chance, schema, statements)
    target.make(schema, history.loaded)
    model = Model("ignore")
    for table, rows in zip(schema.tables, history.loaded, strict=True):
        model.load(table, rows)
    applier = registered(target.connection, schema, threshold)
    for changes, _ in pieces(chance, carried(chance, history.transactions)):
        for _ in range(chance.randint(0, 4)):
            interfere(target, chance, chance.choice(schema.tables), model)
        target.connection.execute("BEGIN")
        assert apply(applier, schema, changes, mode, "stop") == expected(schema, changes, model) == []
        target.connection.execute("COMMIT")
        for table in schema.tables:
            assert state(target, table) == Counter(model.rows[table.name]), (table.name, changes)


def keys(table: Table, rows: Counter[tuple[Any, ...]]) -> Counter[tuple[Any, ...]]:
    places = [at for at, column in enumerate(table.written) if column.name in table.key]
    return Counter(tuple(row[at] for at in places) for row in rows.elements())


def without_repetition(schema: Schema, changes: list[Change]) -> Iterable[list[Change]]:
    """Windows in which no row is changed twice."""
    window: list[Change] = []
    seen: set[tuple[str, Row]] = set()
    for change in changes:
        table = schema.tables[change.table]
        images = [whole(table, image) for image in (change.before, change.after) if image is not None]
        touched = {(table.name, key_or_all(table, image)) for image in images}
        if touched & seen:
            yield window
            window, seen = [], set()
        window.append(change)
        seen |= touched
    if window:
        yield window


def key_or_all(table: Table, row: Row) -> Row:
    return tuple(v for c, v in zip(table.written, row, strict=True) if not table.key or c.name in table.key)


# By name

TABLE = Table(
    name="t",
    columns=(
        Column(name="id", logical=INT, type="int4", not_null=True),
        Column(name="v", logical={"kind": "text"}, type="text"),
        Column(name="u", logical=INT, type="int4"),
    ),
    key=("id",),
    uniques=(("u",),),
)
FORMS = [("transactional", 1000), ("merged", 1), ("transactional", 1), ("merged", 1000)]


def made(connection: PgConnection, rows: list[Row], table: Table = TABLE, threshold: int = 1000) -> PgApplier:
    connection.execute(table.sql())
    copy = connection.copy_in(table.described())
    copy.write(table.batch(rows))
    copy.finish()
    applier = connection.applier(threshold)
    applier.register(5, table.described())
    return applier


def resolved(
    connection: PgConnection,
    applier: PgApplier,
    changes: list[tuple[int, int, int, Row]],
    on_conflict: str,
    mode: str = "transactional",
    table: Table = TABLE,
) -> list[dict[str, Any]]:
    connection.execute("BEGIN")
    told: list[dict[str, Any]] = applier.apply([(5, table.changes(changes))], mode, [], on_conflict)["resolved"]
    connection.execute("COMMIT")
    return told


def rows_of(connection: PgConnection, sql: str = "SELECT id, v, u FROM app.t ORDER BY id") -> list[Any]:
    return [tuple(row) for row in connection.query(sql)]


@pytest.mark.parametrize(("mode", "threshold"), FORMS)
def test_what_is_told(connection: PgConnection, mode: str, threshold: int) -> None:
    applier = made(connection, [(7, "theirs", None)], threshold=threshold)
    text = "o'" + "x" * 300
    told = resolved(connection, applier, [(INSERT, 3, 0, (7, text, None))], "ignore", mode)
    assert told == [
        {
            "table": 5, "seq": 3, "txn": 0, "part": 0, "op": "insert", "resolved": "ignored",
            "reason": "expected no other row with the same unique value, found one (constraint t_pkey)",
            "statement": f"""INSERT INTO "app"."t" ("id", "v", "u") VALUES ('7', 'o''{"x" * 198}…', NULL)""",
        }
    ]  # fmt: skip
    changes = [(BEFORE, 4, 0, (8, "a", None)), (AFTER, 4, 0, (8, "b", 1)), (DELETE, 5, 0, (9, "a", None))]
    told = resolved(connection, applier, changes, "overwrite", mode)
    assert [(one["seq"], one["reason"], one["statement"]) for one in told] == [
        (4, "expected one row, found no row", """UPDATE "app"."t" SET "v" = 'b', "u" = '1' WHERE "id" = '8'"""),
        (5, "expected one row, found no row", """DELETE FROM "app"."t" WHERE "id" = '9'"""),
    ]
    assert rows_of(connection) == [("7", "theirs", None), ("8", "b", "1")]


@pytest.mark.parametrize(("mode", "threshold"), FORMS)
def test_what_had_to_go_is_told_with_all_its_values(connection: PgConnection, mode: str, threshold: int) -> None:
    applier = made(connection, [(7, "theirs", 50), (8, "theirs too", 60), (9, "ours", 9)], threshold=threshold)
    changes = [(INSERT, 0, 0, (7, "new", 60)), (BEFORE, 1, 0, (9, "ours", 9)), (AFTER, 1, 0, (10, "moved", 50))]
    told = resolved(connection, applier, changes, "overwrite", mode)
    assert [(one["seq"], one["part"], one["op"]) for one in told] == [(0, 0, "insert"), (0, 1, "delete")]
    assert told[1]["statement"] == """DELETE FROM "app"."t" WHERE "id" = '8' AND "v" = 'theirs too' AND "u" = '60'"""
    assert told[1]["reason"] == "it held the value of the source's row in the unique index of (u)"
    assert rows_of(connection) == [("7", "new", "60"), ("10", "moved", "50")]


def test_changes_that_contradict_each_other(connection: PgConnection) -> None:
    """Nothing of them was sent when that was found."""
    applier = made(connection, [], threshold=1)
    changes = [(INSERT, 0, 0, (1, "a", None)), (INSERT, 1, 0, (1, "b", None))]
    for on_conflict, value in (("ignore", "a"), ("overwrite", "b")):
        told = resolved(connection, applier, changes, on_conflict, "merged")
        assert [one["seq"] for one in told] == [1]
        assert rows_of(connection) == [("1", value, None)]
        connection.execute("DELETE FROM app.t")


def test_columns_of_the_target_alone(connection: PgConnection) -> None:
    touched = Touched(name="n", sql="coalesce((SELECT max(n) FROM app.ticks), 0)", type="int")
    connection.execute("CREATE TABLE app.ticks (n int)")
    table = replace(
        TABLE,
        key=("id", "src"),
        constants=(Constant(name="src", type="varchar(20)", value="a@b"),),
    )
    connection.execute(table.sql().replace('("id"', '("n" int, "id"', 1))
    connection.execute("INSERT INTO app.ticks VALUES (4); INSERT INTO app.t (id, src) VALUES (1, 'a@b'), (2, 'c@d')")
    applier = connection.applier()
    applier.register(5, replace(table, touched=(touched,)).described())
    changes = [(INSERT, 0, 0, (1, "x", 5)), (INSERT, 1, 0, (2, "y", 6)), (DELETE, 2, 0, (3, "z", 7))]
    told = resolved(connection, applier, changes, "overwrite", table=table)
    assert [one["seq"] for one in told] == [0, 2]
    assert told[1]["statement"] == """DELETE FROM "app"."t" WHERE "id" = '3' AND "src" = 'a@b'"""
    assert rows_of(connection, "SELECT id, src, v, n FROM app.t ORDER BY 1, 2") == [
        ("1", "a@b", "x", "4"), ("2", "a@b", "y", None), ("2", "c@d", None, None),
    ]  # fmt: skip


def test_a_unique_index_that_only_the_target_has(connection: PgConnection) -> None:
    applier = made(connection, [(7, "Theirs", None)])
    connection.execute("CREATE UNIQUE INDEX mine ON app.t (lower(v))")
    changes = [(INSERT, 0, 0, (1, "a", None)), (INSERT, 1, 0, (2, "THEIRS", None)), (INSERT, 2, 0, (3, "b", None))]
    told = resolved(connection, applier, changes, "ignore")
    assert [(one["seq"], "constraint mine" in one["reason"]) for one in told] == [(1, True)]
    assert [row[0] for row in rows_of(connection)] == ["1", "3", "7"]
    connection.execute("BEGIN")
    with pytest.raises(PgError) as raised:
        applier.apply([(5, TABLE.changes([(INSERT, 0, 0, (2, "THEIRS", None))]))], "merged", [], "overwrite")
    assert (raised.value.kind, raised.value.constraint, raised.value.key) == ("conflict", "mine", "(id)=(2)")
    with pytest.raises(PgError) as again:
        applier.apply([], "merged", [], "overwrite")
    assert again.value.kind == "usage", "nothing more before ROLLBACK"


def test_a_row_that_a_trigger_swallows(connection: PgConnection) -> None:
    applier = made(connection, [])
    connection.execute(
        "CREATE FUNCTION app.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER swallow BEFORE INSERT ON app.t FOR EACH ROW WHEN (NEW.id = 2) EXECUTE FUNCTION app.swallow()"
    )
    changes = [(INSERT, at, 0, (at, "a", None)) for at in range(1, 4)]
    told = resolved(connection, applier, changes, "ignore")
    assert [(one["seq"], one["reason"]) for one in told] == [(2, "expected one row, found no row")]
    connection.execute("DELETE FROM app.t; BEGIN")
    with pytest.raises(PgError) as raised:
        applier.apply([(5, TABLE.changes(changes))], "transactional", [], "overwrite")
    assert raised.value.kind == "conflict"


def test_values_that_cannot_be_written_stay_errors(connection: PgConnection) -> None:
    applier = made(connection, [(1, "theirs", None)])
    for on_conflict in ("ignore", "overwrite"):
        for changes in (
            [(INSERT, 0, 0, (1, "a", None)), (INSERT, 1, 0, (2, "a\0", None))],
            [(INSERT, 0, 0, (2, "a\0", None)), (INSERT, 1, 0, (1, "a", None))],
        ):
            connection.execute("BEGIN")
            with pytest.raises(PgError) as raised:
                applier.apply([(5, TABLE.changes(changes))], "transactional", [], on_conflict)
            assert raised.value.kind == "value"
            connection.execute("ROLLBACK")
    assert rows_of(connection) == [("1", "theirs", None)]


FAMILY = (
    "CREATE TABLE app.p (id int PRIMARY KEY);"
    "CREATE TABLE app.c (id int PRIMARY KEY, p int REFERENCES app.p (id) {});"
    "INSERT INTO app.p VALUES (1), (2); INSERT INTO app.c VALUES (20, 2)"
)
PARENT = Table(name="p", columns=TABLE.columns[:1], key=("id",))
CHILD = Table(
    name="c", columns=(TABLE.columns[0], Column(name="p", logical=INT, type="int4")), key=("id",)
)  # fmt: skip


@pytest.mark.parametrize("checked", ["DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED", "NOT DEFERRABLE"])
@pytest.mark.parametrize(("mode", "threshold"), FORMS)
def test_rows_that_foreign_keys_refuse(connection: PgConnection, checked: str, mode: str, threshold: int) -> None:
    """Children of a parent that somebody took away, and a parent that got a child: left out, and told."""
    connection.execute(FAMILY.format(checked))
    applier = connection.applier(threshold)
    applier.register(1, PARENT.described())
    applier.register(2, CHILD.described())
    window = [
        (1, PARENT.changes([(INSERT, 0, 0, (5,)), (DELETE, 4, 0, (2,)), (DELETE, 6, 0, (1,))])),
        (2, CHILD.changes([
            (INSERT, 1, 0, (50, 5)), (INSERT, 2, 0, (90, 9)),  # nobody is 9
            (BEFORE, 3, 0, (50, 5)), (AFTER, 3, 0, (50, 8)), (INSERT, 5, 0, (51, 5)),
        ])),
    ]  # fmt: skip
    connection.execute("BEGIN")
    told = applier.apply(window, mode, [], "ignore")["resolved"]
    assert [(one["table"], one["seq"], one["op"], one["resolved"]) for one in told] == [
        (2, 2, "insert", "ignored"), (2, 3, "update", "ignored"), (1, 4, "delete", "ignored"),
    ]  # fmt: skip
    assert "violates foreign key constraint" in told[0]["reason"]
    # The next window of the same transaction is as the first.
    told = applier.apply([(2, CHILD.changes([(INSERT, 0, 0, (91, 9)), (INSERT, 1, 0, (52, 5))]))], mode, [], "ignore")
    assert [one["seq"] for one in told["resolved"]] == [0]
    connection.execute("COMMIT")
    assert rows_of(connection, "SELECT id FROM app.p ORDER BY 1") == [("2",), ("5",)]
    assert rows_of(connection, "SELECT * FROM app.c ORDER BY 1") == [
        ("20", "2"), ("50", "5"), ("51", "5"), ("52", "5"),
    ]  # fmt: skip


def test_only_the_end_of_a_window_counts_for_foreign_keys(connection: PgConnection) -> None:
    """A child before its parent is no conflict; and the other policies leave foreign keys to the commit."""
    connection.execute(FAMILY.format("DEFERRABLE"))
    applier = connection.applier()
    applier.register(1, PARENT.described())
    applier.register(2, CHILD.described())
    window = [(2, CHILD.changes([(INSERT, 0, 0, (50, 5)), (INSERT, 1, 0, (20, 2))])),
              (1, PARENT.changes([(INSERT, 2, 0, (5,))]))]  # fmt: skip
    connection.execute("BEGIN")
    assert [one["seq"] for one in applier.apply(window, "transactional", [], "ignore")["resolved"]] == [1]
    connection.execute("COMMIT; DELETE FROM app.c; DELETE FROM app.p WHERE id = 5; BEGIN")
    child = CHILD.changes([(INSERT, 0, 0, (50, 5)), (INSERT, 1, 0, (50, 2)), (INSERT, 2, 0, (51, 6))])
    assert [one["seq"] for one in applier.apply([(2, child)], "transactional", [], "overwrite")["resolved"]] == [1]
    with pytest.raises(PgError) as raised:
        connection.execute("COMMIT")
    assert raised.value.sqlstate == "23503"


def test_an_overwritten_parent_keeps_its_children(connection: PgConnection) -> None:
    connection.execute(FAMILY.format("ON DELETE CASCADE"))
    connection.execute("ALTER TABLE app.p ADD u int UNIQUE; UPDATE app.p SET u = id * 10")
    columns = (*PARENT.columns, TABLE.columns[2])
    table = replace(PARENT, columns=columns, uniques=(("u",),), referenced_with_actions=True)
    applier = connection.applier()
    applier.register(5, table.described())
    told = resolved(connection, applier, [(INSERT, 0, 0, (2, 7))], "overwrite", table=table)
    assert len(told) == 1
    assert rows_of(connection, "SELECT * FROM app.c") == [("20", "2")]
    # But the children of a row that has to go for another go with it, as they do with REPLACE.
    told = resolved(connection, applier, [(INSERT, 0, 0, (9, 7))], "overwrite", table=table)
    assert [(one["op"], one["part"]) for one in told] == [("insert", 0), ("delete", 1)]
    assert rows_of(connection, "SELECT * FROM app.c") == []


def test_savepoints_of_the_caller(connection: PgConnection) -> None:
    """What a transaction that comes in parts does with its own."""
    applier = made(connection, [(1, "theirs", None)])

    def insert(at: int) -> None:
        applier.apply([(5, TABLE.changes([(INSERT, 0, 0, (1, "a", None)), (INSERT, 1, 0, (at, "a", None))]))],
                      "transactional", [], "ignore")  # fmt: skip

    connection.execute("BEGIN")
    insert(10)
    applier.release()
    connection.execute("SAVEPOINT own_1")
    insert(11)
    insert(12)
    applier.release()
    connection.execute("SAVEPOINT own_2")
    insert(13)
    connection.execute("ROLLBACK TO SAVEPOINT own_2")
    applier.release()
    insert(14)
    connection.execute("ROLLBACK TO SAVEPOINT own_1")
    insert(15)
    applier.release()
    applier.release()
    connection.execute("COMMIT")
    assert [row[0] for row in rows_of(connection)] == ["1", "10", "15"]
    connection.execute("BEGIN")
    insert(16)
    connection.execute("ROLLBACK; BEGIN")
    insert(17)
    connection.execute("COMMIT")
    assert [row[0] for row in rows_of(connection)] == ["1", "10", "15", "17"]


@pytest.mark.parametrize("on_conflict", ["ignore", "overwrite"])
def test_somebody_is_about_to_write_the_same_row(
    connection: PgConnection, connect: Connect, on_conflict: OnConflict
) -> None:
    """Whoever comes second waits, and sees then what the other has done."""
    applier = made(connection, [(2, "old", 20)])
    other = connect()
    other.execute("BEGIN; INSERT INTO app.t VALUES (1, 'theirs', 10); UPDATE app.t SET u = 30 WHERE id = 2")
    (mine,) = connection.query("SELECT pg_backend_pid()")
    told: list[dict[str, Any]] = []
    changes = [(INSERT, 0, 0, (1, "a", None)), (INSERT, 1, 0, (3, "a", 30))]
    thread = threading.Thread(target=lambda: told.extend(resolved(connection, applier, changes, on_conflict)))
    thread.start()
    watcher = connect()
    waits = f"SELECT count(*) FROM pg_locks WHERE pid = {mine[0]} AND NOT granted"
    while watcher.query(waits) == [("0",)]:
        assert thread.is_alive()
    other.execute("COMMIT")
    thread.join()
    ignored = [(0, "insert", 0), (1, "insert", 0)]
    if on_conflict == "ignore":
        assert [(one["seq"], one["op"], one["part"]) for one in told] == ignored
        assert rows_of(connection) == [("1", "theirs", "10"), ("2", "old", "30")]
    else:
        assert [(one["seq"], one["op"], one["part"]) for one in told] == [*ignored, (1, "delete", 1)]
        assert rows_of(connection) == [("1", "a", None), ("3", "a", "30")]


def test_many_conflicts_among_many_rows(connection: PgConnection) -> None:
    """Every third row of two thousand is there already."""
    for on_conflict, value in (("ignore", "theirs"), ("overwrite", "ours")):
        applier = made(connection, [(at, "theirs", None) for at in range(0, 2000, 3)], threshold=64)
        changes = [(INSERT, at, 0, (at, "ours", None)) for at in range(2000)]
        told = resolved(connection, applier, changes, on_conflict, "merged")
        assert [one["seq"] for one in told] == list(range(0, 2000, 3))
        found = rows_of(connection, "SELECT v, count(*) FROM app.t WHERE id % 3 = 0 GROUP BY v")
        assert found == [(value, "667")]
        assert rows_of(connection, "SELECT count(*) FROM app.t") == [("2000",)]
        connection.execute("DROP TABLE app.t")


def test_words(connection: PgConnection) -> None:
    applier = made(connection, [])
    connection.execute("BEGIN")
    with pytest.raises(PgError) as raised:
        applier.apply([], "merged", [], "no such word")
    assert raised.value.kind == "usage"
