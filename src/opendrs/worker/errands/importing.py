"""Objects and columns from a file: what it says is looked at against the source, and saved if all of it is good.

params   {"level", "mapping", "file": name, "kind"}: as control.importing writes them
result   {"rows": that are good, "saving": id of the action that saves them}; while it is read, the rows alone

The saving is another errand, as if update_job had asked for it. An errand that is done a second time, since the
process that was at it has died, finds the saving that the first has asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from sqlalchemy import Connection

from opendrs.control.configuring import ask_saving, demand_savable
from opendrs.control.objects import selection
from opendrs.control.reading import checked
from opendrs.control.rendering import rendered
from opendrs.control.tree import DbObject
from opendrs.engines.mysql.choosing import Problem
from opendrs.engines.mysql.connect import Session
from opendrs.engines.mysql.listing import read_columns, read_listing
from opendrs.errors import DrsError, Fault
from opendrs.model.action import Kind
from opendrs.model.catalog import TableName
from opendrs.model.endpoint import EngineName
from opendrs.model.job import Job
from opendrs.model.links import link_of
from opendrs.model.selection import Selection
from opendrs.store import actions, checkpoints, jobs, progress
from opendrs.templates import columning, documents
from opendrs.templates.choosing import Chooser, Listing, Problems, Rules, Target
from opendrs.templates.columning import SourceColumn
from opendrs.templates.documents import Wrong
from opendrs.worker.errands import Errand, Result, objects
from opendrs.worker.errands.filing import Filed

Tree = Mapping[str, Any]
DOCUMENTS: Final = ("json", "txt", "zip")


@dataclass(frozen=True, slots=True)
class Found:
    """What a file says. `rows`: that were read; `tree`: DbObject."""

    rows: int
    tree: Tree
    selection: Selection


def run(errand: Errand) -> Result:
    filed = Filed.of(errand)
    with errand.place.store.read() as connection:
        before = _asked(connection, errand)
    if before is not None:
        return before
    known = _known(errand)
    if filed.kind in DOCUMENTS:
        found = _of_document(filed, known)
    elif filed.level == "column":
        found = _of_columns(filed, known)
    else:
        found = _of_tables(filed, known)
    filed.keep()
    with errand.place.store.write() as connection:
        jobs.lock(connection, errand.job.id)
        before = _asked(connection, errand)
        if before is not None:
            return before
        head = jobs.find(connection, errand.job.id)
        if head is None:
            raise DrsError(Fault.JOB_NOT_FOUND, job_id=errand.job.id)
        demand_savable(connection, head, but=errand.action.id)
        source = {"id": errand.action.id, "kind": errand.action.kind.value, "level": filed.level, "rows": found.rows}
        key = ask_saving(connection, head, errand.action.user, found.selection, found.tree, imported=source)
    return {"rows": found.rows, "saving": key}


def _asked(connection: Connection, errand: Errand) -> Result | None:
    """What was left by one who has died behind the asking."""
    last = actions.latest(connection, errand.job.id, Kind.OBJECTS)
    source = {} if last is None else last.params.get("imported") or {}
    if last is None or source.get("id") != errand.action.id:
        return None
    return {"rows": source["rows"], "saving": last.id}


# what a file is looked at against


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What is known of the job. `loaded`: tables that are replicated already; `begun`: it is edited."""

    target: Target
    engine: EngineName
    selection: Selection
    chosen: Tree
    loaded: frozenset[TableName]
    begun: bool

    def kept(self) -> dict[TableName, TableName]:
        """As which each of them is replicated, in the words of a file."""
        if self.target.shape == "topics":
            return {name: TableName("", self.selection.topics.get(name, "")) for name in self.loaded}
        return {name: self.selection.target(name) for name in self.loaded}


def _known(errand: Errand) -> _Job:
    link = link_of(errand.record.engine_type)
    assert link is not None, "a job has a flow"
    with errand.place.store.read() as connection:
        tables = progress.tables(connection, errand.job.id)
        chosen = jobs.chosen_of(connection, errand.job.id)
        begun = checkpoints.load(connection, errand.job.id) is not None
    topics = link.target == "kafka"
    return _Job(
        target=Target(shape="topics") if topics else _databases(errand),
        engine=link.target,
        selection=errand.record.selection,
        chosen=rendered(chosen),
        loaded=frozenset(table.name for table in tables if table.state == "loaded"),
        begun=begun,
    )


def _databases(errand: Errand) -> Target:
    own = errand.job.target.database or ""
    return Target(shape="schemas", database=errand.record.selection.root or own, own=own)


@dataclass(frozen=True, slots=True)
class _Source:
    """The source, and what it has."""

    session: Session
    job: Job
    found: objects.Listing

    @classmethod
    def of(cls, session: Session, errand: Errand) -> _Source:
        return cls(session, errand.job, read_listing(session.query))

    @property
    def there(self) -> Listing:
        return {database: {name.table: kind for name, kind in names} for database, names in self.found.items()}

    def problems(self, selection: Selection, *, begun: bool) -> list[Problem]:
        """What is wrong with a selection, by table; a name without a table is a database, one without anything all."""
        _, problems = objects.judged(self.session, self.job, selection, self.found, begun=begun)
        return problems


# workbooks


