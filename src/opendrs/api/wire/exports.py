"""What a job replicates as files to be downloaded: of the kind that its own files are."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from opendrs.api.operation import Call
from opendrs.control import exporting
from opendrs.control.importing import missing
from opendrs.templates import bundles

ADDED, REMOVED = "added", "removed"
XLS_MAX: Final = 60_000  # rows of a .xls, with room for titles


def synchronized(call: Call) -> bytes:
    """The tables that are replicated. Raises RESULT_MISSING if none is yet."""
    found = exporting.replicated(call.asking, call.job_id)
    if not found.tables:
        raise missing("nothing is replicated yet")
    if found.files == "json":
        document = bundles.document(exporting.tree(found.tables))
        return _packed("synchronized.json", lambda file: _write(file, document))
    kind = "xlsx" if len(found.tables) > XLS_MAX else found.files
    return _packed(f"synchronized.{kind}", lambda file: bundles.tables_sheet(file, kind, found.tables))


def changes(call: Call) -> bytes:
    """What the last choice of objects adds to what is replicated, and takes away. Raises RESULT_MISSING."""
    found = exporting.changes(call.asking, call.job_id)
    if found is None:
        raise missing("no objects have been chosen yet")
    if found.files == "json":
        trees = {ADDED: exporting.tree(found.added), REMOVED: exporting.tree(found.removed)}
        return _packed("change.json", lambda file: _write(file, bundles.document(trees)))
    words = {**dict.fromkeys(found.added, ADDED), **dict.fromkeys(found.removed, REMOVED)}
    tables = {**found.added, **found.removed}
    kind = "xlsx" if len(tables) > XLS_MAX else found.files
    return _packed(f"change.{kind}", lambda file: bundles.tables_sheet(file, kind, tables, words))


def compare_keys(call: Call) -> bytes:
    """The keys that were imported. Raises RESULT_MISSING."""
    keys = exporting.keys(call.asking, call.job_id)
    if not keys:
        raise missing("no keys have been imported")
    return _packed("compare.xlsx", lambda file: bundles.keys_sheet(file, "xlsx", keys))


def _write(file: Path, content: bytes) -> None:
    file.write_bytes(content)


def _packed(name: str, write: Callable[[Path], None]) -> bytes:
    """An archive with one file."""
    with tempfile.TemporaryDirectory() as folder:
        file, archive = Path(folder) / name, Path(folder) / "answer.zip"
        write(file)
        bundles.pack(archive, [file])
        return archive.read_bytes()
