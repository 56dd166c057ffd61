"""The law of the apply: whatever the history, the windows and the mode, the target comes to the source's rows."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opendrs._core import PgApplier, PgConnection
from tests.harness.postgres import Postgres
from tests.harness.server import USER
from tests.integration.postgres_wire.conftest import options
from tests.integration.postgres_wire.history import (
    AFTER,
    BEFORE,
    DELETE,
    INSERT,
    INT,
    Change,
    History,
    Schema,
    Wish,
    random_history,
)
from tests.integration.postgres_wire.tables import Column, Row, Table, Touched, names

EXAMPLES = int(os.environ.get("OPENDRS_EXAMPLES", "40"))

lawful = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="OPENDRS_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
seeds = st.integers(0, 2**32)
wishes = st.builds(
    Wish,
    keyless=st.booleans(),
    uniques=st.booleans(),
    foreign_keys=st.booleans(),
    actions=st.booleans(),
    loose=st.booleans(),
    constants=st.booleans(),
)
# How many rows make a set: from "all by sets" to "all one by one".
thresholds = st.sampled_from([1, 2, 5, 1000])
modes = st.sampled_from(["merged", "transactional"])


class Target:
    """A schema `app` on a server, made anew for every history."""

    def __init__(self, server: Postgres, database: str) -> None:
        self.connection = PgConnection(options(server, database, synchronous_commit="off"))

    def make(self, schema: Schema, loaded: list[list[Row]]) -> None:
        self.connection.execute(f"DROP SCHEMA IF EXISTS app CASCADE; CREATE SCHEMA app AUTHORIZATION {USER}")
        for statement in schema.sql():
            self.connection.execute(statement)
        self.connection.execute("BEGIN; SET CONSTRAINTS ALL DEFERRED")
        for table, rows in zip(schema.tables, loaded, strict=True):
            copy = self.connection.copy_in(table.described())
            copy.write(table.batch(rows))
            assert copy.finish() == len(rows)
        self.connection.execute("COMMIT")

    def rows(self, table: Table, shown: Sequence[str] = ()) -> Counter[tuple[str | None, ...]]:
        shown = shown or [column.name for column in table.written]
        texts = ", ".join(f"{names([name])}::text" for name in shown)
        return Counter(self.connection.query(f"SELECT {texts} FROM {table.qualified}"))

    def expected(self, table: Table, rows: list[Row], shown: Sequence[str] = ()) -> Counter[tuple[str | None, ...]]:
        """The rows as the server shows them when they are loaded afresh."""
        twin = replace(table, name="twin", key=(), uniques=(), touched=())
        self.connection.execute(f"DROP TABLE IF EXISTS app.twin; {twin.sql()}")
        copy = self.connection.copy_in(twin.described(), "text")
        copy.write(twin.batch(rows))
        copy.finish()
        return self.rows(twin, shown)


@pytest.fixture
def target(server: Postgres, name: str) -> Iterable[Target]:
    target = Target(server, name)
    yield target
    target.connection.close()


Window = list[tuple[int, object]]


def windows(chance: random.Random, schema: Schema, transactions: list[list[Change]]) -> list[tuple[Window, bool]]:
    """The log cut at random: (window, whether a commit may follow)."""
    return [(as_window(schema, changes), whole) for changes, whole in pieces(chance, transactions)]


def pieces(chance: random.Random, transactions: list[list[Change]]) -> list[tuple[list[Change], bool]]:
    """The changes of random windows. Large transactions come in parts."""
    cut: list[tuple[list[Change], bool]] = [([], True)]
    for transaction in transactions:
        if chance.random() < 0.3:
            cut.append(([], True))
        for change in transaction:
            if chance.random() < 0.05:
                cut[-1] = (cut[-1][0], False)
                cut.append(([], True))
            cut[-1][0].append(change)
    return [(changes, whole) for changes, whole in cut if changes]


def as_window(schema: Schema, changes: list[Change]) -> Window:
    listed: dict[int, list[tuple[int, int, int, Row]]] = {}
    for seq, change in enumerate(changes):
        rows = listed.setdefault(change.table, [])
        flags = int(change.flagged)
        if change.before is not None:
            rows.append((DELETE if change.after is None else BEFORE, seq, flags, change.before))
        if change.after is not None:
            rows.append((INSERT if change.before is None else AFTER, seq, flags, change.after))
    return [(table, schema.tables[table].changes(rows)) for table, rows in listed.items()]


def replay(
    target: Target, history: History, chance: random.Random, mode: str, threshold: int, *, again: bool = False
) -> None:
    """Applies the history; then, if asked, its end once more."""
    connection = target.connection
    applier = registered(connection, history.schema, threshold)
    run(connection, applier, windows(chance, history.schema, history.transactions), chance, mode, [])
    if again:
        begin = chance.randint(0, len(history.transactions))
        ids = list(range(len(history.schema.tables)))
        run(connection, applier, windows(chance, history.schema, history.transactions[begin:]), chance, mode, ids)


def registered(connection: PgConnection, schema: Schema, threshold: int) -> PgApplier:
    applier = connection.applier(threshold)
    for number, table in enumerate(schema.tables):
        applier.register(number, table.described())
    return applier


def run(
    connection: PgConnection,
    applier: PgApplier,
    cut: Sequence[tuple[Window, bool]],
    chance: random.Random,
    mode: str,
    idempotent: list[int],
) -> list[int]:
    """Returns in which transaction of the target each window was applied; `app.tick` counts them."""
    ticks: list[int] = []
    tick = 0
    for window, whole in cut:
        if not connection.in_transaction:
            tick += 1
            connection.execute(f"BEGIN; SET app.tick = {tick}")
        applier.apply(window, mode, idempotent)
        ticks.append(tick)
        if whole and chance.random() < 0.7:
            connection.execute("COMMIT")
    if connection.in_transaction:
        connection.execute("COMMIT")
    return ticks


def check(target: Target, history: History) -> None:
    expected: dict[str, Counter[tuple[str | None, ...]]] = {}
    for table, rows in zip(history.schema.tables, history.rows, strict=True):
        expected.setdefault(table.name, Counter()).update(target.expected(table, rows))
    for table in history.schema.tables:
        assert target.rows(table) == expected[table.name], table.name


@lawful
@given(seeds, wishes, st.integers(1, 60), modes, thresholds)
def test_the_target_comes_to_the_sources_rows(
    target: Target, seed: int, wish: Wish, statements: int, mode: str, threshold: int
) -> None:
    history = random_history(seed, wish, statements)
    target.make(history.schema, history.loaded)
    replay(target, history, random.Random(seed), mode, threshold)
    check(target, history)


@lawful
@given(seeds, st.booleans(), st.booleans(), st.integers(1, 60), modes, thresholds)
def test_what_was_applied_may_be_applied_again(
    target: Target, seed: int, loose: bool, constants: bool, statements: int, mode: str, threshold: int
) -> None:
    """As while catching up with a load: without further unique indexes and foreign keys."""
    history = random_history(seed, Wish(loose=loose, constants=constants), statements)
    target.make(history.schema, history.loaded)
    replay(target, history, random.Random(seed), mode, threshold, again=True)
    check(target, history)


@lawful
@given(
    seeds,
    st.builds(Wish, uniques=st.booleans(), loose=st.booleans(), constants=st.booleans()),
    st.integers(1, 60),
    modes,
    thresholds,
)
def test_every_row_says_when_it_was_written_last(
    target: Target, seed: int, wish: Wish, statements: int, mode: str, threshold: int
) -> None:
    """A column that every update sets, and that inserts leave to its default."""
    history, chance = random_history(seed, wish, statements), random.Random(seed)
    tick = Touched(name="tick", sql="current_setting('app.tick')::int", type="int")
    tables = [replace(table, touched=(tick,)) for table in history.schema.tables]
    history.schema = replace(history.schema, tables=tuple(tables))
    target.connection.execute("SET app.tick = 0")
    target.make(history.schema, history.loaded)
    cut = pieces(chance, history.transactions)
    applied = [(as_window(history.schema, changes), whole) for changes, whole in cut]
    ticks = run(target.connection, registered(target.connection, history.schema, threshold), applied, chance, mode, [])
    check(target, history)
    written = [{key_of(table, row): 0 for row in rows} for table, rows in zip(tables, history.loaded, strict=True)]
    for (changes, _), now in zip(cut, ticks, strict=True):
        for change in changes:
            if change.before is not None:
                written[change.table].pop(key_of(tables[change.table], change.before))
            if change.after is not None:
                written[change.table][key_of(tables[change.table], change.after)] = now
    expected: dict[str, Counter[tuple[str | None, ...]]] = {}
    for table, rows in zip(tables, written, strict=True):
        columns = tuple(column for column in table.columns if column.name in table.key)
        twin = replace(table, columns=(*columns, Column(name="tick", logical=INT, type="int4")))
        expected.setdefault(table.name, Counter()).update(
            target.expected(twin, [(*key, now) for key, now in rows.items()], shown=(*table.key, "tick"))
        )
    for table in tables:
        assert target.rows(table, shown=(*table.key, "tick")) == expected[table.name], table.name


def key_of(table: Table, row: Row) -> Row:
    """The values of the key's columns, in the order of the table."""
    return tuple(value for column, value in zip(table.columns, row, strict=True) if column.name in table.key)
