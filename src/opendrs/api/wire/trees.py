"""The tree of objects of a job, in the three views that the API has of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from opendrs.control import collecting
from opendrs.control.asking import Asking
from opendrs.control.objects import listed


def tree(
    asking: Asking, job_id: str, kind: str, names: Collection[str], page: tuple[int, int] | None
) -> dict[str, Any]:
    """kind: source, modified (chosen) or synchronized; names: of these databases only; page: limit and offset.

    Raises OBJECTS_NOT_COLLECTED.
    """
    head, found = collecting.objects(asking, job_id, kind)
    shown = listed(found) if kind == "source" else dict(found)
    info: Mapping[str, Any] = shown.get("object_info") or {}
    wanted = {name: facts for name, facts in info.items() if not names or name in names}
    if page is not None:
        limit, offset = page
        wanted = dict(list(wanted.items())[offset : offset + limit])
    if info or wanted:
        shown["object_info"] = wanted
    return {"id": head.id, "status": "success", **shown}
