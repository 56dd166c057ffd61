"""What the operations on files of objects share: words of queries, and files as answers."""

from __future__ import annotations

import io
from pathlib import Path
from typing import cast

from opendrs.api.operation import File
from opendrs.api.query import Query
from opendrs.control.importing import missing
from opendrs.templates.layout import DEFAULT_LEVEL, LEVELS, MAPPINGS, Level, Mapping


def level_of(query: Query) -> Level:
    """Raises PARAMETER_INVALID."""
    return cast(Level, query.word("file_import_db_level", LEVELS) or DEFAULT_LEVEL)


def mapping_of(query: Query) -> Mapping | None:
    """None: nothing was said of other names. Raises PARAMETER_INVALID."""
    return cast(Mapping | None, query.word("file_import_mapping_type", MAPPINGS))


def as_file(name: str, content: bytes) -> File:
    return File(name, io.BytesIO(content), len(content))


def stored_file(name: str, path: Path) -> File:
    """Raises RESULT_MISSING if it has gone just now."""
    try:
        return File(name, path.open("rb"), path.stat().st_size)
    except OSError:
        raise missing("it is not there any more: upload it again") from None
