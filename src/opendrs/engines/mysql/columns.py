"""The grammar of a column: its type, and everything that may stand behind it.

Source: the manuals' CREATE TABLE pages, `field_spec` in sql/sql_yacc.yy of both servers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from opendrs.engines.mysql.charsets import BINARY, Charset, Charsets
from opendrs.engines.mysql.cursor import Cursor
from opendrs.engines.mysql.flavour import Flavour
from opendrs.engines.mysql.keys import CheckSpec, KeySpec, check, constraint_name, references
from opendrs.engines.mysql.literals import Written, now, read_default, without_parentheses
from opendrs.engines.mysql.statement import NO_MODE, Mode, NotUnderstood
from opendrs.engines.mysql.types import SPELLINGS, TYPES, Declared
from opendrs.model.catalog import Generated

ROW_START: Final = "ROW START"
ROW_END: Final = "ROW END"


@dataclass(slots=True)
class TypeSpec:
    """A type as it is written; character set and collation of the table may complete it later."""

    name: str
    numbers: tuple[int, ...] = ()
    members: tuple[str, ...] = ()
    unsigned: bool = False
    zerofill: bool = False
    compressed: bool = False
    charset: str | None = None
    collation: str | None = None
    binary: bool = False  # the attribute BINARY: compare code points

    def declared(self, charsets: Charsets, otherwise: Charset) -> Declared:
        """The type with its character set; `otherwise` is that of the table."""
        charset: Charset | None = None
        if self.charset == "binary":
            charset = BINARY
        elif TYPES[self.name].text:
            charset = charsets.resolved(self.charset, self.collation, otherwise)
            if self.binary and self.collation is None:
                charset = charsets.binary_collation(charset.charset)
        members = self.members
        if self.name in ("enum", "set") and charset != BINARY:
            members = tuple(member.rstrip(" ") for member in members)  # as the servers do
        return Declared(
            name=self.name,
            numbers=self.numbers,
            members=members,
            unsigned=self.unsigned,
            zerofill=self.zerofill,
            compressed=self.compressed,
            charset=charset,
        )


@dataclass(slots=True)
class ColumnSpec:
    """A column as it is written. None: not said."""

    name: str
    type: TypeSpec
    nullable: bool | None = None
    default: Written | None = None
    on_update: str | None = None
    auto: bool = False
    generated: Generated | None = None
    invisible: bool = False
    comment: str = ""
    primary: bool = False
    unique: bool = False
    reference: KeySpec | None = None
    checks: list[CheckSpec] = field(default_factory=list)
    json: bool = False  # MariaDB's JSON, which is LONGTEXT with a check


def column(cursor: Cursor, charsets: Charsets, mode: Mode) -> ColumnSpec:
    """name type attributes"""
    spec = ColumnSpec(cursor.name(), TypeSpec(""))
    if cursor.accept("SERIAL"):
        spec.type = TypeSpec("bigint", unsigned=True)
        spec.nullable, spec.auto, spec.unique = False, True, True
    else:
        spec.type = column_type(cursor, mode)
    if spec.type.name == "json" and charsets.flavour.has("json_is_text"):
        spec.type = TypeSpec("longtext", charset="utf8mb4", collation="utf8mb4_bin")
        spec.json = True
    while _attribute(cursor, spec, charsets):
        pass
    return spec


# --- the type -----------------------------------------------------------------------------------


def column_type(cursor: Cursor, mode: Mode = NO_MODE) -> TypeSpec:
    """A type and what belongs to it. Raises NotUnderstood if it is in no table."""
    spec = _named(cursor, mode)
    row = TYPES[spec.name]
    if row.takes == "members":
        spec.members = tuple(cursor.in_parentheses(cursor.string))
    elif cursor.at("(") and (row.takes != "nothing" or row.kind == "geometry"):
        spec.numbers = tuple(cursor.in_parentheses(cursor.integer))
    while _type_attribute(cursor, spec):
        pass
    return spec


def _named(cursor: Cursor, mode: Mode) -> TypeSpec:
    token = cursor.peek()
    if mode & Mode.REAL_AS_FLOAT and cursor.accept("REAL"):
        return TypeSpec("float")
    for other in SPELLINGS.get(token.text.upper(), ()):
        if cursor.accept(*other.words):
            numbers = (other.number,) if other.number else ()
            return TypeSpec(other.name, numbers=numbers, charset="utf8mb3" if other.national else None)
    if token.kind != "word" or token.text.lower() not in TYPES:
        raise cursor.fail("a type that is known")
    cursor.take()
    if token.text.upper() == "TIMESTAMP" and mode & Mode.MAXDB:
        raise NotUnderstood("TIMESTAMP in sql_mode MAXDB")
    return TypeSpec(token.text.lower())


def _type_attribute(cursor: Cursor, spec: TypeSpec) -> bool:
    """Reads one attribute that belongs to the type; False if none comes next."""
    row = TYPES[spec.name]
    if cursor.accept("COMPRESSED"):
        if cursor.accept("="):
            cursor.name_or_string()
        spec.compressed = True
        return True
    if row.takes in ("width", "digits", "float", "double", "year"):
        word = cursor.one_of("UNSIGNED", "ZEROFILL", "SIGNED")
        spec.unsigned = spec.unsigned or word == "UNSIGNED"
        spec.zerofill = spec.zerofill or word == "ZEROFILL"
        return bool(word)
    return row.text and _charset_attribute(cursor, spec)


def _charset_attribute(cursor: Cursor, spec: TypeSpec) -> bool:
    word = cursor.one_of("ASCII", "UNICODE", "BYTE", "BINARY")
    if word == "BINARY":
        spec.binary = True
    elif word:
        spec.charset = {"ASCII": "latin1", "UNICODE": "ucs2", "BYTE": "binary"}[word]
    elif at_charset(cursor):
        spec.charset = charset_name(cursor)
    else:
        return False
    return True


def at_charset(cursor: Cursor) -> bool:
    return cursor.at("CHARSET") or cursor.at("CHARACTER", "SET") or cursor.at("CHAR", "SET")


def charset_name(cursor: Cursor) -> str | None:
    """CHARACTER SET [=] name; None: DEFAULT."""
    if not cursor.accept("CHARSET"):
        cursor.take()
        cursor.expect("SET")
    cursor.accept("=")
    return None if cursor.accept("DEFAULT") else cursor.name_or_string().lower()


# --- what stands behind the type ------------------------------------------------------------------


def _attribute(cursor: Cursor, spec: ColumnSpec, charsets: Charsets) -> bool:
    """Reads one attribute; False if none comes next."""
    if not (_value(cursor, spec, charsets) or _key(cursor, spec, charsets) or _storage(cursor)):
        return _described(cursor, spec)
    return True


def _value(cursor: Cursor, spec: ColumnSpec, charsets: Charsets) -> bool:
    """NULL, DEFAULT, ON UPDATE, AUTO_INCREMENT, and the expression of a generated column."""
    if cursor.accept("NOT", "NULL"):
        spec.nullable = False
    elif cursor.accept("NULL"):
        spec.nullable = True
    elif cursor.accept("DEFAULT"):
        spec.default = read_default(cursor, charsets.flavour)
    elif cursor.accept("ON", "UPDATE"):
        spec.on_update = now(cursor)
    elif cursor.accept("AUTO_INCREMENT"):
        spec.auto = True
    elif cursor.accept("SERIAL", "DEFAULT", "VALUE"):
        spec.nullable, spec.auto, spec.unique = False, True, True
    elif cursor.accept("GENERATED", "ALWAYS", "AS") or cursor.accept("AS"):
        spec.generated = _generated(cursor, charsets)
        if spec.generated.expression in (ROW_START, ROW_END):
            spec.nullable = False
    else:
        return False
    return True


def _generated(cursor: Cursor, charsets: Charsets) -> Generated:
    if cursor.accept("ROW"):
        return Generated(ROW_START if cursor.word("START", "END") == "START" else ROW_END, stored=True)
    expression = without_parentheses(cursor.expression(), charsets.flavour)
    stored = cursor.one_of("STORED", "PERSISTENT", "VIRTUAL") in ("STORED", "PERSISTENT")
    return generated(expression, stored, charsets.flavour)


def generated(expression: str, stored: bool, flavour: Flavour) -> Generated:
    """A generated column; the times of row versions are logged by every version, others are not."""
    times = expression in (ROW_START, ROW_END)
    return Generated(expression, stored, logged=times or flavour.has("generated_logged"))


def _key(cursor: Cursor, spec: ColumnSpec, charsets: Charsets) -> bool:
    """PRIMARY KEY, UNIQUE, REFERENCES, CHECK."""
    if cursor.accept("PRIMARY", "KEY") or cursor.accept("KEY"):
        spec.primary = True
    elif cursor.accept("UNIQUE"):
        cursor.accept("KEY")
        spec.unique = True
    elif cursor.at("REFERENCES"):
        reference = references(cursor, charsets.flavour)
        spec.reference = reference if charsets.flavour.has("inline_references") else None
    elif cursor.at("CHECK") or cursor.at("CONSTRAINT"):
        spec.checks.append(check(cursor, constraint_name(cursor), charsets.flavour))
    else:
        return False
    return True


def _described(cursor: Cursor, spec: ColumnSpec) -> bool:
    if cursor.accept("COMMENT"):
        spec.comment = cursor.string()
    elif cursor.accept("COLLATE"):
        cursor.accept("=")
        spec.type.collation = None if cursor.accept("DEFAULT") else cursor.name_or_string()
    elif cursor.accept("INVISIBLE"):
        spec.invisible = True
    elif cursor.accept("VISIBLE"):
        spec.invisible = False
    elif at_charset(cursor) and TYPES[spec.type.name].text:  # MariaDB lets it follow other attributes
        spec.type.charset = charset_name(cursor)
    elif cursor.accept("COMPRESSED"):
        spec.type.compressed = True
    else:
        return False
    return True


def _storage(cursor: Cursor) -> bool:
    """Attributes that change neither values nor names."""
    if cursor.accept("COLUMN_FORMAT"):
        cursor.word("FIXED", "DYNAMIC", "DEFAULT")
    elif cursor.accept("STORAGE"):
        cursor.word("DISK", "MEMORY", "DEFAULT")
    elif cursor.one_of("ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE"):
        cursor.accept("=")
        cursor.string()
    elif cursor.one_of("SRID", "REF_SYSTEM_ID"):
        cursor.accept("=")
        cursor.integer()
    else:
        return cursor.accept("NOT", "SECONDARY") or versioning(cursor)
    return True


def versioning(cursor: Cursor) -> bool:
    """Whether the column has a history: the history rows say it themselves."""
    return cursor.accept("WITH", "SYSTEM", "VERSIONING") or cursor.accept("WITHOUT", "SYSTEM", "VERSIONING")
