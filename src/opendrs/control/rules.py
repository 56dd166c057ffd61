"""What is said of single tables of a job: asked for to be changed, and looked up."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from sqlalchemy import Connection

from opendrs.control.asking import Asking, job_head, locked, refused, shown
from opendrs.control.changing import Changes
from opendrs.control.configuring import demand_savable
from opendrs.control.objects import demand_no_problems
from opendrs.control.waiting import Deadline, result_of
from opendrs.errors import DrsError, Fault
from opendrs.model.action import Kind
from opendrs.model.catalog import TableName
from opendrs.model.precheck import named
from opendrs.model.selection import Selection
from opendrs.store import actions, checkpoints, jobs
from opendrs.store.jobs import Head

WAITING_MAX: Final = 50  # savings of a job that are not over


def change(
    asking: Asking,
    job_id: str,
    changes: Changes,
    *,
    ddl: Mapping[str, Any] | None = None,
    missing: Fault = Fault.JOB_NOT_FOUND,
) -> str:
    """Asks for it; its id. A worker holds it against the source before it is so.

    ddl   `ddl` and `skipped_ddl` of the policy, if they are to change with it
    Raises `missing`, WRONG_STATE, RULES_FIXED.
    """
    with asking.store.write() as connection:
        head = locked(asking, connection, job_id, missing=missing)
        if checkpoints.load(connection, head.id) is not None:
            demand_unfixed(connection, head, changes)
            if ddl:
                reason = "the job has begun: set its policy while it rests"
                raise refused(head, "another choice of schema changes", reason)
        demand_savable(connection, head, queued=True)
        pending = actions.pending(connection, job_id, {Kind.OBJECTS})
        if len(pending) >= WAITING_MAX:
            raise refused(head, "changing the rules of tables", f"{len(pending)} other savings are not over yet")
        return actions.ask(
            connection, job_id, Kind.OBJECTS, asking.caller.user_name, revision=head.revision, status="waiting",
            params={"changes": changes.to_json(), **(ddl or {})},
        )  # fmt: skip


def change_now(asking: Asking, job_id: str, changes: Changes) -> None:
    """The same, and waits until it is so. Raises OBJECTS_MISSING with all that is wrong, TOO_SLOW."""
    deadline = Deadline(asking)
    result_of(asking, job_id, change(asking, job_id, changes), deadline)


def demand_unfixed(connection: Connection, head: Head, changes: Changes) -> None:
    """Raises RULES_FIXED for tables that are replicated already."""
    selection, chosen = jobs.selection_of(connection, head.id), jobs.chosen_of(connection, head.id)
    fixed = [name for name in changes.concerned(chosen) if selection.wants(name)]
    fixed_databases = [
        database for change in changes.each for database in change.databases if selection.wants_database(database)
    ]
    if fixed or fixed_databases:
        raise DrsError(Fault.RULES_FIXED, tables=named([*fixed, *fixed_databases]))


def look(asking: Asking, job_id: str) -> tuple[Head, Selection, Callable[[TableName], bool]]:
    """The job, what it has chosen, and which tables are replicated by it already."""
    with asking.store.read() as connection:
        head = job_head(asking, connection, job_id)
        return head, *selection_and_sent(connection, head)


def selection_and_sent(connection: Connection, head: Head) -> tuple[Selection, Callable[[TableName], bool]]:
    """What a job has chosen, and which tables are replicated by it already."""
    begun, now = checkpoints.load(connection, head.id) is not None, jobs.selection_of(connection, head.id)
    return jobs.chosen_of(connection, head.id), lambda name: begun and now.wants(name)


def demand_chosen(
    selection: Selection, name: str, tables: Collection[TableName], databases: Collection[str] = ()
) -> None:
    """Raises PARAMETER_INVALID with every object that the job has not chosen. `name`: of the parameter."""
    strange = [str(one) for one in tables if not selection.wants(one)]
    strange += [one for one in databases if not selection.wants_database(one)]
    demand_no_problems(name, [f"{shown(one)} is not chosen" for one in strange])


def demand_numbers(selection: Selection, numbers: Collection[int], *, declared: bool) -> None:
    """Raises PARAMETER_INVALID with every number that no filter, or no declared table, has."""
    filters = {rule.batch for rule in selection.rules.values() if rule.written}
    known = {one.batch for one in selection.joined.values()} if declared else filters
    demand_no_problems("rule_ids", [f"there is no rule {number}" for number in numbers if number not in known])
