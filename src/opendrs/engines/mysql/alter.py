"""ALTER TABLE: from its clauses to changes that, one after the other, make the definition the server makes.

The server looks at all clauses at once: columns may swap names, a key may be dropped and made anew under
its name. The changes come in an order in which each fits the table that those before it leave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from opendrs.engines.mysql.assembly import assemble
from opendrs.engines.mysql.charsets import Charset
from opendrs.engines.mysql.clauses import Added, Changed, Clauses, Drop, Renamed
from opendrs.engines.mysql.columns import ROW_END, ROW_START
from opendrs.engines.mysql.create import canonical_engine
from opendrs.engines.mysql.definition import (
    added_by_server,
    filling,
    make_column,
    row_hashes,
    row_times,
    unique_kind,
    whole_where_possible,
)
from opendrs.engines.mysql.recolumn import recolumned
from opendrs.engines.mysql.rewrite import mentions, renamed_in
from opendrs.engines.mysql.session import Scope, Session
from opendrs.engines.mysql.statement import NotUnderstood
from opendrs.model.alteration import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AddIndex,
    Change,
    DropCheck,
    DropColumn,
    DropForeignKey,
    DropIndex,
    ModifyColumn,
    RenameColumn,
    RenameIndex,
    SetCharset,
    SetComment,
    SetNextAuto,
    altered,
)
from opendrs.model.catalog import Column, Index, IndexPart, Table

TEMPORARY = "__opendrs_{}"


class Plan:
    """The changes so far, and the table that they leave."""

    def __init__(self, table: Table, session: Session, scope: Scope) -> None:
        self.original = table
        self.table = table
        self.session = session
        self.scope = scope
        self.changes: list[Change] = []
        self._temporary = 0

    def do(self, change: Change) -> None:
        try:
            self.table = altered(self.table, change)
        except (KeyError, ValueError) as error:
            raise NotUnderstood(f"it does not fit the known definition: {error}") from error
        self.changes.append(change)

    def has(self, column: str) -> bool:
        return any(other.name.lower() == column.lower() for other in self.table.columns)

    def temporary(self) -> str:
        self._temporary += 1
        return TEMPORARY.format(self._temporary)

    def index(self, name: str) -> Index | None:
        return next((index for index in self.table.indexes if index.name.lower() == name.lower()), None)


def plan(table: Table, clauses: Clauses, session: Session, scope: Scope) -> list[Change]:
    """The changes of one ALTER TABLE, in order."""
    work = Plan(table, session, scope)
    charset = _new_charset(work, clauses)
    remade = _drop_keys(work, clauses)
    _drop_columns(work, clauses)
    _change_columns(work, clauses, charset)
    _place_columns(work, clauses, charset)
    _rename_indexes(work, clauses.indexes_renamed)
    for index in remade:
        work.do(AddIndex(whole_where_possible(index, work.table.columns), primary=index.name == "PRIMARY"))
    _add_keys(work, clauses)
    _table_options(work, clauses, charset)
    if session.flavour.has("row_hash") and table.engine.upper() != "MEMORY":
        _refit_unique_keys(work)
        _server_columns(work, clauses)
    return work.changes


# --- what goes --------------------------------------------------------------------------------------


def _drop_keys(work: Plan, clauses: Clauses) -> list[Index]:
    """Drops constraints and indexes; returns those that come back because their column is made anew."""
    for drop in clauses.drops:
        match _resolved(drop, work.table, work.session):
            case "foreign key":
                work.do(DropForeignKey(drop.name, drop.if_exists))
            case "check":
                work.do(DropCheck(drop.name, drop.if_exists))
            case "index":
                work.do(DropIndex(drop.name, drop.if_exists))
    dropped = {drop.name.lower() for drop in clauses.drops if drop.kind == "column"}
    again = {a.spec.name.lower() for a in clauses.placed if isinstance(a, Added)} & dropped
    primary = (work.table.primary,) if work.table.primary else ()
    remade = [i for i in (*primary, *work.table.indexes) if any(part.column.lower() in again for part in i.parts)]
    for index in remade:
        work.do(DropIndex(index.name))
    return [_keeping_length(index, again, work.original) for index in remade]


def _keeping_length(index: Index, again: set[str], table: Table) -> Index:
    """An index whose column is dropped and added under its name keeps as much of it as it had."""
    lengths = {column.name.lower(): column.length for column in table.columns if column.name.lower() in again}
    parts = (
        replace(part, prefix=lengths.get(part.column.lower())) if part.prefix is None else part for part in index.parts
    )
    return replace(index, parts=tuple(parts))


def _resolved(drop: Drop, table: Table, session: Session) -> str:
    """What DROP CONSTRAINT drops: a foreign key, a check or a unique key. A column's own check stays."""
    if drop.kind != "constraint":
        return drop.kind
    name = drop.name.lower()
    if any(key.name.lower() == name for key in table.foreign_keys):
        return "foreign key"
    own = session.flavour.has("column_checks") and any(column.name.lower() == name for column in table.columns)
    if any(check.name.lower() == name for check in table.checks) and not own:
        return "check"
    return "index"