def _of_tables(filed: Filed, known: _Job) -> Found:
    problems, total = Problems(), 0
    rows = filed.rows(problems)
    first = next(rows, None)  # what is no file of objects at all is refused before the source is asked
    rules = Rules(
        target=known.target,
        mapping=filed.mapping or "table_mapping",
        mapped=filed.mapping is not None,
        kept=known.kept(),
        chosen=known.chosen,
    )
    with Session(filed.errand.job.source) as session:
        source = _Source.of(session, filed.errand)
        chooser = Chooser(source.there, rules)
        for row in chain([] if first is None else [first], rows):
            total += 1
            if problem := row.problem or chooser.take(row):
                problems[row.number] = problem
        return _of_rows(filed, known, source, chooser.tree(), total, problems, chooser.row_of)


def _of_columns(filed: Filed, known: _Job) -> Found:
    problems = Problems()
    rows = list(filed.rows(problems))
    problems |= {row.number: row.problem for row in rows if row.problem}
    good = [row for row in rows if not row.problem]
    numbers = {columning.name_of(row): row.number for row in reversed(good)}
    with Session(filed.errand.job.source) as session:
        found = read_columns(session.query, columning.tables(good))
        there = {
            name: {column: SourceColumn(facts.native, facts.primary) for column, facts in columns.items()}
            for name, columns in found.items()
        }
        tree, wrong = columning.rule(good, known.chosen, there, known.target.database)
        source = _Source.of(session, filed.errand)
        return _of_rows(filed, known, source, tree, len(rows), problems | wrong, numbers.get)


def _of_rows(
    filed: Filed,
    known: _Job,
    source: _Source,
    tree: Tree,
    total: int,
    problems: Problems,
    row_of: Callable[[TableName], int | None],
) -> Found:
    """Raises ROWS_WRONG, with the reasons in the file."""
    if not total:
        raise filed.refused("there is no row below the titles")
    if problems:
        raise filed.keep_sheet(total, problems)
    selection, found, told = _judged(tree, known, source)
    if selection is not None:
        return Found(total, tree, selection)
    for name, reason in found:
        row = row_of(name)
        if row is None:
            told.append(f"{_word(name)}: {reason}" if name.schema else reason)
        else:
            problems[row] = f"{problems[row]}; {reason}" if row in problems else reason
    raise filed.keep_sheet(total, problems, "; ".join(told))


# JSON


def _of_document(filed: Filed, known: _Job) -> Found:
    with filed.reading():
        document = documents.read(filed.path, filed.name, filed.kind)
    tree, count = document.objects, documents.count(document.objects)
    filed.note(count)
    with Session(filed.errand.job.source) as session:
        source = _Source.of(session, filed.errand)
        selection, found, told = _judged(tree, known, source)
    wrong = [Wrong(_word(name), reason) for name, reason in found] + [Wrong("", reason) for reason in told]
    if selection is not None:
        wrong += _unfit(filed, known, selection)
        if not wrong:
            return Found(count, tree, selection)
    raise filed.keep_document(document, count, wrong)


def _unfit(filed: Filed, known: _Job, found: Selection) -> Iterator[Wrong]:
    """Objects that could be saved, and are not what the file was sent for."""
    for name in sorted(found.tables):
        if filed.level == "database":
            yield Wrong(_word(name), "the file was sent as one of databases: send it with the level table")
        elif filed.mapping == "table_mapping" and found.topic(name):
            yield Wrong(_word(name), "another name is that of a topic: send it with topic_mapping")
    for name in sorted(known.loaded):
        if found.wants(name) and _arrives(found, name) != _arrives(known.selection, name):
            yield Wrong(_word(name), "it is replicated already, and keeps the name that it has")


def _arrives(found: Selection, name: TableName) -> tuple[TableName, str | None]:
    return found.target(name), found.topic(name)


def _word(name: TableName) -> str:
    return str(name) if name.table else name.schema


# what a tree means


def _judged(tree: Tree, known: _Job, source: _Source) -> tuple[Selection | None, list[Problem], list[str]]:
    """What it means; None: something is wrong, with single objects of it or (in words) with all."""
    try:
        asked = _understood(tree, known)
    except DrsError as error:
        found = list(_apart(tree, known))
        return None, found, [] if found else [error.message]
    found = source.problems(asked, begun=known.begun)
    told = [reason for name, reason in found if not name.schema]
    return (None if found else asked), [problem for problem in found if problem[0].schema], told


def _understood(tree: Tree, known: _Job) -> Selection:
    """Raises PARAMETER_EMPTY, PARAMETER_INVALID, UNSUPPORTED."""
    return selection(checked(tree, DbObject, "db_object."), known.engine)


def _apart(tree: Tree, known: _Job) -> Iterator[Problem]:
    """What is wrong with each object of a tree, taken by itself."""
    info = tree.get("object_info")
    for name, database in info.items() if isinstance(info, dict) else ():
        tables = database.get("tables") if isinstance(database, dict) else None
        parts: dict[str, Any] = {"": database}
        if isinstance(tables, dict) and tables:
            parts = {table: {**database, "tables": {table: facts}} for table, facts in tables.items()}
        for table, part in parts.items():
            try:
                _understood({**tree, "object_info": {name: part}}, known)
            except DrsError as error:
                yield TableName(name, table), error.details.get("reason", error.message)
