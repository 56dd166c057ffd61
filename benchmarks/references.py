"""The C references: building them once for each state of their source."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from confluent_kafka import cimpl

from tests.harness import apt, cache

SOURCES: Final = Path(__file__).with_name("reference")
NAMES: Final = ("load", "binlog", "writer")
PRODUCER: Final = "producer"
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
    compiler = _compiler()
    version = _version(compiler)
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


def build_producer(place: Path) -> Path:
    """The reference of publishing, with the librdkafka that the product uses. Raises as `build`."""
    # A wheel brings its libraries in a folder beside the package.
    package = Path(cimpl.__file__).parent
    library = next(iter(sorted(package.with_name(f"{package.name}.libs").glob("librdkafka*.so*"))), None)
    if library is None:
        raise FileNotFoundError(f"no librdkafka beside {package}: is confluent_kafka installed from a wheel?")
    source = SOURCES / f"{PRODUCER}.c"
    compiler = _compiler()
    key = cache.fingerprint(source.read_text(), FLAGS, library, _version(compiler))

    def make(folder: Path) -> None:
        words: list[str | Path] = [compiler, *FLAGS, source, "-o", folder / PRODUCER, library]
        subprocess.run([*words, f"-Wl,-rpath,{library.parent}"], check=True)

    return cache.entry(place / f"producer-{key}", make) / PRODUCER


def _compiler() -> str:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise FileNotFoundError("no C compiler: install gcc")
    return compiler


def _version(compiler: str) -> str:
    return _output(compiler, "--version").splitlines()[0]


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
