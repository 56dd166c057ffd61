"""The log of a process whose disk or folder fails it."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from opendrs.telemetry import Mask, log_to


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "job"
    folder.mkdir()
    handler = log_to(folder / "log.jsonl", Mask())
    yield folder / "log.jsonl"
    logging.getLogger().removeHandler(handler)
    handler.close()


def test_who_cannot_write_goes_on(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logging.warning("first")
    shutil.rmtree(file.parent)
    for _ in range(3):
        logging.warning("nobody reads this")
    assert capsys.readouterr().err == f"{file} cannot be written: No such file or directory\n"
    file.parent.mkdir()
    logging.warning("again")
    assert '"message": "again"' in file.read_text()


def test_another_process_has_moved_it_away(file: Path) -> None:
    logging.warning("first")
    file.rename(file.with_suffix(".old"))
    logging.warning("second")
    assert "first" in file.with_suffix(".old").read_text()
    assert "second" in file.read_text() and "first" not in file.read_text()
