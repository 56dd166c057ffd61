"""What may stand in a cell: names, topics, words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from opendrs.model.publishing import legal
from opendrs.model.rules import EXTRA_KINDS, EXTRA_TYPES
from opendrs.templates.layout import NO, YES

NAME_MAX: Final = 64  # MySQL's longest
VALUE_MAX: Final = 256
# As published for files of objects. What is named otherwise is chosen with update_job.
_NOT_IN_NAMES: Final = '<>."'


def name_problem(text: str) -> str:
    """What is wrong with a name; empty: nothing is."""
    if text != text.strip():
        return "it begins or ends with a blank"
    if len(text) > NAME_MAX:
        return f"it has more than {NAME_MAX} characters"
    if not text.isprintable():
        return "it has a character that cannot be printed"
    found = next((one for one in text if one in _NOT_IN_NAMES), "")
    return f"{found} is not allowed in names of such a file" if found else ""


def _topic_problem(text: str) -> str:
    return "" if legal(text) else "no topic has such a name (1 to 249 letters, digits, `.`, `_` and `-`)"


def _word_problem(*words: str) -> Callable[[str], str]:
    def problem(text: str) -> str:
        return "" if text.lower() in words else f"it is none of {', '.join(words)}"

    return problem


def _value_problem(text: str) -> str:
    if len(text) > VALUE_MAX:
        return f"it has more than {VALUE_MAX} characters"
    return "" if text.isprintable() else "it has a character that cannot be printed"


def _names_problem(text: str) -> str:
    listed = split(text)
    if len({name.lower() for name in listed}) < len(listed):
        return "a column stands there twice"
    return next(
        (problem for name in listed if (problem := name_problem(name) or ("" if name else "a name is missing"))), ""
    )


def split(text: str) -> list[str]:
    """Names with commas between them."""
    return [name.strip() for name in text.split(",")]


# By the names of the layout; all others are names of objects.
_PROBLEMS: Final[Mapping[str, Callable[[str], str]]] = {
    "topic": _topic_problem,
    "replicated": _word_problem(YES, NO, "true", "false"),
    "extra_kind": _word_problem(*EXTRA_KINDS),
    "extra_type": _word_problem(*EXTRA_TYPES),
    "extra_value": _value_problem,
    "key_columns": _names_problem,
}


def problem(heading: str, text: str) -> str:
    """What is wrong with a filled cell below a heading; empty: nothing is."""
    return _PROBLEMS.get(heading, name_problem)(text)
