"""JSON bodies: read into the models of an operation, leniently; what does not fit is named."""

from __future__ import annotations

import math
from typing import Any, Final

from pydantic_core import from_json

from opendrs.control.reading import Model, Wire, checked
from opendrs.errors import DrsError, Fault

__all__ = ["Wire", "checked", "read"]

NUMBER_MAX: Final = 1 << 63  # what stores and clients can hold


def read(body: bytes, model: type[Model]) -> Model:
    """Raises REQUEST_INVALID, PARAMETER_EMPTY, PARAMETER_INVALID."""
    if not body.strip():
        raise DrsError(Fault.REQUEST_INVALID, reason="a JSON body is needed, and there is none")
    try:
        found = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise DrsError(Fault.REQUEST_INVALID, reason=f"the body is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise DrsError(Fault.REQUEST_INVALID, reason="the body is no JSON object")
    _demand_storable(found)
    return checked(found, model)


def _demand_storable(found: Any) -> None:
    """JSON can say what not every store takes: NUL in a text, and numbers of any size."""
    rest = [found]
    while rest:
        value = rest.pop()
        if isinstance(value, str):
            if "\0" in value:
                raise DrsError(Fault.REQUEST_INVALID, reason="there is a NUL in a text of the body")
        elif isinstance(value, dict):
            rest += value
            rest += value.values()
        elif isinstance(value, list):
            rest += value
        elif isinstance(value, int | float) and (not math.isfinite(value) or abs(value) >= NUMBER_MAX):
            raise DrsError(Fault.REQUEST_INVALID, reason="a number of the body is too large")
