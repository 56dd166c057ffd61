"""Statements and messages without their values, for those who may see that something happened, and not to whom."""

from __future__ import annotations

import re
from typing import Final

MASKED: Final = "***"

# Names in double quotes or backticks stay. Texts are masked whole, whatever is doubled in them, with the letters before
# the quote that say what kind they are; so are numbers that are no part of a name.
_TOKENS: Final = re.compile(
    r"""
      "(?:[^"]|"")*" | `(?:[^`]|``)*`                       # names
    | (?:(?<![\w$])(?:[eEbBxXnN]|[uU]&|_\w+\s*))?'(?:[^']|'')*(?:'|$)
    | \$(?P<tag>[A-Za-z_]*)\$.*?(?:\$(?P=tag)\$|$)
    | (?<![\w.$])[-+]?(?:0[xX][0-9a-fA-F]+|[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?)(?![\w])
    | \b(?:TRUE|FALSE|true|false)\b
    """,
    re.VERBOSE | re.DOTALL,
)
_NAMES: Final = ('"', "`")
# A server's words about a row: `Key (id, name)=(5, Anna)`.
_KEY: Final = re.compile(r"=\(.*?\)(?=\s|\.|$)", re.DOTALL)


def masked(statement: str) -> str:
    """The statement with every value as `***`."""
    if "\\" in statement and "'" in statement:
        # Whether it escapes a quote is a setting of the server: all between the first quote and the last is one text.
        first, last = statement.index("'"), statement.rindex("'")
        statement = f"{statement[:first]}''{statement[last + 1 :]}"
    return _TOKENS.sub(lambda found: found[0] if found[0].startswith(_NAMES) else MASKED, statement)


def masked_message(message: str) -> str:
    """The same of a server's words."""
    return masked(_KEY.sub(f"=({MASKED})", message))
