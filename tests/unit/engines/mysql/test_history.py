"""What statements of the log mean for tables whose definitions are known as they are now."""

from __future__ import annotations

import pytest

from opendrs.engines.mysql.history import Since
from opendrs.engines.mysql.position import LogPosition
from opendrs.errors import DrsError, Fault
from opendrs.model.alteration import (
    AddColumn,
    Alteration,
    AlterTable,
    ChangeViews,
    CreateDatabase,
    CreateTable,
    DropDatabase,
    DropTable,
    ForgetTable,
    RenameTable,
    SetComment,
    SetNextAuto,
    TruncateTable,
)
from opendrs.model.catalog import Column, Table, TableName
from opendrs.model.event import SchemaChange
from opendrs.model.selection import Selection
from opendrs.model.types import Logical

T, U, OTHER = TableName("s", "t"), TableName("s", "u"), TableName("elsewhere", "t")
ADDED = AddColumn(Column(name="w", type=Logical(kind="int", bits=32), native="int"))


def position(pos: int) -> LogPosition:
    return LogPosition(f'{{"version":1,"kind":"mysql-file","server":"s","file":{{"file":"b.000001","pos":{pos}}}}}')


def a_table(name: TableName) -> Table:
    return Table(name=name, columns=())


def made(name: TableName, *, if_not_exists: bool = False) -> CreateTable:
    return CreateTable(a_table(name), if_not_exists=if_not_exists)


def since(*alterations: Alteration) -> Since:
    found = Since(Selection(databases=frozenset({"s"})))
    for number, alteration in enumerate(alterations, 1):
        found.take(SchemaChange(alterations=(alteration,), statement=f"statement {number}", position=position(number)))
        found.reach(position(number))
    return found


@pytest.mark.parametrize(
    ("alterations", "there"),
    [
        ((made(T),), {T}),
        ((made(T), AlterTable(T, (ADDED,)), RenameTable(T, U)), {U}),
        ((made(T), DropTable(T)), set()),
        ((made(T), DropTable(T), made(T)), {T}),
        ((made(T), RenameTable(T, OTHER)), {OTHER}),
        ((made(T, if_not_exists=True),), set()),
        ((TruncateTable(T), ChangeViews((T,))), set()),
        ((AlterTable(T, (SetComment("c"), SetNextAuto(7))),), set()),
        ((CreateDatabase("s"), made(T), DropDatabase("s")), set()),
        ((AlterTable(OTHER, (ADDED,)), DropTable(OTHER), RenameTable(OTHER, TableName("elsewhere", "u"))), set()),
    ],
)
def test_what_leaves_the_tables_of_then_as_they_are(alterations: tuple[Alteration, ...], there: set[TableName]) -> None:
    found = since(*alterations)
    found.demand_unchanged()
    assert found.made == there


@pytest.mark.parametrize(
    ("alterations", "named", "last"),
    [
        ((AlterTable(T, (ADDED,)),), "s.t", 1),
        ((AlterTable(T, (SetComment("c"), ADDED)),), "s.t", 1),
        ((DropTable(T), made(T), AlterTable(T, (ADDED,))), "s.t", 1),
        ((DropTable(T, if_exists=True), made(T)), "s.t", 1),
        ((RenameTable(T, U),), "s.t", 1),
        ((RenameTable(OTHER, U),), "elsewhere.t", 1),
        ((ForgetTable(T),), "s.t", 1),
        ((made(T, if_not_exists=True), AlterTable(T, (ADDED,))), "s.t", 2),
        ((CreateDatabase("s", if_not_exists=True), DropDatabase("s")), "the database s", 2),
        ((AlterTable(U, (ADDED,)), made(T), DropTable(U)), "s.u", 3),
        ((AlterTable(U, (ADDED,)), AlterTable(T, (ADDED,)), TruncateTable(T)), "s.u, s.t", 2),
    ],
)
def test_what_makes_them_unknown(alterations: tuple[Alteration, ...], named: str, last: int) -> None:
    """All are named, and the place behind the last of them: there one can begin."""
    with pytest.raises(DrsError) as raised:
        since(*alterations).demand_unchanged()
    assert raised.value.fault is Fault.DEFINITION_CHANGED
    assert raised.value.details == {"tables": named, "position": f"b.000001:{last}", "statement": f"statement {last}"}


def test_a_statement_within_a_transaction_ends_where_that_does() -> None:
    found = Since(Selection(databases=frozenset({"s"})))
    found.take(SchemaChange(alterations=(DropTable(T),), statement="x" * 1000, position=None))
    found.reach(position(5))
    found.reach(position(6))
    with pytest.raises(DrsError) as raised:
        found.demand_unchanged()
    assert raised.value.details["position"] == "b.000001:5"
    assert raised.value.details["statement"] == "x" * 200 + "..."


def test_a_statement_that_is_not_understood() -> None:
    """It has changed whatever it names; of one that names nothing nobody can say what it does."""
    failure = DrsError(Fault.DDL_UNSUPPORTED, position="there", reason="no", statement="ODD")
    found = since(made(U))
    found.take(SchemaChange(alterations=(), statement="ODD", position=None, failure=failure, concerns=(U, OTHER)))
    found.demand_unchanged()
    with pytest.raises(DrsError) as raised:
        found.take(SchemaChange(alterations=(), statement="ODD", position=None, failure=failure, concerns=()))
    assert raised.value is failure
    found.take(SchemaChange(alterations=(), statement="ODD", position=None, failure=failure, concerns=(T,)))
    found.reach(position(9))
    with pytest.raises(DrsError) as raised:
        found.demand_unchanged()
    assert raised.value.details["tables"] == "s.t"
