"""Character sets and collations: what a definition that names only one of the two, or none, means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from opendrs.engines.mysql.flavour import BYTES_PER_CHARACTER, Flavour, default_collations
from opendrs.engines.mysql.statement import NotUnderstood


class Charset(NamedTuple):
    """A character set with one of its collations, both as the server lists them."""

    charset: str
    collation: str


BINARY = Charset("binary", "binary")


@dataclass(frozen=True, slots=True)
class Charsets:
    """The character sets of a server.

    defaults  character set -> default collation, where the server or the session says otherwise than the
              version (variables default_collation_for_utf8mb4, character_set_collations)
    utf8      what the name utf8 stands for (utf8mb4 if MariaDB's old_mode lacks UTF8_IS_UTF8MB3)
    """

    flavour: Flavour
    defaults: Mapping[str, str] = field(default_factory=dict)
    utf8: str = "utf8mb3"

    def charset(self, name: str) -> str:
        """The name as this version lists it."""
        name = name.lower()
        if name == "utf8":
            name = self.utf8
        if name == "utf8mb3" and not self.flavour.has("utf8mb3_charset"):
            return "utf8"
        return name

    def collation(self, name: str) -> str:
        """The name as this version lists it."""
        name = name.lower()
        old, new = "utf8_", f"{self.utf8}_"
        if name.startswith(old) and (self.utf8 != "utf8mb3" or self.flavour.has("utf8mb3_collations")):
            return new + name.removeprefix(old)
        if name.startswith("utf8mb3_") and not self.flavour.has("utf8mb3_collations"):
            return old + name.removeprefix("utf8mb3_")
        return name

    def default(self, charset: str) -> Charset:
        """A character set with its default collation."""
        charset = self.charset(charset)
        collation = self.defaults.get(charset) or default_collations(self.flavour).get(charset)
        if collation is None:
            raise NotUnderstood(f"the character set {charset} is not known")
        return Charset(charset, self.collation(collation))

    def of_collation(self, collation: str, within: str) -> Charset:
        """What COLLATE says: MariaDB's short names (uca1400_ai_ci) mean that of the character set `within`."""
        collation = self.collation(collation)
        charset = collation.partition("_")[0]
        if collation == "binary":
            return BINARY
        if charset in ("uca1400",):
            within = self.charset(within)
            return Charset(within, self.collation(f"{within}_{collation}"))
        return Charset(self.charset(charset), collation)

    def resolved(self, charset: str | None, collation: str | None, otherwise: Charset) -> Charset:
        """What CHARACTER SET and COLLATE say together; `otherwise` if neither is there."""
        if collation is not None:
            return self.of_collation(collation, charset or otherwise.charset)
        return otherwise if charset is None else self.default(charset)

    def binary_collation(self, charset: str) -> Charset:
        """What the attribute BINARY means: the collation that compares code points."""
        charset = self.charset(charset)
        return Charset(charset, self.collation(f"{charset}_bin"))


def bytes_per_character(charset: str | None) -> int:
    """The most bytes that a character takes."""
    return BYTES_PER_CHARACTER.get(charset or "", 1)
