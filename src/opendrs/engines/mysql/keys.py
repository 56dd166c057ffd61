"""The grammar of keys: indexes, foreign keys, checks and periods."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from opendrs.engines.mysql.cursor import Cursor
from opendrs.engines.mysql.flavour import Flavour
from opendrs.engines.mysql.literals import without_parentheses
from opendrs.model.catalog import Action, IndexPart, TableName

KeyKind = Literal["primary", "unique", "index", "foreign"]

# Options of an index that change nothing but where and how fast it is; what follows each.
_NUMBER_OPTIONS: Final = ("KEY_BLOCK_SIZE", "M")
_WORD_OPTIONS: Final = ("CLUSTERING", "DISTANCE")
_TEXT_OPTIONS: Final = ("ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE")


@dataclass(slots=True, kw_only=True)
class KeySpec:
    """A key as it is written.

    name        empty: the server makes one up
    constraint  the name behind CONSTRAINT
    method      btree, hash, fulltext, spatial or vector
    using       what is asked for by USING; InnoDB makes a B-tree whatever that is
    period      of UNIQUE (..., period WITHOUT OVERLAPS)
    """

    kind: KeyKind
    name: str = ""
    constraint: str = ""
    parts: tuple[IndexPart, ...] = ()
    method: str = "btree"
    using: str = ""
    comment: str = ""
    if_not_exists: bool = False
    period: str = ""
    referenced: TableName | None = None
    referenced_columns: tuple[str, ...] = ()
    on_delete: Action = "NO ACTION"
    on_update: Action = "NO ACTION"


@dataclass(slots=True)
class CheckSpec:
    """A check as it is written; `name` empty: the server makes one up."""

    name: str
    expression: str
    enforced: bool = True
    if_not_exists: bool = False


@dataclass(slots=True)
class PeriodSpec:
    """PERIOD FOR name (start, end)"""

    name: str
    start: str
    end: str


def constraint_name(cursor: Cursor) -> str:
    """CONSTRAINT [name], empty if none is said."""
    if not cursor.accept("CONSTRAINT"):
        return ""
    if cursor.peek().kind == "word" and any(
        cursor.at(*words)
        for words in (("PRIMARY", "KEY"), ("UNIQUE",), ("FOREIGN", "KEY"), ("CHECK",), ("IF", "NOT", "EXISTS"))
    ):
        return ""
    return cursor.name()


def if_not_exists(cursor: Cursor) -> bool:
    return cursor.accept("IF", "NOT", "EXISTS")


def at_key(cursor: Cursor) -> bool:
    """Whether a key comes next, and not a column: a column's name is not quoted and is no key word."""
    first, second = cursor.peek(), cursor.peek(1)
    if first.kind != "word":
        return False
    word = first.text.upper()
    if word in ("INDEX", "KEY", "FOREIGN", "PRIMARY", "UNIQUE", "CONSTRAINT", "CHECK", "FULLTEXT", "SPATIAL"):
        return True
    # VECTOR and PERIOD may name a column, whose type would follow.
    return (word == "VECTOR" and second.kind == "word" and second.text.upper() in ("INDEX", "KEY")) or (
        word == "PERIOD" and second.kind == "word" and second.text.upper() == "FOR"
    )


def key(cursor: Cursor, flavour: Flavour) -> KeySpec | CheckSpec | PeriodSpec:
    """One key, foreign key, check or period of a CREATE TABLE or behind ADD."""
    if cursor.at("PERIOD"):
        return period(cursor)
    constraint_given = cursor.at("CONSTRAINT")
    name = constraint_name(cursor)
    absent = False
    if constraint_given and not name:
        absent = if_not_exists(cursor)
        name = cursor.name() if absent else ""
    if cursor.at("CHECK"):
        return replace(check(cursor, name, flavour), if_not_exists=absent)
    if cursor.accept("FOREIGN", "KEY"):
        spec = _foreign(cursor, name, flavour)
    elif cursor.accept("PRIMARY", "KEY"):
        spec = KeySpec(kind="primary", name="PRIMARY")
        _named(cursor, spec)  # a name is read, and not kept
        spec.name = "PRIMARY"
    elif cursor.accept("UNIQUE"):
        cursor.one_of("INDEX", "KEY")
        spec = KeySpec(kind="unique", constraint=name)
        _named(cursor, spec)
        spec.name = spec.name or name
    else:
        spec = KeySpec(kind="index", method=_method(cursor))
        _named(cursor, spec)
    if not spec.parts:
        _parts(cursor, spec, flavour)
    _options(cursor, spec)
    spec.if_not_exists = spec.if_not_exists or absent
    return spec


def named_index(cursor: Cursor, flavour: Flavour, kind: str, name: str) -> KeySpec:
    """The rest of CREATE [kind] INDEX name ON table: columns and options."""
    method = "btree" if kind in ("", "UNIQUE") else kind.lower()
    spec = KeySpec(kind="unique" if kind == "UNIQUE" else "index", name=name, method=method)
    _parts(cursor, spec, flavour)
    _options(cursor, spec)
    return spec


def _method(cursor: Cursor) -> str:
    word = cursor.one_of("FULLTEXT", "SPATIAL", "VECTOR")
    if not cursor.one_of("INDEX", "KEY") and not word:
        raise cursor.fail("a key")
    return word.lower() or "btree"


