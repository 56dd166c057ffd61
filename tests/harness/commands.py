"""Running a program to its end, and saying what it printed when it failed."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.harness.server import ServerFailed

OUTPUT_SHOWN_MAX = 4000


class CommandFailed(ServerFailed):
    """A program ended with an error; the message holds the end of what it printed."""


def run(
    argv: Sequence[str | Path],
    *,
    stdin: bytes = b"",
    timeout_s: float = 600.0,
    user: int | None = None,
    group: int | None = None,
    cwd: Path | None = None,
    environment: dict[str, str] | None = None,
) -> str:
    """Standard output and standard error, together, of a program that succeeded."""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            user=user,
            group=group,
            extra_groups=None if user is None else [],
            cwd=cwd,
            env=environment,
            start_new_session=True,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CommandFailed(f"{words[0]}: {error}") from error
    output = done.stdout.decode(errors="replace")
    if done.returncode:
        shown = output[-OUTPUT_SHOWN_MAX:]
        raise CommandFailed(f"{' '.join(words)} ended with {done.returncode}:\n{shown}")
    return output
