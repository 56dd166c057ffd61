"""`opendrs run`: one job, from the command line to its end, and the supervisor of its worker meanwhile."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, Final, Literal

import typer

from opendrs.cli import display, options
from opendrs.cli.display import Display
from opendrs.cli.exits import Code, tell, told
from opendrs.cli.passwords import with_password
from opendrs.cli.view import look
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Endpoint
from opendrs.model.job import SKIPPABLE, ApplyMode, Job, Policy, SkippableDdl, job_id
from opendrs.model.selection import Selection
from opendrs.settings import State
from opendrs.store import events, jobs
from opendrs.store.database import Store, StoreError, open_store
from opendrs.telemetry import Mask, log_to
from opendrs.worker.child import LOG
from opendrs.worker.order import REPLICATE, Options, Order, Until
from opendrs.worker.outcome import Exit, Outcome
from opendrs.worker.supervisor import Supervisor
from opendrs.worker.timing import Timing

TICK_S: Final = 0.1
LEAVING_S: Final = 3.0  # how long a second Ctrl-C waits for the death of the worker to be noted
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# What does the work, and how long it waits: other values are for tests of this command.
replicate = REPLICATE
timing = Timing()


def run(
    source_url: options.SourceUrl,
    target_url: Annotated[
        str, typer.Argument(metavar="TARGET_URL", help="postgresql://user:password@host:port/database")
    ],
    tables: options.Tables = None,
    mapped: options.Mapped = None,
    task: options.Task = "full+incremental",
    apply: Annotated[
        ApplyMode,
        typer.Option(help="Source transactions whole and in order, or merged into one final image a key and window."),
    ] = "transactional",
    readers: options.Readers = 2,
    consistent: options.Consistent = False,
    invalid_dates: options.InvalidDates = "stop",
    nul_in_text: options.NulInText = "stop",
    skip_ddl: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help=f"Do not carry over schema changes of this kind: {', '.join(SKIPPABLE)}."),
    ] = None,
    server_id: options.ServerId = 0,
    state: Annotated[
        str | None,
        typer.Option(metavar="PATH_OR_URL", help="Where jobs are remembered: an SQLite file, or postgresql://..."),
    ] = None,
    name: options.Name = "",
    until: Annotated[
        Until, typer.Option(help="Follow for ever, or end when all that happened during the load is there.")
    ] = "never",
    accept: Annotated[
        list[str] | None,
        typer.Option(metavar="ITEM", help="Take a FAILED precheck of this item upon you, where that is possible."),
    ] = None,
    check: Annotated[bool, typer.Option("--check/--no-check", help="Look for obstacles before a job begins.")] = True,
    plain: Annotated[bool, typer.Option("--plain", help="Plain lines even on a terminal.")] = False,
    debug: options.Debug = False,
) -> None:
    """Copy the tables of a source into a target, and follow what changes.

    Ctrl-C pauses: the worker finishes what it holds and ends. The same command resumes where it stopped.
    A second Ctrl-C leaves at once; nothing is lost.
    """
    mask, place = Mask(), None
    with told(mask, debug=debug):
        source, target = endpoint(source_url, "SOURCE"), endpoint(target_url, "TARGET")
        mask = Mask((source.password.reveal(), target.password.reveal()))
        selection = Selection(patterns=tuple(tables or ()), schemas=mappings(mapped or []))
        policy = Policy(
            apply=apply, readers=readers, consistent=consistent, invalid_dates=invalid_dates,
            nul_in_text=nul_in_text, skipped_ddl=skippable(skip_ddl or []), server_id=server_id,
        )  # fmt: skip
        identity = job_id(source, target, selection, name)
        job = Job(id=identity, source=source, target=target, task=task, selection=selection, policy=policy)
        place = State.read(state)
        place.prepare()
    with told(mask, state=place, debug=debug):
        chosen = Options(until=until, check=check, accepted=tuple(accept or ()))
        raise typer.Exit(execute(job, name, place, chosen, mask=mask, plain=plain))


def endpoint(url: str, side: Literal["SOURCE", "TARGET"]) -> Endpoint:
    """One side, with its password wherever that comes from. Raises ENDPOINT_INVALID."""
    return with_password(Endpoint.parse(url), f"OPENDRS_{side}_PASSWORD")


def mappings(words: list[str]) -> dict[str, str]:
    """`db=schema` words as a mapping. Raises SETTING_INVALID."""
    found: dict[str, str] = {}
    for word in words:
        database, equals, schema = word.partition("=")
        if not (database and equals and schema):
            raise DrsError(Fault.SETTING_INVALID, name="--map", reason=f"{word!r} is not DB=SCHEMA")
        if database in found:
            raise DrsError(Fault.SETTING_INVALID, name="--map", reason=f"{database!r} is mapped twice")
        found[database] = schema
    return found


def skippable(words: list[str]) -> tuple[SkippableDdl, ...]:
    """Kinds of schema changes. Raises SETTING_INVALID."""
    found = tuple(kind for kind in SKIPPABLE if kind in words)
    for word in words:
        if word not in SKIPPABLE:
            raise DrsError(
                Fault.SETTING_INVALID, name="--skip-ddl", reason=f"{word!r} is none of {', '.join(SKIPPABLE)}"
            )
    return found


def execute(job: Job, name: str, place: State, chosen: Options, *, mask: Mask, plain: bool) -> Code:
    """Sees the job through to an end, and shows it. Raises DrsError before it has begun."""
    store = open_store(place.url)
    try:
        with store.write() as connection:
            record = jobs.create(connection, job, name)
        if record.task != job.task:
            raise DrsError(Fault.JOB_DIFFERS, reason=f"task is {record.task!r}, not {job.task!r}")
        order = Order(
            job=job, state=place.url, folder=place.folder_of(job.id), options=chosen, timing=timing,
            replicate=replicate,
        )  # fmt: skip
        log_to(order.folder / LOG, Mask((*order.secrets, job.source.password.reveal())), job=job.id)
        supervisor = Supervisor(store)
        pressed = 0
        try:
            with display.choose(f"{job.source} -> {job.target}", plain=plain) as screen:
                outcome, pressed = _attend(supervisor, order, store, screen)
        finally:
            supervisor.close(wait_s=LEAVING_S if pressed > 1 else None)
        return _farewell(outcome, pressed, order, screen)
    finally:
        store.close()


def _attend(supervisor: Supervisor, order: Order, store: Store, screen: Display) -> tuple[Outcome | None, int]:
    """Watches and shows until there is an end, or somebody wants to leave. Returns how often they said so."""
    job_id = order.job.id
    with store.read() as connection:
        last = events.newest(connection, job_id)  # what happened before this run is not shown again
    shown_at, left_at, heeded = 0.0, 0.0, 0
    outcome: Outcome | None = None
    with _signals() as pressed:
        supervisor.ensure(order)
        while outcome is None and not (heeded > 1 and time.monotonic() > left_at + LEAVING_S):
            outcome = supervisor.wait(job_id, TICK_S)
            if len(pressed) > heeded:
                heeded, left_at = heeded + 1, time.monotonic()
                _heed(heeded, supervisor, job_id, screen)
            if outcome is not None or time.monotonic() >= shown_at + screen.period_s:
                shown_at = time.monotonic()
                last = _show(store, job_id, screen, last)
        return outcome, len(pressed)


def _heed(times: int, supervisor: Supervisor, job_id: str, screen: Display) -> None:
    if times == 1:
        screen.say("Pausing: the worker finishes what it holds. Press Ctrl-C again to leave at once.")
        supervisor.pause(job_id)
    else:
        supervisor.kill(job_id)


def _show(store: Store, job_id: str, screen: Display, last: int) -> int:
    try:
        view = look(store, job_id, after=last)
    except StoreError:
        return last  # the supervisor is told as well, and waits
    screen.show(view)
    return max(view.last_event, last)


def _farewell(outcome: Outcome | None, pressed: int, order: Order, screen: Display) -> Code:
    """The last words, and the exit code."""
    if outcome is None or outcome.exit is Exit.PAUSED:
        by = "" if pressed else " (by somebody else)"
        screen.say(f"Paused{by}. The same command resumes.")
        return Code.PAUSED
    if outcome.exit is Exit.DONE:
        screen.say("Done." if outcome.phase == "done" else "Caught up. The same command follows on from here.")
        return Code.DONE
    if outcome.failure is not None:
        tell(outcome.failure)
    screen.say(f"The job's log is {order.folder / LOG}")
    return Code.FAILED


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Collects signals instead of obeying them. The handler does nothing else: it may interrupt any line."""
    pressed: list[int] = []

    def note(signum: int, frame: FrameType | None) -> None:
        del frame
        pressed.append(signum)

    before = {signum: signal.signal(signum, note) for signum in SIGNALS}
    try:
        yield pressed
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
