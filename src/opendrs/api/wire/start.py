"""The two fields that say where in the log a job begins."""

from __future__ import annotations

from typing import Any

from opendrs.api.wire.problems import demand_none
from opendrs.control.asking import shown
from opendrs.model.start import StartPosition, gtids_problem, place_problem


def start_position(file_and_position: str | None, gtid_set: str | None, where: str) -> StartPosition | None:
    """What they say together; None: nothing, for both are absent or empty.

    where   stands before the names of fields
    Raises PARAMETER_INVALID: all that is wrong.
    """
    place, gtids = (file_and_position or "").strip(), (gtid_set or "").strip()
    wrong = {}
    if place and (problem := place_problem(place)):
        wrong[f"{where}file_and_position"] = f"{shown(place)!r}: {problem}"
    if gtids and (problem := gtids_problem(gtids)):
        wrong[f"{where}gtid_set"] = problem
    demand_none(wrong)
    one_line = "".join(gtids.split())
    return StartPosition(file_and_position=place, gtid_set=one_line) if place or gtids else None


def shown_start(start: StartPosition | None) -> dict[str, Any]:
    """The same of a job; nothing that it does not say."""
    facts = {} if start is None else {"file_and_position": start.file_and_position, "gtid_set": start.gtid_set}
    return {name: text for name, text in facts.items() if text}
