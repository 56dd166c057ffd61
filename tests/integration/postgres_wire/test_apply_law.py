"""The law of the apply: whatever the history, the windows and the mode, the target comes to the source's rows."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opendrs._core import PgConnection
from tests.harness.postgres import Postgres
from tests.harness.server import USER
from tests.integration.postgres_wire.conftest import options
from tests.integration.postgres_wire.history import (
    AFTER,
    BEFORE,
    DELETE,
    INSERT,
    Change,
    History,
    Schema,
    Wish,
    random_history,
)
from tests.integration.postgres_wire.tables import Row, Table

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

    def rows(self, table: Table) -> Counter[tuple[str | None, ...]]:
        shown = ", ".join(f'"{column.name}"::text' for column in table.columns)
        return Counter(self.connection.query(f"SELECT {shown} FROM {table.qualified}"))

    def expected(self, table: Table, rows: list[Row]) -> Counter[tuple[str | None, ...]]:
        """The rows as the server shows them when they are loaded afresh."""
        twin = Table(name="twin", columns=table.columns)
        self.connection.execute(f"DROP TABLE IF EXISTS app.twin; {twin.sql()}")
        copy = self.connection.copy_in(twin.described(), "text")
        copy.write(twin.batch(rows))
        copy.finish()
        return self.rows(twin)


@pytest.fixture
def target(server: Postgres, name: str) -> Iterable[Target]:
    target = Target(server, name)
    yield target
    target.connection.close()


Window = list[tuple[int, object]]


def windows(chance: random.Random, schema: Schema, transactions: list[list[Change]]) -> list[tuple[Window, bool]]:
    """The log cut at random: (window, whether a commit may follow). Large transactions come in parts."""
    cut: list[tuple[list[Change], bool]] = [([], True)]
    for transaction in transactions:
        if chance.random() < 0.3:
            cut.append(([], True))
        for change in transaction:
            if chance.random() < 0.05:
                cut[-1] = (cut[-1][0], False)
                cut.append(([], True))
            cut[-1][0].append(change)
    return [(as_window(schema, changes), whole) for changes, whole in cut if changes]


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
    applier = connection.applier(threshold)
    for number, table in enumerate(history.schema.tables):
        applier.register(number, table.described())
    run(connection, applier, windows(chance, history.schema, history.transactions), chance, mode, [])
    if again:
        begin = chance.randint(0, len(history.transactions))
        ids = list(range(len(history.schema.tables)))
        run(connection, applier, windows(chance, history.schema, history.transactions[begin:]), chance, mode, ids)


def run(
    connection: PgConnection,
    applier: object,
    cut: list[tuple[Window, bool]],
    chance: random.Random,
    mode: str,
    idempotent: list[int],
) -> None:
    for window, whole in cut:
        if not connection.in_transaction:
            connection.execute("BEGIN")
        applier.apply(window, mode, idempotent)
        if whole and chance.random() < 0.7:
            connection.execute("COMMIT")
    if connection.in_transaction:
        connection.execute("COMMIT")


def check(target: Target, history: History) -> None:
    for table, rows in zip(history.schema.tables, history.rows, strict=True):
        assert target.rows(table) == target.expected(table, rows), table.name


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
@given(seeds, st.booleans(), st.integers(1, 60), modes, thresholds)
def test_what_was_applied_may_be_applied_again(
    target: Target, seed: int, loose: bool, statements: int, mode: str, threshold: int
) -> None:
    """As while catching up with a load: without further unique indexes and foreign keys."""
    history = random_history(seed, Wish(loose=loose), statements)
    target.make(history.schema, history.loaded)
    replay(target, history, random.Random(seed), mode, threshold, again=True)
    check(target, history)
