"""Views in the target, while what they read changes.

PostgreSQL refuses to change a column that a view reads, and a table that goes takes its views along. So the
views in the job's schemas are put aside before such a change and made anew behind it: as they were, or as the
source has them now. Those in other schemas are somebody else's: a change that they are in the way of is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from opendrs.engines.postgres import ownership
from opendrs.engines.postgres.connect import Session
from opendrs.engines.postgres.names import block, literal, qualified, schema_name, table_name
from opendrs.engines.postgres.rendered import REASONS, Rendered, reported
from opendrs.engines.postgres.shape import Target, layout_of
from opendrs.model.alteration import (
    Alteration,
    AlterTable,
    ChangeViews,
    CreateTable,
    DropColumn,
    DropDatabase,
    DropTable,
    ModifyColumn,
    RenameTable,
)
from opendrs.model.catalog import TableName, View
from opendrs.model.engine import Objects

Targets = Mapping[TableName, Target]
Told = Callable[[Rendered], Sequence[str]]
Name = tuple[str, str]


class KeptViews:
    """The views of a job.

    job      whose they are
    wanted   asks the source for its views
    place    where an object of the source arrives, before PostgreSQL's rules for names
    told     takes the reports
    objects  told of what became of each, when that is durable; None: nobody wants to know
    """

    def __init__(
        self,
        job: str,
        wanted: Callable[[], Sequence[View]],
        place: Callable[[TableName], TableName],
        told: Told,
        objects: Objects | None,
    ) -> None:
        self._job = job
        self._wanted = wanted
        self._place = place
        self._told = told
        self._objects = objects
        self._aside: dict[Name, str] = {}  # definitions of views that had to go, each before what it reads
        self._made: set[Name] = set()  # those of them that the job has made
        self._asked = False  # the source was asked since this worker began: before, a view may have been lost
        self._sources: dict[Name, TableName] = {}  # of the source's views, by their names here
        self._outcomes: dict[TableName, str] = {}  # in the open transaction: why one is not there; empty: it is

    def arrive(self, place: Callable[[TableName], TableName]) -> None:
        """Where objects of the source arrive from now on."""
        self._place = place

    def forget(self) -> None:
        """What was put aside is there again: the transaction was undone."""
        self._aside.clear()
        self._made.clear()
        self._outcomes.clear()

    def durable(self) -> None:
        """The transaction was committed."""
        outcomes, self._outcomes = self._outcomes, {}
        if outcomes and self._objects is not None:
            refused = {name: why for name, why in outcomes.items() if why}
            self._objects.views([name for name in outcomes if name not in refused], refused)

    def make(self, session: Session, targets: Targets) -> None:
        """The source's views, as far as they translate and the target takes them. In the open transaction."""
        self._asked = True
        wanted = self._wanted()
        if not wanted:
            return
        from opendrs.engines.postgres import views  # as in expressions.py

        self._sources = {self._name(view.name): view.name for view in wanted}
        candidates, untranslated = views.candidates(wanted, targets, self._place)
        self._told(untranslated)

        def attempt(statement: str) -> str | None:
            error = session.attempt(statement)
            return error.message if error else None

        places = {candidate.name: self._name(candidate.name) for candidate in candidates}
        others = ownership.existing(session, places.values()) | (self._aside.keys() - self._made)
        made, refused = views.create(candidates, attempt)
        self._told(refused)
        known = {str(view.name): view.name for view in wanted}
        self._outcomes.update({known[report.object]: report.text for report in (untranslated + refused).reports})
        self._outcomes.update(dict.fromkeys(made, ""))
        self._note(session, {places[name] for name in made} - others)

    def make_room(self, session: Session, alteration: Alteration, targets: Targets) -> None:
        """Puts aside the views that are in the way of a change."""
        schemas = {target["schema"] for target in targets.values()}
        match alteration:
            case AlterTable(name, changes):
                if any(isinstance(change, DropColumn | ModifyColumn) for change in changes):
                    self._put_aside(session, layout_of(targets[name]).sql, schemas)
            case DropTable(name):
                if name in targets:
                    self._put_aside(session, layout_of(targets[name]).sql, schemas)
            case DropDatabase(database):
                for name, target in targets.items():
                    if name.schema == database:
                        self._put_aside(session, layout_of(target).sql, schemas)
            case ChangeViews(names):
                for name in names:
                    own = self._name(name)
                    self._put_aside(session, qualified(*own), {*schemas, own[0]})
                    session.execute(_drop(*own))
                    self._aside.pop(own, None)

    def restore(self, session: Session, alterations: Iterable[Alteration], targets: Targets) -> None:
        """Makes what is missing, behind the changes."""
        every = list(alterations)
        for name, definition in reversed(list(self._aside.items())):
            if session.attempt(f"CREATE OR REPLACE VIEW {qualified(*name)} AS {definition}") is None:
                del self._aside[name]
                self._note(session, {name} & self._made)
        changed = any(isinstance(alteration, ChangeViews) for alteration in every)
        made = any(isinstance(alteration, CreateTable | RenameTable) for alteration in every)
        if changed or self._aside or (made and not self._asked):
            self.make(session, targets)
        for name in [name for name in self._aside if _is_there(session, name)]:
            del self._aside[name]
        for (schema, view), definition in self._aside.items():
            self._told(reported("view-lost", f"{schema}.{view}", f"It was: {definition}"))
            if (schema, view) in self._sources:
                self._outcomes[self._sources[schema, view]] = REASONS["view-lost"]

    def _put_aside(self, session: Session, relation: str, schemas: set[str]) -> None:
        for schema, name, definition in session.query(_readers(relation)):
            if schema in schemas and name is not None and definition is not None:
                self._made |= ownership.made(session, self._job, [(schema, name)])
                self._aside.pop((schema, name), None)
                self._aside[schema, name] = definition.rstrip("; \n")
                session.execute(_drop(schema, name))

    def _note(self, session: Session, names: set[Name]) -> None:
        if names:
            ownership.note_views(session, self._job, names)
        self._made -= names

    def _name(self, view: TableName) -> Name:
        place = self._place(view)
        return schema_name(place.schema), table_name(place.table)


def _readers(relation: str) -> str:
    """Query: schema, name and definition of the views that read a relation, directly or not, each before what it
    reads itself."""
    return (
        "WITH RECURSIVE readers AS ("
        f"SELECT pg_catalog.to_regclass({literal(relation)})::oid AS oid, 0 AS depth UNION"
        " SELECT w.ev_class, r.depth + 1 FROM readers r JOIN pg_catalog.pg_depend d ON d.refobjid = r.oid"
        " AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.classid = 'pg_catalog.pg_rewrite'::regclass"
        " JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid AND w.ev_class <> r.oid)"
        " SELECT n.nspname, c.relname, pg_catalog.pg_get_viewdef(c.oid) FROM readers r"
        " JOIN pg_catalog.pg_class c ON c.oid = r.oid AND c.relkind = 'v'"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE r.depth > 0"
        " GROUP BY n.nspname, c.relname, c.oid ORDER BY max(r.depth) DESC"
    )


def _existing(schema: str, name: str) -> str:
    relation = literal(qualified(schema, name))
    return f"SELECT FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass({relation}) AND relkind = 'v'"


def _drop(schema: str, name: str) -> str:
    """Removes a view, if it is one."""
    return block(f"IF EXISTS ({_existing(schema, name)}) THEN DROP VIEW {qualified(schema, name)}; END IF;")


def _is_there(session: Session, name: Name) -> bool:
    return session.value(f"SELECT EXISTS ({_existing(*name)})::text") == "true"
