"""A fault that happened, as it is kept and shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from opendrs.errors import DrsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a job failed. `fault` is the name of its row in `errors`."""

    fault: str
    code: str
    message: str
    hint: str

    @classmethod
    def of(cls, error: DrsError) -> Self:
        return cls(fault=error.fault.name, code=error.code, message=error.message, hint=error.hint)

    def to_json(self) -> dict[str, str]:
        return {"fault": self.fault, "code": self.code, "message": self.message, "hint": self.hint}

    @classmethod
    def from_json(cls, data: Mapping[str, str]) -> Self:
        return cls(fault=data["fault"], code=data["code"], message=data["message"], hint=data["hint"])

    def __str__(self) -> str:
        return f"{self.code} {self.message}. {self.hint}"
