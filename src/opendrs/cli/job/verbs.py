"""`opendrs job start`, `stop`, `restart`, `edit`, `reset`, `end` and `delete`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from opendrs.cli import options
from opendrs.cli.exits import Code
from opendrs.cli.job import words
from opendrs.cli.job.options import Job, Timeout, Yes
from opendrs.cli.job.resolving import resolve
from opendrs.cli.job.waiting import last_failure, until, until_state
from opendrs.cli.session import session
from opendrs.errors import DrsError, Fault
from opendrs.model.action import Kind
from opendrs.model.lifecycle import State

RunningWait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the job runs.")]
ENDED = frozenset({State.RELEASED})


def start(job: Job, wait: RunningWait = False, timeout: Timeout = 600.0, debug: options.Debug = False) -> None:
    """Start a job whose prechecks have passed."""
    with session(debug=debug) as service:
        found = resolve(service, job, whole=True)
        service.act(found.id, "start")
        if not wait:
            typer.echo(f"{found.name} starts. `opendrs job watch {found.name}` shows how it gets on.")
            return
        state = until_state(service, found.id, words.RUNNING, "The start", timeout)
        typer.echo(f"{found.name} runs: {words.state(state)}.")


def stop(
    job: Job,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the job is paused.")] = True,
    timeout: Timeout = 600.0,
    debug: options.Debug = False,
) -> None:
    """Pause a job. What its worker holds is finished, and nothing is lost; `restart` goes on from there."""
    with session(debug=debug) as service:
        found = resolve(service, job, whole=True)
        service.act(found.id, "stop")
        if wait:
            until_state(service, found.id, {State.PAUSED}, "The pause", timeout)
        words_of_it = "is paused" if wait else "is being paused"
        typer.echo(f"{found.name} {words_of_it}. `opendrs job restart {found.name}` goes on.")


def restart(job: Job, wait: RunningWait = False, timeout: Timeout = 600.0, debug: options.Debug = False) -> None:
    """Let a job that is paused or has failed go on from where it was; one that runs is paused before."""
    with session(debug=debug) as service:
        found = resolve(service, job, whole=True)
        service.act(found.id, "restart")
        if not wait:
            typer.echo(f"{found.name} goes on.")
            return
        state = until_state(service, found.id, words.RUNNING, "The restart", timeout)
        typer.echo(f"{found.name} runs: {words.state(state)}.")


def edit(
    job: Job,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the job has them.")] = True,
    timeout: Timeout = 86_400.0,
    debug: options.Debug = False,
) -> None:
    """Let a job that has begun replicate what was chosen since. Tables that come are loaded while the others are
    followed; those that go stay in the target as they are."""
    with session(debug=debug) as service:
        found = resolve(service, job, whole=True)
        service.act(found.id, "start", is_sync_re_edit=True)
        if not wait:
            typer.echo(f"{found.name} is being edited. `opendrs job show {found.name}` tells of its tables.")
            return
        if until("The edit", lambda: service.outcome(found.id, Kind.EDIT), timeout) == "failed":
            reason = last_failure(service, found.id)
            raise DrsError(Fault.STEP_FAILED, what="The edit", reason=reason)
        typer.echo(f"{found.name} replicates what was chosen.")


def reset(
    job: Job, wait: RunningWait = False, yes: Yes = False, timeout: Timeout = 600.0, debug: options.Debug = False
) -> None:
    """Let a job begin anew. The tables that it has made in the target are dropped, and loaded again."""
    with session(debug=debug) as service:
        found = resolve(service, job, whole=True)
        _confirm(f"Reset {found.name}? What it has made in the target is dropped, and loaded again.", yes=yes)
        service.act(found.id, "reset")
        if not wait:
            typer.echo(f"{found.name} begins anew. `opendrs job watch {found.name}` shows how it gets on.")
            return
        state = until_state(service, found.id, words.RUNNING, "The reset", timeout)
        typer.echo(f"{found.name} runs: {words.state(state)}.")


def end(
    job: Job,
    force: Annotated[
        bool, typer.Option("--force", help="Even if the worker does not pause, or the target cannot be reached.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the job has ended.")] = True,
    yes: Yes = False,
    timeout: Timeout = 900.0,
    debug: options.Debug = False,
) -> None:
    """End a job for good. The rows stay in the target; the job cannot go on any more, and can be deleted."""
    with session(debug=debug) as service:
        found = resolve(service, job, whole=True)
        _confirm(f"End {found.name} for good? The rows stay in the target; the job cannot go on any more.", yes=yes)
        service.act(found.id, "terminate", **({"force_delete": True} if force else {}))
        if wait:
            until_state(service, found.id, ENDED, "The end", timeout)
        words_of_it = "has ended" if wait else "is being ended"
        typer.echo(f"{found.name} {words_of_it}. `opendrs job delete {found.name}` forgets it.")


def delete(job: Job, yes: Yes = False, debug: options.Debug = False) -> None:
    """Forget a job that has ended, or was never built: its settings, its log, its history."""
    with session(debug=debug) as service:
        found = resolve(service, job, whole=True)
        _confirm(f"Delete {found.name}? Its settings, its log and its history are gone then.", yes=yes)
        service.delete(found.id)
        typer.echo(f"{found.name} is deleted.")


def _confirm(question: str, *, yes: bool) -> None:
    """Raises SETTING_INVALID where nobody can be asked."""
    if yes:
        return
    if not asks():
        raise DrsError(Fault.SETTING_INVALID, name="--yes", reason="there is no terminal to ask at, so it is needed")
    if not typer.confirm(question, err=True):
        typer.echo("Nothing was done.", err=True)
        raise typer.Exit(Code.FAILED)


def asks() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty()
