"""`opendrs job watch`: how a job gets on, live: a picture on a terminal, plain lines anywhere else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from opendrs.cli import options
from opendrs.cli.exits import Code
from opendrs.cli.job import words
from opendrs.cli.job.logs import behind, newest, read
from opendrs.cli.job.options import AsJson, Job
from opendrs.cli.job.resolving import Found, resolve
from opendrs.cli.job.show import delay_s
from opendrs.cli.job.waiting import last_failure
from opendrs.cli.session import session
from opendrs.errors import DrsError, Fault
from opendrs.model.checkpoint import Phase
from opendrs.model.lifecycle import State

if TYPE_CHECKING:
    from opendrs.cli.service import Facts, Service
    from opendrs.cli.view import View

PERIOD_S: Final = 1.0
LOG_LINES: Final = 50
LEVELS: Final = {"Info": "info", "Warn": "warning", "Error": "error"}
PHASES: Final = {
    State.FULL: Phase.LOADING,
    State.FULL_FAILED: Phase.LOADING,
    State.FULL_DONE: Phase.DONE,
    State.INCREMENTAL: Phase.FOLLOWING,
    State.INCREMENTAL_FAILED: Phase.FOLLOWING,
}


def watch(
    job: Job,
    plain: Annotated[bool, typer.Option("--plain", help="Plain lines even on a terminal.")] = False,
    as_json: AsJson = False,
    debug: options.Debug = False,
) -> None:
    """Watch how a job gets on, until it ends, fails, or Ctrl-C. The job goes on whether it is watched or not.

    With --json a line of JSON a second.
    """
    with session(debug=debug) as service:
        found = resolve(service, job)
        state = _json(service, found.id) if as_json else _picture(service, found, plain=plain)
        if state in words.FAILED:
            reason = last_failure(service, found.id) or "the log says no more"
            raise DrsError(Fault.STEP_FAILED, what=f"The job {found.name}", reason=reason)
        raise typer.Exit(Code.DONE)


def _picture(service: Service, found: Found, *, plain: bool) -> State:
    from opendrs.cli.display import choose

    last = newest(read(service, found.id, None, 1))  # what happened before is not shown again
    with choose(found.name, plain=plain) as screen:
        for progress, log in _looks(service, found.id, screen.say):
            screen.show(view(progress, behind(log, last)))
            last = max(last, newest(log))
            if (state := over(progress)) is not None:
                screen.say(f"{found.name} is {words.state(state)}.")
                return state
    raise AssertionError("one looks for ever")


def _json(service: Service, job_id: str) -> State:
    from opendrs.cli.printing import print_json_line

    for progress, _ in _looks(service, job_id, lambda text: typer.echo(text, err=True)):
        print_json_line({**progress, "state": words.state(progress["status"]), "delay_s": _delay(progress)})
        if (state := over(progress)) is not None:
            return state
    raise AssertionError("one looks for ever")


def _looks(service: Service, job_id: str, say: Callable[[str], None]) -> Iterator[tuple[Facts, list[Facts]]]:
    """Progress and last log lines once a second, for ever; a service that is away is waited for."""
    away = False
    while True:
        try:
            look = service.detail(job_id, "progress"), read(service, job_id, None, LOG_LINES)
        except DrsError as error:
            if error.fault is not Fault.SERVICE_UNREACHABLE:
                raise
            if not away:
                say(f"{error.message}; it is tried again.")
            away = True
        else:
            away = False
            yield look
        time.sleep(PERIOD_S)


def over(progress: Mapping[str, Any]) -> State | None:
    """The state in which there is nothing more to watch; None: there is."""
    status = str(progress["status"])
    ended = {State.RELEASED, *words.FAILED}
    if progress["progress_info"].get("task_mode") == "FULL_TRANS":
        ended.add(State.FULL_DONE)
    return State(status) if status in {one.value for one in ended} else None


def view(progress: Mapping[str, Any], rows: Sequence[Facts]) -> View:
    """What the API says, as the display of `opendrs run` takes it. What the API does not say is left out."""
    from opendrs.cli.view import View

    state = State(progress["status"])
    info = progress["progress_info"]
    overview = progress["migration_object_progress_info"]["migration_object_overview"]
    tables = next((row for row in overview if row["type"] == "TABLE"), {"src_count": 0, "dst_count": 0})
    data = str(info["progress_map"]["data"]["completed"]).removesuffix("%")
    metrics = {name: info[name] for name in ("apply_rows_rate", "apply_bytes_rate") if name in info}
    delay = _delay(progress)
    phase = PHASES[state].value if state in PHASES else words.state(state)
    return View(
        state=state,
        phase="" if state is State.STARTING else phase,
        load={"tables": int(tables["src_count"]), "loaded": int(tables["dst_count"]), "done": float(data) / 100},
        metrics=metrics if delay is None else {**metrics, "apply_latency": delay},
        trouble=None,
        tables=(),
        events=tuple(_event(row) for row in rows),
        dirty=int(info.get("dirty_rows", 0)),
        alarms=int(info.get("ddl_alarms", 0)),
    )


def _delay(progress: Mapping[str, Any]) -> float | None:
    return delay_s(progress["progress_info"])


def _event(row: Mapping[str, Any]) -> Any:
    from opendrs.cli.printing import clean
    from opendrs.store.events import Event, SavedEvent

    event = Event(
        name="log",
        message=clean(str(row["message"])),
        level=LEVELS.get(str(row["level"]), "info"),
        at=_instant(str(row["create_time"])),
    )
    return SavedEvent(id=int(row["id"]), event=event)


def _instant(published: str) -> datetime:
    try:
        return datetime.fromisoformat(published)
    except ValueError:
        return datetime.now(UTC)
