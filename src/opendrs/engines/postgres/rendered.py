"""SQL for the target, together with everything that it does not carry over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

# Every reason for a report: what is not as it was at the source. docs/reference/types.md prints this table.
REASONS: Final[dict[str, str]] = {
    "renamed": "The name is longer than 63 bytes, or the target keeps it for itself.",
    "column-order": "The column stands at the end: PostgreSQL cannot put a new column between others.",
    "on-update": "ON UPDATE CURRENT_TIMESTAMP has no counterpart; writers of the target set the column themselves.",
    "generated-values": "A generated column is a plain one, with the source's values.",
    "generated-absent": "A generated column is left out: the source does not log its values, and the expression does "
    "not translate with certainty.",
    "default": "The default does not translate with certainty and is left out.",
    "check": "The check does not translate with certainty and is left out.",
    "check-not-enforced": "The check is not enforced at the source and is left out.",
    "index-fulltext": "A full-text index has no counterpart.",
    "index-spatial": "A spatial index has no counterpart.",
    "index-vector": "A vector index has no counterpart.",
    "index-functional": "An index on an expression does not translate.",
    "index-left-out": "The job's policy makes primary and unique keys only.",
    "index-json": "An index over JSON has no counterpart.",
    "index-prefix-unique": "UNIQUE counts the beginning of the column only, here as an index on an expression.",
    "index-hashed": "UNIQUE on long text is an index on its MD5.",
    "index-shortened": "The index holds the beginning of the column only: PostgreSQL's index entries are shorter.",
    "unique-case": "UNIQUE tells apart what the source's collation does not: case, accents, trailing blanks.",
    "primary-prefix": "The primary key counts the beginning of a column only; here it is a unique index.",
    "foreign-key-outside": "The foreign key refers to a table that is not selected.",
    "foreign-key-absent": "The foreign key is over a column that is not carried over.",
    "foreign-key-apart": "The keys of the table it refers to have an additional column that names the source.",
    "foreign-key-target": "The foreign key refers to columns that are not unique, which PostgreSQL refuses.",
    "foreign-key-case": "Rows that match their parent by the source's collation only are refused by the target.",
    "auto-type": "AUTO_INCREMENT on a column that is no whole number has no counterpart.",
    "left-selection": "The table is selected no longer, under the name that it has now: it stays as it was then.",
    "schema-kept": "The schema stays if it holds anything that is not the job's.",
    "invisible": "PostgreSQL has no invisible columns: SELECT * shows it.",
    "view-lost": "The view reads what is not there any more.",
    "view": "The view does not translate, or the target refuses its translation.",
}


class Report(NamedTuple):
    """Something that is not carried over as it is.

    id      a key of REASONS
    object  what it concerns: "shop.orders", "shop.orders.email"
    text    for a person
    """

    id: str
    object: str
    text: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """Statements for the target, in order, and reports."""

    statements: tuple[str, ...] = ()
    reports: tuple[Report, ...] = ()

    def __add__(self, other: Rendered) -> Rendered:
        return Rendered(self.statements + other.statements, self.reports + other.reports)

    @classmethod
    def joined(cls, parts: Iterable[Rendered]) -> Self:
        """All parts, in order."""
        every = list(parts)
        return cls(
            tuple(statement for part in every for statement in part.statements),
            tuple(report for part in every for report in part.reports),
        )


def reported(reason: str, what: object, detail: str = "") -> Rendered:
    """A report and no statement."""
    return Rendered((), (Report(reason, str(what), f"{REASONS[reason]} {detail}".strip()),))
