"""Where a password comes from when the URL has none, and how one in the URL is hidden from other users."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from opendrs.model.endpoint import Endpoint, Secret
from opendrs.settings import SECRET_VARIABLES

# The variable that the clients of that engine read.
_CLIENT_VARIABLE: Final = {"mysql": "MYSQL_PWD", "postgresql": "PGPASSWORD"}
_FIELDS: Final = 5


def with_password(endpoint: Endpoint, variable: str, environ: Mapping[str, str] = os.environ) -> Endpoint:
    """The endpoint with a password, if one can be found: the URL's, else that of `variable`, else what the
    database's own clients would take (MYSQL_PWD; PGPASSWORD, then ~/.pgpass)."""
    if endpoint.password:
        return endpoint
    found = environ.get(variable) or environ.get(_CLIENT_VARIABLE.get(endpoint.engine, ""))
    if not found and endpoint.engine == "postgresql":
        found = from_passfile(endpoint, Path(environ.get("PGPASSFILE") or Path.home() / ".pgpass"))
    return replace(endpoint, password=Secret(found)) if found else endpoint


def from_passfile(endpoint: Endpoint, path: Path) -> str:
    """The password that libpq would take from the file; empty if there is none.

    Lines `host:port:database:user:password`, `*` matches anything, a backslash escapes; a file that others may
    read is not used (PostgreSQL manual, "The Password File").
    """
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            return ""
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    wanted = (endpoint.host, str(endpoint.port), endpoint.database or endpoint.user, endpoint.user)
    for line in lines:
        fields = [re.sub(r"\\(.)", r"\1", field) for field in re.split(r"(?<!\\):", line, maxsplit=_FIELDS - 1)]
        if line.startswith("#") or len(fields) != _FIELDS:
            continue
        if all(pattern in ("*", value) for pattern, value in zip(fields, wanted, strict=False)):
            return fields[-1]
    return ""


def conceal(argv: Sequence[str], environ: Mapping[str, str] = os.environ) -> None:
    """Overwrites passwords where the system shows them: in the arguments, which every user of the machine may
    read, and in the environment that this process was started with. Python has its own copies of both.

    Does nothing where there is no /proc. Between the start of the process and this call they can be seen.
    """
    secrets = {password for word in argv for password in _passwords(word)}
    secrets |= {value for name in SECRET_VARIABLES if (value := environ.get(name))}
    if not secrets:
        return
    for name in SECRET_VARIABLES:
        os.unsetenv(name)  # no library must find there what is about to be overwritten
    try:
        # proc(5): fields 48 to 51 are where arguments and environment begin and end; the name, field 2, is in
        # brackets and may hold anything.
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        regions = [(int(fields[45]), int(fields[46])), (int(fields[47]), int(fields[48]))]
        with Path("/proc/self/mem").open("r+b", buffering=0) as memory:
            for begin, end in regions:
                memory.seek(begin)
                before = after = memory.read(end - begin)
                for secret in sorted(secrets, key=len, reverse=True):
                    raw = os.fsencode(secret)
                    after = after.replace(raw, b"*" * len(raw))
                if after != before:
                    memory.seek(begin)
                    memory.write(after)
    except (OSError, ValueError, IndexError):
        return


def _passwords(word: str) -> list[str]:
    """As it is written in a URL, which may be `--state=postgresql://...`."""
    found = re.search(r"[a-z]+://\S+", word)
    if found is None:
        return []
    try:
        password = urlsplit(found[0]).password
    except ValueError:
        return []
    return [password] if password else []
