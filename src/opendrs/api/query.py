"""Parameters of a query string: read leniently, refused clearly."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qsl

from opendrs.control.asking import shown
from opendrs.control.reading import LIST_MAX, one_of
from opendrs.errors import DrsError, Fault

__all__ = ["LIMIT_DEFAULT", "LIMIT_MAX", "OFFSET_MAX", "Query", "one_of", "within"]

LIMIT_DEFAULT = 10
LIMIT_MAX = 1000
OFFSET_MAX = 10_000_000
PARAMETERS_MAX = 200
TEXT_MAX = 1024


class Query:
    """Names are as on the wire; one that is given twice is a list, as is one with commas."""

    def __init__(self, text: str) -> None:
        self._values: dict[str, list[str]] = {}
        try:
            pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS_MAX)
        except (UnicodeDecodeError, ValueError) as error:
            raise DrsError(Fault.REQUEST_INVALID, reason="the query string cannot be read") from error
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def text(self, name: str) -> str | None:
        """The value; None: it is absent or empty."""
        values = self._values.get(name, [])
        if len(values) > 1:
            raise DrsError(Fault.PARAMETER_INVALID, name=name, reason="it is given more than once")
        if not values or not values[0]:
            return None
        return _storable(name, values[0])

    def needed(self, name: str) -> str:
        """The value. Raises PARAMETER_EMPTY."""
        value = self.text(name)
        if value is None:
            raise DrsError(Fault.PARAMETER_EMPTY, name=name)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """The values of a list, given by repetition or with commas."""
        found = [part for value in self._values.get(name, []) for part in value.split(",") if part]
        if len(found) > LIST_MAX:
            reason = f"it has more than {LIST_MAX} values"
            raise DrsError(Fault.PARAMETER_INVALID, name=name, reason=reason)
        return tuple(_storable(name, one) for one in found)

    def word(self, name: str, words: Iterable[str]) -> str | None:
        """One of these words, in whatever case."""
        value = self.text(name)
        return None if value is None else one_of(name, value, words)

    def flag(self, name: str) -> bool | None:
        value = self.text(name)
        return None if value is None else one_of(name, value, ("true", "false")) == "true"

    def number(self, name: str, *, default: int, low: int, high: int) -> int:
        """A whole number within bounds; both kinds of bounds are told."""
        found = self.whole(name, low=low, high=high)
        return default if found is None else found

    def whole(self, name: str, *, low: int, high: int) -> int | None:
        """The same without a default."""
        value = self.text(name)
        if value is None:
            return None
        # int() takes more: signs, underscores, blanks, digits of other scripts.
        if not (value.isascii() and value.isdecimal() and len(value) <= 18):
            raise _no_number(name, shown(value), low, high)
        return within(name, int(value), low, high)

    def page(self) -> tuple[int, int]:
        """Limit and offset, as they are everywhere."""
        limit = self.number("limit", default=LIMIT_DEFAULT, low=1, high=LIMIT_MAX)
        return limit, self.number("offset", default=0, low=0, high=OFFSET_MAX)


def within(name: str, value: int, low: int, high: int) -> int:
    """The number. Raises PARAMETER_INVALID."""
    if not low <= value <= high:
        raise _no_number(name, str(value), low, high)
    return value


def _no_number(name: str, found: str, low: int, high: int) -> DrsError:
    return DrsError(Fault.PARAMETER_INVALID, name=name, reason=f"{found!r} is no number from {low} to {high}")


def _storable(name: str, value: str) -> str:
    """Raises PARAMETER_INVALID for what not every store can look for."""
    if len(value) > TEXT_MAX or "\0" in value:
        reason = f"it has more than {TEXT_MAX} characters, or a NUL"
        raise DrsError(Fault.PARAMETER_INVALID, name=name, reason=reason)
    return value
