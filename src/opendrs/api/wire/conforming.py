"""Parts of a request that are only kept and shown again: they are kept as the contract declares them, so that what is
shown has the declared shape, whatever was sent."""

from __future__ import annotations

import math
from typing import Any, Final

from opendrs.api.query import one_of
from opendrs.control.asking import shown
from opendrs.errors import DrsError, Fault
from opendrs.spec import Type, model

TEXT_MAX: Final = 1024
ITEMS_MAX: Final = 100
DIGITS_MAX: Final = 18


def conform(name: str, kind: Type, value: Any) -> Any:
    """The value as that type; fields that the contract does not know are left out.

    name   where it stands in the request
    Raises PARAMETER_EMPTY, PARAMETER_INVALID.
    """
    match kind.kind:
        case "str" | "date":
            return _text(name, value)
        case "int" | "float":
            return _number(name, kind.kind, value)
        case "bool":
            return value if isinstance(value, bool) else one_of(name, str(value), ("true", "false")) == "true"
        case "list" if kind.of is not None:
            if not isinstance(value, list) or len(value) > ITEMS_MAX:
                raise _invalid(name, f"it is no list of at most {ITEMS_MAX}")
            return [conform(f"{name}.{number}", kind.of, item) for number, item in enumerate(value)]
        case "model":
            return _object(name, kind.name, value)
        case _:
            raise _invalid(name, "it is not understood")


def _object(name: str, which: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _invalid(name, "it is no object")
    found: dict[str, Any] = {}
    for field in model("v5", which).fields:
        inner = f"{name}.{field.name}"
        if value.get(field.name) is not None:
            found[field.name] = conform(inner, field.type, value[field.name])
        elif field.required:
            raise DrsError(Fault.PARAMETER_EMPTY, name=inner)
    return found


def _text(name: str, value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > TEXT_MAX:
        raise _invalid(name, f"it is no text of at most {TEXT_MAX} characters")
    return value


def _number(name: str, kind: str, value: Any) -> int | float:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= DIGITS_MAX:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind == "float" and isinstance(value, float) and math.isfinite(value):
        return value
    raise _invalid(name, f"{shown(str(value))!r} is no number")


def _invalid(name: str, reason: str) -> DrsError:
    return DrsError(Fault.PARAMETER_INVALID, name=name, reason=reason)
