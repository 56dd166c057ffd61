"""Debian packages by name, through apt, without touching the machine's own package state.

A private apt state with an empty list of installed packages makes apt resolve everything a
program needs, down to the C library; `dpkg -x` then only unpacks files. So no root is needed,
no service can start, and packages of another Debian release do not mix with this machine's.
The mirror is whatever this machine's apt is set up with.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.harness.commands import CommandFailed, run
from tests.harness.server import ServerUnavailable

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SOURCES = Path("/etc/apt")
ATTEMPTS = 4
PAUSE_S = 3.0

# The host's settings stay in force (a proxy may be among them); its hooks and extra indexes do not.
SETTINGS = """\
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
#clear Acquire::IndexTargets::deb::DEP-11;
#clear Acquire::IndexTargets::deb::DEP-11-icons;
#clear Acquire::IndexTargets::deb::DEP-11-icons-small;
#clear Acquire::IndexTargets::deb::DEP-11-icons-hidpi;
#clear Acquire::IndexTargets::deb::DEP-11-icons-large;
#clear Acquire::IndexTargets::deb::DEP-11-icons-large-hidpi;
Dir::State "{state}/";
Dir::State::lists "{state}/lists/";
Dir::State::status "{state}/status";
Dir::Cache "{state}/";
Dir::Cache::archives "{state}/archives/";
Dir::Etc::sourcelist "{state}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to unpack from one Debian release.

    packages   with everything they depend on
    alone      without their dependencies: for one program out of a package that needs many
    skip       a pattern for names of dependencies that the programs run well without
    """

    suite: str
    packages: tuple[str, ...]
    alone: tuple[str, ...] = ()
    skip: str = "$^"


def unpack(wanted: Wanted, tree: Path, scratch: Path) -> None:
    """Download what is `wanted` and unpack it below `tree`; `scratch` is for the time of work."""
    if not (shutil.which("apt-get") and shutil.which("dpkg") and KEYRING.is_file()):
        raise ServerUnavailable("this machine has no apt with Debian's keys")
    for attempt in range(1, ATTEMPTS + 1):
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            archives = _download(wanted, scratch)
            break
        except CommandFailed as error:
            # A mirror in the middle of an update answers 404 for a while: ask for the lists anew.
            if attempt == ATTEMPTS:
                raise ServerUnavailable(f"apt could not get {wanted.packages}: {error}") from error
            time.sleep(PAUSE_S * attempt)
    tree.mkdir(parents=True, exist_ok=True)
    for archive in archives:
        if not re.match(wanted.skip, archive.name.partition("_")[0]):
            run(["dpkg", "-x", archive, tree])
    for part in ("doc", "man", "locale", "info", "lintian", "bug"):
        shutil.rmtree(tree / "usr" / "share" / part, ignore_errors=True)
    shutil.rmtree(scratch)


def mirror() -> str:
    """The address of the Debian mirror that this machine's apt uses."""
    files = [SOURCES / "sources.list", *sorted((SOURCES / "sources.list.d").glob("*"))]
    for file in files:
        if file.suffix in (".sources", ".list") and file.is_file():
            reader = _stanzas if file.suffix == ".sources" else _lines
            for address, components in reader(file.read_text()):
                if "main" in components and "debian" in address and "security" not in address:
                    return address
    raise ServerUnavailable(f"no Debian mirror is named in {SOURCES}")


def _stanzas(text: str) -> Iterator[tuple[str, list[str]]]:
    """(address, components) of each entry of a `.sources` file."""
    for stanza in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*)$", stanza, re.MULTILINE))
        if fields.get("Enabled", "yes").strip().lower() in ("no", "false"):
            continue
        if "deb" in fields.get("Types", "").split() and fields.get("URIs", "").strip():
            yield fields["URIs"].split()[0], fields.get("Components", "").split()


def _lines(text: str) -> Iterator[tuple[str, list[str]]]:
    """(address, components) of each line of a `.list` file."""
    for line in text.splitlines():
        found = re.match(r"^deb\s+(?:\[[^]]*\]\s*)?(\S+)\s+\S+\s+(.*)$", line)
        if found:
            yield found[1], found[2].split()


def _download(wanted: Wanted, scratch: Path) -> Sequence[Path]:
    for folder in ("lists/partial", "archives/partial"):
        (scratch / folder).mkdir(parents=True)
    (scratch / "status").touch()
    (scratch / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror()} {wanted.suite} main\n")
    settings = scratch / "apt.conf"
    settings.write_text(SETTINGS.format(state=scratch))
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    apt = ["apt-get", "-c", str(settings), "-q", "-y"]
    # `--error-on=any`: without it a failed update is only a warning, and old lists are used.
    run([*apt, "--error-on=any", "update"], environment=environment)
    run([*apt, "--download-only", "install", *wanted.packages], environment=environment)
    archives = scratch / "archives"
    if wanted.alone:
        run([*apt, "download", *wanted.alone], cwd=archives, environment=environment)
    return sorted(archives.glob("*.deb"))
