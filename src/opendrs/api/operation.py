"""An operation of the API: its name is the method's name in the official SDK, and the name of its file.

Method, path and parameters stand in `opendrs.spec`; what a file adds is the meaning.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

from pydantic import BaseModel

from opendrs.api.query import Query
from opendrs.control.asking import Asking

Version = Literal["v3", "v5"]
VERSIONS: Final[tuple[Version, ...]] = ("v3", "v5")


@dataclass(frozen=True, slots=True)
class File:
    """An answer that is a file.

    name    under which it is to be saved
    source  open, from where it begins; whoever sends it closes it
    size    bytes
    """

    name: str
    source: BinaryIO
    size: int


Answer = BaseModel | Mapping[str, Any] | Sequence[Any] | File


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, as an operation sees it.

    path      values of the path's parameters
    language  in which faults are told
    folder    of the service: what belongs to a job and is no row stands in it
    """

    asking: Asking
    path: Mapping[str, str]
    query: Query
    language: str = ""
    folder: Path

    @property
    def job_id(self) -> str:
        return self.path["job_id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What answers one operation.

    handle   returns the answer's body
    body     what the request's body must look like; None: it has none
    upload   bytes that the file may have which is sent instead of a JSON body; None: no file is sent
    quick    it reads a few rows by their keys: from a store on this machine, that takes less than to hand it over
    """

    version: Version
    name: str
    handle: Callable[..., Answer]
    body: type[BaseModel] | None = None
    upload: int | None = None
    quick: bool = False


def discover() -> Iterator[Operation]:
    """Every operation there is: the OPERATION of each file in the folders of the versions."""
    for version in VERSIONS:
        package = f"opendrs.api.{version}"
        try:
            folder = importlib.import_module(package)
        except ModuleNotFoundError:
            continue
        for module in pkgutil.iter_modules(folder.__path__):
            operation: Operation = importlib.import_module(f"{package}.{module.name}").OPERATION
            assert (operation.version, operation.name) == (version, module.name), module.name
            yield operation
