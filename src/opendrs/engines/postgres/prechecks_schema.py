"""What the prechecks say about the source's schema in the target: names, types, and what stays behind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from opendrs.engines.postgres import ddl
from opendrs.engines.postgres.indexes import ENTRY_BYTES_MAX, SHORTENED
from opendrs.engines.postgres.layout import carried
from opendrs.engines.postgres.prechecks_server import Arrival
from opendrs.engines.postgres.rendered import REASONS
from opendrs.engines.postgres.sharing import shared, sharing_problems
from opendrs.engines.postgres.types import LOSSES, Loss, narrowed_columns
from opendrs.engines.postgres.types import losses as declared
from opendrs.model.catalog import Catalog, Column, Index, Table, TableName
from opendrs.model.job import Policy
from opendrs.model.precheck import Verdict, alarm, failed, how_many, named, passed
from opendrs.model.selection import Selection

# What becomes of a value by the policies of a job: (policy, its value) -> words.
TOLERATED: Final = {
    ("invalid_dates", "null"): "they become NULL",
    ("invalid_dates", "epoch"): "they become 1970-01-01",
    ("invalid_dates", "minus_infinity"): "they become -infinity",
    ("nul_in_text", "remove"): "these characters are left out",
    ("nul_in_text", "replace"): "these characters become U+2400",
}

EVERYTHING: Final = Selection()
AS_NULL: Final = ("invalid_dates", "null")  # which no column of a key can be

# An entry of a B-tree is a third of a page at most: 2704 bytes, its header of 8 among them (nbtree.h, BTMaxItemSize).
# A part takes what it holds, and up to so many bytes for its length, its alignment, or for being a number.
ENTRY_BYTES: Final = 2696
PART_BYTES: Final = 16
# Reasons that other checks tell of: mappedNameCheck, hasForeignKeyOnUnselectedTable.
TOLD_ELSEWHERE: Final = frozenset({"renamed", "foreign-key-outside"})
CHANGED: Final = "Make up for it in the target, if it is needed there; docs/reference/types.md has what can be done."


class Doubt(NamedTuple):
    """A column with values that the target cannot hold, and what becomes of them by the job's policies."""

    table: TableName
    column: Column
    loss: Loss
    tolerated: str | None
    remedy: str


class TooLong(NamedTuple):
    """A unique index with parts whose bytes may be more together than an entry of the target has room for."""

    table: TableName
    name: str
    parts: tuple[tuple[str, int | None], ...]
    bytes_max: int


def doubts(catalog: Catalog, policy: Policy, selection: Selection = EVERYTHING) -> Iterator[Doubt]:
    """Every declared loss of every column that is carried over."""
    narrowed = narrowed_columns(catalog.tables)
    for table in catalog.tables:
        rule = selection.rule(table.name)
        for column in table.columns:
            if carried(column) and rule.arrives(column.name) is not None:
                for loss in declared(column, (table.name, column.name.lower()) in narrowed):
                    keyed, unique = (column.name.lower() in names for names in (key_columns(table), _unique(table)))
                    tolerated = _tolerated(loss, policy, keyed)
                    if tolerated and unique and tolerated != TOLERATED[AS_NULL]:
                        tolerated += "; where that makes two rows the same to a unique index, the job stops"
                    yield Doubt(table.name, column, loss, tolerated, _remedy(loss, keyed))


def _fits(one: tuple[str, str], policy: str, keyed: bool) -> bool:
    return one[0] == policy and not (keyed and one == AS_NULL)


def key_columns(table: Table) -> frozenset[str]:
    """Columns, in lower case, that can be NULL under no policy: those of the primary key, and of what stands in."""
    primary = [part.column for part in table.primary.parts] if table.primary else []
    return frozenset(name.lower() for name in (*primary, *table.key))


def _unique(table: Table) -> frozenset[str]:
    """Columns, in lower case, of unique indexes."""
    unique = [index for index in table.indexes if index.unique]
    every = [table.primary, *unique] if table.primary else unique
    return frozenset(part.column.lower() for index in every for part in index.parts)


def _tolerated(loss: Loss, policy: Policy, keyed: bool) -> str | None:
    chosen = ((name, getattr(policy, name)) for name in loss.policies)
    return next((TOLERATED[one] for one in chosen if one in TOLERATED and not (keyed and one == AS_NULL)), None)


def _remedy(loss: Loss, keyed: bool) -> str:
    """The options of the command line that say what becomes of such values."""
    options = [
        f"--{policy.replace('_', '-')} {' or '.join(one[1] for one in TOLERATED if _fits(one, policy, keyed))}"
        for policy in loss.policies
    ]
    if options:
        return f"Say what becomes of them: {', '.join(options)}; or correct them at the source."
    return "Correct them at the source, or leave the table out."


