"""Changes of the schema as messages: what they are called, and what is not told."""

from __future__ import annotations

import time
from typing import Any, get_args

import pytest

from opendrs.engines.kafka.statements import UNTOLD, Statement, made, now, statement_of
from opendrs.model.alteration import (
    AddColumn,
    AddIndex,
    Alteration,
    AlterTable,
    ChangeViews,
    CreateDatabase,
    CreateTable,
    DropColumn,
    DropDatabase,
    DropTable,
    ForgetTable,
    RenameTable,
    TruncateTable,
)
from opendrs.model.catalog import Column, Index, Table, TableName
from opendrs.model.event import SchemaChange
from opendrs.model.job import SKIPPABLE, Policy, SkippableDdl
from opendrs.model.types import Logical

ORDERS, CARTS = TableName("shop", "orders"), TableName("shop", "carts")
COLUMN = Column(name="a", type=Logical(kind="int", bits=32), native="int")
ADD, DROP = AddColumn(COLUMN), DropColumn("a")

EACH: list[tuple[Alteration, str, str, str]] = [
    (CreateTable(Table(name=ORDERS, columns=(COLUMN,))), "CREATE", "shop", "orders"),
    (DropTable(ORDERS), "DROP", "shop", "orders"),
    (ForgetTable(ORDERS), "DROP", "shop", "orders"),
    (RenameTable(ORDERS, CARTS), "RENAME", "shop", "orders"),
    (TruncateTable(ORDERS), "TRUNCATE", "shop", "orders"),
    (AlterTable(ORDERS, (ADD,)), "ALTER", "shop", "orders"),
    (CreateDatabase("new"), "CREATE", "new", ""),
    (DropDatabase("old"), "DROP", "old", ""),
    (ChangeViews((ORDERS,)), "ALTER", "used", ""),
]


def told(*alterations: Alteration, policy: Policy | None = None) -> Statement | None:
    change = SchemaChange(alterations=alterations, statement="their words", position=None, database="used")
    return statement_of(change, alterations, policy or Policy())


@pytest.mark.parametrize(("alteration", "kind", "database", "table"), EACH, ids=lambda one: type(one).__name__)
def test_what_a_statement_is_about(alteration: Alteration, kind: str, database: str, table: str) -> None:
    assert told(alteration) == Statement(sql="their words", kind=kind, database=database, table=table)


def test_every_alteration_has_a_kind() -> None:
    assert {type(alteration) for alteration, *_ in EACH} == set(get_args(Alteration))


def test_what_takes_rows_away_is_never_silent() -> None:
    taking = (DropTable, ForgetTable, TruncateTable, DropDatabase)
    kinds = {kind for alteration, kind, *_ in EACH if isinstance(alteration, taking)}
    assert kinds == UNTOLD


def test_of_several_the_first_that_is_carried_names_the_statement() -> None:
    assert told(DropTable(ORDERS), DropTable(CARTS)) == told(DropTable(ORDERS))
    policy = Policy(skipped_ddl=("drop_table",))
    assert told(DropTable(ORDERS), RenameTable(CARTS, ORDERS), policy=policy) == told(RenameTable(CARTS, ORDERS))


def test_a_statement_that_is_about_nothing_of_ours_is_not_told() -> None:
    assert told() is None


SKIPPED: dict[SkippableDdl, Alteration] = {
    "drop_database": DropDatabase("old"),
    "drop_table": DropTable(ORDERS),
    "truncate_table": TruncateTable(ORDERS),
    "drop_column": AlterTable(ORDERS, (DROP,)),
    "add_index": AlterTable(ORDERS, (AddIndex(Index(name="i", parts=())),)),
}


@pytest.mark.parametrize("kind", sorted(SKIPPED))
def test_what_the_job_does_not_carry_over_is_not_told(kind: SkippableDdl) -> None:
    assert told(SKIPPED[kind], policy=Policy(skipped_ddl=(kind,))) is None
    others: Any = tuple(other for other in SKIPPABLE if other != kind)
    assert told(SKIPPED[kind], policy=Policy(skipped_ddl=others)) is not None


def test_of_a_statement_that_is_carried_in_part_all_is_told() -> None:
    """It is the source's, word by word."""
    assert told(AlterTable(ORDERS, (DROP, ADD)), policy=Policy(skipped_ddl=("drop_column",))) is not None


@pytest.mark.parametrize(("alteration", "kind", "database", "table"), EACH, ids=lambda one: type(one).__name__)
def test_a_job_that_refuses_statements_tells_none(alteration: Alteration, kind: str, database: str, table: str) -> None:
    assert told(alteration, policy=Policy(ddl="refuse")) is None


def test_a_statement_that_was_made_for_a_load() -> None:
    assert made(ORDERS, "CREATE TABLE ...") == Statement(
        sql="CREATE TABLE ...", kind="CREATE", database="shop", table="orders", snapshot=True
    )


def test_what_is_not_in_the_log_has_a_moment_and_no_place() -> None:
    before = time.time_ns() // 1000
    moment, *place = now()
    assert before <= moment <= time.time_ns() // 1000 and place == [None, None, 0]
