"""Around every `opendrs job` command: a client by the current login, and whatever goes wrong as words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opendrs.cli import logins
from opendrs.cli.exits import told
from opendrs.telemetry import Mask

if TYPE_CHECKING:
    from opendrs.cli.service import Service


@contextmanager
def session(*secrets: str, debug: bool = False) -> Iterator[Service]:
    """secrets: what this command knows besides those of the login, and nobody may see."""
    mask = Mask(secrets)
    with told(mask, debug=debug):
        login = logins.current()
        mask = Mask((*secrets, *login.secrets))
    with told(mask, debug=debug):
        from opendrs.cli.client import Client  # not to be loaded for the help
        from opendrs.cli.service import Service

        with Client(login) as client:
            yield Service(client)
