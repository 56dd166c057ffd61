"""Where a password comes from, and how it is hidden."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from opendrs.cli.passwords import from_passfile, with_password
from opendrs.model.endpoint import Endpoint

MYSQL = Endpoint.parse("mysql://anna@source:3306/shop")
POSTGRES = Endpoint.parse("postgresql://ben@target/ware")
VARIABLE = "OPENDRS_SOURCE_PASSWORD"


def passfile(tmp_path: Path, *lines: str, mode: int = 0o600) -> Path:
    path = tmp_path / ".pgpass"
    path.write_text("\n".join(lines) + "\n")
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("url", "environ", "found"),
    [
        ("mysql://a:own@h/", {VARIABLE: "x", "MYSQL_PWD": "y"}, "own"),
        ("mysql://a@h/", {VARIABLE: "x", "MYSQL_PWD": "y"}, "x"),
        ("mysql://a@h/", {"MYSQL_PWD": "y", "PGPASSWORD": "z"}, "y"),
        ("postgresql://a@h/", {"MYSQL_PWD": "y", "PGPASSWORD": "z"}, "z"),
        ("mysql://a@h/", {}, ""),
    ],
)
def test_the_nearest_wins(url: str, environ: dict[str, str], found: str, tmp_path: Path) -> None:
    environ["PGPASSFILE"] = str(tmp_path / "none")
    assert with_password(Endpoint.parse(url), VARIABLE, environ).password.reveal() == found


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["target:5432:ware:ben:right"], "right"),
        (["*:*:*:ben:any", "target:5432:ware:ben:later"], "any"),
        (["other:5432:ware:ben:no", "# target:5432:ware:ben:no", "", "target:5432:*:ben:yes"], "yes"),
        ([r"target:5432:ware:ben:with\:colon\\and:more"], r"with:colon\and:more"),
        (["target:5432:ware:anna:no"], ""),
        (["too:short"], ""),
    ],
)
def test_the_password_file_of_postgresql(lines: list[str], found: str, tmp_path: Path) -> None:
    assert from_passfile(POSTGRES, passfile(tmp_path, *lines)) == found


def test_a_password_file_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    assert from_passfile(POSTGRES, passfile(tmp_path, "*:*:*:*:x", mode=0o644)) == ""
    assert from_passfile(POSTGRES, tmp_path / "none") == ""


def test_the_password_file_is_for_postgresql_only(tmp_path: Path) -> None:
    environ = {"PGPASSFILE": str(passfile(tmp_path, "*:*:*:*:x"))}
    assert with_password(POSTGRES, VARIABLE, environ).password.reveal() == "x"
    assert not with_password(MYSQL, VARIABLE, environ).password


def test_arguments_and_environment_are_overwritten() -> None:
    code = """
import os, sys
from pathlib import Path
from opendrs.cli.passwords import conceal
conceal(sys.argv[1:])
print(repr(Path("/proc/self/cmdline").read_bytes()), repr(Path("/proc/self/environ").read_bytes()))
print(sys.argv[1], os.environ["MYSQL_PWD"])
"""
    words = ["mysql://anna:S3cret%21word@h/d", "--state=postgresql://u:St4te-word@h/d", "kept"]
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        env={"MYSQL_PWD": "Env1ron-word", "PYTHONPATH": str(Path(__file__).parents[3] / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    shown, kept = done.stdout.splitlines()
    assert "anna:***" in shown and "kept" in shown and "MYSQL_PWD=****" in shown
    assert not [secret for secret in ("S3cret", "St4te", "Env1ron") if secret in shown]
    assert kept == f"{words[0]} Env1ron-word"
