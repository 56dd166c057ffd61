"""What the product tells about itself: metrics as a table, logs as lines of JSON with stable event names.

A message is constant and for people; what varies stands beside it in fields, for machines. Neither ever
holds a row's value or a secret; `Mask` is the last defence, not the first.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any, Final, Literal, TextIO
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure that a job reports. Labels are bounded: never a table, never a value."""

    name: str
    kind: Literal["gauge", "counter"]
    unit: str
    labels: tuple[str, ...]
    meaning: str


_JOB: Final = ("job",)

# Names as on the monitoring page of the published service, where it has one for the thing;
# counters are ours.
METRICS: Final = (
    Metric("cpu_util", "gauge", "percent", _JOB, "processor time of the worker, of all cores of its machine"),
    Metric("mem_util", "gauge", "percent", _JOB, "resident memory of the worker, of its machine's memory"),
    Metric("mem_bytes", "gauge", "bytes", _JOB, "resident memory of the worker"),
    Metric("apply_latency", "gauge", "s", _JOB, "age of the newest source commit that is durable in the target"),
    Metric("apply_rows_rate", "gauge", "rows/s", _JOB, "rows loaded and row changes applied a second"),
    Metric("apply_bytes_rate", "gauge", "bytes/s", _JOB, "size of these rows in memory, a second"),
    Metric("apply_transactions_rate", "gauge", "1/s", _JOB, "source transactions made durable a second"),
    Metric("apply_ddls_rate", "gauge", "1/s", _JOB, "schema changes made durable a second"),
    Metric("apply_current_state", "gauge", "", _JOB, "1: the worker applies; 0: it waits for a server to answer again"),
    Metric("apply_rows_total", "counter", "rows", _JOB, "rows loaded and row changes applied by this worker"),
    Metric("apply_changes_total", "counter", "rows", _JOB, "row changes among them"),
    Metric("apply_bytes_total", "counter", "bytes", _JOB, "size of these rows in memory"),
    Metric("apply_transactions_total", "counter", "1", _JOB, "source transactions made durable by this worker"),
    Metric("apply_ddls_total", "counter", "1", _JOB, "schema changes made durable by this worker"),
    Metric(
        "apply_dirty_rows_total", "counter", "rows", _JOB, "rows that did not arrive as they were, met by this worker"
    ),
)

LOG_BYTES_MAX: Final = 64 << 20  # a log that is larger when a process starts is put aside
MASKED: Final = "***"
_URL_PASSWORD = re.compile(r"""(://[^\s:/@"']*):[^\s"']*@""")
# `password=x` of a conninfo and `"password": "x"` of JSON; not "refused user name or password: reason".
_NAMED_PASSWORD = re.compile(r"""(?i)\b(password|passwd|pwd)(\s*=\s*|["']\s*:\s*)("[^"]*"|'[^']*'|[^\s,;"'})]+)""")
_SECRET_LENGTH_MIN = 4  # a shorter one would be found in half of all words


class Mask:
    """Makes a text fit to be kept: no password of a URL, none of the known secrets, nothing a store refuses."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        long_enough = {secret for secret in secrets if len(secret) >= _SECRET_LENGTH_MIN}
        forms = long_enough | {quote(secret, safe="") for secret in long_enough}
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASKED)
        # Every line of every log goes through here, and hardly any has one of these.
        if "://" in text:
            text = _URL_PASSWORD.sub(rf"\1:{MASKED}@", text)
        folded = text.lower()
        if "passw" in folded or "pwd" in folded:
            text = _NAMED_PASSWORD.sub(rf"\1\2{MASKED}", text)
        if text.isascii() and "\0" not in text:
            return text
        # PostgreSQL takes no NUL, and no store takes half a surrogate pair.
        return text.replace("\0", "\u2400").encode("utf-8", "replace").decode()

    def deep(self, value: Any) -> Any:
        """The same for every text inside a JSON value."""
        match value:
            case str():
                return self(value)
            case dict():
                return {self(str(key)): self.deep(inner) for key, inner in value.items()}
            case list() | tuple():
                return [self.deep(inner) for inner in value]
            case None | bool() | int() | float():
                return value
            case _:
                return self(str(value))


def context(event: str, **fields: Any) -> dict[str, Any]:
    """The `extra` of a log call: `log.info("worker started", extra=context("worker.started", epoch=3))`."""
    return {"event": event, "fields": fields}


class JsonLines(logging.Formatter):
    """One record, one line: at, level, event, message, logger, and the fields."""

    def __init__(self, mask: Mask, **always: Any) -> None:
        super().__init__()
        self._mask = mask
        self._always = always

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", ""),
            "message": record.getMessage(),
            "logger": record.name,
            "pid": record.process,
            **self._always,
        }
        fields: dict[str, Any] = getattr(record, "fields", {})
        line |= {name: value for name, value in fields.items() if name not in line}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        # The names of fields are ours.
        return json.dumps({name: self._mask.deep(value) for name, value in line.items()}, ensure_ascii=False)


class LogFile(WatchedFileHandler):
    """Watched: whoever writes to it notices when another process, or logrotate, has moved it away. Whoever cannot write
    goes on without."""

    _away = False

    def emit(self, record: logging.LogRecord) -> None:
        try:
            super().emit(record)
        except OSError as error:
            if not self._away and sys.stderr is not None:
                sys.stderr.write(f"{self.baseFilename} cannot be written: {error.strerror}\n")
            self._away = True
        else:
            self._away = False


def log_to(path: Path, mask: Mask, *, level: int = logging.INFO, **always: Any) -> logging.Handler:
    """Sends everything that this process logs to a file of JSON lines; several processes may append to one.

    Returns the handler, for whoever wants to take it away again.
    """
    if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
        path.replace(path.with_suffix(".old"))
    path.touch(mode=0o600)
    return _send(LogFile(path, encoding="utf-8"), JsonLines(mask, **always), level)


def log_to_stream(stream: TextIO, mask: Mask, *, level: int = logging.INFO, **always: Any) -> logging.Handler:
    """Sends everything that this process logs to a stream, as lines of JSON."""
    return _send(logging.StreamHandler(stream), JsonLines(mask, **always), level)


def _send(handler: logging.Handler, form: logging.Formatter, level: int) -> logging.Handler:
    handler.setFormatter(form)
    handler.setLevel(level)
    root = logging.getLogger()
    root.addHandler(handler)
    if root.level > level or root.level == logging.NOTSET:
        root.setLevel(level)
    return handler
