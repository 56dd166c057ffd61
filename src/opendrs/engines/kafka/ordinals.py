"""Counts the changes of a source transaction that comes in parts: what of it is published, and what it has undone.

A change has an ordinal: its place in the transaction, counted over all parts and before anything is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from opendrs.errors import DrsError, Fault
from opendrs.model.event import Control

Range = tuple[int, int]
"""From an ordinal on, up to and without another."""


class Ordinals:
    """Of the transaction that goes on.

    skip      so many are published already, by a worker before this one or in an earlier part
    done      so many were sent, or skipped
    undone    what is known to be undone, so that it was left out of what is published
    foreseen  the log was read to the end of the transaction: all that it undoes is known
    """

    def __init__(self, skip: int = 0, undone: Iterable[Range] = ()) -> None:
        self.skip = skip
        self.done = 0
        self.foreseen = False
        self._undone = list(undone)  # apart from each other, in order
        self._savepoints: dict[str, int] = {}

    def skipped(self, ordinals: int) -> int:
        """How many of the next `ordinals` are published already."""
        return min(max(self.skip - self.done, 0), ordinals)

    def left_out(self) -> Sequence[Range]:
        """What a successor must know of what is published."""
        return self._undone

    def undone(self, ordinals: int) -> list[Range]:
        """Which of the next `ordinals` will be undone, counted from here."""
        start, end = self.done, self.done + ordinals
        return [(max(a, start) - start, min(b, end) - start) for a, b in self._undone if a < end and b > start]

    def advance(self, ordinals: int) -> None:
        """A part was sent, and the transaction goes on."""
        self.done += ordinals

    def publish(self, done: int) -> None:
        """So much can be seen by consumers."""
        self.skip = done

    def over(self) -> None:
        """The transaction has ended."""
        self.skip = self.done = 0
        self.foreseen = False
        self._undone.clear()
        self._savepoints.clear()

    def again(self) -> None:
        """The log is read once more, from where the transaction begins. What it will undo is known from now on."""
        self.done = 0
        self._savepoints.clear()

    def obey(self, control: Control) -> bool:
        """Takes notice of a savepoint or a rollback. True: it undoes what was sent, so that all must be sent again
        without that. Raises LOG_UNSUPPORTED if consumers may have seen it."""
        at = self.done + control.changes
        name = control.name.lower()
        if control.action == "savepoint":
            self._savepoints.pop(name, None)
            self._savepoints[name] = at
            return False
        first = self._savepoints[name] if control.action == "rollback_to" else 0
        self._forget_since(name if control.action == "rollback_to" else None)
        if self._knows(first, at):
            return False
        if not self._knows(first, min(at, self.skip)):
            reason = "a part of a transaction was rolled back that is published already; raise transaction_bytes"
            raise DrsError(Fault.LOG_UNSUPPORTED, position=f"change {first} of a transaction", reason=reason)
        self._know(first, at)
        return True

    def _knows(self, first: int, end: int) -> bool:
        return first >= end or any(a <= first and end <= b for a, b in self._undone)

    def _know(self, first: int, end: int) -> None:
        touching = [one for one in self._undone if one[0] <= end and first <= one[1]]
        apart = [one for one in self._undone if one not in touching]
        whole = (min([first, *(a for a, _ in touching)]), max([end, *(b for _, b in touching)]))
        self._undone = sorted([*apart, whole])

    def _forget_since(self, name: str | None) -> None:
        """Savepoints that were set behind that one; all of them if there is none."""
        kept = list(self._savepoints)
        behind = kept[kept.index(name) + 1 :] if name is not None else kept
        for other in behind:
            del self._savepoints[other]
