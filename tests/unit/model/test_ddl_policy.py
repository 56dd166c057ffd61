"""What a job leaves out of the changes of a schema."""

from __future__ import annotations

from opendrs.model.alteration import (
    AddColumn,
    AlterTable,
    ChangeViews,
    CreateTable,
    DropColumn,
    DropDatabase,
    DropForeignKey,
    DropIndex,
    DropTable,
    RenameColumn,
    RenameTable,
    SetComment,
    SetDefault,
    TruncateTable,
)
from opendrs.model.catalog import Column, Index, IndexPart, Table, TableName
from opendrs.model.ddl_policy import carried, indispensable
from opendrs.model.job import SKIPPABLE, Policy
from opendrs.model.types import Logical

T = TableName("shop", "t")


def test_nothing_is_left_out_unless_asked_for() -> None:
    for alteration in (DropTable(T), DropDatabase("shop"), AlterTable(T, (DropColumn("a"),))):
        assert carried(alteration, Policy()) == (alteration, [])


def test_whole_statements_and_parts_of_them() -> None:
    assert carried(DropTable(T), Policy(skipped_ddl=SKIPPABLE)) == (None, ["drop_table"])
    assert carried(TruncateTable(T), Policy(skipped_ddl=("drop_table",))) == (TruncateTable(T), [])
    both = AlterTable(T, (DropColumn("a"), RenameColumn("b", "c")))
    assert carried(both, Policy(skipped_ddl=("drop_column",))) == (
        AlterTable(T, (RenameColumn("b", "c"),)),
        ["drop_column"],
    )
    assert carried(AlterTable(T, (DropColumn("a"),)), Policy(skipped_ddl=("drop_column",))) == (None, ["drop_column"])


def test_a_job_that_carries_nothing_over_leaves_out_what_it_can() -> None:
    policy = Policy(ddl="refuse")
    assert carried(DropTable(T), policy) == (None, ["drop_table"])
    harmless = AlterTable(T, (SetComment("c"), SetDefault("a", None), DropColumn("b")))
    assert carried(harmless, policy) == (None, ["comment", "default", "drop_column"])
    assert not indispensable(harmless, {}) and not indispensable(ChangeViews((T,)), {})


def test_what_rows_depend_on_is_indispensable() -> None:
    column = Column(name="a", type=Logical(kind="int", bits=32), native="int")
    table = Table(name=T, columns=(column,), indexes=(_index("u", unique=True), _index("i", unique=False)))
    for change in (AddColumn(column), RenameColumn("b", "c"), DropForeignKey("k"), DropIndex("U")):
        assert indispensable(AlterTable(T, (SetComment("c"), change)), {T: table})
    assert not indispensable(AlterTable(T, (DropIndex("i"),)), {T: table})
    assert indispensable(CreateTable(table), {}) and indispensable(RenameTable(T, TableName("shop", "u")), {T: table})


def _index(name: str, *, unique: bool) -> Index:
    return Index(name=name, parts=(IndexPart(column="a"),), unique=unique)
