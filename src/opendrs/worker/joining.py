"""Changes of a job's selection while it follows: tables that come are loaded beside it by a run of their own, the
guest, and change hands when both stand at one position; tables that go are let go there.

A guest is a job of its own in the target, with its checkpoint: what it has loaded survives whatever happens to the
worker, and the next one goes on with it. Its name is made from the job and the edit. That an edit was carried out
stands in the target, in the commit that did it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Self, TypeVar

from opendrs.errors import DrsError
from opendrs.model.catalog import TableName
from opendrs.model.checkpoint import Chunk, Phase, TableProgress
from opendrs.model.engine import Objects, Stream
from opendrs.model.event import Event, SchemaChange
from opendrs.model.job import Job
from opendrs.model.position import Position
from opendrs.pipeline.meeting import Exchange
from opendrs.pipeline.progress import Progress, Scribe
from opendrs.pipeline.snapshotting import Stopped
from opendrs.store.database import StoreError, reason
from opendrs.telemetry import context
from opendrs.worker.editing import Edit, carried_out, failed, guest_of, pending
from opendrs.worker.hooks import Hooks
from opendrs.worker.timing import Backoff, Timing

POLL_S: Final = 0.5
LOOK_S: Final = 30.0  # for an edit that nobody has told of
FOLDER: Final = "guest"


GuestRun = Callable[[Job, int, Hooks, "GuestMeeting"], Phase]
"""`worker.flows.Flow.guest`."""
Answer = TypeVar("Answer")
Stand = tuple[Position, Mapping[TableName, TableProgress]]


class Joined(Exception):
    """The tables have changed hands: their guest is over."""


class GuestMeeting:
    """The guest's side: it stands as soon as it follows, and goes where it is told to.

    stops   that of the guest, and that of the host who waits for it
    """

    def __init__(self, *stops: threading.Event) -> None:
        self._stops = stops
        self._changed = threading.Condition()
        self._standing: Stand | None = None
        self._answer: Position | None = None
        self._joined = False
        self._gone = False

    # asked by the guest's run

    def wanted(self) -> bool:
        return True

    def busy(self) -> bool:
        return True

    def at(self, position: Position, tables: Mapping[TableName, TableProgress]) -> Position | Exchange | None:
        with self._changed:
            self._standing = (position, dict(tables))
            self._changed.notify_all()
            while self._answer is None and not self._joined:
                if self._stopped():
                    raise Stopped
                self._changed.wait(POLL_S)
            if self._joined:
                raise Joined
            answer, self._answer = self._answer, None
            return answer

    def done(self, exchange: Exchange) -> None:
        raise AssertionError("a guest takes nothing over")

    def leave(self) -> None:
        """The guest's run has ended."""
        with self._changed:
            self._gone, self._standing = True, None
            self._changed.notify_all()

    # asked by the host

    def stands(self) -> Stand | None:
        """Where, and with which tables; None: it does not stand."""
        return self._standing

    def send(self, position: Position) -> Stand | None:
        """The guest goes on to exactly there; returns where it stands then. None: it is no more."""
        with self._changed:
            self._standing, self._answer = None, position
            self._changed.notify_all()
            while self._standing is None and not self._gone:
                if self._stopped():
                    raise Stopped
                self._changed.wait(POLL_S)
            return self._standing

    def join(self) -> None:
        with self._changed:
            self._joined = True
            self._changed.notify_all()

    def _stopped(self) -> bool:
        return any(stop.is_set() for stop in self._stops)


class _Quiet:
    """Progress and checkpoints of a guest: its tables are the job's, and so are the statements that it meets; its
    phases are not, nor is how far it is in the log. Its checkpoint is in the target only."""

    def __init__(self, progress: Progress, guest: str) -> None:
        self._progress = progress
        self._scribe = progress.beside(guest)
        self._tables: set[TableName] = set()

    def leave(self) -> None:
        """The tables do not come."""
        for name in sorted(self._tables):
            self._progress.forgotten(name)

    def phase(self, phase: Phase) -> None:
        del phase

    def table(self, progress: TableProgress) -> None:
        self._tables.add(progress.table.name)
        self._progress.table(progress)

    def forgotten(self, name: TableName) -> None:
        self._tables.discard(name)
        self._progress.forgotten(name)

    def copied(self, name: TableName, rows: int, nbytes: int) -> None:
        self._progress.copied(name, rows, nbytes)

    def chunk(self, chunk: Chunk) -> None:
        self._progress.chunk(chunk)

    def pulls(self, position: Position, stream: Stream) -> None:
        del stream
        self._scribe.pulls(position)

    def save(self, position: Position | None, phase: Phase) -> None:
        del phase
        if position is not None:
            self._scribe.saved(position)

    def read(self, event: Event) -> None:
        del event

    def altering(self, change: SchemaChange) -> None:
        self._scribe.altering(change)

    def refused(self, change: SchemaChange, error: DrsError) -> None:
        self._scribe.refused(change, error)

    def beside(self, guest: str) -> Scribe:
        raise AssertionError("a guest has none of its own")

    def applied(self, event: Event) -> None:
        del event


