"""Log files that are only told of: what a search may see of them is what the real ones show, and every look counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from opendrs.engines.mysql.log_files import HEAD_TRANSACTIONS, MICRO, Head, Place
from opendrs.engines.mysql.position import LogPosition

NOWHERE = LogPosition("")


@dataclass(frozen=True, slots=True)
class File:
    """begun_us: its own time, in whole seconds; stamps: those of its transactions, in microseconds since 1970; clock_us:
    what the server's clock says behind its begin, in whole seconds."""

    begun_us: int
    stamps: Sequence[int]
    started: bool = False
    clock_us: int | None = None


def reaches(stamp_us: int, at_us: int, *, exact: bool) -> bool:
    """Whether a transaction is at or after a time: of a whole second nobody knows where in it."""
    return stamp_us >= at_us if exact else stamp_us // MICRO >= at_us // MICRO


@dataclass(slots=True)
class Told:
    """A log of these files; `exact`: transactions tell their commit to the microsecond."""

    files: Sequence[File]
    exact: bool
    opened: list[str] = field(default_factory=list)

    @property
    def names(self) -> Sequence[str]:
        return [f"binlog.{number:06}" for number in range(1, len(self.files) + 1)]

    def _file(self, name: str) -> File:
        self.opened.append(name)
        return self.files[self.names.index(name)]

    def head(self, name: str) -> Head:
        file = self._file(name)
        shown = file.stamps[: 1 if self.exact else HEAD_TRANSACTIONS]
        latest_us = max(shown, default=None)
        return Head(
            begun_us=file.begun_us, started=file.started, clock_us=file.clock_us, transactions=len(shown),
            commit_us=latest_us if self.exact else None, second_us=None if self.exact else latest_us,
        )  # fmt: skip

    def first(self, name: str, at_us: int) -> tuple[bool, Place]:
        for number, stamp in enumerate(self._file(name).stamps):
            if reaches(stamp, at_us, exact=self.exact):
                return True, Place(file=name, pos=number, position=NOWHERE, moment_us=stamp)
        return False, Place(file=name, pos=len(self.files[self.names.index(name)].stamps), position=NOWHERE)

    def linearly(self, at_us: int) -> tuple[str, int, int | None]:
        """The same place, by reading everything: file, number of the transaction in it, its time."""
        for name, file in zip(self.names, self.files, strict=True):
            for number, stamp in enumerate(file.stamps):
                if reaches(stamp, at_us, exact=self.exact):
                    return name, number, stamp
        return self.names[-1], len(self.files[-1].stamps), None