def _drop_columns(work: Plan, clauses: Clauses) -> None:
    """Drops columns, and the checks that speak of no other."""
    names = {drop.name.lower() for drop in clauses.drops if drop.kind == "column"}
    known = {column.name.lower() for column in work.table.columns}
    for check in work.table.checks:
        spoken_of = mentions(check.expression, known, work.session.flavour)
        if names and spoken_of <= names:  # to the servers this holds of a check that speaks of no column as well
            work.do(DropCheck(check.name))
    for drop in clauses.drops:
        if drop.kind == "column":
            work.do(DropColumn(drop.name, drop.if_exists))


# --- what changes -----------------------------------------------------------------------------------


def _new_charset(work: Plan, clauses: Clauses) -> Charset:
    """The default character set behind the statement, which already counts for its own columns."""
    table, charsets, options = work.table, work.session.charsets, clauses.options
    current = Charset(table.charset, table.collation)
    database = work.scope.database(table.name.schema) or current
    if clauses.convert is not None:
        charset, collation = clauses.convert
        return charsets.resolved(charset, collation, database)
    if options.charset is None and options.collation is None:
        return current
    otherwise = current if options.charset is None else database
    return charsets.resolved(options.charset or None, options.collation, otherwise)


def _change_columns(work: Plan, clauses: Clauses, charset: Charset) -> None:
    """Columns that stay where they are: CHANGE, MODIFY, RENAME COLUMN, ALTER COLUMN, CONVERT."""
    new: dict[str, Column] = {}
    for column in work.table.columns:
        other = recolumned(column, clauses, charset, work.table, work.session)
        if other != column:
            new[column.name] = other
    _require_targets(work, clauses)
    if work.session.flavour.has("column_checks"):
        _drop_column_checks(work, clauses)
    _apply(work, new)
    _fit_prefixes(work, new.values())


def _require_targets(work: Plan, clauses: Clauses) -> None:
    """Every column that a clause names is there, or may be absent."""
    for changed in clauses.placed:
        if isinstance(changed, Changed) and not changed.if_exists and not work.has(changed.old):
            raise NotUnderstood(f"the column {changed.old!r} is not known")
    named = [(renamed.old, renamed.if_exists) for renamed in clauses.columns_renamed]
    named += [(one.name, one.if_exists) for one in clauses.altered]
    for name, if_exists in named:
        if not if_exists and not work.has(name):
            raise NotUnderstood(f"the column {name!r} is not known")


def _drop_column_checks(work: Plan, clauses: Clauses) -> None:
    """MariaDB: the check of a column is a part of its definition, and goes when that is given anew."""
    for changed in clauses.placed:
        if isinstance(changed, Changed):
            work_checks = [c for c in work.table.checks if c.name.lower() == changed.old.lower()]
            for check in work_checks:
                work.do(DropCheck(check.name))


