"""What exists on a MySQL or MariaDB server: a few bulk queries of information_schema, then model.Catalog.

Columns of information_schema are found by name: versions add some. What a server does not have is left
out of the queries by facts of flavour.py. Our sessions speak UTC and utf8mb4 with a fixed sql_mode.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, cast

from opendrs.engines.mysql.charsets import Charset
from opendrs.engines.mysql.columns import ROW_END, ROW_START, column_type, generated
from opendrs.engines.mysql.create import read_elements
from opendrs.engines.mysql.cursor import Cursor
from opendrs.engines.mysql.definition import row_hashes, row_times, valid_json
from opendrs.engines.mysql.flavour import READING, Flavour
from opendrs.engines.mysql.information import Facts, Query, Row, listed, rows
from opendrs.engines.mysql.literals import NOW, Written, default, expression, now, read_default, without_parentheses
from opendrs.engines.mysql.recolumn import meaning_of
from opendrs.engines.mysql.server import read_databases, read_flavour, read_session
from opendrs.engines.mysql.session import Session
from opendrs.engines.mysql.statement import Lexer, NotUnderstood
from opendrs.engines.mysql.types import BEYOND_CATALOG, Meaning, quoted, resolve
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import (
    Action,
    Catalog,
    Check,
    Column,
    Default,
    ForeignKey,
    Generated,
    Index,
    IndexPart,
    Table,
    TableName,
    View,
)
from opendrs.model.selection import Selection
from opendrs.model.types import Logical

__all__ = (
    "Query",
    "Row",
    "read_catalog",
    "read_databases",
    "read_engines",
    "read_flavour",
    "read_names",
    "read_referrers",
    "read_session",
    "read_tables",
)

_TABLES: Final = ("BASE TABLE", "SYSTEM VERSIONED")
_KINDS: Final = {"BTREE": "btree", "HASH": "hash", "FULLTEXT": "fulltext", "SPATIAL": "spatial", "VECTOR": "vector"}


def read_catalog(query: Query, selection: Selection, flavour: Flavour) -> Catalog:
    """What the selection covers now."""
    databases = [name for name in read_databases(query) if selection.wants_database(name)]
    return _read(query, flavour, databases, None, selection.wants)


def read_names(query: Query, selection: Selection) -> list[TableName]:
    """The tables that the selection covers now."""
    return list(_listed(query, selection, "TABLE_SCHEMA, TABLE_NAME"))


def read_engines(query: Query, selection: Selection) -> dict[TableName, str]:
    """The same with the engine of each, in lower case."""
    found = _listed(query, selection, "TABLE_SCHEMA, TABLE_NAME, ENGINE")
    return {name: row["ENGINE"].lower() for name, row in found.items()}


def _listed(query: Query, selection: Selection, wanted: str) -> dict[TableName, Facts]:
    databases = [name for name in read_databases(query) if selection.wants_database(name)]
    if not databases:
        return {}
    sql = (
        f"SELECT {wanted} FROM information_schema.TABLES"
        f" WHERE TABLE_SCHEMA IN ({listed(databases)}) AND TABLE_TYPE IN ({listed(_TABLES)}) ORDER BY 1, 2"
    )
    named = ((TableName(row["TABLE_SCHEMA"], row["TABLE_NAME"]), row) for row in rows(query, sql))
    return {name: row for name, row in named if selection.wants(name)}


def read_tables(query: Query, names: Collection[TableName], flavour: Flavour) -> tuple[Table, ...]:
    """The definitions of these tables, without those that do not exist."""
    databases = sorted({name.schema for name in names})
    return _read(query, flavour, databases, sorted({n.table for n in names}), set(names).__contains__).tables


def read_referrers(query: Query, names: Collection[TableName]) -> list[tuple[TableName, ForeignKey]]:
    """Foreign keys of any table that refer to one of these: (table that has the key, key)."""
    schemas = listed(sorted({name.schema for name in names}))
    where = f"REFERENCED_TABLE_SCHEMA IN ({schemas})"
    usage = rows(query, f"SELECT * FROM information_schema.KEY_COLUMN_USAGE WHERE {where}")
    owners = listed(sorted({row["TABLE_SCHEMA"] for row in usage}))
    if not usage:
        return []
    rules = rows(
        query, f"SELECT * FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA IN ({owners})"
    )
    found = _foreign_keys(usage, rules)
    return [(owner, key) for owner, keys in found.items() for key in keys if key.referenced in names]


# --- reading ----------------------------------------------------------------------------------------


def _read(
    query: Query,
    flavour: Flavour,
    databases: Sequence[str],
    tables: Sequence[str] | None,
    wants: Callable[[TableName], bool],
) -> Catalog:
    if not databases:
        return Catalog()
    for fact, statement in READING.items():
        if flavour.has(fact):
            query(statement)
    reader = _Reader(query, flavour, databases, tables, wants)
    return Catalog(tables=reader.tables(), views=reader.views(), others=reader.others())


def printed_type(native: str, charset: str, collation: str, flavour: Flavour) -> Meaning:
    """What a type means that the server has printed. Raises NotUnderstood."""
    cursor = Cursor(Lexer(native, flavour))
    spec = column_type(cursor)
    cursor.end()
    declared = spec.declared(Session(flavour=flavour).charsets, Charset(charset, collation))
    return resolve(replace(declared, members=spec.members), flavour)


class _Reader:
    """The rows of information_schema for some databases, table by table."""

    def __init__(
        self,
        query: Query,
        flavour: Flavour,
        databases: Sequence[str],
        tables: Sequence[str] | None,
        wants: Callable[[TableName], bool],
    ) -> None:
        self._query = query
        self._flavour = flavour
        self._databases = listed(databases)
        self._tables = None if tables is None else listed(tables)
        self._wants = wants
        # Columns are many, and their types few.
        self._meanings: dict[tuple[str, str, str], Meaning] = {}
        self._listing = self._select("TABLES", order="")
        self._columns = self._by_table(self._select("COLUMNS", order="ORDINAL_POSITION"))

    def _select(self, view: str, *, schema: str = "TABLE_SCHEMA", table: str = "TABLE_NAME", order: str) -> list[Facts]:
        where = f"{schema} IN ({self._databases})"
        if self._tables is not None and table:
            where += f" AND {table} IN ({self._tables})"
        by = ", ".join(name for name in (schema, table, order) if name)
        return rows(self._query, f"SELECT * FROM information_schema.{view} WHERE {where} ORDER BY {by}")

    def _by_table(self, facts: Iterable[Facts]) -> dict[TableName, list[Facts]]:
        found: dict[TableName, list[Facts]] = defaultdict(list)
        for row in facts:
            found[TableName(row["TABLE_SCHEMA"], row["TABLE_NAME"])].append(row)
        return found

    def _listed(self, *types: str) -> list[tuple[TableName, Facts]]:
        named = ((TableName(row["TABLE_SCHEMA"], row["TABLE_NAME"]), row) for row in self._listing)
        return [(name, row) for name, row in named if row["TABLE_TYPE"] in types and self._wants(name)]

    # --- tables ---

    def tables(self) -> tuple[Table, ...]:
        statistics = self._by_table(self._select("STATISTICS", order="INDEX_NAME, SEQ_IN_INDEX"))
        usage = self._select("KEY_COLUMN_USAGE", order="CONSTRAINT_NAME, ORDINAL_POSITION")
        rules = self._select("REFERENTIAL_CONSTRAINTS", schema="CONSTRAINT_SCHEMA", order="CONSTRAINT_NAME")
        keys = _foreign_keys(usage, rules)
        checks = self._checks()
        return tuple(
            self._table(name, row, statistics[name], keys.get(name, []), checks.get(name, []))
            for name, row in self._listed(*_TABLES)
        )

    def _table(
        self, name: TableName, row: Facts, statistics: list[Facts], keys: list[ForeignKey], checks: list[Facts]
    ) -> Table:
        engine, collation = row["ENGINE"], row["TABLE_COLLATION"]
        json = self._json_columns(checks)
        columns = [self._column(name, facts, json) for facts in self._columns[name]]
        if not self._flavour.has("quoted_defaults") and any(_listed_otherwise(column) for column in columns):
            columns = self._as_shown(name, columns)
        declared = any(c.generated and c.generated.expression in (ROW_START, ROW_END) for c in columns)
        if row["TABLE_TYPE"] == "SYSTEM VERSIONED" and not declared:
            columns.extend(row_times())
        indexes = [self._index(group) for group in _grouped(statistics, "INDEX_NAME")]
        primary = next((index for index in indexes if index.name == "PRIMARY"), None)
        others = tuple(index for index in indexes if index is not primary)
        if self._flavour.has("row_hash"):
            columns.extend(row_hashes(others, engine))
        auto = any(column.auto for column in columns)
        return Table(
            name=name,
            columns=tuple(columns),
            primary=primary,
            indexes=others,
            foreign_keys=tuple(keys),
            checks=tuple(self._check(facts) for facts in checks if facts["CONSTRAINT_NAME"] not in json),
            charset=collation.partition("_")[0],
            collation=collation,
            engine=engine,
            comment=row["TABLE_COMMENT"],
            next_auto=int(row["AUTO_INCREMENT"] or 1) if auto else None,
            rows_estimate=int(row["TABLE_ROWS"] or 0),
            bytes_estimate=int(row["DATA_LENGTH"] or 0),
        )

    def _as_shown(self, name: TableName, columns: list[Column]) -> list[Column]:
        """Defaults as SHOW CREATE TABLE has them. MySQL lists bytes up to the first zero byte only, and a TIMESTAMP
        in the time zone of the session that made it."""
        quoted = ".".join("`" + part.replace("`", "``") + "`" for part in (name.schema, name.table))
        shown = rows(self._query, f"SHOW CREATE TABLE {quoted}")[0]["CREATE TABLE"]
        session = Session(flavour=self._flavour, database=name.schema)
        cursor = Cursor(Lexer(shown, self._flavour), name.schema)
        cursor.expect("CREATE", "TABLE")
        cursor.table()
        written = {spec.name: spec.default for spec in read_elements(cursor, session).columns}
        return [
            replace(c, default=default(found, meaning_of(c)))
            if _listed_otherwise(c) and (found := written.get(c.name))
            else c
            for c in columns
        ]

    def _index(self, listed_parts: list[Facts]) -> Index:
        first = listed_parts[0]
        kind = _KINDS.get(first["INDEX_TYPE"])
        if kind is None:
            what = f"The kind of index {first['INDEX_TYPE']} of {first['TABLE_SCHEMA']}.{first['TABLE_NAME']}"
            raise DrsError(Fault.UNSUPPORTED, what=what)
        return Index(
            name=first["INDEX_NAME"],
            parts=tuple(self._part(row, kind) for row in listed_parts),
            unique=first["NON_UNIQUE"] == "0",
            kind=kind,
            comment=first["INDEX_COMMENT"],
        )

    def _part(self, row: Facts, kind: str) -> IndexPart:
        # A spatial index lists the 32 bytes of a bounding box as a prefix.
        prefix = int(row["SUB_PART"]) if row["SUB_PART"] and kind in ("btree", "hash") else None
        text = without_parentheses(expression(row["EXPRESSION"], self._flavour), self._flavour)
        return IndexPart(column=row["COLUMN_NAME"], expression=text, prefix=prefix, descending=row["COLLATION"] == "D")

    # --- checks ---

    def _checks(self) -> dict[TableName, list[Facts]]:
        """Rows of CHECK_CONSTRAINTS, each with its table."""
        if not self._flavour.has("check_constraints"):
            return {}
        table = "TABLE_NAME" if self._flavour.has("check_table") else ""
        checks = self._select("CHECK_CONSTRAINTS", schema="CONSTRAINT_SCHEMA", table=table, order="CONSTRAINT_NAME")
        if table:
            for check in checks:
                check["TABLE_SCHEMA"] = check["CONSTRAINT_SCHEMA"]
            return self._by_table(checks)
        clauses = {(check["CONSTRAINT_SCHEMA"], check["CONSTRAINT_NAME"]): check for check in checks}
        owners = self._select("TABLE_CONSTRAINTS", order="CONSTRAINT_NAME")
        for owner in owners:
            if owner["CONSTRAINT_TYPE"] == "CHECK":
                owner.update(clauses[owner["CONSTRAINT_SCHEMA"], owner["CONSTRAINT_NAME"]])
        return self._by_table(owner for owner in owners if owner["CONSTRAINT_TYPE"] == "CHECK")

    def _json_columns(self, checks: list[Facts]) -> set[str]:
        """Columns with the check that makes a LONGTEXT MariaDB's JSON. The check is named like its column."""
        if not self._flavour.has("json_is_text"):
            return set()
        of_column = [check for check in checks if check["LEVEL"] in ("Column", "")]
        return {c["CONSTRAINT_NAME"] for c in of_column if valid_json(c["CONSTRAINT_NAME"], c["CHECK_CLAUSE"])}

    def _check(self, row: Facts) -> Check:
        text = without_parentheses(expression(row["CHECK_CLAUSE"], self._flavour), self._flavour)
        return Check(name=row["CONSTRAINT_NAME"], expression=text, enforced=row["ENFORCED"] != "NO")

    # --- columns ---

    def _column(self, table: TableName, row: Facts, json: set[str]) -> Column:
        name, extra = row["COLUMN_NAME"], row["EXTRA"].upper()
        try:
            meaning = self._meaning(row)
            text = name in json and row["DATA_TYPE"] == "longtext" and row["CHARACTER_SET_NAME"] == "utf8mb4"
            expression_of = self._generated(row, extra)
            return Column(
                name=name,
                type=Logical(kind="json") if text else meaning.type,
                native=row["COLUMN_TYPE"],
                nullable=row["IS_NULLABLE"] == "YES",
                length=meaning.length,
                charset=meaning.charset.charset if meaning.charset and not text else None,
                collation=meaning.charset.collation if meaning.charset and not text else None,
                members=meaning.members,
                default=None if expression_of else self._default(row, extra, meaning),
                generated=expression_of,
                auto="AUTO_INCREMENT" in extra,
                on_update=self._on_update(extra),
                invisible="INVISIBLE" in extra.split(),
                comment=row["COLUMN_COMMENT"],
            )
        except NotUnderstood as error:
            what = f"The type {row['COLUMN_TYPE']!r} of {table}.{name} ({error})"
            raise DrsError(Fault.UNSUPPORTED, what=what) from error

    def _meaning(self, row: Facts) -> Meaning:
        facts = (row["COLUMN_TYPE"], row["CHARACTER_SET_NAME"], row["COLLATION_NAME"])
        if facts not in self._meanings:
            self._meanings[facts] = printed_type(*facts, self._flavour)
        return self._meanings[facts]

    def _generated(self, row: Facts, extra: str) -> Generated | None:
        if "GENERATED" not in extra.replace("DEFAULT_GENERATED", "") and row["GENERATION_EXPRESSION"] == "":
            return None
        text = expression(row["GENERATION_EXPRESSION"], self._flavour)
        stored = "STORED" in extra or "PERSISTENT" in extra
        return generated(without_parentheses(text, self._flavour), stored, self._flavour)

    def _on_update(self, extra: str) -> str | None:
        _, found, clause = extra.partition("ON UPDATE ")
        return now(Cursor(Lexer(clause, self._flavour))) if found else None

    def _default(self, row: Facts, extra: str, meaning: Meaning) -> Default | None:
        if "COLUMN_DEFAULT" not in row:
            return None
        text = row["COLUMN_DEFAULT"]
        if self._flavour.has("quoted_defaults"):
            cursor = Cursor(Lexer(text, self._flavour))
            written = read_default(cursor, self._flavour)
            cursor.end()
            if meaning.type.kind == "binary" and written.form == "string" and "?" in written.text:
                # Before 11, bytes that are no text are listed as question marks.
                written = Written("expression", text)
        else:
            written = self._bare_default(text, extra, meaning)
        charset = meaning.charset.charset if meaning.charset else ""
        if written.form == "string" and "?" in written.text and charset in BEYOND_CATALOG:
            written = Written("expression", quoted(written.text))
        return default(written, meaning)

    def _bare_default(self, text: str, extra: str, meaning: Meaning) -> Written:
        """MySQL lists values without quotes; only EXTRA tells an expression from a text that looks like one."""
        moment = text.upper().partition("(")[0] in NOW and meaning.type.kind in ("datetime", "timestamp")
        if moment:
            return Written("now", now(Cursor(Lexer(text, self._flavour))))
        if "DEFAULT_GENERATED" in extra:
            return Written("expression", without_parentheses(expression(text, self._flavour), self._flavour))
        if meaning.type.kind == "bits" and text.startswith("b'"):
            return Written("bits", text[2:-1])
        if meaning.type.kind == "binary" and text.startswith("0x"):
            return Written("hex", text[2:])
        return Written("string", text)

    # --- everything else ---

    def views(self) -> tuple[View, ...]:
        names = dict(self._listed("VIEW"))
        if not names:
            return ()
        found = self._by_table(self._select("VIEWS", order=""))
        return tuple(
            View(
                name=name,
                definition=found[name][0]["VIEW_DEFINITION"] if found[name] else "",
                columns=tuple(column["COLUMN_NAME"] for column in self._columns[name]),
            )
            for name in names
        )

    def others(self) -> tuple[tuple[str, TableName], ...]:
        """Objects that are not carried over, by name; those of a whole database if any table of it is."""
        found = [("sequence", name) for name, _ in self._listed("SEQUENCE")]
        for kind, view, schema, name, condition in _OTHERS:
            for row in self._select(view, schema=schema, table="", order=name):
                if condition(row, self._wants):
                    found.append((kind or row["ROUTINE_TYPE"].lower(), TableName(row[schema], row[name])))
        return tuple(found)


