"""The place in a log that belongs to a time.

It is the one in front of the first transaction, in the order of the log, whose time is at or after the one that is
asked for: nothing that was committed from then on lies before it. A transaction's time is what the log says: on MySQL
8.0 and newer its commit, to the microsecond; on MariaDB, and older MySQL, the second in which the statement began that
committed it, and of a second nobody knows where in it, so that the whole of it counts. Times do not strictly ascend in
a log; a transaction that was slow to commit may come behind the place with an earlier time, and none with a later one
comes before it.

The files are bisected by the times that their begins show. A file's own time is when the statement began whose commit
filled the one before, which may be long before the file was; and the first transactions may all have been long, too. So
what counts is a commit that is told exactly, or the server's clock, which MariaDB writes into every file soon after its
begin; without either, many transactions. A file that has nothing of these to show is passed over.
"""

from __future__ import annotations

from datetime import UTC, datetime

from opendrs.engines.mysql.log_files import MICRO, Files, Place
from opendrs.errors import DrsError, Fault
from opendrs.model.start import time_text


def locate(files: Files, at_us: int) -> Place:
    """The place of a time, microseconds since 1970; behind the last transaction it is the end of the log.

    Raises TIME_BEFORE_LOG.
    """
    names = files.names
    oldest = files.head(names[0])
    # Of what the file before had, which is gone, nobody knows how long it took.
    begin_us = oldest.begun_us if _is_the_first(names[0]) else oldest.sure_us
    if at_us < begin_us:
        times = {"time": time_of(at_us), "begin": time_of(begin_us)}
        raise DrsError(Fault.TIME_BEFORE_LOG, file=names[0], **times)
    place = None
    for name in names[_where(files, at_us) :]:
        found, place = files.first(name, at_us)
        if found:
            return place
    assert place is not None, "a log without files"
    return place


def _is_the_first(name: str) -> bool:
    """Whether a log has had no file before this one: they are counted from 1."""
    number = name.rpartition(".")[2]
    return number.isdecimal() and int(number) == 1


def _where(files: Files, at_us: int) -> int:
    """Number of a file before which, as its begin shows, nothing is at or after the time: the last such file, where
    times ascend."""
    names = files.names
    # From the file behind `sure` to `low` there is nothing at all; `high` begins at or after the time.
    sure, low, high = 0, 0, len(names)
    while high - low > 1:
        middle = telling = (low + high) // 2
        # What an empty file says of itself may be too old: the one before is asked in its place.
        while telling > low and not (head := files.head(names[telling])).tells(at_us):
            telling -= 1
        if telling == low:
            low = middle
        elif head.before(at_us):
            sure, low = telling, middle
        else:
            high = telling
    return sure


def time_of(at_us: int) -> str:
    """Microseconds since 1970 as text."""
    whole, rest = divmod(at_us, MICRO)
    return time_text(datetime.fromtimestamp(whole, UTC).replace(microsecond=rest))
