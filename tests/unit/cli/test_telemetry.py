"""Logs are lines of JSON with stable names, and hold no secret."""

from __future__ import annotations

import json
import logging
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opendrs.errors import DrsError, Fault
from opendrs.telemetry import METRICS, Mask, context, log_to


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[Any]:
    path = tmp_path / "log.jsonl"
    root = logging.getLogger()
    level = root.level
    handler = log_to(path, Mask(["K1ngfisher", "a/b@c", "abc"]), job="j1")
    yield lambda: [json.loads(line) for line in path.read_text().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)
    handler.close()


def test_a_line_has_its_fields_beside_the_message(lines: Any, tmp_path: Path) -> None:
    logging.getLogger("opendrs.x").info("checkpoint saved", extra=context("checkpoint.saved", position="p", n=3))
    (line,) = lines()
    assert {
        "level": "info",
        "event": "checkpoint.saved",
        "message": "checkpoint saved",
        "logger": "opendrs.x",
    }.items() <= line.items()
    assert (line["job"], line["position"], line["n"]) == ("j1", "p", 3)
    assert line["at"].endswith("+00:00")
    assert stat.S_IMODE((tmp_path / "log.jsonl").stat().st_mode) == 0o600


def test_a_large_log_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opendrs.telemetry.LOG_BYTES_MAX", 100)
    path, root = tmp_path / "log.jsonl", logging.getLogger()
    level = root.level
    first = log_to(path, Mask())
    logging.getLogger("opendrs.x").info("x" * 200)
    second = log_to(path, Mask())
    logging.getLogger("opendrs.x").info("both write to the new one")
    for handler in (first, second):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    assert "xxx" in (tmp_path / "log.old").read_text()
    assert [json.loads(line)["message"] for line in path.read_text().splitlines()] == ["both write to the new one"] * 2


def test_no_secret_gets_through(lines: Any) -> None:
    log = logging.getLogger("opendrs.x")
    log.warning(
        "K1ngfisher at %s", "mysql://u:other-pass@h/d", extra=context("e", deep={"K1ngfisher": ["a%2Fb%40c", 1]})
    )
    try:
        raise ValueError("connecting to postgresql://u:p%40ss@h with K1ngfisher")
    except ValueError:
        log.exception("it broke", extra=context("e"))
    text = json.dumps(lines())
    for secret in ("K1ngfisher", "other-pass", "p%40ss", "a%2Fb", "a/b@c"):
        assert secret not in text
    assert lines()[0]["message"] == "*** at mysql://u:***@h/d"
    assert lines()[0]["deep"] == {"***": ["***", 1]}
    assert "Traceback" in lines()[1]["trace"]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("mysql://u:p@h/d", "mysql://u:***@h/d"),
        ("mysql://u:p@ss:w@h/d?x=1", "mysql://u:***@h/d?x=1"),
        ("postgresql://:p@h", "postgresql://:***@h"),
        ("mysql://u@h:3306/d", "mysql://u@h:3306/d"),
        ("mysql://h:3306/d and a@b", "mysql://h:3306/d and a@b"),
        ('{"url": "mysql://u:p@h", "x": "y@z"}', '{"url": "mysql://u:***@h", "x": "y@z"}'),
        ("host=h password=geheim user=u", "host=h password=*** user=u"),
        ("host=h password='ge heim' user=u", "host=h password=*** user=u"),
        ("'password': 'geheim'", "'password': ***"),
        ("refused the user name or password: timeout", "refused the user name or password: timeout"),
        (
            "Access denied for user 'u'@'h' (using password: YES)",
            "Access denied for user 'u'@'h' (using password: YES)",
        ),
        ("nul \0 and half \ud800", "nul ␀ and half ?"),
    ],
)
def test_what_is_masked(text: str, masked: str) -> None:
    assert Mask()(text) == masked


def test_a_short_secret_does_not_eat_every_word() -> None:
    assert Mask(["a"])("a banana") == "a banana"


def test_a_masked_fault_still_says_what_is_wrong() -> None:
    error = DrsError(
        Fault.ACCESS_DENIED, endpoint="mysql://u:***@h:3306/", reason="Access denied (using password: YES)"
    )
    assert Mask()(error.message) == error.message


def test_metrics_are_a_table_with_bounded_labels() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    assert all(metric.labels == ("job",) and metric.meaning for metric in METRICS)
    assert all(metric.name.endswith("_total") == (metric.kind == "counter") for metric in METRICS)
