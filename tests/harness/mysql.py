"""MySQL, in the version that Debian sid has (9.7 at the time of writing; 8.x is accepted too)."""

from __future__ import annotations

from collections.abc import Sequence

from tests.harness import packages
from tests.harness.commands import run
from tests.harness.mysql_family import FamilyServer, Flavour
from tests.harness.packages import Programs
from tests.harness.server import Options, Settings


def mysql(options: Options | None = None) -> FamilyServer:
    return FamilyServer(FLAVOUR, options)


def _paths(programs: Programs) -> Settings:
    usr = programs.prefix / "usr"
    return {
        "basedir": str(usr),
        "plugin_dir": str(usr / "lib/mysql/plugin"),
        "lc_messages_dir": str(usr / "share/mysql"),
        "character_sets_dir": str(usr / "share/mysql/charsets"),
    }


def _initialise(_: Programs, argv: Sequence[str]) -> None:
    run([*argv, "--initialize-insecure"])


def _create_user(name: str, password: str, plugin: str | None) -> Sequence[str]:
    how = f"WITH {plugin} BY {password}" if plugin else f"BY {password}"
    return (f"DROP USER IF EXISTS {name}@'%'", f"CREATE USER {name}@'%' IDENTIFIED {how}")


FLAVOUR = Flavour(
    name="mysql",
    programs=packages.mysql,
    server="mysqld",
    settings={
        "mysqlx": "OFF",
        "innodb_redo_log_capacity": "64M",
        # Off by default in 8.4, gone in 9.0: `loose_` lets each version take it as it can.
        "loose_mysql_native_password": "ON",
        "loose_auto_generate_certs": "OFF",
    },
    logging={"gtid_mode": "ON", "enforce_gtid_consistency": "ON"},
    tls_off={"tls_version": ""},
    paths=_paths,
    initialise=_initialise,
    renewed=("auto.cnf",),  # holds the server's unique id
    plugins={},
    client=lambda _: ["--get-server-public-key"],
    create_user=_create_user,
)
