"""The Java of this machine."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.harness.commands import CommandFailed, run
from tests.harness.server import ServerUnavailable

RELEASE_MIN = 17  # Kafka 4 needs no newer one, and its broker no older one


@dataclass(frozen=True, slots=True)
class Java:
    """A `java` program, and what it says about itself."""

    program: Path
    version: str


def find() -> Java:
    """`$JAVA_HOME`'s, else the first of the path. Raises ServerUnavailable if it is older than RELEASE_MIN."""
    seen = []
    for program in _candidates():
        try:
            said = run([program, "-version"])
        except CommandFailed as error:
            seen.append(str(error))
            continue
        if _release(said) >= RELEASE_MIN:
            return Java(program, said)
        seen.append(f"{program} is {said.splitlines()[0] if said else 'silent about its version'}")
    raise ServerUnavailable(f"this machine has no java of release {RELEASE_MIN} or newer: {'; '.join(seen) or 'none'}")


def _candidates() -> Iterator[Path]:
    home = os.environ.get("JAVA_HOME")
    if home:
        yield Path(home) / "bin" / "java"
    found = shutil.which("java")
    if found:
        yield Path(found)


def _release(said: str) -> int:
    """17 of `openjdk version "17.0.15"`, 8 of `java version "1.8.0_292"`; 0 if there is none."""
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(found[1]) if found else 0
