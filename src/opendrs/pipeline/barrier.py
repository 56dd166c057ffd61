"""A moment at which both sides show the same position, without stopping the stream for longer than that.

Whoever wants to compare while changes flow needs the source and the target as of one position. The reading
of the log is held, the source's reader opens its snapshot at whatever position the source has then, the log
is applied exactly up to there, and the target's reader opens its snapshot. Then the stream goes on, while
both are compared in peace.
"""

from __future__ import annotations

from typing import Protocol

from opendrs.model.position import Position


class Barrier(Protocol):
    """Asked between two commits, on the thread that writes."""

    def wanted(self) -> bool:
        """Whether somebody waits for such a moment. Cheap: asked all the time."""

    def fix_source(self) -> Position | None:
        """Opens the source's snapshot; the position it shows. None: it cannot be had now."""

    def fix_target(self, position: Position) -> None:
        """The target stands exactly at the position: opens its snapshot. Returns at once.

        A newer worker may have moved the target on since: the snapshot must be asked for its position.
        """


class NoBarrier:
    """Nobody ever waits."""

    def wanted(self) -> bool:
        return False

    def fix_source(self) -> Position | None:
        return None

    def fix_target(self, position: Position) -> None:
        del position
