"""Whole tables, and databases."""

from __future__ import annotations

from typing import Final

from tests.integration.links.changes.scenario import MARIADB, Scenario, T

TABLES: Final = {
    "create, alter and drop": Scenario(
        change="""
CREATE TABLE n (id INT UNSIGNED NOT NULL AUTO_INCREMENT, v VARCHAR(10) NOT NULL DEFAULT 'new', w TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, PRIMARY KEY (id), KEY (v)) AUTO_INCREMENT=100 COMMENT='made';
INSERT INTO n (v) VALUES ('a'), ('b'), (DEFAULT);
ALTER TABLE n ADD COLUMN x INT NOT NULL DEFAULT 7 COMMENT 'seven' AFTER id;
UPDATE n SET x = id;
CREATE TABLE gone (id INT PRIMARY KEY);
INSERT INTO gone VALUES (1);
DROP TABLE gone;
CREATE TABLE gone (other DATE PRIMARY KEY, v INT);
INSERT INTO gone VALUES ('2020-01-01', 1);
""",
    ),
    "drop and make anew": Scenario(
        before=T,
        change="""
UPDATE t SET a = 1;
DROP TABLE t;
CREATE TABLE t (k VARCHAR(10) PRIMARY KEY, v BIGINT UNSIGNED);
INSERT INTO t VALUES ('a', 18446744073709551615);
UPDATE t SET v = v - 1;
""",
    ),
    "truncate": Scenario(
        before=T,
        change="""
TRUNCATE TABLE t;
INSERT INTO t (a, b) VALUES (1, 'first'), (2, 'second');
TRUNCATE t;
INSERT INTO t (a, b) VALUES (3, 'third');
SET foreign_key_checks = 0;
TRUNCATE TABLE q;
INSERT INTO q (code) VALUES ('anew');
""",
    ),
    "rename": Scenario(
        before=T,
        change="""
UPDATE t SET a = 11 WHERE id = 1;
RENAME TABLE t TO u;
UPDATE u SET a = 12 WHERE id = 1;
ALTER TABLE u RENAME TO `a name.with "all" of ``it``: größe`;
INSERT INTO `a name.with "all" of ``it``: größe` (a, b) VALUES (77, 'renamed');
ALTER TABLE `a name.with "all" of ``it``: größe` RENAME w, ADD COLUMN n INT, DROP KEY a;
INSERT INTO w (a, b, n) VALUES (78, 'again', 5);
RENAME TABLE q TO parents, w TO t, parents TO p;
INSERT INTO p (code) VALUES ('four');
UPDATE t SET q = 4 WHERE id = 3;
""",
    ),
    "rename in a circle": Scenario(
        before=T,
        change="""
RENAME TABLE t TO tmp, q TO t, tmp TO q;
INSERT INTO t (code) VALUES ('four');
UPDATE q SET q = 4;
DELETE FROM q WHERE id = 2;
""",
    ),
    "like": Scenario(
        before=T,
        change="""
CREATE TABLE l LIKE t;
INSERT INTO l SELECT * FROM t;
UPDATE l SET a = 0;
CREATE TABLE IF NOT EXISTS l LIKE q;
CREATE TABLE m (LIKE q);
INSERT INTO m (code) VALUES ('m');
DROP TABLE l;
CREATE TABLE l LIKE q;
INSERT INTO l VALUES (7, 'seven');
""",
    ),
    "from select": Scenario(
        before=T,
        change="""
CREATE TABLE s1 (PRIMARY KEY (id)) AS SELECT id, a, b, d, e, s, f FROM t;
UPDATE s1 SET a = -1 WHERE id = 1;
CREATE TABLE s2 SELECT CONCAT(b, 'x') AS text, d + 1 AS number, COUNT(*) AS n, NOW() AS moment FROM t GROUP BY b, d;
DELETE FROM s2 WHERE text IS NULL;
CREATE TABLE IF NOT EXISTS s1 AS SELECT 1 AS z;
CREATE TABLE s3 (extra INT NOT NULL DEFAULT 4, KEY (a)) SELECT a, c FROM t WHERE 0;
INSERT INTO s3 (a, c) VALUES (1, 'x');
""",
    ),
    "or replace": Scenario(
        products=MARIADB,
        before=T,
        change="""
CREATE OR REPLACE TABLE t (id INT PRIMARY KEY, v INT);
INSERT INTO t VALUES (1, 1);
CREATE OR REPLACE TABLE t SELECT 5 AS five, 'x' AS x;
INSERT INTO t VALUES (6, 'y');
CREATE OR REPLACE TABLE n LIKE q;
INSERT INTO n (code) VALUES ('n');
CREATE OR REPLACE TABLE n LIKE q;
CREATE OR REPLACE INDEX code ON q (id, code);
""",
    ),
    "if exists, if not exists": Scenario(
        before=T,
        change="""
CREATE TABLE IF NOT EXISTS t (z INT);
CREATE TABLE IF NOT EXISTS n (z INT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS n (other INT);
INSERT INTO n VALUES (1);
DROP TABLE IF EXISTS nothing;
DROP TABLE IF EXISTS nothing, n;
CREATE DATABASE IF NOT EXISTS {db};
INSERT INTO t (a, b) VALUES (1, 'still here');
""",
    ),
    "columns if exists": Scenario(
        products=MARIADB,
        before=T,
        change="""
ALTER TABLE IF EXISTS t ADD COLUMN IF NOT EXISTS a BIGINT, ADD COLUMN IF NOT EXISTS n INT DEFAULT 3, DROP COLUMN IF EXISTS nothing;
ALTER TABLE IF EXISTS nothing ADD COLUMN a INT;
ALTER TABLE t MODIFY COLUMN IF EXISTS nothing INT, CHANGE COLUMN IF EXISTS a aa INT, DROP INDEX IF EXISTS nothing, ADD INDEX IF NOT EXISTS ad (d);
CREATE INDEX IF NOT EXISTS ad ON t (f);
DROP INDEX IF EXISTS nothing ON t;
ALTER TABLE t DROP FOREIGN KEY IF EXISTS nothing;
UPDATE t SET n = id, aa = id;
""",
    ),
    "several at once, some not selected": Scenario(
        before=T
        + """
CREATE TABLE drop_me (id INT PRIMARY KEY);
CREATE TABLE other_a (id INT PRIMARY KEY);
CREATE TABLE other_b (id INT PRIMARY KEY);
INSERT INTO drop_me VALUES (1);
INSERT INTO other_a VALUES (1);
""",
        selects=("{db}.t", "{db}.q", "{db}.drop*", "{db}.n*"),
        change="""
DROP TABLE IF EXISTS other_a, drop_me, nothing, never_there;
CREATE TABLE n1 (id INT PRIMARY KEY);
INSERT INTO n1 VALUES (1);
RENAME TABLE n1 TO n2, other_b TO other_c;
INSERT INTO n2 VALUES (2);
CREATE TABLE other_d LIKE n2;
INSERT INTO other_d VALUES (2);
ALTER TABLE other_d ADD COLUMN x INT;
TRUNCATE TABLE other_d;
INSERT INTO t (a, b) VALUES (5, 'x');
""",
    ),
    "databases": Scenario(
        selects=("{db}.*", "{other}*.*"),
        before=T,
        change="""
CREATE DATABASE {other}2 CHARACTER SET latin1;
CREATE TABLE {other}2.x (id INT PRIMARY KEY, v VARCHAR(10));
INSERT INTO {other}2.x VALUES (1, 'ä');
USE {other}2;
CREATE TABLE y (id INT PRIMARY KEY, v VARCHAR(10) DEFAULT 'ö');
INSERT INTO y (id) VALUES (1);
ALTER DATABASE {other}2 CHARACTER SET utf8mb4;
CREATE TABLE z (id INT PRIMARY KEY, v VARCHAR(10) DEFAULT '😀');
INSERT INTO z (id) VALUES (1);
CREATE DATABASE elsewhere_{other};
CREATE TABLE elsewhere_{other}.t (id INT PRIMARY KEY);
INSERT INTO elsewhere_{other}.t VALUES (1);
DROP DATABASE elsewhere_{other};
DROP DATABASE {other}2;
CREATE DATABASE {other}3;
USE {other}3;
CREATE TABLE t (id INT PRIMARY KEY);
INSERT INTO t VALUES (3);
USE {db};
INSERT INTO t (a, b) VALUES (9, 'n');
DROP DATABASE {other}3;
""",
    ),
    "rename across databases": Scenario(
        selects=("{db}.*", "{other}.*"),
        before=T,
        change="""
RENAME TABLE t TO {other}.t;
INSERT INTO {other}.t (a, b) VALUES (7, 'moved');
ALTER TABLE {other}.t RENAME TO {db}.u;
INSERT INTO u (a, b) VALUES (8, 'back');
RENAME TABLE q TO {other}.q;
INSERT INTO {other}.q (code) VALUES ('x');
RENAME TABLE {other}.q TO {db}.q;
UPDATE u SET q = 4;
""",
    ),
    "rename out of the selection": Scenario(
        selects=("{db}.*",),
        before=T,
        change="""
INSERT INTO t (a, b) VALUES (6, 'last');
RENAME TABLE t TO {other}.t;
INSERT INTO {other}.t (a, b) VALUES (7, 'out');
ALTER TABLE {other}.t ADD COLUMN x INT;
INSERT INTO {other}.t (a, b, x) VALUES (8, 'outer', 1);
INSERT INTO q (code) VALUES ('goes on');
CREATE TABLE t (id INT PRIMARY KEY);
INSERT INTO t VALUES (1);
DROP TABLE {other}.t;
""",
    ),
    "rename into the selection": Scenario(
        selects=("{db}.*",),
        before=T
        + """
CREATE TABLE {other}.x (id INT PRIMARY KEY, v INT);
INSERT INTO {other}.x VALUES (1, 2), (2, 3);
""",
        stops=("RENAME TABLE", "{other}.x"),
        change="""
RENAME TABLE {other}.x TO x;
INSERT INTO x VALUES (3, 4);
""",
    ),
}
