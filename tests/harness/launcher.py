"""Becomes the program of a child process: records itself, gives up rights, ties its life, runs it.

Run as a script by `processes`, never imported. It does what would otherwise have to happen
between fork and exec of a process with threads, where hardly anything is safe to do:
    launcher.py RECORD RECORD_TEXT OWNER_PID TIED UID GID PROGRAM ARGUMENT...
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1


def main() -> None:
    record, text, owner, tied, uid, gid, *argv = sys.argv[1:]
    start = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    # Written before the program runs: there is no moment at which it lives unrecorded.
    unfinished = Path(f"{record}.new")
    unfinished.write_text(f"{os.getpid()} {start} {text}\n")
    unfinished.rename(record)
    if int(uid) >= 0:
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if tied == "tied":
        # After the change of user, which resets it.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != int(owner):  # the owner died before we had asked to be told
            sys.exit(1)
    os.execv(argv[0], argv)


main()
