"""The published error codes and job states, and what we add to the contract: typed rows of the TOML files here.

Every row names its source: `documented` (the vendor's or the operator's pages, or the SDK's own texts), `observed`
(seen on the wire between the official SDK and a server) or `ours` (the sources are silent or disagree).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from opendrs.spec.contract import FOLDER

Origin = Literal["documented", "observed", "ours"]


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """A published error code. `also` holds further HTTP statuses that a source gives for it."""

    code: str
    status: int
    meaning: str
    source: Origin
    also: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """A state of a job as it stands on the wire. `read_as` are spellings that are understood in filters too."""

    word: str
    meaning: str
    source: Origin
    read_as: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Legality:
    """In which states a call may be made, and what the job then goes through.

    call   our word for it
    by     operations and actions that make it: `v5 stop_job_action`, `v5 execute_job_action:stop`
    states from which it is legal
    to     states that follow, in order; empty: the state stays
    needs  what else must hold
    """

    call: str
    by: tuple[str, ...]
    states: tuple[str, ...]
    to: tuple[str, ...]
    source: Origin
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Extra:
    """A field that we send or read and the SDK does not know. `model` is where it is added."""

    version: str
    model: str
    field: str
    type: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Absence:
    """Fields that the SDK calls required and a good answer has nothing to say in: they may be left out or null."""

    version: str
    model: str
    fields: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class OtherPath:
    """A second path of an operation, and who writes it."""

    version: str
    name: str
    path: str
    why: str


@cache
def other_paths() -> tuple[OtherPath, ...]:
    return tuple(OtherPath(**row) for row in _rows("extras.toml", "path"))


@cache
def errors() -> tuple[ErrorCode, ...]:
    return tuple(ErrorCode(**_tuples(row, "also")) for row in _rows("errors.toml", "error"))


@cache
def statuses() -> tuple[Status, ...]:
    return tuple(Status(**_tuples(row, "read_as")) for row in _rows("statuses.toml", "status"))


@cache
def legality() -> tuple[Legality, ...]:
    return tuple(Legality(**_tuples(row, "by", "states", "to")) for row in _rows("statuses.toml", "legal"))


@cache
def extras() -> tuple[Extra, ...]:
    return tuple(Extra(**row) for row in _rows("extras.toml", "extra"))


@cache
def absences() -> tuple[Absence, ...]:
    return tuple(Absence(**_tuples(row, "fields")) for row in _rows("extras.toml", "absence"))


def _tuples(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return row | {name: tuple(row[name]) for name in names if name in row}


def _rows(file: str, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads((FOLDER / file).read_text(encoding="utf-8"))[name]
    return rows
