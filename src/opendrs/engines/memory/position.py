"""Position of the memory engine: how many groups of the log lie behind."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Lsn:
    """The first `number` groups of the log."""

    number: int

    def dump(self) -> str:
        return f"1:{self.number}"

    def brief(self) -> str:
        return str(self.number)

    def covers(self, other: Lsn) -> bool:
        return self.number >= other.number

    def reached(self, position: Lsn) -> bool:
        return position.number >= self.number


def parse_position(text: str) -> Lsn:
    version, number = text.split(":")
    if version != "1":
        raise ValueError(f"a position of version {version} is not understood")
    return Lsn(int(number))
