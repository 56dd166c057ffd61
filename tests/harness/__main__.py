"""`python -m tests.harness NAME ...`: start servers, print how to reach them, wait for Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from tests.harness.catalogue import BROKERS, NAMES
from tests.harness.kafka import Kafka
from tests.harness.server import Options, Server, ServerFailed, ServerUnavailable

ALL = {**NAMES, **BROKERS}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.harness", description=__doc__)
    parser.add_argument("names", nargs="+", choices=sorted(ALL), metavar="NAME")
    parser.add_argument("--data", type=Path, help="keep the data below this folder")
    parser.add_argument("--port", type=int, help="port of the first server; the next one adds 1")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--durable", action="store_true", help="wait for the disk at each commit")
    parser.add_argument("--auth", help="authentication of the user opendrs; of Kafka, a mechanism of SASL")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="settings")
    parser.epilog = f"NAME is one of: {', '.join(sorted(ALL))}"
    given = parser.parse_args()
    # So that the servers are closed, started from a shell's background too, which ignores SIGINT.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        return serve(given)
    return 0


def serve(given: argparse.Namespace) -> int:
    """Start what was asked for; only an error or Ctrl-C ends it."""
    settings = dict(setting.partition("=")[::2] for setting in given.settings)
    with ExitStack() as running:
        for number, name in enumerate(given.names):
            options = Options(
                settings=settings,
                tls=given.tls,
                durable=given.durable,
                auth=given.auth,
                data=given.data.absolute() / name if given.data else None,
                port=given.port + number if given.port else None,
            )
            begin = time.monotonic()
            try:
                server = running.enter_context(ALL[name](options))
            except (ServerUnavailable, ServerFailed) as error:
                print(f"{name}: {error}", file=sys.stderr)
                return 1
            _describe(name, server, time.monotonic() - begin)
        print("Ctrl-C ends them.", flush=True)
        threading.Event().wait()
    return 0


def _describe(name: str, server: Server | Kafka, start_s: float) -> None:
    print(f"{name}: {server.version}, pid {server.pid}, started in {start_s:.2f} s")
    if isinstance(server, Kafka):
        ways = {listener.value: server.url(listener) for listener in server.listeners}
    else:
        ways = {"user": server.url(), "admin": server.url(user=server.admin)}
    for what, where in {**ways, "data": str(server.data)}.items():
        print(f"  {what:{max(map(len, ways))}} {where}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
