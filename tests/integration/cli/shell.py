"""The installed command as a person runs it: a process, with a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.harness.service import OPENDRS

TIMEOUT_S = 120.0
# Of whoever runs the tests; they must not reach the command.
OURS = ("OPENDRS_", "XDG_", "MYSQL_", "PG")


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended. `said`: both outputs."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err

    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(slots=True)
class Shell:
    """`history`: everything that any command has printed."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)

    @property
    def login_file(self) -> Path:
        return self.home / ".config" / "opendrs" / "login.json"

    @contextmanager
    def popen(
        self, *words: str, stdin: int = subprocess.DEVNULL, stderr: int = subprocess.PIPE, **environment: str
    ) -> Iterator[subprocess.Popen[str]]:
        """Waits for its end, unless the test has failed meanwhile."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        whole = {**clean, "HOME": str(self.home), "NO_COLOR": "1", **self.environment, **environment}
        with subprocess.Popen(
            [OPENDRS, *words],
            env=whole,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,  # no terminal of whoever runs the tests
        ) as child:
            try:
                yield child
            except BaseException:
                child.kill()
                raise

    def run(self, *words: str, **environment: str) -> Ran:
        with self.popen(*words, **environment) as child:
            try:
                out, err = child.communicate(timeout=TIMEOUT_S)
            except subprocess.TimeoutExpired:
                child.kill()
                raise
        self.history.append(out + err)
        return Ran(child.returncode, out, err)

    def done(self, *words: str, **environment: str) -> Ran:
        """One that must succeed."""
        ran = self.run(*words, **environment)
        assert ran.code == 0, (words, ran)
        return ran

    def failed(self, *words: str, code: int = 1, **environment: str) -> str:
        """One that must not; what it says on the standard error."""
        ran = self.run(*words, **environment)
        assert ran.code == code, (words, ran)
        return ran.err
