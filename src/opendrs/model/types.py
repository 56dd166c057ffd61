"""Logical types: an Arrow type plus the facts that Arrow cannot hold.

The same list, with the Arrow type of each, is `Logical` in rust/columns/src/logical.rs; a test
holds the two together. docs/reference/types.md says what becomes of each in a target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

# kind -> the fields that belong to it, in the order in which they print
FIELDS: dict[str, tuple[str, ...]] = {
    "int": ("bits", "unsigned"),
    "decimal": ("precision", "scale"),
    "float32": (),
    "float64": (),
    "year": (),
    "bits": ("length",),
    "date": (),
    "time": ("fraction",),
    "datetime": ("fraction",),
    "timestamp": ("fraction",),
    "text": (),
    "enum": (),
    "set": (),
    "json": (),
    "binary": ("fixed",),
    "geometry": (),
    "vector": (),
    "uuid": (),
    "inet4": (),
    "inet6": (),
}

TEXT_KINDS = frozenset({"text", "enum", "set"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Logical:
    """What a column means, independent of any engine.

    bits       width of an `int`: 8, 16, 24, 32 or 64
    unsigned   whether an `int` begins at zero
    precision  digits of a `decimal` in all; `scale` of them behind the point
    length     number of `bits`
    fraction   digits behind the second of a `time`, `datetime` or `timestamp`
    fixed      length of every value of a `binary`, if the type has one
    """

    kind: str
    bits: int = 0
    unsigned: bool = False
    precision: int = 0
    scale: int = 0
    length: int = 0
    fraction: int = 0
    fixed: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in FIELDS:
            raise ValueError(f"unknown logical type {self.kind!r}")

    def to_json(self) -> dict[str, Any]:
        """The form shared with Rust and persisted in the schema history."""
        known = {name: getattr(self, name) for name in FIELDS[self.kind]}
        return {"kind": self.kind, **{name: value for name, value in known.items() if value is not None}}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**data)

    def __str__(self) -> str:
        if self.kind == "int":
            return f"{'u' if self.unsigned else ''}int{self.bits}"
        facts = [str(value) for name in FIELDS[self.kind] if (value := getattr(self, name)) is not None]
        return f"{self.kind}({','.join(facts)})" if facts else self.kind
