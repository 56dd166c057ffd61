"""What the changes of a statement make of the old definition is what the catalog lists behind it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opendrs.engines.mysql.ddl import Ignored, parse
from opendrs.model.catalog import Table, TableName
from opendrs.model.evolution import applied
from tests.integration.ddl.sources import Source, comparable, differences

BASE = """
CREATE TABLE q (id INT NOT NULL AUTO_INCREMENT, k INT NOT NULL, code VARCHAR(20) NOT NULL, PRIMARY KEY (id), UNIQUE (code), UNIQUE (k));
CREATE TABLE t (
  id INT NOT NULL, a INT, b VARCHAR(20) DEFAULT 'x', c TEXT, d DECIMAL(10,2) NOT NULL DEFAULT 1.5, e ENUM('x','y') DEFAULT 'x', f DATETIME(3), q INT,
  PRIMARY KEY (id), KEY a (a), UNIQUE KEY ub (b), KEY ac (a, b), KEY pre (c(10)), CONSTRAINT t_chk_1 CHECK (a > 0), CONSTRAINT fq FOREIGN KEY (q) REFERENCES q (id)
) COMMENT 'old'
"""

# Statements for every server; `-- servers:` restricts one. Several in one case run one after the other.
STATEMENTS = """
ALTER TABLE t ADD COLUMN n INT
ALTER TABLE t ADD n INT NOT NULL DEFAULT 5 COMMENT 'new' AFTER a
ALTER TABLE t ADD COLUMN n VARCHAR(10) CHARACTER SET latin1 FIRST, ADD COLUMN m TEXT AFTER n
ALTER TABLE t ADD (n INT, m VARCHAR(10) UNIQUE, KEY nm (n, m))
ALTER TABLE t ADD n INT UNIQUE, ADD m INT, ADD KEY (m), ADD INDEX (m, n)
ALTER TABLE t DROP COLUMN a, DROP CHECK t_chk_1 -- servers: mysql
ALTER TABLE t DROP a, DROP CONSTRAINT t_chk_1
ALTER TABLE t DROP COLUMN a
ALTER TABLE t DROP COLUMN c, DROP COLUMN d
ALTER TABLE t DROP b, ADD b VARCHAR(50) FIRST
ALTER TABLE t DROP b, ADD b VARCHAR(20)
ALTER TABLE t DROP c, ADD c VARCHAR(30)
ALTER TABLE t MODIFY a BIGINT
ALTER TABLE t MODIFY COLUMN b VARCHAR(10) NOT NULL DEFAULT 'y' AFTER id
ALTER TABLE t MODIFY c VARCHAR(8)
ALTER TABLE t MODIFY c VARCHAR(10), MODIFY b VARCHAR(30)
ALTER TABLE t MODIFY e ENUM('x','y','z') NOT NULL
ALTER TABLE t MODIFY id BIGINT UNSIGNED AUTO_INCREMENT
ALTER TABLE t CHANGE d dd DECIMAL(12,4) UNSIGNED NULL COMMENT 'c'
ALTER TABLE t CHANGE COLUMN b b VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
ALTER TABLE t CHANGE c x TEXT, CHANGE f c DATETIME
ALTER TABLE t CHANGE c f TEXT, CHANGE f c DATETIME(3)
ALTER TABLE t CHANGE c f TEXT, CHANGE f g DATETIME(3), CHANGE d c DECIMAL(10,2)
ALTER TABLE t RENAME COLUMN c TO f, RENAME COLUMN f TO d, RENAME COLUMN d TO c
ALTER TABLE t RENAME COLUMN b TO bb
ALTER TABLE t RENAME COLUMN id TO ident
ALTER TABLE t RENAME COLUMN a TO aa -- servers: mariadb mariadb11
ALTER TABLE t MODIFY f DATETIME(3) FIRST, MODIFY a INT AFTER f, ADD z INT AFTER a
ALTER TABLE t MODIFY a INT AFTER b, MODIFY b VARCHAR(20) AFTER e
ALTER TABLE t MODIFY b VARCHAR(20) AFTER z, CHANGE e z INT
ALTER TABLE t ADD n INT AFTER bb, CHANGE b bb VARCHAR(20)
ALTER TABLE t ADD x INT, ADD r INT AFTER x, MODIFY a INT AFTER x
ALTER TABLE t ALTER COLUMN a SET DEFAULT 7, ALTER b DROP DEFAULT, ALTER d SET DEFAULT '2.345'
ALTER TABLE t ALTER a SET DEFAULT NULL
ALTER TABLE t ALTER COLUMN a SET INVISIBLE -- servers: mysql
ALTER TABLE t ALTER COLUMN a SET DEFAULT (1 + 1) -- servers: mysql
ALTER TABLE t ADD INDEX (d), ADD UNIQUE INDEX named (d, a), ADD KEY (b(5))
ALTER TABLE t ADD FULLTEXT KEY ft (b, c); ALTER TABLE t ADD FULLTEXT INDEX (c)
ALTER TABLE t DROP INDEX ac, DROP KEY pre
ALTER TABLE t DROP INDEX ac, ADD INDEX ac (b, a)
ALTER TABLE t RENAME INDEX ac TO ca
ALTER TABLE t RENAME KEY ac TO pre, RENAME INDEX pre TO ac
ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (id, d)
ALTER TABLE t DROP PRIMARY KEY
ALTER TABLE t DROP PRIMARY KEY, MODIFY id INT NULL
ALTER TABLE t DROP FOREIGN KEY fq, DROP INDEX fq
ALTER TABLE t DROP FOREIGN KEY fq, DROP COLUMN q
ALTER TABLE t DROP CONSTRAINT fq
ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES q (k)
ALTER TABLE t ADD x INT, ADD CONSTRAINT fk2 FOREIGN KEY (x) REFERENCES q (k) ON DELETE CASCADE ON UPDATE SET NULL
ALTER TABLE t ADD r INT, ADD FOREIGN KEY idx (r) REFERENCES q (id)
ALTER TABLE t ADD r INT, ADD CONSTRAINT fk3 FOREIGN KEY idx (r) REFERENCES q (id)
ALTER TABLE t ADD r INT, ADD KEY rr (r, a), ADD FOREIGN KEY (r) REFERENCES q (id)
ALTER TABLE t ADD r INT REFERENCES q (id)
ALTER TABLE t ADD CHECK (d > -100), ADD CONSTRAINT named CHECK (d < 1000000)
ALTER TABLE t ADD n INT CHECK (n > 0)
ALTER TABLE t ADD CHECK (d > -50); ALTER TABLE t ADD CHECK (d > -51)
ALTER TABLE t ALTER CHECK t_chk_1 NOT ENFORCED -- servers: mysql
ALTER TABLE t ALTER CONSTRAINT t_chk_1 NOT ENFORCED; ALTER TABLE t ALTER CHECK t_chk_1 ENFORCED -- servers: mysql
ALTER TABLE t COMMENT 'new'
ALTER TABLE t COMMENT = 'a', AUTO_INCREMENT = 50, ROW_FORMAT=DYNAMIC
ALTER TABLE q AUTO_INCREMENT 500
ALTER TABLE t DEFAULT CHARACTER SET latin1
ALTER TABLE t DEFAULT CHARACTER SET latin1, ADD n VARCHAR(10), MODIFY b VARCHAR(20)
ALTER TABLE t COLLATE utf8mb4_bin, ADD n VARCHAR(10)
ALTER TABLE t CONVERT TO CHARACTER SET latin1
ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
ALTER TABLE t CONVERT TO CHARACTER SET latin1; ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4
ALTER TABLE t ADD tt TINYTEXT CHARACTER SET latin1, ADD lt LONGTEXT CHARACTER SET latin1, ADD mt MEDIUMTEXT CHARACTER SET utf8mb3; ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4
ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4, ADD n VARCHAR(10), ADD COLUMN m VARCHAR(5) CHARACTER SET latin1
ALTER TABLE t ENGINE=InnoDB
ALTER TABLE t FORCE, ALGORITHM=COPY, LOCK=SHARED
ALTER TABLE t ADD n INT, ALGORITHM=INPLACE, LOCK=NONE
ALTER TABLE t ORDER BY a, b DESC
ALTER TABLE t DISABLE KEYS; ALTER TABLE t ENABLE KEYS
ALTER TABLE t RENAME TO u
ALTER TABLE t RENAME u, ADD n INT
ALTER TABLE t RENAME AS u
RENAME TABLE t TO u
RENAME TABLE t TO x, q TO t, x TO q
RENAME TABLE q TO parents
ALTER TABLE q RENAME COLUMN id TO ident
ALTER TABLE q CHANGE code kode VARCHAR(30)
CREATE INDEX i ON t (d, a DESC)
CREATE UNIQUE INDEX i USING BTREE ON t (b(5)) COMMENT 'c'
CREATE FULLTEXT INDEX i ON t (c)
CREATE INDEX i ON t (d) ALGORITHM=INPLACE LOCK=NONE
DROP INDEX ac ON t
DROP INDEX `PRIMARY` ON t
CREATE TABLE l LIKE t
CREATE TABLE l LIKE q
CREATE TABLE IF NOT EXISTS t (z INT)
CREATE TABLE n (a INT, b VARCHAR(10)) CHARACTER SET latin1; ALTER TABLE n ADD c VARCHAR(10)
DROP TABLE IF EXISTS t, nothing
DROP TABLE t; DROP TABLE q
TRUNCATE TABLE t
TRUNCATE t
ALTER TABLE t PARTITION BY HASH (id) PARTITIONS 4 -- servers: none
ALTER TABLE t ADD g INT AS (a + 1) STORED, ADD v INT GENERATED ALWAYS AS (a * 2) VIRTUAL
ALTER TABLE t ADD g INT AS (a + 1) STORED; ALTER TABLE t MODIFY g BIGINT AS (a + 2) STORED
ALTER TABLE t ADD j JSON; ALTER TABLE t MODIFY j JSON NOT NULL; ALTER TABLE t DROP j
ALTER TABLE t ADD j JSON; ALTER TABLE t MODIFY j LONGTEXT
ALTER TABLE t ADD j JSON; ALTER TABLE t CONVERT TO CHARACTER SET latin1
ALTER TABLE t ADD j JSON, ADD n VARCHAR(5) CHARACTER SET utf8mb3, ADD vb VARBINARY(5), CONVERT TO CHARACTER SET latin1
ALTER TABLE t CONVERT TO CHARACTER SET latin1, MODIFY b VARCHAR(30) CHARACTER SET utf8mb4
ALTER TABLE t ADD j JSON; ALTER TABLE t CHANGE j k JSON
ALTER TABLE t ADD ts TIMESTAMP NULL, ADD ts2 TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP
ALTER TABLE t ADD s SERIAL -- servers: none
ALTER TABLE t MODIFY d DECIMAL(10,2) PRIMARY KEY, DROP PRIMARY KEY
ALTER TABLE t ADD COLUMN big INT UNSIGNED NOT NULL, ADD UNIQUE (big, id), DROP INDEX ub
ALTER TABLE t ADD COLUMN IF NOT EXISTS a INT, ADD COLUMN IF NOT EXISTS n INT, DROP COLUMN IF EXISTS nothing, DROP INDEX IF EXISTS nothing -- servers: mariadb mariadb11
ALTER TABLE t ADD INDEX IF NOT EXISTS ac (a), MODIFY IF EXISTS nothing INT, CHANGE IF EXISTS nothing n INT, DROP FOREIGN KEY IF EXISTS nothing, DROP CONSTRAINT IF EXISTS nothing -- servers: mariadb mariadb11
ALTER ONLINE TABLE t ADD n INT -- servers: mariadb mariadb11
ALTER TABLE IF EXISTS t WAIT 5 ADD n INT -- servers: mariadb mariadb11
ALTER TABLE t ADD UNIQUE (c) -- servers: mariadb mariadb11
ALTER TABLE t ADD UNIQUE long_c (c), ADD n INT; ALTER TABLE t ADD m INT; ALTER TABLE t DROP INDEX long_c -- servers: mariadb mariadb11
ALTER TABLE t ADD SYSTEM VERSIONING; ALTER TABLE t ADD n INT; ALTER TABLE t DROP SYSTEM VERSIONING -- servers: mariadb mariadb11
ALTER TABLE t ADD n INT CHECK (n > 0); ALTER TABLE t MODIFY n INT; ALTER TABLE t CHANGE n m INT CHECK (m < 5) -- servers: mariadb mariadb11
ALTER TABLE t ADD n INT CHECK (n > 0); ALTER TABLE t RENAME COLUMN n TO m -- servers: mariadb mariadb11
ALTER TABLE t ADD n INT CHECK (n > 0); ALTER TABLE t DROP n -- servers: mariadb mariadb11
ALTER TABLE t ADD g INT AS (a + 1) STORED; ALTER TABLE t RENAME COLUMN a TO aa -- servers: mariadb mariadb11
CREATE OR REPLACE TABLE t (x INT PRIMARY KEY) -- servers: mariadb mariadb11
CREATE OR REPLACE INDEX ac ON t (d) -- servers: mariadb mariadb11
CREATE INDEX IF NOT EXISTS ac ON t (d) -- servers: mariadb mariadb11
RENAME TABLE IF EXISTS nothing TO something, t TO u -- servers: mariadb11
"""

NAMES = {"mariadb", "mariadb11", "mysql"}


def _cases() -> list[tuple[str, str]]:
    found = []
    for line in STATEMENTS.strip().splitlines():
        sql, _, servers = line.partition(" -- servers: ")
        found += [(server, sql) for server in sorted(NAMES) if not servers or server in servers.split()]
    return found


def follow(source: Source, statement: str, tables: dict[TableName, Table]) -> dict[TableName, Table]:
    """The tables as our reading of the statement leaves them."""
    meaning = parse(statement, source.session, source.scope(tables))
    if not isinstance(meaning, Ignored):
        for alteration in meaning:
            tables = applied(tables, alteration)
    return tables


def compare(source: Source, tables: dict[TableName, Table]) -> None:
    catalog = source.catalog()
    assert sorted(catalog) == sorted(tables)
    for name, table in tables.items():
        ours = comparable(replace(table, engine=catalog[name].engine), source.session.flavour, numbering=False)
        theirs = comparable(catalog[name], source.session.flavour, numbering=False)
        assert differences(ours, theirs) == [], source.shown(name)


@pytest.mark.parametrize(("source_name", "sql"), _cases())
def test_alterations(source: Source, source_name: str, sql: str) -> None:
    for statement in BASE.split(";\n"):
        source.run(statement)
    tables = source.catalog()
    for statement in sql.split("; "):
        source.run(statement)  # first of all it must be a statement that the server takes
        tables = follow(source, statement, tables)
        compare(source, tables)
