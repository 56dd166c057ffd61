"""The command as a user types it, and what it answered."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[3]
OPENDRS = Path(sys.executable).with_name("opendrs")
TIMEOUT_S = 240.0


@dataclass(slots=True, kw_only=True)
class Job:
    """Two endpoints and a state; every method is one command."""

    source: str
    target: str
    state: str
    selected: tuple[str, ...] = ()
    output: list[str] = field(default_factory=list)

    def run(self, *options: str, until: str = "caught-up") -> int:
        return self._call("run", "--plain", "--until", until, *options)

    def prove(self, *options: str) -> int:
        return self._call("proof", *options)

    def _call(self, word: str, *options: str) -> int:
        command = [str(OPENDRS), word, self.source, self.target, *self.selected]
        done = subprocess.run(
            [*command, "--state", self.state, *options],
            capture_output=True, text=True, check=False, cwd=ROOT, timeout=TIMEOUT_S,
        )  # fmt: skip
        self.output = [*done.stdout.splitlines(), *done.stderr.splitlines()]
        return done.returncode

    def words(self) -> str:
        return "\n".join(self.output[-60:])