def _apply(work: Plan, new: dict[str, Column]) -> None:
    """Changes columns one by one; where names cross, one waits under a name that nothing has."""
    wanted = {old: column.name for old, column in new.items()}
    for present, old in _in_turn(work, wanted, work.has, RenameColumn):
        _apply_one(work, present, new[old])


def _in_turn(
    work: Plan,
    wanted: Mapping[str, str],
    taken: Callable[[str], bool],
    rename: Callable[[str, str], RenameColumn | RenameIndex],
) -> Iterator[tuple[str, str]]:
    """Old names in an order in which each new name is free when its turn comes, with the names that they have
    then: of a ring of names one is put aside. The caller renames at its turn."""
    waiting = {old: old for old in wanted}  # old name by present name
    while waiting:
        free = [
            present
            for present, old in waiting.items()
            if wanted[old].lower() == present.lower() or not taken(wanted[old])
        ]
        for present in free:
            yield present, waiting.pop(present)
        if not free:
            present, old = next(iter(waiting.items()))
            if not any(other.lower() == wanted[old].lower() for other in waiting):
                raise NotUnderstood(f"the name {wanted[old]!r} is taken, and stays so")
            aside = work.temporary()
            work.do(rename(present, aside))
            del waiting[present]
            waiting[aside] = old


def _apply_one(work: Plan, old: str, column: Column) -> None:
    current = work.table.column(old)
    if current == column:
        return
    if replace(current, name=column.name) == column:
        work.do(RenameColumn(old, column.name))
    else:
        work.do(ModifyColumn(old, column))
    if old != column.name:
        _rename_in_expressions(work, old, column.name)


def _rename_in_expressions(work: Plan, old: str, new: str) -> None:
    """MariaDB writes the new name into checks and generated columns; MySQL refuses such a rename."""

    def rename(text: str) -> str:
        return renamed_in(text, old, new, work.session.flavour)

    for check in work.table.checks:
        if (text := rename(check.expression)) != check.expression:
            work.do(DropCheck(check.name))
            work.do(AddCheck(replace(check, expression=text)))
        elif check.name.lower() == old.lower() and work.session.flavour.has("column_checks"):
            work.do(DropCheck(check.name))
            work.do(AddCheck(replace(check, name=new)))
    for column in work.table.columns:
        if column.generated and (text := rename(column.generated.expression)) != column.generated.expression:
            work.do(ModifyColumn(column.name, replace(column, generated=replace(column.generated, expression=text))))


def _fit_prefixes(work: Plan, columns: Iterable[Column]) -> None:
    """An index on column(n) takes the whole column where that has no more than n any more."""
    changed = {column.name.lower(): column for column in columns}

    def fits(part: IndexPart) -> bool:
        column = changed.get(part.column.lower())
        if part.prefix is None or column is None:
            return True
        return column.type.kind in ("text", "binary", "json") and (column.length or part.prefix + 1) > part.prefix

    for index in work.table.indexes:
        parts = tuple(part if fits(part) else replace(part, prefix=None) for part in index.parts)
        if parts != index.parts:
            work.do(DropIndex(index.name))
            work.do(AddIndex(replace(index, parts=parts)))


# --- what is added or moved -------------------------------------------------------------------------


def _place_columns(work: Plan, clauses: Clauses, charset: Charset) -> None:
    for placed in clauses.placed:
        if isinstance(placed, Added):
            _add_column(work, placed, clauses, charset)
        elif placed.after is not None and work.has(placed.spec.name):
            column = work.table.column(placed.spec.name)
            work.do(ModifyColumn(column.name, column, placed.after))