def too_long(catalog: Catalog, selection: Selection = EVERYTHING) -> Iterator[TooLong]:
    """Unique indexes over columns that may be too long for one entry. Other indexes are shortened."""
    for table in catalog.tables:
        rule = selection.rule(table.name)
        unique = [index for index in table.indexes if index.unique]
        for index in [table.primary, *unique] if table.primary else unique:
            if any(rule.arrives(part.column) is None for part in index.parts):
                continue  # the target does not have it
            parts = tuple((part.column, part.prefix) for part in index.parts if _counts(part.column, index, table))
            if parts and not any(part.expression for part in index.parts):
                yield TooLong(table.name, index.name, parts, ENTRY_BYTES - PART_BYTES * len(index.parts))


def _counts(name: str, index: Index, table: Table) -> bool:
    """Whether a part takes many bytes in the index: long text under MariaDB's hashed UNIQUE is hashed here too."""
    column = table.column(name) if name else None
    if column is None or column.type.kind not in SHORTENED:
        return False
    hashed = index.kind == "hash" and column.length is None
    prefix = next(part.prefix for part in index.parts if part.column == name)
    length = prefix if prefix is not None else column.length
    small = length is not None and length * 4 * len(index.parts) <= ENTRY_BYTES_MAX
    return not hashed and not small


# --- the looks --------------------------------------------------------------------------------------


def names(arrival: Arrival) -> list[Verdict]:
    renamed: list[str] = []
    for name, target in arrival.targets.items():
        wanted, rule = arrival.selection.target(name), arrival.selection.rule(name)
        if (target["schema"], target["table"]) != (wanted.schema, wanted.table):
            renamed.append(f"{name} as {target['schema']}.{target['table']}")
        renamed += [
            f"{name}.{column['source']} as {column['name']}"
            for column in target["columns"]
            if "source" in column and rule.arrives(column["source"]) != column["name"]
        ]
    unwanted = {place: found for place, found in shared(arrival.targets).items() if not _wanted(arrival, found)}
    verdicts = []
    if unwanted:
        shown = named(f"{' and '.join(map(str, found))} as {'.'.join(place)}" for place, found in unwanted.items())
        remedy = (
            "Let them arrive in different schemas (--map DB=SCHEMA) or under different names. If they shall be one "
            "table: give each an additional column that names its source, or declare data_sync_topology_type many2one "
            "(--many-to-one) if no two rows have the same key."
        )
        verdicts.append(failed(f"Several tables would arrive as one: {shown}", remedy))
    if problems := sharing_problems(arrival.catalog.tables, arrival.targets):
        shown = named(f"{name}: {reason}" for name, reason in problems)
        verdicts.append(failed(f"Tables cannot arrive as one: {shown}", "Choose other names for them in the target."))
    if renamed:
        verdicts.append(
            alarm(
                f"Names that PostgreSQL cannot have are changed: {named(renamed)}",
                "Use these names in the target. docs/reference/types.md has the rule.",
            )
        )
    return verdicts or [passed("All names arrive as they are")]


def _wanted(arrival: Arrival, names: Sequence[TableName]) -> bool:
    """Whether the user has said that tables shall arrive as one: not PostgreSQL's rules for names make them so, and
    either their rows can be told apart, or it was declared that they need not be."""
    if len({arrival.selection.target(name) for name in names}) > 1:
        return False
    return arrival.policy.topology == "many2one" or all(arrival.targets[name].get("extras") for name in names)


def losses(arrival: Arrival) -> list[Verdict]:
    """Losses that concern no single value, so that nobody can count them."""
    found: dict[str, list[str]] = defaultdict(list)
    for doubt in doubts(arrival.catalog, arrival.policy, arrival.selection):
        if doubt.loss.id not in arrival.counted:
            found[doubt.loss.id].append(f"{doubt.table}.{doubt.column.name}")
    if not found:
        return [passed("Every column has a type that means the same")]
    return [alarm(f"{LOSSES[loss].text} ({loss}): {named(columns)}") for loss, columns in found.items()]


def left_behind(arrival: Arrival) -> list[Verdict]:
    """What the renderer reports, reason by reason."""
    rendered = ddl.every_table(arrival.catalog.tables, arrival.targets, policy=arrival.policy.indexes)
    found: dict[str, list[str]] = defaultdict(list)
    for report in rendered.reports:
        if report.id not in TOLD_ELSEWHERE and report.object not in found[report.id]:
            found[report.id].append(report.object)
    verdicts = [alarm(f"{REASONS[reason]} {named(things)}", CHANGED) for reason, things in found.items() if things]
    return verdicts or [passed("All of the tables' definitions is carried over")]


def views(arrival: Arrival) -> Verdict:
    """The target has the last word when they are made; what cannot even be written in its SQL is known now."""
    if not arrival.catalog.views:
        return passed("There are no views")
    # The worker that makes the checks keeps what it has loaded for as long as it follows: this is 25 MB.
    from opendrs.engines.postgres.views import candidates as candidate_views

    candidates, rest = candidate_views(arrival.catalog.views, arrival.targets, arrival.selection.target)
    if rest.reports:
        shown = named(
            f"{report.object} ({report.text.removeprefix(REASONS['view']).strip()})" for report in rest.reports
        )
        return alarm(f"Views that are not carried over: {shown}", "Write them anew in the target, if they are needed.")
    return passed(
        f"{how_many(len(candidates), 'view')} can be translated; the target has the last word when they are made"
    )
