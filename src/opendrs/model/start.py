"""Where in the log of its source a job without a load begins, if not where that ends when it starts."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

# Published: name, number of the file, offset; name of 1 to 60 characters, 3 to 20 and 1 to 20 digits, 100 in all.
_PLACE: Final = re.compile(r"([^<>&:\"'/\\\s]{1,60})\.([0-9]{3,20}):([0-9]{1,20})")
PLACE_MAX: Final = 100
# Published: up to 2048 characters, no Chinese and none of these.
GTIDS_MAX: Final = 2048
_NOT_IN_GTIDS: Final = "<>&\"'/\\"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
OFFSET_MIN: Final = 4  # the first event of a file stands behind four bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPosition:
    """As it was asked for: by place and GTIDs, or by time. Persisted as JSON: names are for ever.

    file_and_position   `mysql-bin.000277:805`: a file of the log, and bytes from its begin
    gtid_set            the transactions that come before (MariaDB: the last one of each domain). Beside a place it must
                        say the same
    time                as in 2026-11-30T07:00:00Z: before the first transaction at or after it, which is looked for
                        when the job begins
    """

    file_and_position: str = ""
    gtid_set: str = ""
    time: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**data)

    @property
    def place(self) -> tuple[str, int]:
        """File and offset."""
        file, _, offset = self.file_and_position.rpartition(":")
        return file, int(offset)

    @property
    def time_us(self) -> int:
        """Microseconds since 1970."""
        return (moment(self.time) - _EPOCH) // timedelta(microseconds=1)

    def __str__(self) -> str:
        parts = (self.file_and_position, self.gtid_set, self.time)
        return " and ".join(part for part in parts if part)


def place_problem(text: str) -> str:
    """Why this is no place in a log; empty: it is one."""
    found = _PLACE.fullmatch(text)
    if found is None or len(text) > PLACE_MAX:
        return "it is not name.number:offset, as in mysql-bin.000277:805"
    if int(found[3]) < OFFSET_MIN:
        return f"the first event of a file stands at {OFFSET_MIN}"
    return ""


def gtids_problem(text: str) -> str:
    """Why this is no set of GTIDs, as far as that can be said without a server; empty: it may be one."""
    if len(text) > GTIDS_MAX:
        return f"it has {len(text)} characters, and {GTIDS_MAX} are allowed"
    if not text.isascii() or any(character in _NOT_IN_GTIDS or not _fit(character) for character in text):
        return "it has characters that no set of GTIDs has"
    return ""


def _fit(character: str) -> bool:
    return character.isprintable() or character in "\r\n\t"


def moment(text: str) -> datetime:
    """A time with its zone; without one it is UTC. Raises ValueError."""
    if text.isdecimal():  # 20261130 would be a day
        raise ValueError(text)
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def time_text(at: datetime) -> str:
    """The same as text, with a fraction of a second only if there is one."""
    return at.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
