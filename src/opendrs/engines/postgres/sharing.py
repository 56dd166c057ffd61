"""Several source tables that arrive as one: they must look alike there, and nothing may be done to one of them that
would be done to all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from opendrs.engines.postgres.shape import Target
from opendrs.errors import DrsError, Fault
from opendrs.model.alteration import (
    AddIndex,
    Alteration,
    AlterTable,
    DropDatabase,
    DropIndex,
    DropTable,
    RenameIndex,
    RenameTable,
    SetCharset,
    SetComment,
    SetNextAuto,
    TruncateTable,
)
from opendrs.model.catalog import Table, TableName


def sharers(name: TableName, targets: Mapping[TableName, Target]) -> list[TableName]:
    """The other tables that arrive where this one does."""
    place = _place(targets[name])
    return [other for other, target in targets.items() if other != name and _place(target) == place]


def _place(target: Target) -> tuple[str, str]:
    return target["schema"], target["table"]


def shared(targets: Mapping[TableName, Target]) -> dict[tuple[str, str], list[TableName]]:
    """The tables of the target in which several arrive."""
    places: dict[tuple[str, str], list[TableName]] = defaultdict(list)
    for name, target in targets.items():
        places[_place(target)].append(name)
    return {place: sorted(names) for place, names in places.items() if len(names) > 1}


# What can be done to one of several tables that arrive as one.
_HARMLESS: Final = (AddIndex, DropIndex, RenameIndex, SetComment, SetCharset, SetNextAuto)


def demand_alone(alteration: Alteration, targets: Mapping[TableName, Target], position: str, statement: str) -> None:
    """Raises DDL_UNSUPPORTED if the alteration of a table would change others that arrive as one with it."""
    match alteration:
        case AlterTable(name, changes) if all(isinstance(change, _HARMLESS) for change in changes):
            names = []
        case AlterTable(name) | DropTable(name) | TruncateTable(name):
            names = [name]
        case RenameTable(old):
            names = [old]
        case DropDatabase(database):
            names = [name for name in targets if name.schema == database]
        case _:
            names = []
    for name in names:
        if name in targets and (others := sharers(name, targets)):
            reason = f"{name} arrives as one with {others[0]}, which would be changed with it"
            raise DrsError(Fault.DDL_UNSUPPORTED, position=position, reason=reason, statement=statement)


def sharing_problems(tables: Iterable[Table], targets: Mapping[TableName, Target]) -> list[tuple[TableName, str]]:
    """Why tables cannot arrive as one, by table."""
    known = {table.name: table for table in tables}
    found = []
    for names in shared(targets).values():
        first, *others = names
        for name in others:
            if reason := _unlike(targets[first], targets[name]):
                found.append((name, f"it would arrive as one with {first}, and {reason}"))
        for name in names:
            if any(key.acts and key.referenced in targets for key in known[name].foreign_keys):
                found.append((name, "it arrives as one with others, and a foreign key of it would act on all of them"))
            if any(key.acts and key.referenced == name for table in known.values() for key in table.foreign_keys):
                found.append((name, "it arrives as one with others, and a foreign key that refers to it would act"))
    return found


def _unlike(one: Target, other: Target) -> str:
    mine, its = ({column["name"]: column["type"] for column in target["columns"]} for target in (one, other))
    if mine.keys() != its.keys():
        return f"their columns differ: {', '.join(sorted(mine.keys() ^ its.keys()))}"
    differ = sorted(name for name in mine if mine[name] != its[name])
    if differ:
        return f"the types differ of {', '.join(differ)}"
    return "" if one["key"] == other["key"] else "their keys differ"
