"""How a command ends: its exit code, and what it says when something went wrong."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from pathlib import Path
from typing import Final

import typer

from opendrs.errors import DrsError, Fault
from opendrs.model.failure import Failure
from opendrs.telemetry import Mask, context, log_to

LOG: Final = "opendrs.log.jsonl"

log = logging.getLogger("opendrs.cli")


class Code(IntEnum):
    """Exit codes of every command. docs/reference/cli.md is made from MEANINGS."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PAUSED = 130


MEANINGS: Final = {
    Code.DONE: "done, or caught up where that was asked for",
    Code.FAILED: "failed: the fault and what to do about it are on the standard error",
    Code.USAGE: "the command line is wrong",
    Code.PAUSED: "interrupted by Ctrl-C or a signal: `run` has paused, and the same command resumes",
}


class Refused(Exception):
    """What a service answered instead of what was asked of it: its code and its words, as they came.

    hint   what can be done about it here, where the service's words are for callers of its API
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        self.code = code
        self.message = message
        self.hint = hint
        super().__init__(f"{code} {message}")


# What is wrong with the command line itself.
_USAGE: Final = frozenset({Fault.ENDPOINT_INVALID, Fault.SETTING_INVALID})


def tell(failure: Failure) -> None:
    """Says why, on the standard error."""
    with suppress(OSError):  # nobody listens any more; the exit code says it too
        hint = f"  {failure.hint}\n" if failure.hint else ""
        sys.stderr.write(f"opendrs: {failure.message} [{failure.code}]\n{hint}")
        sys.stderr.flush()


@contextmanager
def told(mask: Mask, *, folder: Path | None = None, debug: bool = False) -> Iterator[None]:
    """Around a command's body: whatever it raises becomes words and an exit code, never a trace.

    folder  where the trace of a fault of ours is kept; None: it is not known yet
    debug   show the trace as well
    """
    try:
        yield
    except DrsError as error:
        if debug:
            _show()
        failure = Failure.of(error)
        message = mask(failure.message)
        tell(Failure(fault=failure.fault, code=failure.code, message=message, hint=failure.hint))
        raise typer.Exit(Code.USAGE if error.fault in _USAGE else Code.FAILED) from None
    except Refused as error:
        if debug:
            _show()
        tell(Failure(fault="REFUSED", code=error.code, message=mask(error.message), hint=mask(error.hint)))
        raise typer.Exit(Code.FAILED) from None
    except KeyboardInterrupt:
        raise typer.Exit(Code.PAUSED) from None
    except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
        raise  # nobody reads on: `| head`, which typer ends quietly
    except Exception as error:  # noqa: BLE001  a fault of ours: the person gets words, the file the trace
        if debug:
            _show()
        place = _keep(mask, folder)
        reason = f"{type(error).__name__}: {mask(str(error))}; {place}"
        tell(Failure.of(DrsError(Fault.INTERNAL, reason=reason)))
        raise typer.Exit(Code.FAILED) from None


def _show() -> None:
    import traceback

    traceback.print_exc()


def _keep(mask: Mask, folder: Path | None) -> str:
    if folder is None:
        return "--debug shows more"
    path = folder / LOG
    try:
        handler = log_to(path, mask)
        log.exception("a command failed", extra=context("cli.failed"))
        logging.getLogger().removeHandler(handler)
        handler.close()
    except OSError:
        return "--debug shows more"
    return f"{path} has the details"
