"""MySQL and MariaDB, and what differs between their versions, as data.

A fact holds from the version on that stands in its row, up to (and without) the second version if there
is one. Versions are numbers as executable comments write them: 8.0.36 is 80036, 10.11.18 is 101118.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, Self

from opendrs.errors import DrsError, Fault

Product = Literal["mysql", "mariadb"]

NEVER: Final = 1 << 30


class Since(NamedTuple):
    """From which version of each product on a fact holds; `mysql_until`, `mariadb_until`: and no longer."""

    mysql: int
    mariadb: int
    mysql_until: int = NEVER
    mariadb_until: int = NEVER


FACTS: Final[dict[str, Since]] = {
    # what information_schema has
    "default_generated": Since(80013, NEVER),  # EXTRA says which defaults are expressions
    "quoted_defaults": Since(NEVER, 100207),  # COLUMN_DEFAULT is SQL, literals in quotes; else bare values
    "escaped_expressions": Since(80000, NEVER),  # expressions are printed as the inside of a string literal
    "check_constraints": Since(80016, 100222),
    "check_level": Since(NEVER, 100510),  # CHECK_CONSTRAINTS.LEVEL: of a column or of the table
    "check_table": Since(NEVER, 100222),  # CHECK_CONSTRAINTS.TABLE_NAME, for names are unique per table only
    "enforced": Since(80016, NEVER),  # TABLE_CONSTRAINTS.ENFORCED
    "sequences": Since(NEVER, 100300),
    "cached_statistics": Since(80000, NEVER),  # AUTO_INCREMENT is as old as information_schema_stats_expiry says
    "hidden_generated_key": Since(80030, NEVER),  # my_row_id, shown unless a variable says no
    # how types print
    "display_widths": Since(50000, 50000, mysql_until=80019),
    "year_width": Since(50000, 50000, mysql_until=80019),
    "utf8mb3_charset": Since(80028, 100600),  # the character set utf8 is called utf8mb3
    "utf8mb3_collations": Since(80030, 100601),
    "geomcollection": Since(80011, NEVER),  # the type geometrycollection prints so
    "default_vector": Since(90000, NEVER),  # VECTOR without a length has one
    # what a definition means
    "checks": Since(80016, 100201),  # before, CHECK was read and forgotten
    "column_checks": Since(NEVER, 100201),  # CHECK behind a column belongs to it and has its name
    "inline_references": Since(90000, 100500),  # REFERENCES behind a column is a foreign key
    "json_is_text": Since(NEVER, 100207),  # JSON is LONGTEXT with a check
    "descending": Since(80001, 100801),  # before, DESC in an index was read and forgotten
    "default_functions": Since(NEVER, 100201),  # DEFAULT f() without parentheses
    "restrict_by_default": Since(50000, 50000, mysql_until=80000),  # how a missing ON DELETE is listed
    # what the log carries
    "row_hash": Since(NEVER, 100400),  # a hidden column for each UNIQUE key that is too long for a B-tree
    "row_times": Since(NEVER, 100300),  # WITH SYSTEM VERSIONING adds two columns
    # UPDATE and DELETE rows hold generated columns, stored ones too. MariaDB 11.8 leaves them out even with
    # binlog_row_image=FULL (seen on 11.8.9; 10.11 has them). 11.4 brought the new row images: MDEV-32589.
    "generated_logged": Since(50000, 50000, mariadb_until=110400),
}


# What a session must say before it reads information_schema, by the fact that makes it necessary.
READING: Final[dict[str, str]] = {
    "cached_statistics": "SET SESSION information_schema_stats_expiry = 0",
    "hidden_generated_key": "SET SESSION show_gipk_in_create_table_and_information_schema = ON",
}


@dataclass(frozen=True, slots=True)
class Flavour:
    """A product and its version."""

    product: Product
    version: int

    @classmethod
    def of(cls, text: str) -> Self:
        """From what `SELECT version()` answers: "9.7.4-2", "10.11.18-MariaDB-log", "5.5.5-10.6.12-MariaDB".

        Raises DrsError(UNSUPPORTED) if that is no version.
        """
        # Old MariaDB servers put 5.5.5- in front, for replicas that know no version 10.
        found = re.match(r"(?:5\.5\.5-(?=1\d\.))?(\d+)\.(\d+)\.(\d+)", text)
        if found is None:
            raise DrsError(Fault.UNSUPPORTED, what=f"A server of version {text!r}")
        major, minor, patch = (int(part) for part in found.groups())
        product: Product = "mariadb" if "mariadb" in text.lower() or major in (10, 11, 12) else "mysql"
        return cls(product, major * 10000 + minor * 100 + patch)

    def has(self, fact: str) -> bool:
        """Whether a fact of FACTS holds."""
        row = FACTS[fact]
        since, until = (row.mysql, row.mysql_until) if self.product == "mysql" else (row.mariadb, row.mariadb_until)
        return since <= self.version < until

    @property
    def mariadb(self) -> bool:
        return self.product == "mariadb"


# The default collation of each character set, and the bytes of its longest character, in the product where
# nothing else is known; a server that can be asked is asked (information_schema.COLLATIONS).
COLLATIONS: Final[dict[str, str]] = {
    "armscii8": "armscii8_general_ci",
    "ascii": "ascii_general_ci",
    "big5": "big5_chinese_ci",
    "binary": "binary",
    "cp1250": "cp1250_general_ci",
    "cp1251": "cp1251_general_ci",
    "cp1256": "cp1256_general_ci",
    "cp1257": "cp1257_general_ci",
    "cp850": "cp850_general_ci",
    "cp852": "cp852_general_ci",
    "cp866": "cp866_general_ci",
    "cp932": "cp932_japanese_ci",
    "dec8": "dec8_swedish_ci",
    "eucjpms": "eucjpms_japanese_ci",
    "euckr": "euckr_korean_ci",
    "gb18030": "gb18030_chinese_ci",
    "gb2312": "gb2312_chinese_ci",
    "gbk": "gbk_chinese_ci",
    "geostd8": "geostd8_general_ci",
    "greek": "greek_general_ci",
    "hebrew": "hebrew_general_ci",
    "hp8": "hp8_english_ci",
    "keybcs2": "keybcs2_general_ci",
    "koi8r": "koi8r_general_ci",
    "koi8u": "koi8u_general_ci",
    "latin1": "latin1_swedish_ci",
    "latin2": "latin2_general_ci",
    "latin5": "latin5_turkish_ci",
    "latin7": "latin7_general_ci",
    "macce": "macce_general_ci",
    "macroman": "macroman_general_ci",
    "sjis": "sjis_japanese_ci",
    "swe7": "swe7_swedish_ci",
    "tis620": "tis620_thai_ci",
    "ucs2": "ucs2_general_ci",
    "ujis": "ujis_japanese_ci",
    "utf16": "utf16_general_ci",
    "utf16le": "utf16le_general_ci",
    "utf32": "utf32_general_ci",
    "utf8": "utf8_general_ci",
    "utf8mb3": "utf8mb3_general_ci",
    "utf8mb4": "utf8mb4_general_ci",
}

BYTES_PER_CHARACTER: Final[dict[str, int]] = {
    "big5": 2,
    "cp932": 2,
    "eucjpms": 3,
    "euckr": 2,
    "gb18030": 4,
    "gb2312": 2,
    "gbk": 2,
    "sjis": 2,
    "ucs2": 2,
    "ujis": 3,
    "utf16": 4,
    "utf16le": 4,
    "utf32": 4,
    "utf8": 3,
    "utf8mb3": 3,
    "utf8mb4": 4,
}


def default_collations(flavour: Flavour) -> dict[str, str]:
    """The default collation of each character set, as far as the version alone tells it."""
    known = dict(COLLATIONS)
    if flavour.product == "mysql" and flavour.version >= 80001:
        known["utf8mb4"] = "utf8mb4_0900_ai_ci"
    if flavour.has("utf8mb3_charset") and not flavour.has("utf8mb3_collations"):
        known["utf8mb3"] = "utf8_general_ci"
    # MariaDB 11.5 turned character_set_collations on; see its documentation of that variable.
    if flavour.mariadb and flavour.version >= 110500:
        for charset in ("utf8mb3", "ucs2", "utf8mb4", "utf16", "utf32"):
            known[charset] = f"{charset}_uca1400_ai_ci"
    return known