def _add_column(work: Plan, added: Added, clauses: Clauses, charset: Charset) -> None:
    spec = added.spec
    if added.if_not_exists and work.has(spec.name):
        if spec.primary or spec.unique or spec.reference or spec.checks:
            raise NotUnderstood(f"ADD COLUMN IF NOT EXISTS {spec.name} with a key, and the column exists")
        return
    first = not any(c.type.kind == "timestamp" for c in work.table.columns)
    convert = clauses.convert is not None
    column = make_column(spec, charset, work.session, first_timestamp=first, convert=convert)
    after = added.after
    if after is None and added_by_server(work.table.columns[-1]):  # those always stay behind
        after = next((c.name for c in reversed(work.table.columns) if not added_by_server(c)), "")
    work.do(AddColumn(column, after, fill=filling(column, work.session)))


def _rename_indexes(work: Plan, renamed: list[Renamed]) -> None:
    wanted = {r.old: r.new for r in renamed if not (r.if_exists and work.index(r.old) is None)}
    for present, old in _in_turn(work, wanted, lambda name: work.index(name) is not None, RenameIndex):
        work.do(RenameIndex(present, wanted[old]))


def _add_keys(work: Plan, clauses: Clauses) -> None:
    made = assemble(clauses.keys, work.table, work.session, work.scope.table)
    for name in made.not_null:
        if (column := work.table.column(name)).nullable:
            work.do(ModifyColumn(column.name, replace(column, nullable=False)))
    if made.primary is not None:
        work.do(AddIndex(made.primary, primary=True))
    for index in made.indexes:
        work.do(AddIndex(index))
    for key in made.foreign_keys:
        work.do(AddForeignKey(key))
    for check in made.checks:
        work.do(AddCheck(check))
    for name, enforced in clauses.enforced.items():
        found = next((c for c in work.table.checks if c.name.lower() == name.lower()), None)
        if found is None:
            raise NotUnderstood(f"the check {name!r} is not known")
        work.do(DropCheck(found.name))
        work.do(AddCheck(replace(found, enforced=enforced)))


# --- the table itself -------------------------------------------------------------------------------


def _table_options(work: Plan, clauses: Clauses, charset: Charset) -> None:
    options = clauses.options
    if options.engine is not None:
        canonical_engine(options.engine)  # rows stay, if it is an engine that keeps rows
    if (charset.charset, charset.collation) != (work.table.charset, work.table.collation):
        work.do(SetCharset(charset.charset, charset.collation))
    if options.comment is not None and options.comment != work.table.comment:
        work.do(SetComment(options.comment))
    auto = any(column.auto for column in work.table.columns)
    if options.next_auto is not None and auto:
        work.do(SetNextAuto(max(options.next_auto, 1)))
    elif auto and work.table.next_auto is None:
        work.do(SetNextAuto(1))


def _refit_unique_keys(work: Plan) -> None:
    """MariaDB decides anew whether a unique key that was there is a B-tree or a hash."""
    for index in work.table.indexes:
        kind = unique_kind(index, work.table.columns, work.table.engine)
        was_there = any(other.name.lower() == index.name.lower() for other in work.original.indexes)
        if index.unique and was_there and index.kind in ("btree", "hash") and index.kind != kind:
            work.do(DropIndex(index.name))
            work.do(AddIndex(replace(index, kind=kind)))


def _server_columns(work: Plan, clauses: Clauses) -> None:
    """Columns that nobody declares: times of row versions, hashes of long unique keys."""
    times = [c for c in work.table.columns if c.generated and c.generated.expression in (ROW_START, ROW_END)]
    if clauses.versioned is False:
        for column in times:
            if column.invisible:
                work.do(DropColumn(column.name))
    wanted = row_hashes(work.table.indexes, work.table.engine)
    current = tuple(column for column in work.table.columns if column.hidden)
    remake = current != wanted or (clauses.versioned and not times)
    if remake:
        for column in current:
            work.do(DropColumn(column.name))
    if clauses.versioned and not times:
        for column in row_times():
            work.do(AddColumn(column))
    if remake:
        for column in wanted:
            work.do(AddColumn(column))
