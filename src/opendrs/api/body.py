"""JSON bodies: read into the models of an operation, leniently; what does not fit is named."""

from __future__ import annotations

import math
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import from_json

from opendrs.errors import DrsError, Fault

NAMED_MAX: Final = 5
NUMBER_MAX: Final = 1 << 63  # what stores and clients can hold


class Wire(BaseModel):
    """Part of a request: unknown fields are ignored, digits may be text and text may be digits, null is absent."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if value is not None}


Model = TypeVar("Model", bound=BaseModel)


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


def checked(found: Any, model: type[Model], where: str = "") -> Model:
    """What was read already. `where` stands before the names of fields. Raises PARAMETER_EMPTY, PARAMETER_INVALID."""
    try:
        return model.model_validate(found)
    except ValidationError as error:
        raise _fault(error, where) from None


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


def _fault(error: ValidationError, where: str) -> DrsError:
    """The first thing that is wrong decides the code; a few more are told with it."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    first = found[0]
    missing = [f"{where}{_name(one)}" for one in found if one["type"] == "missing"]
    if len(missing) == len(found):
        return DrsError(Fault.PARAMETER_EMPTY, name=", ".join(missing[:NAMED_MAX]))
    others = [f"{where}{_name(one)}: {one['msg']}" for one in found[1:NAMED_MAX]]
    reason = "; ".join([first["msg"], *others])
    return DrsError(Fault.PARAMETER_INVALID, name=f"{where}{_name(first)}", reason=reason)


def _name(error: Any) -> str:
    """Where it is: `job.base_info.name`, with no more of what was sent than needed."""
    return ".".join(str(part)[:64] for part in error["loc"]) or "body"