def _named(cursor: Cursor, spec: KeySpec) -> None:
    """[IF NOT EXISTS] [name] [USING method]"""
    spec.if_not_exists = if_not_exists(cursor)
    if not cursor.at("(") and not cursor.at("USING"):
        spec.name = cursor.name()
    _using(cursor, spec)


def _using(cursor: Cursor, spec: KeySpec) -> bool:
    if not (cursor.accept("USING") or cursor.accept("TYPE")):
        return False
    spec.using = cursor.word("BTREE", "HASH", "RTREE").lower()
    return True


def _parts(cursor: Cursor, spec: KeySpec, flavour: Flavour) -> None:
    parts: list[IndexPart] = []
    cursor.expect("(")
    while True:
        part = _part(cursor, flavour)
        if cursor.accept("WITHOUT", "OVERLAPS"):
            spec.period = part.column
        else:
            parts.append(part)
        if not cursor.accept(","):
            break
    cursor.expect(")")
    spec.parts = tuple(parts)


def _part(cursor: Cursor, flavour: Flavour) -> IndexPart:
    """column [(length)] or (expression), and a direction"""
    if cursor.at("("):
        part = IndexPart(expression=without_parentheses(cursor.expression(), flavour))
    else:
        part = IndexPart(column=cursor.name())
        if cursor.accept("("):
            part = replace(part, prefix=cursor.integer())
            cursor.expect(")")
    descending = cursor.one_of("ASC", "DESC") == "DESC"
    return replace(part, descending=descending and flavour.has("descending"))


def _options(cursor: Cursor, spec: KeySpec) -> None:
    while index_option(cursor, spec):
        pass


def index_option(cursor: Cursor, spec: KeySpec) -> bool:
    """Reads one option of an index; False if none comes next."""
    name = cursor.peek().text.upper() if cursor.peek().kind in ("word", "name") else ""
    if cursor.accept("COMMENT"):
        spec.comment = cursor.string()
    elif cursor.accept("WITH", "PARSER"):
        cursor.name()
    elif name in _NUMBER_OPTIONS or name in _WORD_OPTIONS or name in _TEXT_OPTIONS:
        cursor.take()
        cursor.accept("=")
        # MariaDB prints options of its engines in quotes: `m`='6'
        if cursor.peek().kind == "number":
            cursor.integer()
        else:
            cursor.name_or_string()
    else:
        hidden = cursor.one_of("VISIBLE", "INVISIBLE", "IGNORED") or (cursor.accept("NOT", "IGNORED") and "NOT")
        return bool(hidden) or _using(cursor, spec)
    return True


# --- foreign keys, checks, periods ----------------------------------------------------------------


def _foreign(cursor: Cursor, constraint: str, flavour: Flavour) -> KeySpec:
    """The rest of FOREIGN KEY. `name` is that of the index it needs, `constraint` its own."""
    absent = if_not_exists(cursor)
    index = "" if cursor.at("(") else cursor.name()
    columns = tuple(IndexPart(column=name) for name in cursor.in_parentheses(cursor.name))
    spec = references(cursor, flavour)
    return replace(spec, name=index, constraint=constraint, parts=columns, if_not_exists=absent)


def references(cursor: Cursor, flavour: Flavour) -> KeySpec:
    """REFERENCES table [(columns)] [MATCH ...] [ON DELETE ...] [ON UPDATE ...]"""
    otherwise: Action = "RESTRICT" if flavour.has("restrict_by_default") else "NO ACTION"
    cursor.expect("REFERENCES")
    spec = KeySpec(kind="foreign", referenced=cursor.table(), on_delete=otherwise, on_update=otherwise)
    if cursor.at("("):
        spec.referenced_columns = tuple(cursor.in_parentheses(cursor.name))
    if cursor.accept("MATCH"):
        cursor.word("FULL", "PARTIAL", "SIMPLE")  # read by the servers, and not kept
    while cursor.at("ON", "DELETE") or cursor.at("ON", "UPDATE"):
        cursor.take()
        if cursor.word() == "DELETE":
            spec.on_delete = _action(cursor)
        else:
            spec.on_update = _action(cursor)
    return spec


_ACTIONS: Final[dict[tuple[str, ...], Action]] = {
    ("NO", "ACTION"): "NO ACTION",
    ("RESTRICT",): "RESTRICT",
    ("CASCADE",): "CASCADE",
    ("SET", "NULL"): "SET NULL",
    ("SET", "DEFAULT"): "SET DEFAULT",
}


def _action(cursor: Cursor) -> Action:
    for words, action in _ACTIONS.items():
        if cursor.accept(*words):
            return action
    raise cursor.fail("an action of a foreign key")


def check(cursor: Cursor, name: str, flavour: Flavour) -> CheckSpec:
    """CHECK (expression) [[NOT] ENFORCED]"""
    cursor.expect("CHECK")
    expression = without_parentheses(cursor.expression(), flavour)
    enforced = True
    if cursor.accept("NOT", "ENFORCED"):
        enforced = False
    else:
        cursor.accept("ENFORCED")
    return CheckSpec(name, expression, enforced)


def period(cursor: Cursor) -> PeriodSpec:
    """PERIOD FOR name (start, end)"""
    cursor.expect("PERIOD", "FOR")
    if_not_exists(cursor)
    name = cursor.name()
    cursor.expect("(")
    start = cursor.name()
    cursor.expect(",")
    end = cursor.name()
    cursor.expect(")")
    return PeriodSpec(name, start, end)
