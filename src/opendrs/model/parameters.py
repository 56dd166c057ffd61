"""The tunable parameters of a job, by their published names: each is a field of its policy, and acts.

Source of the names: the vendor's and the operator's pages on changing the parameters of a job. Published ones that
would do nothing here are not in the list: there is one applier, so `applier_thread_num` and `increment_writer_num`
say nothing; what a statement that failed leaves undone the rows behind it may need, so there is no `skip_failed_ddl`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from opendrs.model.endpoint import EngineName
from opendrs.model.job import Policy

Group = Literal["full_sync", "incre_capture", "incre_apply", "incre_relay"]
"""The phases under which version 3 lists them, in the published words."""
GROUPS: Final[tuple[Group, ...]] = ("full_sync", "incre_capture", "incre_apply", "incre_relay")


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A whole number from `least` to `most`."""

    field: str
    least: int
    most: int

    @property
    def range(self) -> str:
        return f"{self.least}-{self.most}"

    def text(self, policy: Policy) -> str:
        return str(getattr(policy, self.field))

    def value(self, text: str, policy: Policy) -> Any:
        """Raises ValueError."""
        del policy
        if not (text.isascii() and text.isdecimal() and len(text) < 20 and self.least <= int(text) <= self.most):
            raise ValueError(f"is no whole number from {self.least} to {self.most}")
        return int(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Off or on. What is neither of both was chosen elsewhere, more exactly, and counts as on."""

    field: str
    off: str
    on: str

    @property
    def range(self) -> str:
        return "true|false"

    def text(self, policy: Policy) -> str:
        return "false" if getattr(policy, self.field) == self.off else "true"

    def value(self, text: str, policy: Policy) -> Any:
        """Raises ValueError."""
        word = text.lower()
        if word not in ("true", "false"):
            raise ValueError("is neither true nor false")
        return getattr(policy, self.field) if word == self.text(policy) else self.on if word == "true" else self.off


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """All of them need a restart: a worker goes by the policy that it was started with.

    checked   the prechecks look at it
    """

    name: str
    kind: Number | Switch
    groups: tuple[Group, ...]
    targets: tuple[EngineName, ...] = ("postgresql", "kafka")
    checked: bool = False
    description: str

    def value(self, policy: Policy) -> str:
        return self.kind.text(policy)

    @property
    def default(self) -> str:
        return self.kind.text(Policy())

    def set(self, policy: Policy, text: str) -> Policy:
        """The policy with that value. Raises ValueError with what is wrong with it."""
        changed: dict[str, Any] = {self.kind.field: self.kind.value(text, policy)}
        return replace(policy, **changed)


PARAMETERS: Final = (
    Parameter(
        name="datamove_chunk_size",
        kind=Number(field="batch_bytes", least=1_000, most=35_000_000),
        groups=("full_sync",),
        description="Bytes that a lane of the load reads at a time, at most; a row that is longer is read whole.",
    ),
    Parameter(
        name="datamove_fetchsize",
        kind=Number(field="batch_rows", least=10, most=100_000),
        groups=("full_sync",),
        description="Rows that a lane of the load reads at a time, at most.",
    ),
    Parameter(
        name="read_task_num",
        kind=Number(field="readers", least=1, most=64),
        groups=("full_sync",),
        checked=True,
        description="Lanes of the load: so many chunks are read and written side by side, and so many indexes made.",
    ),
    Parameter(
        name="replace_0x00",
        kind=Switch(field="nul_in_text", off="stop", on="replace"),
        groups=("full_sync", "incre_apply"),
        targets=("postgresql",),
        checked=True,
        description="NUL characters in text, which PostgreSQL cannot hold, become U+2400; else they stop the job.",
    ),
    Parameter(
        name="replace_invalid_time",
        kind=Switch(field="invalid_dates", off="stop", on="epoch"),
        groups=("full_sync", "incre_apply"),
        targets=("postgresql",),
        checked=True,
        description="Dates that no calendar has (2024-00-10) become 1970-01-01; else they stop the job.",
    ),
    Parameter(
        name="shard_length",
        kind=Number(field="chunk_rows", least=1_000, most=1_000_000_000),
        groups=("full_sync",),
        description="Rows, about, of the chunks that a table is loaded in; each is made durable as a whole.",
    ),
    Parameter(
        name="skip_all_ddl",
        kind=Switch(field="ddl", off="carry", on="refuse"),
        groups=("incre_apply",),
        checked=True,
        description="Changes of the schema are not carried over; one without which the rows behind it do not fit "
        "stops the job.",
    ),
)


def parameters_of(target: EngineName) -> tuple[Parameter, ...]:
    """Those that act in a job with such a target, by name."""
    return tuple(one for one in PARAMETERS if target in one.targets)
