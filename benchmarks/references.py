"""The C references: building them once for each state of their source."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.harness import apt, cache

SOURCES: Final = Path(__file__).with_name("reference")
NAMES: Final = ("load", "binlog", "writer")
FLAGS: Final = ("-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-pthread")

# Client libraries with their headers. The C library and what belongs to the compiler are this machine's own.
PACKAGES: Final = apt.Wanted(
    suite="bookworm",
    packages=("libmariadb-dev", "libpq-dev"),
    skip=r"libc6|libc-|libc-dev|libgcc|gcc-|linux-libc|libcrypt|libstdc|dpkg|tar$|perl|libperl|debconf|mariadb-common"
    r"|mysql-common|rpcsvc|libnsl|libtirpc|passwd|libpam|libaudit|libcap-ng|libselinux|libpcre|readline-common",
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """The built references; `compiler` is for the report."""

    load: Path
    binlog: Path
    writer: Path
    compiler: str


@dataclass(frozen=True, slots=True)
class _Libraries:
    """Where the client libraries are, as options of the compiler."""

    headers: tuple[str, ...]
    linking: tuple[str, ...]
    facts: str


def build(place: Path) -> Binaries:
    """The binaries, made below `place` if they are not there. Raises ServerUnavailable or CalledProcessError."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise FileNotFoundError("no C compiler: install gcc")
    version = _output(compiler, "--version").splitlines()[0]
    libraries = _libraries()
    sources = [(SOURCES / f"{name}.c").read_text() for name in NAMES]
    key = cache.fingerprint(sources, FLAGS, libraries, version)

    def make(folder: Path) -> None:
        for name in NAMES:
            source, binary = SOURCES / f"{name}.c", folder / name
            words: list[str | Path] = [compiler, *FLAGS, *libraries.headers, source, "-o", binary, *libraries.linking]
            subprocess.run(words, check=True)

    folder = cache.entry(place / f"references-{key}", make)
    return Binaries(folder / "load", folder / "binlog", folder / "writer", f"{version}, {' '.join(FLAGS[:1])}")


def _libraries() -> _Libraries:
    """This machine's own client libraries if it has both, else Debian's, unpacked beside it."""
    mariadb, postgres = shutil.which("mariadb_config"), shutil.which("pg_config")
    if mariadb and postgres and (Path(_output(postgres, "--includedir").strip()) / "libpq-fe.h").is_file():
        headers = (*_output(mariadb, "--include").split(), f"-I{_output(postgres, '--includedir').strip()}")
        linking = (*_output(mariadb, "--libs").split(), f"-L{_output(postgres, '--libdir').strip()}", "-lpq")
        return _Libraries(headers, linking, _output(mariadb, "--version") + _output(postgres, "--version"))
    tree = _unpacked()
    folders = [str(folder) for folder in (*tree.glob("usr/lib/*-linux-gnu"), *tree.glob("lib/*-linux-gnu"))]
    # Also for the libraries that these libraries need: hence the old form of the run path.
    paths = [f"-Wl,--disable-new-dtags,-rpath,{folder},-rpath-link,{folder}" for folder in folders]
    headers = tuple(f"-I{tree / 'usr/include' / name}" for name in ("mariadb", "postgresql"))
    return _Libraries(headers, (*(f"-L{folder}" for folder in folders), *paths, "-lmariadb", "-lpq"), str(tree))


def _unpacked() -> Path:
    key = cache.fingerprint(PACKAGES)

    def make(folder: Path) -> None:
        apt.unpack(PACKAGES, folder / "tree", folder / "scratch")

    return cache.entry(cache.cache_root() / "clients" / f"clients-{key}", make) / "tree"


def _output(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout
