"""Secrets at rest: what is sealed opens with the same key in the same place, and nowhere else."""

from __future__ import annotations

import base64
import os
import pickle
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendrs.errors import DrsError, Fault
from opendrs.store.sealing import FILE, VARIABLE, Seal

KEY = bytes(range(32))
ABOUT = "job/1/source_password"
texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(texts, texts)
def test_what_is_sealed_opens(text: str, about: str) -> None:
    sealed = Seal(KEY).seal(text, about)
    assert sealed.isascii() and sealed.startswith("v1.")
    assert Seal(KEY).open(sealed, about) == text


@given(st.data(), st.text("abc", min_size=1))
def test_a_changed_seal_does_not_open(data: st.DataObject, text: str) -> None:
    sealed = Seal(KEY).seal(text, ABOUT)
    at = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.characters(max_codepoint=0x7E, min_codepoint=0x21))
    changed = sealed[:at] + other + sealed[at + 1 :]
    # The last letter of base64 may have bits that nobody reads.
    if changed == sealed or at >= len(sealed.rstrip("=")) - 1:
        return
    _broken(Seal(KEY), changed, ABOUT)
    _broken(Seal(KEY), sealed[:at], ABOUT)


def test_a_seal_opens_only_where_it_was_put() -> None:
    sealed = Seal(KEY).seal("pass-w0rd", ABOUT)
    _broken(Seal(KEY), sealed, "job/2/source_password")
    _broken(Seal(bytes(32)), sealed, ABOUT)
    _broken(Seal(KEY), sealed.replace("v1.", "v2."), ABOUT)
    _broken(Seal(KEY), "v1.Ä", ABOUT)
    _broken(Seal(KEY), "", ABOUT)


def _broken(seal: Seal, sealed: str, about: str) -> None:
    with pytest.raises(DrsError) as raised:
        seal.open(sealed, about)
    assert raised.value.fault is Fault.SEAL_BROKEN
    assert raised.value.__cause__ is None and raised.value.__context__ is None


def test_the_same_text_is_sealed_differently_each_time() -> None:
    assert len({Seal(KEY).seal("x", ABOUT) for _ in range(100)}) == 100


def test_the_key_shows_nowhere() -> None:
    seal = Seal(KEY)
    assert repr(seal) == str(seal) == "Seal('***')"
    with pytest.raises(TypeError):
        pickle.dumps(seal)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    of_file = Seal.of(tmp_path, {})
    of_environment = Seal.of(tmp_path, {VARIABLE: base64.b64encode(KEY).decode() + "\n"})
    assert Seal(KEY).open(of_environment.seal("x", ABOUT), ABOUT) == "x"
    _broken(of_file, of_environment.seal("x", ABOUT), ABOUT)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_key_of_the_environment_makes_no_file(tmp_path: Path) -> None:
    Seal.of(tmp_path, {VARIABLE: base64.b64encode(KEY).decode()})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text", ["x", "AAAA", base64.b64encode(bytes(31)).decode(), base64.b64encode(bytes(33)).decode()]
)
def test_a_key_that_is_none_is_said_without_showing_it(text: str, tmp_path: Path) -> None:
    with pytest.raises(DrsError) as raised:
        Seal.of(tmp_path, {VARIABLE: text})
    assert raised.value.fault is Fault.SETTING_INVALID
    assert VARIABLE in str(raised.value) and f" {text}" not in str(raised.value)


def test_the_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        sealed = Seal.of(tmp_path, {}).seal("x", ABOUT)
    finally:
        os.umask(before)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert Seal.of(tmp_path, {}).open(sealed, ABOUT) == "x"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_can_read_is_refused(mode: int, tmp_path: Path) -> None:
    Seal.of(tmp_path, {})
    (tmp_path / FILE).chmod(mode)
    with pytest.raises(DrsError, match="chmod 600") as raised:
        Seal.of(tmp_path, {})
    assert raised.value.fault is Fault.SETTING_INVALID


@pytest.mark.parametrize("content", [b"", b"AAAA\n", b"\xff" * 32, b"\0" * 5000])
def test_a_file_that_holds_no_key_is_refused_and_stays(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.touch(mode=0o600)
    path.write_bytes(content)
    with pytest.raises(DrsError) as raised:
        Seal.of(tmp_path, {})
    assert raised.value.fault is Fault.SETTING_INVALID and str(path) in raised.value.message
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(DrsError, match=FILE) as raised:
        Seal.of(tmp_path / "nowhere", {})
    assert raised.value.fault is Fault.SETTING_INVALID
    (tmp_path / FILE).mkdir(mode=0o700)
    with pytest.raises(DrsError, match=FILE):
        Seal.of(tmp_path, {})


START = """
import sys
from pathlib import Path
from opendrs.store.sealing import Seal
sys.stdin.readline()
print(Seal.of(Path(sys.argv[1]), {}).seal("x", "about"))
"""


def test_processes_that_start_together_have_one_key(tmp_path: Path) -> None:
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", START, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for process in starters:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    sealed = [process.communicate()[0].strip() for process in starters]
    seal = Seal.of(tmp_path, {})
    assert [seal.open(text, "about") for text in sealed] == ["x"] * 4
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
