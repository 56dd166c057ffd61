"""Which process the demo takes for the one that works."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tools.demo import to_postgres
from tools.demo.to_postgres import kill_worker, worker_of


class Killed:
    def __init__(self, pid: int) -> None:
        self.pid = pid

    def kill(self) -> None:
        """It is there for a moment still."""


def test_a_worker_that_was_killed_is_not_the_one_that_follows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(to_postgres.time, "sleep", lambda _: None)
    seen = iter([{"job": Killed(7)}, {"job": Killed(7)}, {"job": Killed(7)}, {}, {"job": Killed(8)}])
    service, job = cast(Any, SimpleNamespace(workers=lambda: next(seen))), cast(Any, SimpleNamespace(id="job"))
    kill_worker(service, job)
    assert "another one follows (process 8)" in capsys.readouterr().out
    assert next(seen, None) is None


def test_any_worker_will_do_if_none_was_killed() -> None:
    service = cast(Any, SimpleNamespace(workers=lambda: {"job": Killed(7)}))
    assert worker_of(service, cast(Any, SimpleNamespace(id="job"))) == 7
