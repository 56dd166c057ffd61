"""Everything that is wrong with a part of a request, told at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from opendrs.errors import DrsError, Fault

MISSING: Final = ""


def demand_none(problems: Mapping[str, str]) -> None:
    """By the name of a field, what is wrong with it, or MISSING. Raises PARAMETER_EMPTY, PARAMETER_INVALID."""
    if not problems:
        return
    if not any(problems.values()):
        raise DrsError(Fault.PARAMETER_EMPTY, name=", ".join(problems))
    (name, reason), *others = [(name, reason or "it is empty") for name, reason in problems.items()]
    told = "; ".join([reason, *(f"{other}: {why}" for other, why in others)])
    raise DrsError(Fault.PARAMETER_INVALID, name=name, reason=told)
