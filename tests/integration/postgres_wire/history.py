"""Random schemas, and random histories of changes as a MySQL-like source makes and logs them.

The source here keeps its constraints after every statement, does the referential actions itself, and logs
the effects of those either not at all (InnoDB's own foreign keys) or as changes with a flag (MySQL 9.6 and
newer). Its rows at the end are what the target must come to; nothing of the apply is used to know them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from tests.integration.postgres_wire.tables import Column, Constant, Row, Table, names

INSERT, BEFORE, AFTER, DELETE = 1, 2, 3, 4
NO_ACTION, CASCADE, SET_NULL = "NO ACTION", "CASCADE", "SET NULL"


@dataclass(frozen=True)
class ForeignKey:
    child: int
    column: int
    parent: int
    referenced: int
    on_delete: str
    on_update: str

    @property
    def acts(self) -> bool:
        return (self.on_delete, self.on_update) != (NO_ACTION, NO_ACTION)


@dataclass(frozen=True)
class Change:
    table: int
    before: Row | None
    after: Row | None
    flagged: bool


@dataclass(frozen=True)
class Schema:
    tables: tuple[Table, ...]
    foreign_keys: tuple[ForeignKey, ...]

    def sql(self) -> list[str]:
        made = list({table.name: table.sql() for table in self.tables}.values())
        for key in self.foreign_keys:
            child, parent = self.tables[key.child], self.tables[key.parent]
            made.append(
                f"ALTER TABLE {child.qualified} ADD FOREIGN KEY ({names([child.columns[key.column].name])}) "
                f"REFERENCES {parent.qualified} ({names([parent.columns[key.referenced].name])}) "
                f"ON DELETE {key.on_delete} ON UPDATE {key.on_update} DEFERRABLE INITIALLY IMMEDIATE"
            )
        return made


@dataclass
class History:
    schema: Schema
    transactions: list[list[Change]] = field(default_factory=list)
    rows: list[list[Row]] = field(default_factory=list)  # at the end, per table
    loaded: list[list[Row]] = field(default_factory=list)  # before the first transaction


class Refused(Exception):
    """The source's constraints forbid the statement."""


