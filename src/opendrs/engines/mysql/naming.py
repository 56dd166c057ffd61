"""The names that servers make up: of indexes, foreign keys and checks."""

from __future__ import annotations

import re
from collections.abc import Iterable

from opendrs.engines.mysql.flavour import Flavour
from opendrs.model.catalog import IndexPart


def index_name(parts: tuple[IndexPart, ...], taken: Iterable[str]) -> str:
    """The first column's name, with a number if another index has it."""
    base = parts[0].column or "functional_index"
    names = {name.lower() for name in taken} | {"primary"}
    if base.lower() not in names:
        return base
    return next(name for number in range(2, 1 << 16) if (name := f"{base}_{number}").lower() not in names)


def foreign_key_name(table: str, taken: Iterable[str]) -> str:
    """table_ibfk_N, one above the highest N there is."""
    return _counted(f"{table}_ibfk_", taken)


def check_name(table: str, taken: Iterable[str], flavour: Flavour) -> str:
    """MySQL: table_chk_N, one above the highest. MariaDB: CONSTRAINT_N, the first that is free."""
    if not flavour.mariadb:
        return _counted(f"{table}_chk_", taken)
    names = {name.lower() for name in taken}
    return next(name for number in range(1, 1 << 16) if (name := f"CONSTRAINT_{number}").lower() not in names)


def _counted(prefix: str, taken: Iterable[str]) -> str:
    numbers = (number_behind(prefix, name) for name in taken)
    return f"{prefix}{1 + max((number for number in numbers if number is not None), default=0)}"


def number_behind(prefix: str, name: str) -> int | None:
    """N of a name that was made up from `prefix`."""
    rest = name[len(prefix) :]
    made_up = name.lower().startswith(prefix.lower()) and re.fullmatch(r"[1-9][0-9]*", rest)
    return int(rest) if made_up else None


def replica_host(job: str) -> str:
    """What a job calls itself among the replicas of the source."""
    return f"opendrs-{job}"[:60]
