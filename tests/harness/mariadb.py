"""MariaDB 10.11 (Debian bookworm) and the newest that Debian has (11.8 and later)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tests.harness import packages
from tests.harness.commands import run
from tests.harness.mysql_family import FamilyServer, Flavour
from tests.harness.packages import Programs
from tests.harness.server import Options, ServerFailed, Settings

# In the order in which mariadb-install-db feeds them to the server.
SYSTEM_TABLES = (
    "*_system_tables.sql",
    "*_performance_tables.sql",
    "*_system_tables_data.sql",
    "fill_help_tables.sql",
    "maria_add_gis_sp_bootstrap.sql",
    "*_sys_schema.sql",
)

# Run last: the users that can log in without a password from elsewhere would hide ours.
LOCAL_ROOT_ONLY = b"""
DELETE FROM mysql.global_priv WHERE Host <> 'localhost';
DELETE FROM mysql.proxies_priv WHERE Host <> 'localhost';
"""

PLUGINS = {
    "ed25519": "INSTALL SONAME 'auth_ed25519'",
    "parsec": "INSTALL SONAME 'auth_parsec'",
}


def mariadb_10(options: Options | None = None) -> FamilyServer:
    """MariaDB 10.11."""
    return FamilyServer(_flavour("mariadb-10", packages.mariadb_10, {}), options)


def mariadb_11(options: Options | None = None) -> FamilyServer:
    """MariaDB 11.8, or what Debian sid has moved on to."""
    # Makes its keys when it is loaded at the start, and only then.
    sha2: Settings = {"plugin_load_add": "auth_mysql_sha2"}
    return FamilyServer(_flavour("mariadb-11", packages.mariadb_11, sha2), options)


def _flavour(name: str, programs: Callable[[], Programs], settings: Settings) -> Flavour:
    return Flavour(
        name=name,
        programs=programs,
        server="mariadbd",
        settings={
            "innodb_log_file_size": "64M",
            "aria_pagecache_buffer_size": "16M",
            "key_buffer_size": "8M",
            **settings,
        },
        logging={"gtid_strict_mode": "ON", "log_slave_updates": "ON"},
        tls_off={"ssl": "OFF"},
        paths=_paths,
        initialise=_initialise,
        renewed=(),
        plugins=PLUGINS,
        client=_client,
        create_user=_create_user,
    )


def _paths(programs: Programs) -> Settings:
    share = _share(programs)
    return {
        "basedir": str(programs.prefix / "usr"),
        "plugin_dir": str(programs.prefix / "usr/lib/mysql/plugin"),
        "lc_messages_dir": str(share),
        "character_sets_dir": str(share / "charsets"),
    }


def _client(programs: Programs) -> Sequence[str]:
    """Some ways of authentication are loadable parts of the client too."""
    folders = programs.prefix.glob("usr/lib/*/libmariadb3/plugin")
    return [f"--plugin-dir={folder}" for folder in folders]


def _share(programs: Programs) -> Path:
    """Called after MySQL in MariaDB 10, after MariaDB in 11."""
    for name in ("mariadb", "mysql"):
        share = programs.prefix / "usr/share" / name
        if list(share.glob(SYSTEM_TABLES[0])):
            return share
    raise ServerFailed(f"no system tables below {programs.prefix}")


def _initialise(programs: Programs, argv: Sequence[str]) -> None:
    """What mariadb-install-db does; that script would not find the unpacked files."""
    share = _share(programs)
    sql = [b"CREATE DATABASE IF NOT EXISTS mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\n"]
    for pattern in SYSTEM_TABLES:
        sql += [file.read_bytes() for file in sorted(share.glob(pattern))]
    sql.append(LOCAL_ROOT_ONLY)
    run([*argv, "--bootstrap", "--log-warnings=0"], stdin=b"\n".join(sql))


def _create_user(name: str, password: str, plugin: str | None) -> Sequence[str]:
    by = f"VIA {plugin} USING PASSWORD({password})" if plugin else f"BY {password}"
    return (f"CREATE OR REPLACE USER {name}@'%' IDENTIFIED {by}",)