INT = {"kind": "int", "bits": 32}
# name -> (logical type, type in the target, values)
KINDS: dict[str, tuple[dict[str, Any], str, list[Any]]] = {
    "int": (INT, "int4", list(range(6))),
    "big": ({"kind": "int", "bits": 64}, "int8", [-(2**63), 2**63 - 1, 0, 1]),
    "text": ({"kind": "text"}, "text", ["", "a", "A", "a ", "ab", "\u00e9", "x" * 200]),
    "char": ({"kind": "text"}, "char(5)", ["", "a", "b", "abcde"]),
    "decimal": (
        {"kind": "decimal", "precision": 10, "scale": 2},
        "numeric(10,2)",
        [Decimal("0.00"), Decimal("1.50"), Decimal("-99999999.99")],
    ),
    "double": ({"kind": "float64"}, "float8", [0.0, -0.0, 1.5, 0.1]),
    "single": ({"kind": "float32"}, "float4", [0.0, -0.0, 0.1]),
    "json": ({"kind": "json"}, "json", ['{"a": 1}', '{"a":1}', "[]"]),
    "jsonb": ({"kind": "json"}, "jsonb", ['{"a": 1}', '{"a": 1.0}', "[]"]),
    "date": ({"kind": "date"}, "date", [0, 10957, -719528]),
    "datetime": ({"kind": "datetime", "fraction": 6}, "timestamp", [0, 1, 946684800000000]),
    "bytes": ({"kind": "binary"}, "bytea", [b"", b"\0", b"\xff\0"]),
    "bits": ({"kind": "bits", "length": 3}, "bit(3)", [0, 1, 7]),
    "time": ({"kind": "time", "fraction": 0}, "interval", [0, -1_000_000, 86_400_000_000]),
}
KEY_KINDS = ("int", "text", "char", "decimal", "date", "bits")
UNIQUE_KINDS = ("int", "text", "decimal")
# (type in the target, values) of columns that only the target has
CONSTANTS = [
    ("int4", ["1", "-7"]),
    ("int8", ["9223372036854775807", "0"]),
    ("varchar(20)", ["shop@orders", "shop2@orders"]),
    ("text", ["", "a\tb\\"]),
    ("char(3)", ["a", "b"]),
    ("timestamp", ["2024-02-29 12:00:00.5", "infinity"]),
    ("timestamptz", ["2024-02-29 12:00:00+02", "2024-02-29"]),
    ("numeric(10,2)", ["1.5", "-0.25"]),
]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a schema may have."""

    keyless: bool = False
    uniques: bool = False
    foreign_keys: bool = False
    actions: bool = False
    loose: bool = False
    constants: bool = False


def _column(
    chance: random.Random, name: str, kinds: tuple[str, ...], wish: Wish, *, not_null: bool
) -> tuple[Column, str]:
    kind = chance.choice(kinds)
    logical, target, _ = KINDS[kind]
    binary = not (wish.loose and chance.random() < 0.3)
    return Column(name=name, logical=logical, type=target, binary=binary, not_null=not_null), kind


def random_schema(chance: random.Random, wish: Wish) -> tuple[Schema, list[list[str]]]:
    """A schema, and the kinds of its columns."""
    tables: list[Table] = []
    kinds: list[list[str]] = []
    links: list[ForeignKey] = []
    for number in range(chance.randint(1, 3)):
        keyless = wish.keyless and chance.random() < 0.5
        made: list[tuple[Column, str]] = []
        for at in range(0 if keyless else chance.choice((1, 1, 2))):
            allowed = ("int",) if at == 0 and wish.foreign_keys else KEY_KINDS
            made.append(_column(chance, f"k{at}", allowed, wish, not_null=True))
        key = tuple(column.name for column, _ in made)
        uniques = []
        for at in range(chance.randint(1, 2) if wish.uniques else 0):
            not_null = chance.random() < 0.3
            made.append(_column(chance, f"u{at}", UNIQUE_KINDS, wish, not_null=not_null))
            uniques.append((f"u{at}",))
        if len(uniques) == 2 and chance.random() < 0.5:
            uniques = [("u0", "u1")]
        if wish.foreign_keys:
            links += _links(chance, wish, number, tables, made, single=len(key) == 1)
        for at in range(chance.randint(0 if key else 1, 3)):
            made.append(_column(chance, f"V{at}", tuple(KINDS), wish, not_null=chance.random() < 0.3))
        columns = tuple(column for column, _ in made)
        tables.append(Table(name=f"t{number} x", columns=columns, key=key, uniques=tuple(uniques)))
        kinds.append([kind for _, kind in made])
    acted = {link.parent for link in links if link.acts}
    described = [replace(table, referenced_with_actions=at in acted) for at, table in enumerate(tables)]
    if wish.constants:
        for at, table in list(enumerate(described)):
            shared = _with_constants(chance, table, in_keys=not links)
            described[at] = shared[0]
            described += shared[1:]
            kinds += [kinds[at]] * (len(shared) - 1)
    return Schema(tuple(described), tuple(links)), kinds


def _with_constants(chance: random.Random, table: Table, *, in_keys: bool) -> list[Table]:
    """The table with columns that only the target has; or two tables that share one of the target, told apart by the
    first of them."""
    made = []
    for at in range(chance.randint(1, 2)):
        kind, values = chance.choice(CONSTANTS)
        one, other = chance.sample(values, 2)
        binary = chance.random() < 0.7
        made.append([Constant(name=f"c{at}", type=kind, value=value, binary=binary) for value in (one, other)])
    first, second = (replace(table, constants=tuple(pair[at] for pair in made)) for at in (0, 1))
    if not in_keys or chance.random() < 0.3:
        return [first]
    key = tuple(chance.sample([*table.key, "c0"], len(table.key) + 1)) if table.key else ()
    keyed = {"key": key, "uniques": tuple((*unique, "c0") for unique in table.uniques)}
    shared = [replace(one, **keyed) for one in (first, second)]
    return shared if chance.random() < 0.7 else shared[:1]


def _links(
    chance: random.Random, wish: Wish, number: int, tables: list[Table], made: list[tuple[Column, str]], *, single: bool
) -> list[ForeignKey]:
    """Foreign keys of the table to be: to an earlier one, or to itself; sometimes two."""
    links = []
    parents = [(at, column) for at, table in enumerate(tables) for column in _referable(table)]
    if single and made[0][1] == "int":
        parents.append((number, 0))
    for parent, referenced in chance.sample(parents, min(len(parents), chance.randint(0, 2))):
        logical, target, _ = KINDS["int"]
        # A column of the child's own key may be the reference, so that cascades change keys.
        own_key = parent != number and single and made[0][1] == "int" and not links and chance.random() < 0.2
        if own_key:
            column = 0
        else:
            column = len(made)
            made.append((Column(name=f"f{column}", logical=logical, type=target), "int"))
        actions = [NO_ACTION, CASCADE] if own_key else [NO_ACTION, CASCADE, SET_NULL]
        chosen = [chance.choice(actions) if wish.actions else NO_ACTION for _ in range(2)]
        # InnoDB refuses ON UPDATE CASCADE that comes back to the same table.
        if parent == number:
            chosen[1] = NO_ACTION
        links.append(ForeignKey(number, column, parent, referenced, chosen[0], chosen[1]))
    return links


def _referable(table: Table) -> list[int]:
    """Columns that a foreign key can refer to: whole numbers that are a unique index of their own."""
    unique = [names[0] for names in (table.key, *table.uniques) if len(names) == 1]
    return [at for at, column in enumerate(table.columns) if column.name in unique and column.type == "int4"]


class Source:
    """Rows under constraints, and the log of what changed them."""

    def __init__(self, schema: Schema, chance: random.Random, *, logs_cascades: bool) -> None:
        self.schema = schema
        self.rows: list[list[Row]] = [[] for _ in schema.tables]
        self.log: list[Change] = []
        self._chance = chance
        self._logs_cascades = logs_cascades

    def statement(self, run: Callable[[], None]) -> None:
        """Runs a statement; one that breaks a constraint leaves nothing behind."""
        rows, logged = [list(table) for table in self.rows], len(self.log)
        try:
            run()
            self._check()
        except Refused:
            self.rows = rows
            del self.log[logged:]

    def insert(self, table: int, row: Row) -> None:
        self.rows[table].append(row)
        self.log.append(Change(table, None, row, False))

    def delete(self, table: int, row: Row) -> None:
        self._change(table, row, None, cascaded=False, depth=0)

    def update(self, table: int, row: Row, new: Row) -> None:
        if not identical(row, new):
            self._change(table, row, new, cascaded=False, depth=0)

    def _change(self, table: int, row: Row, new: Row | None, *, cascaded: bool, depth: int) -> None:
        if depth > 20 or not any(identical(row, other) for other in self.rows[table]):
            raise Refused
        at = next(n for n, other in enumerate(self.rows[table]) if identical(row, other))
        self.rows[table][at : at + 1] = [] if new is None else [new]
        change = Change(table, row, new, flagged=self._logs_cascades)
        logged = self._logs_cascades or not cascaded
        children_first = self._chance.random() < 0.5
        if logged and not children_first:
            self.log.append(change)
        for key in self.schema.foreign_keys:
            if key.parent == table:
                self._act(key, row, new, depth)
        if logged and children_first:
            self.log.append(change)

    def _act(self, key: ForeignKey, row: Row, new: Row | None, depth: int) -> None:
        old = row[key.referenced]
        if old is None or (new is not None and new[key.referenced] == old):
            return
        action = key.on_delete if new is None else key.on_update
        for child in [child for child in self.rows[key.child] if child[key.column] == old]:
            if not any(identical(child, other) for other in self.rows[key.child]):
                continue  # another path has changed it already
            match action:
                case "CASCADE" if new is None:
                    self._change(key.child, child, None, cascaded=True, depth=depth + 1)
                case "CASCADE":
                    assert new is not None
                    moved = replaced(child, key.column, new[key.referenced])
                    self._change(key.child, child, moved, cascaded=True, depth=depth + 1)
                case "SET NULL":
                    self._change(key.child, child, replaced(child, key.column, None), cascaded=True, depth=depth + 1)
                case _:
                    raise Refused

    def _check(self) -> None:
        for table, rows in zip(self.schema.tables, self.rows, strict=True):
            places = {column.name: at for at, column in enumerate(table.columns)}
            for unique in (table.key, *table.uniques):
                own = [places[name] for name in unique if name in places]
                values = [tuple(row[at] for at in own) for row in rows]
                values = [value for value in values if own and None not in value]
                if len(values) != len(set(values)):
                    raise Refused
            if any(row[at] is None for row in rows for at, c in enumerate(table.columns) if c.not_null):
                raise Refused
        for key in self.schema.foreign_keys:
            parents = {row[key.referenced] for row in self.rows[key.parent]}
            if any(row[key.column] is not None and row[key.column] not in parents for row in self.rows[key.child]):
                raise Refused


def identical(left: Row, right: Row) -> bool:
    """Equal in every bit: 0.0 is not -0.0."""
    return repr(left) == repr(right)


def replaced(row: Row, at: int, value: Any) -> Row:
    return (*row[:at], value, *row[at + 1 :])


def random_history(seed: int, wish: Wish, statements: int) -> History:
    """The same seed makes the same history; fewer statements make a beginning of it."""
    chance = random.Random(seed)
    schema, kinds = random_schema(chance, wish)
    source = Source(schema, chance, logs_cascades=wish.actions and chance.random() < 0.5)
    for _ in range(chance.choice((0, 5, 20))):
        source.statement(lambda: random_insert(source, chance, kinds))
    history = History(schema, loaded=[list(rows) for rows in source.rows])
    source.log.clear()
    for number in range(statements):
        if number == 0 or chance.random() < 0.4:
            history.transactions.append([])
        source.statement(lambda: random_statement(source, chance, kinds))
        history.transactions[-1].extend(source.log)
        source.log.clear()
    history.rows = [list(rows) for rows in source.rows]
    return history


def random_value(source: Source, chance: random.Random, kinds: list[list[str]], table: int, at: int) -> Any:
    column = source.schema.tables[table].columns[at]
    if not column.not_null and chance.random() < 0.2:
        return None
    links = [key for key in source.schema.foreign_keys if (key.child, key.column) == (table, at)]
    if links and source.rows[links[0].parent] and chance.random() < 0.9:
        return chance.choice(source.rows[links[0].parent])[links[0].referenced]
    return chance.choice(KINDS[kinds[table][at]][2])


def random_insert(source: Source, chance: random.Random, kinds: list[list[str]]) -> None:
    table = chance.randrange(len(kinds))
    source.insert(table, tuple(random_value(source, chance, kinds, table, at) for at in range(len(kinds[table]))))


def random_statement(source: Source, chance: random.Random, kinds: list[list[str]]) -> None:
    table = chance.randrange(len(kinds))
    rows = source.rows[table]
    if not rows or chance.random() < 0.3:
        random_insert(source, chance, kinds)
        return
    row = chance.choice(rows)
    columns = range(len(row))
    match chance.choice(("update", "update", "delete", "return", "copy", "swap", "rotate")):
        case "update":
            new = row
            for at in chance.sample(columns, chance.randint(1, len(row))):
                new = replaced(new, at, random_value(source, chance, kinds, table, at))
            source.update(table, row, new)
        case "delete":
            source.delete(table, row)
        case "return":
            source.delete(table, row)
            at = chance.choice(columns)
            source.insert(table, replaced(row, at, random_value(source, chance, kinds, table, at)))
        case "copy":  # a duplicate, where the table has no key
            source.insert(table, row)
        case "swap":
            swap(source, chance, table, row)
        case "rotate":
            other = chance.choice(rows)
            source.delete(table, row)
            if not identical(row, other):
                source.update(table, other, row)


def swap(source: Source, chance: random.Random, table: int, row: Row) -> None:
    """Two rows exchange a column's values, by way of NULL or of a value that is not in use."""
    other = chance.choice(source.rows[table])
    at = chance.randrange(len(row))
    if identical(row, other):
        return
    column = source.schema.tables[table].columns[at]
    between = None if not column.not_null else {"int4": 1000, "text": "between"}.get(column.type)
    if between is None and column.not_null:
        raise Refused
    source.update(table, row, replaced(row, at, between))
    source.update(table, other, replaced(other, at, row[at]))
    source.update(table, replaced(row, at, between), replaced(row, at, other[at]))