def _listed_otherwise(column: Column) -> bool:
    """Whether MySQL's information_schema may list another default than the column has."""
    literal = column.default is not None and column.default.kind == "literal"
    return literal and column.type.kind in ("binary", "timestamp")


def _trigger_wanted(row: Mapping[str, str], wants: Callable[[TableName], bool]) -> bool:
    return wants(TableName(row["EVENT_OBJECT_SCHEMA"], row["EVENT_OBJECT_TABLE"]))


def _always(row: Mapping[str, str], wants: Callable[[TableName], bool]) -> bool:
    return True


_OTHERS: Final = (
    ("", "ROUTINES", "ROUTINE_SCHEMA", "ROUTINE_NAME", _always),
    ("trigger", "TRIGGERS", "TRIGGER_SCHEMA", "TRIGGER_NAME", _trigger_wanted),
    ("event", "EVENTS", "EVENT_SCHEMA", "EVENT_NAME", _always),
)


def _grouped(facts: Iterable[Facts], name: str) -> list[list[Facts]]:
    groups: dict[str, list[Facts]] = defaultdict(list)
    for row in facts:
        groups[row[name]].append(row)
    return list(groups.values())


def _foreign_keys(usage: Iterable[Facts], rules: Iterable[Facts]) -> dict[TableName, list[ForeignKey]]:
    """Foreign keys by the table that has them."""
    actions = {(r["CONSTRAINT_SCHEMA"], r["TABLE_NAME"], r["CONSTRAINT_NAME"]): r for r in rules}
    groups: dict[tuple[TableName, str], list[Facts]] = defaultdict(list)
    for row in usage:
        if row["REFERENCED_TABLE_NAME"]:
            groups[TableName(row["TABLE_SCHEMA"], row["TABLE_NAME"]), row["CONSTRAINT_NAME"]].append(row)
    found: dict[TableName, list[ForeignKey]] = defaultdict(list)
    for (owner, name), group in groups.items():
        rule = actions[group[0]["CONSTRAINT_SCHEMA"], owner.table, name]
        group.sort(key=lambda row: int(row["ORDINAL_POSITION"]))
        found[owner].append(
            ForeignKey(
                name=name,
                columns=tuple(row["COLUMN_NAME"] for row in group),
                referenced=TableName(group[0]["REFERENCED_TABLE_SCHEMA"], group[0]["REFERENCED_TABLE_NAME"]),
                referenced_columns=tuple(row["REFERENCED_COLUMN_NAME"] for row in group),
                on_delete=cast("Action", rule["DELETE_RULE"]),
                on_update=cast("Action", rule["UPDATE_RULE"]),
            )
        )
    return found