class _Beside:
    """What a guest makes comes to what the job has."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def planned(self, views: Collection[TableName], *, beside: bool = False) -> None:
        del beside
        self._objects.planned(views, beside=True)

    def views(self, made: Collection[TableName], refused: Mapping[TableName, str]) -> None:
        self._objects.views(made, refused)

    def indexes(self, table: TableName, made: int, total: int) -> None:
        self._objects.indexes(table, made, total)


@dataclass(frozen=True, slots=True)
class _Round:
    """One edit on its way. `guest` None: nothing comes."""

    edit: Edit
    guest: GuestMeeting | None
    giver: str
    exchanged: threading.Event


class Joining:
    """A pipeline.meeting.Meeting of the job's own run; and the thread that looks after edits."""

    def __init__(
        self, job: Job, epoch: int, hooks: Hooks, *, guest: GuestRun, drop_guest: Callable[[Job, int], None]
    ) -> None:
        self._job = job
        self._epoch = epoch
        self._hooks = hooks
        self._guest = guest
        self._drop_guest = drop_guest
        self._stop = threading.Event()
        self._busy = True  # until somebody has looked
        self._broken: BaseException | None = None
        self._round: _Round | None = None
        self._thread = threading.Thread(target=self._look_after, name="joining", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._hooks.edited.set()
        self._thread.join()

    # asked by the job's run

    def busy(self) -> bool:
        return self._busy

    def wanted(self) -> bool:
        if self._broken is not None:
            raise self._broken  # a job whose edits nobody looks after must not look well
        current = self._round
        if current is None or current.exchanged.is_set():
            return False
        return current.guest is None or current.guest.stands() is not None

    def at(self, position: Position, tables: Mapping[TableName, TableProgress]) -> Position | Exchange | None:
        current = self._round
        if current is None:
            return None
        joining: Mapping[TableName, TableProgress] = {}
        if current.guest is not None:
            stand = current.guest.stands()
            if stand is not None and not stand[0].covers(position):
                stand = current.guest.send(position)
            if stand is None:
                return None  # it has gone; its thread says why
            theirs, joining = stand
            if not position.covers(theirs):
                return theirs
        wanted = current.edit.selection.wants
        return Exchange(
            edit=current.edit.id,
            selection=current.edit.selection,
            joining=joining,
            giver=current.giver,
            leaving=tuple(name for name in tables if not wanted(name)),
        )

    def done(self, exchange: Exchange) -> None:
        current = self._round
        assert current is not None and current.edit.id == exchange.edit, "another edit than the one that was asked for"
        self._job = replace(self._job, selection=exchange.selection)
        current.exchanged.set()
        if current.guest is not None:
            current.guest.join()
        facts = {"came": len(exchange.joining), "left": len(exchange.leaving)}
        self._hooks.log.info("the selection was changed", extra=context("objects.changed", **facts))

    # the thread

    def _look_after(self) -> None:
        try:
            self._run()
        except BaseException as error:  # noqa: BLE001 - `wanted` raises it
            self._broken = error

    def _run(self) -> None:
        while not self._stop.is_set():
            self._hooks.edited.clear()
            edit = self._patiently(lambda: pending(self._hooks.store, self._job.id))
            if edit is not None:
                self._busy = True
                self._carry_out(edit)
                continue  # there may be another one by now
            self._busy = False
            self._hooks.edited.wait(LOOK_S)

    def _carry_out(self, edit: Edit) -> None:
        guest = guest_of(self._job, edit)
        progress = _Quiet(self._hooks.progress, guest.id)
        failure = self._exchanged(edit, guest, self._guest_hooks(progress))
        if self._stop.is_set():
            return  # whoever comes next goes on
        self._patiently(lambda: self._drop_guest(guest, self._epoch))
        if failure is None:
            self._patiently(lambda: carried_out(self._hooks.store, self._job.id, edit))
            return
        progress.leave()
        self._patiently(lambda: failed(self._hooks.store, self._job, edit, failure))
        facts = {"code": failure.code, "reason": failure.message}
        self._hooks.log.error("the selection stays as it was", extra=context("objects.failed", **facts))

    def _exchanged(self, edit: Edit, guest: Job, hooks: Hooks) -> DrsError | None:
        """Returns when the edit is durable in the target, or why it cannot be."""
        backoff = Backoff(Timing())
        while not self._stop.is_set():
            meeting = None if edit.narrows else GuestMeeting(self._stop, self._hooks.stop)
            current = _Round(edit, meeting, "" if meeting is None else guest.id, threading.Event())
            self._round = current
            try:
                if meeting is None:
                    current.exchanged.wait(POLL_S)
                else:
                    self._guest(guest, self._epoch, hooks, meeting)
            except (Joined, Stopped):
                pass
            except DrsError as error:
                if error.retry != "network":
                    return error
                facts = {"code": error.code, "reason": error.message}
                self._hooks.log.warning("an edit waits", extra=context("objects.waiting", **facts))
            finally:
                if meeting is not None:
                    meeting.leave()
                self._round = None if not current.exchanged.is_set() else current
            if current.exchanged.is_set():
                return None
            if meeting is not None:
                self._stop.wait(backoff.next())
        return None

    def _guest_hooks(self, progress: _Quiet) -> Hooks:
        folder = self._hooks.folder / FOLDER
        folder.mkdir(exist_ok=True)
        return replace(
            self._hooks, stop=self._stop, progress=progress, checkpoints=progress,
            objects=_Beside(self._hooks.objects), folder=folder,
        )  # fmt: skip

    def _patiently(self, ask: Callable[[], Answer]) -> Answer | None:
        """The answer of a server or the store, however often it has to be asked. None: we are to end."""
        backoff = Backoff(Timing())
        while not self._stop.is_set():
            try:
                return ask()
            except StoreError as error:
                why = reason(error)
            except DrsError as error:
                why = error.message
            self._hooks.log.warning("an edit waits", extra=context("objects.waiting", reason=why))
            self._stop.wait(backoff.next())
        return None
