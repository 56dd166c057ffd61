"""Where a source stands."""

from __future__ import annotations

from typing import Protocol, Self


class Position(Protocol):
    """A place in the log of a source, taken at the end of a transaction and nowhere else.

    Opaque outside its engine. The order is partial: of two positions neither may cover the other
    (GTID sets of two servers that went apart).
    """

    def dump(self) -> str:
        """Versioned text; the engine's `parse_position` reads it back, today and in every later release."""

    def covers(self, other: Self) -> bool:
        """Whether everything up to `other` is at or before this position. Reflexive and transitive."""

    def brief(self) -> str:
        """In one short line for people and clients, as in `mysql-bin.000514:197`."""
