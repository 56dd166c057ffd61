"""Puts keys together as the servers do: implied indexes, implied names, keys that make others needless."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from opendrs.engines.mysql.columns import ColumnSpec
from opendrs.engines.mysql.definition import make_foreign_key, make_index, valid_json
from opendrs.engines.mysql.keys import CheckSpec, KeySpec, PeriodSpec
from opendrs.engines.mysql.naming import check_name, foreign_key_name, index_name
from opendrs.engines.mysql.session import Session
from opendrs.engines.mysql.statement import NotUnderstood
from opendrs.model.catalog import Check, Column, ForeignKey, Index, IndexPart, Table, TableName

WITH_FOREIGN_KEYS = ("INNODB", "NDB", "NDBCLUSTER")


@dataclass(slots=True)
class Keys:
    """Keys as written, in order, of a new table or of one ALTER TABLE."""

    keys: list[KeySpec] = field(default_factory=list)
    checks: list[CheckSpec] = field(default_factory=list)
    periods: list[PeriodSpec] = field(default_factory=list)

    def add(self, spec: KeySpec | CheckSpec | PeriodSpec) -> None:
        match spec:
            case KeySpec():
                self.keys.append(spec)
            case CheckSpec():
                self.checks.append(spec)
            case PeriodSpec():
                self.periods.append(spec)

    def add_inline(self, column: ColumnSpec, session: Session) -> None:
        """The keys that stand behind a column."""
        part = (IndexPart(column=column.name),)
        if column.primary:
            self.keys.append(KeySpec(kind="primary", name="PRIMARY", parts=part))
        if column.unique:
            self.keys.append(KeySpec(kind="unique", parts=part))
        if column.reference is not None:
            self.keys.append(replace(column.reference, parts=part))
        for check in column.checks:
            if not session.flavour.has("column_checks"):
                self.checks.append(check)
            elif not valid_json(column.name, check.expression):
                self.checks.append(replace(check, name=column.name))


@dataclass(frozen=True, slots=True)
class Made:
    """What the keys come to, beside what the table has already."""

    primary: Index | None
    indexes: tuple[Index, ...]
    foreign_keys: tuple[ForeignKey, ...]
    checks: tuple[Check, ...]
    not_null: frozenset[str]  # columns of the primary key and of periods, in lower case


@dataclass(slots=True)
class _Entry:
    """One index on its way: `generated` only serves a foreign key."""

    spec: KeySpec
    generated: bool = False
    exists: bool = False
    needless: bool = False


def assemble(keys: Keys, table: Table, session: Session, lookup: Callable[[TableName], Table | None]) -> Made:
    """The keys to add to `table`, which has all its columns and whatever keys it has already."""
    periods = {period.name.lower(): period for period in keys.periods}
    entries = [_Entry(_existing(index), exists=True) for index in table.indexes]
    if table.primary is not None:
        entries.insert(0, _Entry(_existing(table.primary), exists=True))
    for spec in keys.keys:
        if spec.kind == "foreign":
            entries.append(_Entry(_support(spec), generated=True))
        else:
            entries.append(_Entry(_with_period(spec, periods)))
    _drop_needless(entries)
    primary, indexes = _indexes(entries, table, session)
    named_periods = [period for name, period in periods.items() if name != "system_time"]
    bound = {name.lower() for period in named_periods for name in (period.start, period.end)}
    return Made(
        primary=primary,
        indexes=tuple(indexes),
        foreign_keys=tuple(_foreign_keys(keys, table, session, lookup)),
        checks=tuple(_checks(keys.checks, named_periods, table, session)),
        not_null=frozenset(bound | {part.column.lower() for part in (primary.parts if primary else ())}),
    )


def _existing(index: Index) -> KeySpec:
    return KeySpec(kind="unique" if index.unique else "index", name=index.name, parts=index.parts, method=index.kind)


def _support(spec: KeySpec) -> KeySpec:
    """The index that a foreign key needs; it is named after the constraint if that has a name."""
    return KeySpec(kind="index", name=spec.constraint or spec.name, parts=spec.parts)


def _with_period(spec: KeySpec, periods: dict[str, PeriodSpec]) -> KeySpec:
    """UNIQUE (..., period WITHOUT OVERLAPS) has the period's columns at its end."""
    if not spec.period:
        return spec
    period = periods.get(spec.period.lower())
    if period is None:
        raise NotUnderstood(f"the period {spec.period} is not known")
    return replace(spec, parts=(*spec.parts, IndexPart(column=period.end), IndexPart(column=period.start)))


