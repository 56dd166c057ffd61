"""A fault as the API answers it."""

from __future__ import annotations

from typing import Final

from opendrs.chinese import TEXTS
from opendrs.errors import DrsError
from opendrs.model.failure import Failure

MESSAGE_MAX: Final = 512
CHINESE: Final = "zh-cn"


def message(error: DrsError, language: str = "") -> str:
    """Message and what to do, as published at most 512 characters."""
    text, hint = error.message, error.hint
    if language.lower() == CHINESE:
        template, hint = TEXTS[error.fault]
        text = template.format(**error.details)
    return _cut(f"{text}. {hint}" if language.lower() != CHINESE else f"{text}。{hint}")


def told(failure: Failure) -> str:
    """The same of a fault that happened before."""
    return _cut(f"{failure.message}. {failure.hint}")


def _cut(whole: str) -> str:
    return whole if len(whole) <= MESSAGE_MAX else f"{whole[: MESSAGE_MAX - 3]}..."


def document(error: DrsError, request_id: str, language: str = "") -> dict[str, str]:
    """The body of an answer. What the gateway in front of the published service answers has a field more."""
    body = {"error_code": error.code, "error_msg": message(error, language)}
    return {**body, "request_id": request_id} if error.code.startswith("APIGW.") else body
