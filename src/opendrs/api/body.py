"""JSON bodies: read into the models of an operation, leniently; what does not fit is named."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from opendrs.errors import DrsError, Fault

NAMED_MAX: Final = 5


class Wire(BaseModel):
    """Part of a request: unknown fields are ignored, digits may be text and text may be digits."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True, frozen=True)


Model = TypeVar("Model", bound=BaseModel)


def read(body: bytes, model: type[Model]) -> Model:
    """Raises REQUEST_INVALID, PARAMETER_EMPTY, PARAMETER_INVALID."""
    if not body.strip():
        raise DrsError(Fault.REQUEST_INVALID, reason="a JSON body is needed, and there is none")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _fault(error) from None


def _fault(error: ValidationError) -> DrsError:
    """The first thing that is wrong decides the code; a few more are told with it."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    first = found[0]
    if first["type"] in ("json_invalid", "json_type", "model_type", "string_unicode") and not first["loc"]:
        return DrsError(Fault.REQUEST_INVALID, reason=f"the body is no JSON object: {first['msg']}")
    missing = [_name(one) for one in found if one["type"] == "missing"]
    if len(missing) == len(found):
        return DrsError(Fault.PARAMETER_EMPTY, name=", ".join(missing[:NAMED_MAX]))
    others = [f"{_name(one)}: {one['msg']}" for one in found[1:NAMED_MAX]]
    reason = "; ".join([first["msg"], *others])
    return DrsError(Fault.PARAMETER_INVALID, name=_name(first), reason=reason)


def _name(error: Any) -> str:
    """Where it is: `job.base_info.name`, with no more of what was sent than needed."""
    return ".".join(str(part)[:64] for part in error["loc"]) or "body"
