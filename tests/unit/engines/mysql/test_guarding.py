"""Statements that would leave a rule without what it names."""

from __future__ import annotations

import pytest

from opendrs.engines.mysql.guarding import guarded
from opendrs.errors import DrsError, Fault
from opendrs.model.alteration import (
    AddColumn,
    Alteration,
    AlterTable,
    Change,
    CreateTable,
    DropColumn,
    DropTable,
    ModifyColumn,
    RenameColumn,
    RenameTable,
)
from opendrs.model.catalog import Column, Index, IndexPart, Table, TableName
from opendrs.model.rules import ExtraColumn, TableRule
from opendrs.model.selection import Selection
from opendrs.model.types import Logical

T, OTHER = TableName("shop", "t"), TableName("shop", "other")
EXTRA = ExtraColumn(name="of", kind="expression", type="varchar(256)")
RULE = TableRule(filter="f = 1", columns={"m": "mapped", "gone": None}, extras=(EXTRA,))


def column(name: str) -> Column:
    return Column(name=name, type=Logical(kind="int", bits=32), native="int")


def table(name: TableName = T, *, key: str = "id") -> Table:
    primary = Index(name="PRIMARY", parts=(IndexPart(column=key),), unique=True)
    return Table(name=name, columns=tuple(map(column, ("id", "f", "m", "gone", "free"))), primary=primary)


def refused(*alterations: Alteration, rule: TableRule = RULE) -> str:
    """Why; empty: they are fine."""
    chosen = Selection(databases=frozenset({"shop"}), rules={T: rule})
    try:
        guarded(alterations, chosen, {T: table(), OTHER: table(OTHER)}.get, "log.1:4", "ALTER")
    except DrsError as error:
        assert error.fault is Fault.DDL_UNSUPPORTED and "begin it anew" in error.message
        return error.message
    return ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (DropColumn("F"), "the filter of shop.t is about the column F"),
        (DropColumn("free"), ""),
        (DropColumn("gone"), ""),
        (RenameColumn("f", "g"), "the filter of shop.t is about the column f"),
        (RenameColumn("m", "n"), "a rule of shop.t names the column m"),
        (RenameColumn("free", "gone"), "a rule of shop.t names the column gone"),
        (RenameColumn("free", "MAPPED"), "shop.t arrives with a column MAPPED already"),
        (RenameColumn("free", "of"), "shop.t arrives with a column of already"),
        (RenameColumn("free", "freed"), ""),
        (RenameColumn("m", "M"), ""),
        (ModifyColumn("f", column("g")), "the filter of shop.t is about the column f"),
        (ModifyColumn("free", column("freed")), ""),
        (ModifyColumn("m", column("m")), ""),
        (AddColumn(column("mapped")), "shop.t arrives with a column mapped already"),
        (AddColumn(column("Of")), "shop.t arrives with a column Of already"),
        (AddColumn(column("another")), ""),
    ],
)
def test_columns(change: Change, words: str) -> None:
    found = refused(AlterTable(T, (change,)))
    assert words in found and bool(words) == bool(found)
    assert not refused(AlterTable(OTHER, (change,))), "nothing is said of the other table"


def test_a_name_that_becomes_free_on_the_way() -> None:
    assert refused(AlterTable(T, (DropColumn("f"), AddColumn(column("f")))))


def test_tables() -> None:
    assert "the rules of shop.t are not those of shop.other" in refused(RenameTable(T, OTHER))
    assert refused(RenameTable(OTHER, T))
    assert not refused(RenameTable(T, OTHER), rule=TableRule(table="named")), "a name is not a rule about rows"
    assert not refused(DropTable(T))
    assert "is left out" in refused(CreateTable(table(key="gone")))
    assert not refused(CreateTable(table()))
