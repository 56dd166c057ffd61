"""How the process of a worker is started. Light to load: a command starts one before it loads anything heavy."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Final

from opendrs.settings import SECRET_VARIABLES
from opendrs.worker import killing
from opendrs.worker.order import Order

# In the job's folder.
LOG: Final = "log.jsonl"
OUTPUT: Final = "worker.out"


def spawn(order: Order, life: int) -> subprocess.Popen[bytes]:
    """A process that outlives us: a session of its own, its output in a file, nothing tied to ours. It loads what
    it needs, and waits for its order on its standard input; if we are gone before that, so is it.

    life   the how many-eth process of this job we start, from 0
    """
    argv = [sys.executable, "-P", "-m", "opendrs.worker.child", order.job.id, order.replicate]
    with (order.folder / OUTPUT).open("ab") as output:
        os.fchmod(output.fileno(), 0o600)
        return subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(os.environ, life),
            start_new_session=True,
        )


def environment(environ: Mapping[str, str], life: int) -> dict[str, str]:
    """What a worker inherits: no secrets, and the fault that is meant for it."""
    kept = without_secrets(environ)
    kept.pop(killing.VARIABLE, None)
    fault = killing.for_life(environ, life)
    return {**kept, killing.VARIABLE: fault} if fault else kept


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """What a process of ours inherits."""
    return {name: value for name, value in environ.items() if name not in SECRET_VARIABLES}


class Early:
    """The first process of a job's workers, started before anybody knows whether it is needed: Python and its
    modules take most of the time until the first row moves, and so both processes load theirs together."""

    def __init__(self, order: Order) -> None:
        self._popen: subprocess.Popen[bytes] | None = spawn(order, 0)

    def take(self) -> subprocess.Popen[bytes] | None:
        """The process, for good; None: it is taken."""
        popen, self._popen = self._popen, None
        return popen

    def close(self) -> None:
        """Ends it, if nobody took it."""
        popen = self.take()
        if popen is not None:
            popen.kill()
            popen.communicate()
