"""The saving of a selection: everything that it says must fit what the source has, and all that does not is named at
once.

params   {"selection": as model.selection writes it, "db_object": what was asked for, as it was asked}
         or {"changes": as control.changing writes them, "ddl": of the policy, "skipped_ddl": of the policy}
result   {"databases": number, "tables": number}; of a job that has begun also {"selection", "narrows"}: what it is to
         have from the next edit on, and whether that adds nothing
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection

from opendrs.control.changing import Changes, changed, numbered
from opendrs.engines.mysql.catalog import read_session, read_tables
from opendrs.engines.mysql.choosing import Problem, rule_problems
from opendrs.engines.mysql.connect import Session
from opendrs.engines.mysql.joined import declared_problems, resolved
from opendrs.engines.mysql.listing import Kind, read_listing
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName
from opendrs.model.job import Job, Policy
from opendrs.model.lifecycle import ALLOWED, Verb
from opendrs.model.precheck import named
from opendrs.model.selection import Selection
from opendrs.store import checkpoints, jobs
from opendrs.worker.errands import Errand, Result

NAMED_MAX: Final = 20
Listing = Mapping[str, Sequence[tuple[TableName, Kind]]]


def run(errand: Errand) -> Result:
    with Session(errand.job.source) as session:
        found = read_listing(session.query)
        with errand.place.store.read() as connection:
            begun = checkpoints.load(connection, errand.job.id) is not None
            before = jobs.chosen_of(connection, errand.job.id)
        asked, problems = _asked(errand, before, found)
        selection, more = judged(session, errand.job, asked, found, begun=begun)
        _demand_none([*problems, *more])
    selection = numbered(selection, before)
    chosen = {name for names in found.values() for name, _ in names if selection.wants(name)}
    counts = {"databases": len({name.schema for name in chosen}), "tables": len(chosen)}
    with errand.place.store.write() as connection:
        head = jobs.find(connection, errand.job.id)
        still = (checkpoints.load(connection, errand.job.id) is not None) == begun
        if head is None or head.state not in ALLOWED[Verb.OBJECTS] or not still:
            state = "" if head is None else head.state.value
            raise DrsError(Fault.WRONG_STATE, what="saving objects", state=state, reason="it has begun meanwhile")
        if begun:
            jobs.change(connection, errand.job.id, prechecked=True)
        else:
            values = {"selection": selection.to_json(), **_policy(connection, errand)}
            jobs.change(connection, errand.job.id, prechecked=True, **values)
    if not begun:
        return counts
    narrows = not comes(errand.job.selection, selection, found)
    return {**counts, "selection": selection.to_json(), "narrows": narrows}


def _policy(connection: Connection, errand: Errand) -> dict[str, Any]:
    """The policy, if it is to change with the objects."""
    params = errand.action.params
    if "ddl" not in params:
        return {}
    policy = jobs.policy_of(connection, errand.job.id)
    return {"policy": replace(policy, ddl=params["ddl"], skipped_ddl=tuple(params["skipped_ddl"])).to_json()}


def _with_lists_of(old: Selection, new: Selection) -> Selection:
    """With the lists that filters of tables which are replicated already go by: they were looked up when these came."""
    rules = dict(new.rules)
    for name, rule in rules.items():
        before = old.rules.get(name)
        if before is not None and before.written == rule.written:
            rules[name] = replace(rule, filter=before.filter, asked=before.asked, batch=before.batch)
    return replace(new, rules=rules)


def _edit_problems(session: Session, job: Job, new: Selection, found: Listing) -> list[Problem]:
    """Why a job that follows cannot come from its selection to this one."""
    old = job.selection
    tables = [name for names in found.values() for name, kind in names if kind == "table"]
    kept = [name for name in tables if old.wants(name) and new.wants(name)]
    again = "it is replicated already, and what is said of it cannot change: take it out, and then add it again"
    problems = [(name, again) for name in kept if _said(job.policy, old, name) != _said(job.policy, new, name)]
    if old.root != new.root:
        problems.append((TableName("", ""), "the target database of a job that has begun cannot change"))
    leaving = {name for name in tables if old.wants(name) and not new.wants(name)}
    if leaving and job.target.engine == "postgresql":
        flavour = read_session(session.query).flavour
        for table in read_tables(session.query, kept, flavour):
            problems += [
                (key.referenced, f"it cannot leave: what its changes do to {table.name} is not in every log")
                for key in table.foreign_keys
                if key.acts and key.referenced in leaving
            ]
    if job.target.engine == "postgresql":
        places = {old.target(name): name for name in tables if old.wants(name)}
        problems += [
            (name, f"it would arrive as one with {places[new.target(name)]}, which is replicated already")
            for name in tables
            if new.wants(name) and not old.wants(name) and new.target(name) in places
        ]
    return problems


def _said(policy: Policy, selection: Selection, name: TableName) -> tuple[object, ...]:
    """What becomes of a table, whatever way it is said."""
    rule = selection.rule(name)
    return replace(rule, dml=policy.carries(rule)).of_rows, selection.target(name), selection.topic(name)


def comes(old: Selection, new: Selection, found: Listing) -> bool:
    """Whether the new selection covers something that the old one does not, or may one day."""
    wider = (new.everything and not old.everything) or bool(new.databases - old.databases)
    names = (name for names in found.values() for name, _ in names)
    return wider or any(new.wants(name) and not old.wants(name) for name in names)


def _asked(errand: Errand, before: Selection, found: Listing) -> tuple[Selection, list[Problem]]:
    """What is to be saved, and what is wrong with it already. before: what is chosen now."""
    params = errand.action.params
    if "changes" not in params:
        return Selection.from_json(params["selection"]), []
    tables = {home: [name for name, kind in names if kind == "table"] for home, names in found.items()}
    kafka = errand.job.target.engine == "kafka"
    selection, problems = changed(before, Changes.from_json(params["changes"]), tables, kafka=kafka)
    return selection, [(TableName("", ""), problem) for problem in problems]


def judged(
    session: Session, job: Job, selection: Selection, found: Listing, *, begun: bool
) -> tuple[Selection, list[Problem]]:
    """The selection with what only the source can say of it, and what is wrong with each table; a name without a table
    is a database, one without anything all of it. `begun`: the job comes to it from the one that it has."""
    selection, problems = _fitting(session, job, selection, found)
    if begun and not problems:
        selection = _with_lists_of(job.selection, selection)
        problems = _edit_problems(session, job, selection, found)
    return selection, problems


def _fitting(session: Session, job: Job, selection: Selection, found: Listing) -> tuple[Selection, list[Problem]]:
    kinds = {name: kind for names in found.values() for name, kind in names}
    problems = [
        (TableName(name, ""), "the source does not have the database")
        for name in sorted(selection.databases)
        if name not in found
    ]
    problems += [(name, "the source does not have it") for name in sorted(selection.tables) if name not in kinds]
    if not problems and not any(selection.wants(name) for name in kinds):
        problems = [(TableName("", ""), "nothing is selected, or what is selected is empty")]
    selection, joined = resolved(session, selection)
    problems += joined
    problems += [(name, f"it is looked into, and {reason}") for name, reason in declared_problems(session, selection)]
    problems += _rules(session, job, selection, kinds)
    views = frozenset(name for name in selection.tables if kinds.get(name) == "view")
    return replace(selection, views=views), list(dict.fromkeys(problems))


def _demand_none(problems: Sequence[Problem]) -> None:
    if problems:
        told = [_told(*problem) for problem in problems]
        raise DrsError(Fault.OBJECTS_MISSING, reason=named(told, NAMED_MAX, separator="; "))


def _told(name: TableName, reason: str) -> str:
    place = str(name) if name.table else name.schema
    return f"{place}: {reason}" if place else reason


def _rules(session: Session, job: Job, selection: Selection, kinds: Mapping[TableName, Kind]) -> list[Problem]:
    """What is wrong with rules, and with tables that arrive as one."""
    tables = [name for name, kind in kinds.items() if kind == "table" and selection.wants(name)]
    views = {name for name, kind in kinds.items() if kind == "view"}
    concerned = set(selection.rules) | set(_together(selection, tables) if job.target.engine == "postgresql" else ())
    if not concerned:
        return []
    referenced = selection.wants
    flavour = read_session(session.query).flavour
    known = read_tables(session.query, [name for name in tables if name in concerned], flavour)
    parents = {key.referenced for table in known for key in table.foreign_keys if referenced(key.referenced)}
    known += read_tables(session.query, parents - {table.name for table in known}, flavour)
    found = list(rule_problems(selection, known, views))
    if job.target.engine == "postgresql":
        from opendrs.engines.postgres.shape import targets
        from opendrs.engines.postgres.sharing import sharing_problems

        if not found:  # a table that has no columns left has no shape
            found += sharing_problems(known, targets(known, selection, job.policy))
    return found


def _together(selection: Selection, tables: Sequence[TableName]) -> list[TableName]:
    """Tables that are to arrive as one with others."""
    places: dict[TableName, list[TableName]] = {}
    for name in tables:
        places.setdefault(selection.target(name), []).append(name)
    return [name for names in places.values() if len(names) > 1 for name in names]
