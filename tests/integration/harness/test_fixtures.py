"""What is skipped is told at the end; what is required fails instead."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]

TESTS = """
import pytest
from tests.harness import ServerUnavailable
from tests.harness.fixtures import NOT_EXERCISED, not_exercised

NOT_EXERCISED.append(("MySQL 5.7", "only bytes from its documentation"))

@pytest.fixture
def oracle():
    not_exercised("oracle", "no such\\n server here")

def test_one(oracle): pass
def test_two(oracle): pass
def test_other(): pytest.skip("something else")
"""


def run(folder: Path, required: str) -> str:
    (folder / "test_skipping.py").write_text(TESTS)
    argv = [sys.executable, "-m", "pytest", "-p", "tests.harness.fixtures", "-q", "-c", "/dev/null", str(folder)]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY), "OPENDRS_TEST_REQUIRE": required}
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.stdout


def test_the_end_of_a_run_tells_what_was_not_exercised(tmp_path: Path) -> None:
    said = run(tmp_path, "")
    assert "not exercised and why" in said
    assert "oracle (2 tests): no such server here" in said
    assert "MySQL 5.7: only bytes from its documentation" in said
    assert "what a server does not have (1 tests): something else" in said
    assert "3 skipped" in said


def test_what_is_required_fails(tmp_path: Path) -> None:
    said = run(tmp_path, "mysql,oracle")
    assert "oracle is required here" in said
    assert "2 errors" in said


def test_a_database_has_the_tests_name_and_goes_with_it(
    database: object, mariadb: object, request: pytest.FixtureRequest
) -> None:
    new = request.getfixturevalue("database")
    first, second = new(mariadb), new(mariadb)
    assert first != second
    assert "a_database_has" in first
    assert len(first) <= 40
