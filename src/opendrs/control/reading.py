"""Parts of what somebody has sent, read into models: leniently, and what does not fit is named."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from opendrs.control.asking import shown
from opendrs.errors import DrsError, Fault

NAMED_MAX: Final = 5
LIST_MAX: Final = 100


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


def checked(found: Any, model: type[Model], where: str = "") -> Model:
    """What was read already. `where` stands before the names of fields. Raises PARAMETER_EMPTY, PARAMETER_INVALID."""
    try:
        return model.model_validate(found)
    except ValidationError as error:
        raise _fault(error, where) from None


def one_of(name: str, value: str, words: Iterable[str]) -> str:
    """The word as it is written in the list. Raises PARAMETER_INVALID."""
    listed = list(words)
    for word in listed:
        if word.lower() == value.lower():
            return word
    reason = f"{shown(value)!r} is none of {', '.join(listed)}"
    raise DrsError(Fault.PARAMETER_INVALID, name=name, reason=reason)


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
