"""What becomes of changes of the schema that are met while catching up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import pytest

from opendrs.model.alteration import RenameTable
from opendrs.model.catalog import TableName
from opendrs.model.engine import SchemaChanged
from opendrs.model.event import SchemaChange
from opendrs.pipeline.evolve import evolved

A, B, C = (TableName("shop", name) for name in "abc")


@dataclass(frozen=True)
class At:
    """A position on a line."""

    number: int

    def dump(self) -> str:
        return str(self.number)

    def covers(self, other: Self) -> bool:
        return self.number >= other.number

    def brief(self) -> str:
        return str(self.number)


def renamed(old: TableName, new: TableName, at: int) -> SchemaChange:
    words = f"RENAME TABLE {old} TO {new}"
    return SchemaChange(statement=words, alterations=(RenameTable(old, new),), position=At(at))


def test_a_table_that_was_renamed_twice_is_looked_for_under_its_last_name() -> None:
    """a became b, and b became c, before anybody looked: a and b are not there, and c is what holds the rows."""
    gone = {A: At(9), B: At(9)}
    assert evolved({}, renamed(A, B, 3), catching_up=True, gone=gone) == ([], {})
    with pytest.raises(SchemaChanged) as raised:
        evolved({}, renamed(B, C, 4), catching_up=True, gone=gone)
    assert raised.value.name == C


def test_a_name_that_was_not_there_may_come_later() -> None:
    with pytest.raises(SchemaChanged) as raised:
        evolved({}, renamed(A, B, 12), catching_up=True, gone={A: At(9), B: At(9)})
    assert raised.value.name == B
