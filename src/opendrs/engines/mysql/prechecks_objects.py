"""What the prechecks say about the selected objects of a source, by its catalog alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final

from opendrs.engines.mysql.catalog import read_databases, read_referrers
from opendrs.engines.mysql.choosing import filtered_actions, rule_problems
from opendrs.engines.mysql.joined import found_nothing
from opendrs.engines.mysql.prechecks_privileges import read_grants
from opendrs.engines.mysql.prechecks_server import Objects, qualified, quoted
from opendrs.model.catalog import ForeignKey, Table, TableName
from opendrs.model.precheck import Unseen, Verdict, alarm, failed, for_each, how_many, named, passed, steps
from opendrs.model.selection import Selection, fits

# Engine -> what it means for a job. What is in none of the two is refused, as is what says so here.
KEPT: Final = frozenset({"innodb", "rocksdb", "tokudb", "ndbcluster"})
_LOCKED: Final = (
    "locked while it is read if it has no key or the load shows one moment; "
    "half of a statement that failed stays, and is replicated"
)
RELUCTANT: Final = {
    "myisam": _LOCKED,
    "aria": _LOCKED,
    "memory": "empty behind a restart of the source, and then in the target as well",
    "archive": "has no key, and is locked while it is read",
}
REFUSED: Final = {
    "csv": "its file may be changed past the log",
    "federated": "its rows are on another server, and change there",
    "blackhole": "it keeps no rows: the log has them, and a load would not",
    "mrg_myisam": "its rows are those of other tables",
    "connect": "its rows are elsewhere, and change there",
    "spider": "its rows are on other servers",
    "s3": "its rows are elsewhere",
    "sequence": "its rows are made up",
}
BREAKS: Final = ("\n", "\r", "\t", "\0")
WILD: Final = frozenset("*?")
EVERYTHING: Final = "*.*"
SYMBOLS: Final = "'<>/\\\""  # as published: unsupported in names of databases


# --- the selection ----------------------------------------------------------------------------------


def selection(objects: Objects) -> Verdict:
    """Everything that is named must be there, and every pattern must find something; a table that the account may not
    see at all is not found."""
    catalog, wanted = objects.catalog, objects.server.selection
    names = {table.name for table in catalog.tables} | {view.name for view in catalog.views}
    lost = _lost(objects, names)
    if lost or not names:
        what = f"Nothing is found for {named(lost)}" if lost else "Nothing is selected: there is no table"
        where = "--tables (database.table, with * and ?)" if wanted.patterns or wanted.everything else "the selection"
        return failed(
            f"{what}. The server shows only what the account has a privilege for",
            steps(
                f"Correct {where}, or let the account see the tables:",
                for_each(objects.server.grant("SELECT", place) for place in lost.values()),
            ),
        )
    grants = read_grants(objects.server)
    found = f"Selected: {how_many(len(catalog.tables), 'table')}, {how_many(len(catalog.views), 'view')}"
    unsure = {
        database: place
        for database, place in _vague(wanted).items()
        if not grants.has("SELECT", None if place == EVERYTHING else database)
    }
    if unsure:
        return alarm(
            f"{found}, of those that the account may see: it has no SELECT on all of {named(unsure)}",
            for_each(objects.server.grant("SELECT", place) for place in dict.fromkeys(unsure.values())),
        )
    return passed(found)


def _lost(objects: Objects, names: Collection[TableName]) -> dict[str, str]:
    """What is selected and not there, each with the place in a GRANT that covers it."""
    wanted = objects.server.selection
    lost = {one: _place(one) for one in wanted.patterns if not any(fits(one, name) for name in names)}
    there = set(read_databases(objects.server.session.query)) if wanted.databases else set()
    lost |= {database: f"{quoted(database)}.*" for database in sorted(wanted.databases - there)}
    lost |= {str(name): qualified(name) for name in sorted(wanted.tables - set(names))}
    return lost


def _vague(wanted: Selection) -> dict[str, str]:
    """Databases (or patterns of such) of which it is not said what is in them, each with its place in a GRANT: there
    may be tables that the account cannot see. Single tables that are named are seen or not."""
    if wanted.everything:
        return {"*": EVERYTHING}
    found = {database: f"{quoted(database)}.*" for database in sorted(wanted.databases)}
    for pattern in wanted.patterns:
        database, _, _ = pattern.partition(".")
        if set(pattern) & WILD:
            found[database] = EVERYTHING if set(database) & WILD else f"{quoted(database)}.*"
    return found


def _place(pattern: str) -> str:
    """The place in a GRANT that covers a pattern: one table, one database or everything."""
    database, _, table = pattern.partition(".")
    if set(database) & WILD:
        return EVERYTHING
    return f"{quoted(database)}.*" if set(table) & WILD else qualified(TableName(database, table))


def rules(objects: Objects) -> Verdict:
    """They fitted when they were saved; tables may have been altered since."""
    wanted, catalog = objects.server.selection, objects.catalog
    if not wanted.rules:
        return passed("Nothing is said of single tables, their rows or columns")
    problems = list(rule_problems(wanted, catalog.tables, {view.name for view in catalog.views}))
    if problems:
        shown = named(f"{name}: {reason}" for name, reason in problems)
        return failed(f"What is said of tables does not fit them: {shown}", "Save the objects of the job anew.")
    if nothing := sorted(name for name, rule in wanted.rules.items() if found_nothing(rule)):
        return alarm(
            f"A list that filters look into had no value when they were saved: {named(map(str, nothing))}",
            "If it has some by now, save the objects of the job anew; a table that is replicated already must be taken "
            "out, and added again. What comes into the list later counts for nothing.",
        )
    return passed(f"What is said of {how_many(len(wanted.rules), 'table')} fits them")


# --- tables -----------------------------------------------------------------------------------------


def engines(objects: Objects) -> list[Verdict]:
    refused: list[Table] = []
    reluctant: list[Table] = []
    for table in objects.catalog.tables:
        engine = _engine(table)
        if engine in RELUCTANT:
            reluctant.append(table)
        elif engine not in KEPT:
            refused.append(table)
    verdicts = []
    if refused:
        shown = named(f"{t.name} ({t.engine or 'unknown'}: {REFUSED.get(_engine(t), 'not known')})" for t in refused)
        verdicts.append(
            failed(
                f"Tables of engines that cannot be replicated: {shown}",
                steps("Leave them out, or change their engine:", _to_innodb(refused)),
            )
        )
    if reluctant:
        shown = named(f"{table.name} ({table.engine}: {RELUCTANT[_engine(table)]})" for table in reluctant)
        verdicts.append(
            alarm(
                f"Tables of engines without transactions: {shown}",
                steps("If the applications bear it:", _to_innodb(reluctant)),
            )
        )
    return verdicts or [passed("All tables are of engines with transactions")]


def _engine(table: Table) -> str:
    engine = table.engine.lower()
    return {"mrg_myisam": "mrg_myisam", "heap": "memory", "merge": "mrg_myisam"}.get(engine, engine)


def _to_innodb(tables: Iterable[Table]) -> str:
    return for_each(f"ALTER TABLE {qualified(table.name)} ENGINE = InnoDB;" for table in tables)


def keys(objects: Objects) -> Verdict:
    keyless = [table for table in objects.catalog.tables if not table.key]
    if not keyless:
        return passed("Every table has a key")
    lock = " and under a lock until its moment is known" if objects.lock_reason else ""
    return alarm(
        f"Tables without a key: {named(table.name for table in keyless)}. Each is read in one scan{lock}, again from "
        "its begin after an interruption, and each change is looked for by all columns",
        steps(
            "A primary key, or a unique one over columns that are NOT NULL, is faster; such as:",
            for_each(f"ALTER TABLE {qualified(t.name)} ADD COLUMN {_free(t)} BIGINT UNSIGNED NOT NULL "
                     "AUTO_INCREMENT PRIMARY KEY;" for t in keyless if not any(c.auto for c in t.columns)),
        ),
    )  # fmt: skip


def _free(table: Table) -> str:
    """A name that no column has."""
    taken = {column.name.lower() for column in table.columns}
    return next(one for one in ("id", "row_id", *(f"row_id_{n}" for n in range(len(taken)))) if one not in taken)


# --- dependencies -----------------------------------------------------------------------------------


def foreign_keys(objects: Objects) -> Verdict:
    lost = [
        f"{table.name}.{key.name} to {key.referenced}"
        for table in objects.catalog.tables
        for key in table.foreign_keys
        if key.referenced not in objects.selected
    ]
    if not lost:
        return passed("Every foreign key refers to a selected table")
    return alarm(
        f"Foreign keys to tables that are not selected: {named(lost)}. The target will not have them",
        "Select the referenced tables as well, if the target is to have the foreign keys.",
    )


def cascades(objects: Objects) -> list[Verdict]:
    """Changes that a foreign key makes by itself: InnoDB does not log them; MySQL logs them from 9.6 on."""
    server, selected = objects.server, objects.selected
    if not server.flavour.mariadb and server.setting("innodb_native_foreign_keys").upper() == "OFF":
        return [passed("The server logs what foreign keys change by themselves")]
    if not server.stands_in:
        return [_untold(objects)]
    inward = [
        (table.name, key)
        for table in objects.catalog.tables
        for key in table.foreign_keys
        if key.acts and key.referenced not in selected
    ]
    referrers = read_referrers(server.session.query, selected) if selected else []
    outward = [(owner, key) for owner, key in referrers if key.acts and owner not in selected]
    verdicts = []
    crossing = list(filtered_actions(server.selection, objects.catalog.tables))
    if crossing:
        shown = named(f"{table.name} by {key.name} ({reason})" for table, key, reason in crossing)
        verdicts.append(
            failed(
                f"Foreign keys change rows past the filters, and the log does not say so: {shown}",
                "Filter parents and children alike by a column that no foreign key changes, or not at all. MySQL 9.6 "
                "and newer logs such changes.",
            )
        )
    if inward:
        parents = sorted({key.referenced for _, key in inward})
        verdicts.append(
            failed(
                f"Rows of selected tables are changed by foreign keys from tables that are not selected, and the log "
                f"does not say so: {_shown(inward)}",
                f"Select {named(parents)} as well. MySQL 9.6 and newer logs such changes.",
            )
        )
    if outward:
        children = sorted({owner for owner, _ in outward})
        verdicts.append(
            failed(
                f"Tables that are not selected are changed by foreign keys from selected ones, and the log does not "
                f"say so: {_shown(outward)}",
                f"Select {named(children)} as well. If nobody needs their changes in the target, accept it.",
            )
        )
    return verdicts or [passed("No foreign key changes rows across the border of the selection")]


def _untold(objects: Objects) -> Verdict:
    """Whatever foreign keys do to rows of selected tables, nobody is told."""
    acting = [(table.name, key) for table in objects.catalog.tables for key in table.foreign_keys if key.acts]
    if not acting:
        return passed("No foreign key changes rows of selected tables")
    return failed(
        f"Rows of selected tables are changed by foreign keys, and the log does not say so: consumers would never "
        f"know. {_shown(acting)}",
        "Leave these tables out, or let the applications delete and update the rows themselves (ON DELETE RESTRICT). "
        "MySQL 9.6 and newer logs such changes.",
    )


def _shown(keys: Iterable[tuple[TableName, ForeignKey]]) -> str:
    return named(
        f"{owner} by {key.name} (to {key.referenced}, ON DELETE {key.on_delete}, ON UPDATE {key.on_update})"
        for owner, key in keys
    )


# --- names ------------------------------------------------------------------------------------------


def table_names(objects: Objects) -> Verdict:
    return _names("tables", (table.name for table in objects.catalog.tables))


def view_names(objects: Objects) -> Verdict:
    return _names("views", (view.name for view in objects.catalog.views))


def _names(what: str, names: Iterable[TableName]) -> Verdict:
    foreign = [name for name in names if not name.table.isascii()]
    if foreign:
        return alarm(
            f"Names of {what} with other letters than those of ASCII: {named(foreign)}. They arrive as they are",
            "Programs at the target have to write them in double quotes.",
        )
    return passed(f"All names of {what} are in ASCII")


def database_names(objects: Objects) -> Verdict:
    odd = _odd(objects, lambda schema: bool(set(schema) & set(SYMBOLS)) or not schema.isascii())
    if odd:
        return alarm(
            f"Names of databases with symbols or letters that programs trip over: {named(map(repr, odd))}. They arrive "
            "as they are",
            "Give the schema another name in the target with --map DB=SCHEMA, or write it in double quotes there.",
        )
    return passed("All names of databases are plain")


def breaks(objects: Objects) -> Verdict:
    names = [str(table.name) for table in objects.catalog.tables]
    names += [f"{table.name}.{column.name}" for table in objects.catalog.tables for column in table.columns]
    odd = [name for name in names if any(one in name for one in BREAKS)]
    if odd:
        return alarm(
            f"Names with line breaks or tabs: {named(map(repr, odd))}. They arrive as they are",
            "Programs at the target have to write them in double quotes.",
        )
    return passed("No name has a line break")


def _odd(objects: Objects, test: Callable[[str], bool]) -> list[str]:
    return [schema for schema in sorted({name.schema for name in objects.selected}) if test(schema)]


# --- what stays behind ------------------------------------------------------------------------------


def triggers(objects: Objects) -> Verdict:
    found = [f"{kind} {name}" for kind, name in objects.catalog.others if kind in ("trigger", "event")]
    if found:
        return alarm(
            f"Triggers and events are not carried over: {named(found)}. What they change at the source arrives like "
            "any other change, so that the target needs them only when it takes over",
            "Write them anew in the target before applications write there.",
        )
    for privilege in ("TRIGGER", "EVENT"):
        if hidden := _hidden(objects, privilege):
            message = f"Whether there are {privilege.lower()}s in {named(hidden)} cannot be seen: the account lacks it"
            raise Unseen(message, steps(*(objects.server.grant(privilege, f"{quoted(one)}.*") for one in hidden)))
    return passed("There are no triggers or events")


def routines(objects: Objects) -> Verdict:
    found = [f"{kind} {name}" for kind, name in objects.catalog.others if kind not in ("trigger", "event", "sequence")]
    if found:
        return alarm(
            f"Routines are not carried over: {named(found)}",
            "Write them anew in the target if applications there call them.",
        )
    # Who may read all tables, mysql.proc among them, sees them as well; and in MySQL 8 by a rule of its own.
    if not read_grants(objects.server).has("SELECT") and (hidden := _hidden(objects, "EXECUTE", "CREATE ROUTINE")):
        message = f"Whether there are routines in {named(hidden)} cannot be seen: the account lacks EXECUTE"
        raise Unseen(message, steps(*(objects.server.grant("EXECUTE", f"{quoted(one)}.*") for one in hidden)))
    return passed("There are no routines")


def members(objects: Objects) -> Verdict:
    """The catalogs of both products print a question mark for characters beyond U+FFFF in members of ENUM and SET."""
    if objects.server.setting("binlog_row_metadata").upper() == "FULL":
        return passed("The log tells the members of ENUM and SET")
    found = [
        f"{table.name}.{column.name}"
        for table in objects.catalog.tables
        for column in table.columns
        if any("?" in member for member in column.members)
    ]
    if not found:
        return passed("No member of an ENUM or SET is printed with a question mark")
    return failed(
        f"Members of ENUM and SET are printed with a question mark, which may stand for a character beyond U+FFFF: "
        f"{named(found)}. The log has their numbers only",
        steps(objects.server.change("binlog_row_metadata", "'FULL'"), "If they are question marks indeed, accept it."),
    )


def sequences(objects: Objects) -> Verdict:
    found = [name for kind, name in objects.catalog.others if kind == "sequence"]
    if found:
        return alarm(
            f"Sequences are not carried over: {named(found)}",
            "Create them in the target, with a next value behind that of the source, before applications write there.",
        )
    return passed("There are no sequences")


def _hidden(objects: Objects, *privileges: str) -> list[str]:
    """Databases in which the account has none of the privileges that let it see such objects."""
    grants = read_grants(objects.server)
    databases = sorted({name.schema for name in objects.selected})
    return [one for one in databases if not any(grants.has(privilege, one) for privilege in privileges)]
