"""No password is anywhere but in memory: not in files, rows, logs, arguments or environments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import select

from opendrs.store import tables
from opendrs.store.database import Store
from opendrs.worker.outcome import Exit
from tests.integration.state_fixtures import SOURCE_PASSWORD, TARGET_PASSWORD
from tests.integration.worker.conftest import Stage

FORMS = [form for word in (SOURCE_PASSWORD, TARGET_PASSWORD) for form in (word, quote(word, safe=""))]


def found_in_files(folder: Path) -> list[str]:
    return [
        f"{path}: {form}"
        for path in folder.rglob("*")
        if path.is_file()
        for form in FORMS
        if form.encode() in path.read_bytes()
    ]


def found_in_processes() -> Iterator[str]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        for name in ("cmdline", "environ"):
            try:
                text = (entry / name).read_bytes()
            except OSError:
                continue
            yield from (f"{entry / name}: {form}" for form in FORMS if form.encode() in text)


def found_in_rows(store: Store) -> list[str]:
    with store.read() as connection:
        return [
            f"{table.name}: {row}"
            for table in tables.metadata.sorted_tables
            for row in connection.execute(select(table))
            if any(form in repr(tuple(row)) for form in FORMS)
        ]


def test_no_password_is_left_anywhere(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENDRS_SOURCE_PASSWORD", "MYSQL_PWD"):
        monkeypatch.setenv(name, SOURCE_PASSWORD)
    for name in ("OPENDRS_TARGET_PASSWORD", "PGPASSWORD"):
        monkeypatch.setenv(name, TARGET_PASSWORD)
    said = "connecting to <SOURCE_URL> with <TARGET_PASSWORD>"
    unreachable = {"endpoint": "<SOURCE_URL>", "reason": "password=<TARGET_PASSWORD>"}
    stage.play(
        {"do": "raise", "fault": "TARGET_UNREACHABLE", "details": unreachable, "log": said, "phase": "following"},
        {"do": "break", "message": "cannot open <SOURCE_URL> <TARGET_PASSWORD>", "applied": 1},
        {"do": "wait", "log": said},
    )
    stage.until(lambda: len(stage.calls()) == 3)
    stage.worker()
    stage.until(lambda: stage.events().count("fake.said") == 2)
    assert list(found_in_processes()) == []
    stage.supervisor.pause(stage.job.id)
    assert stage.ends().exit is Exit.PAUSED
    stage.store.close()
    assert found_in_files(tmp_path) == []
    assert found_in_rows(stage.store) == []
    assert '"message": "connecting to mysql://anna:***@source.example:3306/shop' in stage.log()


def test_no_password_is_left_when_a_job_fails(stage: Stage, tmp_path: Path) -> None:
    details = {"endpoint": "<TARGET_URL>", "reason": "refused <TARGET_PASSWORD>"}
    stage.play({"do": "raise", "fault": "ACCESS_DENIED", "details": details})
    outcome = stage.ends()
    assert outcome.failure is not None and outcome.failure.message.count("***") == 2
    stage.store.close()
    assert found_in_files(tmp_path) == []
    assert found_in_rows(stage.store) == []


def test_an_order_does_not_print_itself(stage: Stage) -> None:
    assert not [form for form in FORMS if form in repr(stage.order)]
    assert not [form for form in FORMS if form in repr(stage.job)]
