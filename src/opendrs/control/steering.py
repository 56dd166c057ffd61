"""What is changed of a job by hand while it is worked at: parameters, speed, and alarms that somebody has seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from opendrs.control.asking import Asking, demand, job_head, link, locked, refused, shown
from opendrs.errors import DrsError, Fault
from opendrs.model.action import Kind
from opendrs.model.job import Policy
from opendrs.model.lifecycle import Intent, Verb
from opendrs.model.links import TASK_WORDS
from opendrs.model.parameters import Group, Parameter, parameters_of
from opendrs.model.speed import SpeedWindow
from opendrs.store import actions, ddls, jobs, parameters, speeds
from opendrs.store.jobs import Head

NAMED_MAX: Final = 5


def current_policy(connection: Connection, head: Head) -> Policy:
    """The policy that the next worker of a job will go by."""
    return parameters.wanted(jobs.policy_of(connection, head.id), parameters.waiting(connection, head.id))


Values = Mapping[Group | None, Sequence[tuple[str, str]]]
"""Names and values of parameters, by the group of which they must be; None: of any."""


def set_parameters(asking: Asking, job_id: str, values: Values, *, missing: Fault = Fault.JOB_NOT_FOUND) -> Head:
    """Gives parameters other values: all of them, or none. They count from the next start on; one that is what it was
    already changes nothing.

    Raises PARAMETER_INVALID with everything that is wrong.
    """
    with asking.store.write() as connection:
        head = locked(asking, connection, job_id, missing=missing)
        demand(head, Verb.PARAMETERS, "changing parameters")
        if head.intent is Intent.RELEASE:
            raise refused(head, "changing parameters", "it is being ended")
        rests = head.intent is Intent.REST
        policy = parameters.take_in(connection, job_id) if rests else current_policy(connection, head)
        changed = _changed(head, policy, values)
        parameters.note(connection, job_id, asking.caller.user_name, changed)
        if rests:
            parameters.take_in(connection, job_id)
        _tell(asking, connection, head, Kind.PARAMETERS, {name: new for name, (_, new) in changed.items()})
        return job_head(asking, connection, job_id, missing=missing)


def _changed(head: Head, policy: Policy, values: Values) -> dict[str, tuple[str, str]]:
    """Old and new values of what is another value, by name. Raises PARAMETER_INVALID."""
    problems: dict[str, str] = {}
    found: dict[str, str] = {}
    of_job = parameters_of(link(head).target)
    for group, asked in values.items():
        known = {one.name: one for one in of_job if group is None or group in one.groups}
        for name, text in asked:
            if name not in known:
                problems[shown(name)] = f"it is none of {', '.join(known)}" if known else f"{group} has no parameters"
            elif found.setdefault(name, text) != text:
                problems[name] = f"it is given twice, as {shown(found[name])!r} and as {shown(text)!r}"
            elif problem := _problem(known[name], policy, text):
                problems[name] = problem
    if problems:
        first, *others = list(problems.items())[:NAMED_MAX]
        told = "; ".join([first[1], *(f"{name}: {why}" for name, why in others)])
        raise DrsError(Fault.PARAMETER_INVALID, name=first[0], reason=told)
    changed = {
        one.name: (one.value(policy), one.value(one.set(policy, found[one.name])))
        for one in of_job
        if one.name in found
    }
    return {name: (old, new) for name, (old, new) in changed.items() if old != new}


def _problem(parameter: Parameter, policy: Policy, text: str) -> str:
    """What is wrong with a value; empty: nothing is."""
    try:
        parameter.set(policy, text)
    except ValueError as error:
        return f"{shown(text)!r} {error}"
    return ""


def set_speed(
    asking: Asking, job_id: str, windows: Sequence[SpeedWindow], *, missing: Fault = Fault.JOB_NOT_FOUND
) -> None:
    """Limits how fast the load of a job may be; without windows there is no limit. It takes effect at once."""
    with asking.store.write() as connection:
        head = locked(asking, connection, job_id, missing=missing)
        demand(head, Verb.SPEED, "limiting the speed")
        if head.task == "incremental":
            reason = f"it loads nothing (task_type {TASK_WORDS[head.task]}), and only a load is limited"
            raise refused(head, "limiting the speed", reason)
        speeds.save(connection, job_id, windows)
        _tell(asking, connection, head, Kind.SPEED, {"windows": [window.to_json() for window in windows]})


def clean_alarm(asking: Asking, job_id: str, seqno: int) -> None:
    """Somebody has seen that a statement was left out, or has failed. May be repeated."""
    with asking.store.write() as connection:
        head = locked(asking, connection, job_id)
        if not ddls.clean(connection, job_id, seqno):
            reason = f"the job has no statement of the number {seqno}; list_job_ddls shows those that there are"
            raise DrsError(Fault.PARAMETER_INVALID, name="alarm_id", reason=reason)
        _tell(asking, connection, head, Kind.ALARM, {"seqno": seqno})


def demand_definers_replaced(asking: Asking, job_id: str, *, replace: bool, missing: Fault) -> None:
    """What a job makes in its target belongs to the target's user, and no other. Raises UNSUPPORTED."""
    with asking.store.read() as connection:
        job_head(asking, connection, job_id, missing=missing)
    if not replace:
        raise DrsError(
            Fault.UNSUPPORTED,
            what="Keeping definers (replace_definer false; what a job makes belongs to the target's user)",
        )


def _tell(asking: Asking, connection: Connection, head: Head, kind: Kind, params: Mapping[str, Any]) -> None:
    user = asking.caller.user_name
    actions.ask(connection, head.id, kind, user, revision=head.revision, status="success", params=params)
