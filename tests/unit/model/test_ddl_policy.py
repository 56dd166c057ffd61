"""What a job leaves out of the changes of a schema."""

from __future__ import annotations

from opendrs.model.alteration import AlterTable, DropColumn, DropDatabase, DropTable, RenameColumn, TruncateTable
from opendrs.model.catalog import TableName
from opendrs.model.ddl_policy import carried
from opendrs.model.job import SKIPPABLE

T = TableName("shop", "t")


def test_nothing_is_left_out_unless_asked_for() -> None:
    for alteration in (DropTable(T), DropDatabase("shop"), AlterTable(T, (DropColumn("a"),))):
        assert carried(alteration, ()) == (alteration, [])


def test_whole_statements_and_parts_of_them() -> None:
    assert carried(DropTable(T), SKIPPABLE) == (None, ["drop_table"])
    assert carried(TruncateTable(T), ("drop_table",)) == (TruncateTable(T), [])
    both = AlterTable(T, (DropColumn("a"), RenameColumn("b", "c")))
    assert carried(both, ("drop_column",)) == (AlterTable(T, (RenameColumn("b", "c"),)), ["drop_column"])
    assert carried(AlterTable(T, (DropColumn("a"),)), ("drop_column",)) == (None, ["drop_column"])
