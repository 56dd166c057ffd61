"""Facts of a server that its log does not tell: version, databases, defaults."""

from __future__ import annotations

from opendrs.engines.mysql.charsets import Charset
from opendrs.engines.mysql.flavour import Flavour
from opendrs.engines.mysql.information import Query, rows
from opendrs.engines.mysql.session import Session

SYSTEM_DATABASES = ("mysql", "sys", "performance_schema", "information_schema")


def read_databases(query: Query) -> dict[str, Charset]:
    """All databases but the system's, with their default character sets."""
    found = rows(query, "SELECT * FROM information_schema.SCHEMATA")
    known = {r["SCHEMA_NAME"]: Charset(r["DEFAULT_CHARACTER_SET_NAME"], r["DEFAULT_COLLATION_NAME"]) for r in found}
    return {name: charset for name, charset in known.items() if name.lower() not in SYSTEM_DATABASES}


def read_flavour(query: Query) -> Flavour:
    """Product and version of the server."""
    return Flavour.of(rows(query, "SELECT version() AS VERSION")[0]["VERSION"])


def read_session(query: Query) -> Session:
    """What is the same for all statements of this server's log; each event completes it."""
    flavour = read_flavour(query)
    found = rows(
        query,
        "SELECT @@lower_case_table_names AS LOWER_NAMES, @@explicit_defaults_for_timestamp AS EXPLICIT,"
        " @@character_set_server AS CHARSET, @@collation_server AS COLLATION",
    )
    facts = found[0]
    defaults = rows(query, "SELECT CHARACTER_SET_NAME, DEFAULT_COLLATE_NAME FROM information_schema.CHARACTER_SETS")
    collations = {row["CHARACTER_SET_NAME"]: row["DEFAULT_COLLATE_NAME"] for row in defaults}
    utf8 = "utf8mb3"
    if flavour.mariadb and flavour.version >= 100601:
        old_mode = rows(query, "SELECT @@old_mode AS OLD_MODE")[0]["OLD_MODE"]
        utf8 = "utf8mb3" if "UTF8_IS_UTF8MB3" in old_mode else "utf8mb4"
        collations |= _overridden(query, flavour)
    return Session(
        flavour=flavour,
        collations=collations,
        server_charset=Charset(facts["CHARSET"], facts["COLLATION"]),
        explicit_timestamps=facts["EXPLICIT"] in ("1", "ON"),
        lower_names=facts["LOWER_NAMES"] != "0",
        utf8=utf8,
    )


def _overridden(query: Query, flavour: Flavour) -> dict[str, str]:
    """MariaDB's character_set_collations: utf8mb4=utf8mb4_uca1400_ai_ci,..."""
    if flavour.version < 110200:
        return {}
    text = rows(query, "SELECT @@global.character_set_collations AS PAIRS")[0]["PAIRS"]
    return dict(pair.split("=", 1) for pair in text.split(",") if pair)