def _drop_needless(entries: list[_Entry]) -> None:
    """A generated index goes if another one begins with its columns (mysql_prepare_create_table)."""
    for at, entry in enumerate(entries):
        for earlier in entries[:at]:
            if earlier.needless or not _covers(entry, earlier):
                continue
            keep_earlier = not earlier.generated or (
                entry.generated and len(entry.spec.parts) < len(earlier.spec.parts)
            )
            (entry if keep_earlier else earlier).needless = True
            break


def _covers(one: _Entry, other: _Entry) -> bool:
    """Whether one of the two is generated and the other begins with its columns."""
    short, long = (one, other) if one.generated else (other, one)
    if not short.generated:
        return False
    if long.generated and len(short.spec.parts) > len(long.spec.parts):
        short, long = long, short
    wanted, had = short.spec.parts, long.spec.parts
    return len(wanted) <= len(had) and all(
        a.column.lower() == b.column.lower() and b.prefix is None for a, b in zip(wanted, had, strict=False)
    )


def _indexes(entries: list[_Entry], table: Table, session: Session) -> tuple[Index | None, list[Index]]:
    primary: Index | None = None
    indexes: list[Index] = []
    names = [entry.spec.name for entry in entries if entry.exists]
    for entry in entries:
        if entry.exists or entry.needless:
            continue
        spec = entry.spec
        if spec.if_not_exists and spec.name.lower() in (name.lower() for name in names):
            continue
        name = spec.name or index_name(_spelt(spec.parts, table), names)
        names.append(name)
        index = make_index(spec, name, table.columns, table.engine, session)
        if spec.kind == "primary":
            primary = index
        else:
            indexes.append(index)
    return primary, indexes


def _spelt(parts: tuple[IndexPart, ...], table: Table) -> tuple[IndexPart, ...]:
    """The first column as the table spells it: the index is named after it."""
    first = parts[0]
    known = {column.name.lower(): column.name for column in table.columns}
    return (replace(first, column=known.get(first.column.lower(), first.column)), *parts[1:])


def _foreign_keys(
    keys: Keys, table: Table, session: Session, lookup: Callable[[TableName], Table | None]
) -> list[ForeignKey]:
    specs = [spec for spec in keys.keys if spec.kind == "foreign"]
    if table.engine.upper() not in WITH_FOREIGN_KEYS:
        return []  # read and forgotten; the index stays
    names = [key.name for key in table.foreign_keys] + [spec.constraint for spec in specs if spec.constraint]
    made = []
    for spec in specs:
        own = spec.constraint or (spec.name if session.flavour.mariadb else "")
        if spec.if_not_exists and own.lower() in (key.name.lower() for key in table.foreign_keys):
            continue
        name = own or foreign_key_name(table.name.table, names)
        names.append(name)
        made.append(make_foreign_key(_referring(spec, table, lookup), name, table.columns))
    return made


def _referring(spec: KeySpec, table: Table, lookup: Callable[[TableName], Table | None]) -> KeySpec:
    """Without columns, the primary key of the other table is meant; with them, their spelling is that table's."""
    assert spec.referenced is not None
    other = table if spec.referenced == table.name else lookup(spec.referenced)
    if spec.referenced_columns:
        spelt = {column.name.lower(): column.name for column in other.columns} if other else {}
        names = tuple(spelt.get(name.lower(), name) for name in spec.referenced_columns)
        return replace(spec, referenced_columns=names)
    if other is None or other.primary is None:
        raise NotUnderstood(f"the primary key of {spec.referenced} is not known")
    return replace(spec, referenced_columns=other.primary.columns)


def _checks(specs: Sequence[CheckSpec], periods: Sequence[PeriodSpec], table: Table, session: Session) -> list[Check]:
    if not session.flavour.has("checks"):
        return []
    names = [check.name for check in table.checks] + [spec.name for spec in specs if spec.name]
    made = []
    for spec in specs:
        if spec.if_not_exists and spec.name.lower() in (check.name.lower() for check in table.checks):
            continue
        name = spec.name or check_name(table.name.table, names, session.flavour)
        names.append(name)
        made.append(Check(name=name, expression=spec.expression, enforced=spec.enforced))
    return made + [Check(name=p.name, expression=f"`{p.start}` < `{p.end}`") for p in periods]


def with_not_null(columns: Sequence[Column], names: frozenset[str]) -> tuple[Column, ...]:
    """The columns; those of a key are NOT NULL, whatever they said."""
    return tuple(replace(c, nullable=False) if c.name.lower() in names else c for c in columns)
