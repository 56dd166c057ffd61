"""XA transactions that are prepared: their rows lie in the log before their end, and no SELECT shows them yet.

A position between the two is no place to begin: behind it the log has the end of a transaction whose rows came
before. Where applications use XA some are always prepared, each for a moment: a moment without any is waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

from opendrs.engines.mysql.connect import Session
from opendrs.errors import DrsError, Fault

PATIENCE_S: Final = 30.0
LOOK_S: Final = 0.05

Found = TypeVar("Found")


def between(session: Session, take: Callable[[], Found]) -> Found:
    """What `take` finds, at a moment when nothing is prepared. Raises SOURCE_REFUSED if none comes."""
    until = time.monotonic() + PATIENCE_S
    while True:
        prepares = _prepares(session)
        before = _prepared(session)
        found = None if before else take()
        # Had one been prepared in between, the counter would tell, even if it has ended again.
        if found is not None and not _prepared(session) and _prepares(session) == prepares:
            return found
        if time.monotonic() > until:
            raise DrsError(
                Fault.SOURCE_REFUSED,
                reason=f"for {PATIENCE_S:.0f} s there was no moment without a prepared XA transaction; "
                f"now XA RECOVER shows {', '.join(before) or 'none, but more come and go'}",
            )
        time.sleep(LOOK_S)


def in_use(session: Session) -> bool:
    """Whether XA transactions have been prepared since the server was started, or still are from before."""
    return _prepares(session) != "0" or bool(_prepared(session))


def _prepared(session: Session) -> list[str]:
    """Names of those that are prepared; none if the account may not see them (MySQL: XA_RECOVER_ADMIN)."""
    form = "FORMAT='SQL'" if session.mariadb else "CONVERT XID"
    try:
        return [row["data"] or "" for row in session.query(f"XA RECOVER {form}")]
    except DrsError as error:
        if error.fault in (Fault.SOURCE_REFUSED, Fault.PRIVILEGE_MISSING, Fault.ACCESS_DENIED):
            return []
        raise


def _prepares(session: Session) -> str:
    return session.query("SHOW GLOBAL STATUS LIKE 'Com_xa_prepare'")[0]["Value"] or ""
