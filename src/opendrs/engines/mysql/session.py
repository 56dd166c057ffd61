"""What a logged statement means besides its text: the session it ran in, and the schema it met."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from opendrs.engines.mysql.charsets import Charset, Charsets
from opendrs.engines.mysql.flavour import Flavour
from opendrs.engines.mysql.statement import NO_MODE, Mode
from opendrs.model.catalog import Table, TableName


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The session of a statement, from its Query event, and facts of the server.

    database             the event's default database, empty if it has none
    mode                 the event's sql_mode
    zone                 the event's time_zone; SYSTEM resolved to what the server's system has
    collations           character set -> default collation, over what the version says
    server_charset       default of a new database that names none
    explicit_timestamps  the server's explicit_defaults_for_timestamp
    lower_names          lower_case_table_names is not 0
    utf8                 what the character set utf8 stands for
    moment               when the statement began, aware, with microseconds where the event has them
    """

    flavour: Flavour
    database: str = ""
    mode: Mode = NO_MODE
    zone: str = "UTC"
    collations: Mapping[str, str] = field(default_factory=dict)
    server_charset: Charset | None = None
    explicit_timestamps: bool = True
    lower_names: bool = False
    utf8: str = "utf8mb3"
    moment: datetime | None = None

    @property
    def charsets(self) -> Charsets:
        return Charsets(self.flavour, self.collations, self.utf8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What the job knows of the schema just before the statement.

    wants            whether a table is selected
    wants_database   whether tables of a database may be
    table            the definition of a selected table, None if there is none; asked for each table that the
                     statement concerns, so that whoever calls knows which those are
    database         default character set of a database, None if it is not known
    """

    wants: Callable[[TableName], bool]
    wants_database: Callable[[str], bool]
    table: Callable[[TableName], Table | None]
    database: Callable[[str], Charset | None]
