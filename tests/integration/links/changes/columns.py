"""Columns: what they are, and what becomes of the values that are there."""

from __future__ import annotations

from typing import Final

from tests.integration.links.changes.scenario import Scenario, T

COLUMNS: Final = {
    "add": Scenario(
        before=T,
        change="""
ALTER TABLE t ADD COLUMN n1 INT FIRST, ADD n2 VARCHAR(10) CHARACTER SET latin1 NOT NULL DEFAULT 'ä' AFTER a, ADD COLUMN (n3 DATE, n4 BIGINT UNSIGNED NOT NULL);
INSERT INTO t (b, n2, n4) VALUES ('f', 'ö', 18446744073709551615);
ALTER TABLE t ADD n5 DATETIME NOT NULL DEFAULT '2001-02-03 04:05:06', ADD n6 TIMESTAMP NULL, ADD n7 JSON, ADD n8 BIT(9) NOT NULL DEFAULT b'101', ADD n9 YEAR DEFAULT 1999, ADD m1 TIME(3) DEFAULT '-1:02:03.5', ADD m2 VARBINARY(10) DEFAULT x'6162', ADD m3 DOUBLE NOT NULL DEFAULT 1e100, ADD m4 TINYINT(1) NOT NULL DEFAULT TRUE, ADD m5 ENUM('a','b') NOT NULL, ADD m6 SET('a','b') NOT NULL DEFAULT 'a,b';
UPDATE t SET n7 = '[1]', n8 = b'111111111', m2 = 'xyz' WHERE id < 3;
ALTER TABLE t ADD m7 DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP COMMENT 'it''s', ADD m8 CHAR(3) NOT NULL, ADD m9 DECIMAL(30,10) UNSIGNED NOT NULL DEFAULT 0.5, ADD l1 BLOB, ADD l2 FLOAT NOT NULL;
INSERT INTO t (b, n2, n4, m5, m8, l2) VALUES ('g', 'n', 1, 'b', 'abc', 0.1);
""",
        unlike=("t.n1", "order"),
    ),
    "drop": Scenario(
        before=T,
        change="""
ALTER TABLE t DROP COLUMN a, DROP c;
UPDATE t SET d = 2;
ALTER TABLE t DROP b;
INSERT INTO t (d) VALUES (3);
ALTER TABLE t DROP FOREIGN KEY fq, DROP COLUMN q, DROP e, DROP s, DROP f;
INSERT INTO t (d) VALUES (4);
""",
    ),
    "rename and swap": Scenario(
        before=T,
        change="""
ALTER TABLE t RENAME COLUMN a TO aa, RENAME COLUMN b TO bb;
UPDATE t SET aa = 1, bb = CONCAT('n', id);
ALTER TABLE t CHANGE aa bb VARCHAR(12), CHANGE bb aa VARCHAR(30);
UPDATE t SET bb = 'was a', aa = CONCAT('b', id);
ALTER TABLE t RENAME COLUMN c TO f, RENAME COLUMN f TO c;
UPDATE t SET f = 'text', c = '2020-01-01';
ALTER TABLE t RENAME COLUMN id TO ident, CHANGE COLUMN q parent INT;
DELETE FROM t WHERE ident = 2;
ALTER TABLE q RENAME COLUMN id TO number;
INSERT INTO q VALUES (9, 'nine');
UPDATE t SET parent = 9 WHERE ident = 1;
""",
    ),
    "drop and add again as another": Scenario(
        unlike=("CREATE INDEX t__a",),  # the servers index as many characters of `a` as it had bytes
        before=T,
        change="""
ALTER TABLE t DROP COLUMN a, ADD COLUMN a VARCHAR(5) NOT NULL DEFAULT 'v';
INSERT INTO t (a, b) VALUES ('w', 'f');
ALTER TABLE t DROP c;
ALTER TABLE t ADD c DATE;
UPDATE t SET c = '2020-02-02';
ALTER TABLE t DROP KEY ub, DROP c, ADD COLUMN c INT FIRST, DROP b, ADD b INT AFTER a;
UPDATE t SET c = id, b = id;
""",
    ),
    "order": Scenario(
        before=T,
        change="""
ALTER TABLE t MODIFY f DATETIME(3) FIRST, MODIFY a INT AFTER f;
INSERT INTO t (a, b, f) VALUES (7, 'ordered', '2020-01-01');
ALTER TABLE t MODIFY COLUMN d DECIMAL(10,2) NOT NULL DEFAULT 1.5 AFTER q, ADD z INT AFTER d;
UPDATE t SET z = a;
""",
    ),
    "numbers grow": Scenario(
        before=T
        + """
CREATE TABLE nums (id TINYINT UNSIGNED PRIMARY KEY, s SMALLINT, u INT UNSIGNED, b BIGINT, f FLOAT, d DECIMAL(5,1), m MEDIUMINT UNSIGNED, y YEAR);
INSERT INTO nums VALUES (0, -32768, 4294967295, -9223372036854775808, 1.5, 9999.9, 16777215, 1901), (255, 32767, 0, 9223372036854775807, -0.1, -1.5, 0, 2155), (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
""",
        change="""
ALTER TABLE nums MODIFY id SMALLINT UNSIGNED, MODIFY s INT, MODIFY u BIGINT UNSIGNED, MODIFY b DECIMAL(20,0), MODIFY f DOUBLE, MODIFY d DECIMAL(10,4), MODIFY m BIGINT, MODIFY y INT;
INSERT INTO nums VALUES (65535, 1, 18446744073709551615, 2, 1e300, 123456.7891, -1, 99999);
ALTER TABLE nums MODIFY id BIGINT UNSIGNED NOT NULL, MODIFY s DECIMAL(12,2) NOT NULL DEFAULT 0.25;
""".replace("MODIFY s DECIMAL(12,2) NOT NULL DEFAULT 0.25", "MODIFY s DECIMAL(12,2) DEFAULT 0.25")
        + """
INSERT INTO nums (id) VALUES (18446744073709551615);
ALTER TABLE t MODIFY a BIGINT NOT NULL DEFAULT -1, MODIFY id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT;
""".replace("MODIFY a BIGINT NOT NULL DEFAULT -1", "MODIFY a BIGINT DEFAULT -1")
        + """
INSERT INTO t (b) VALUES ('numbered');
""",
    ),
    "numbers shrink": Scenario(
        before="""
CREATE TABLE nums (id INT PRIMARY KEY, s INT, u INT, b BIGINT, d DECIMAL(10,4), x DOUBLE, v INT);
INSERT INTO nums VALUES (1, -128, 0, 5, 1.5, 2.5, 3), (2, 127, 65535, 1, -2.55, -3.5, 4), (3, NULL, NULL, NULL, NULL, NULL, NULL);
""",
        change="""
ALTER TABLE nums MODIFY id SMALLINT, MODIFY s TINYINT, MODIFY u SMALLINT UNSIGNED, MODIFY b INT;
INSERT INTO nums VALUES (4, 1, 2, 3, 4, 5, 6);
SET sql_mode = '';
ALTER TABLE nums MODIFY d DECIMAL(3,1), MODIFY v TINYINT;
INSERT INTO nums VALUES (5, 1, 2, 3, 4.44, 5, 6);
UPDATE nums SET s = 1000 WHERE id = 1;
ALTER TABLE nums MODIFY s INT UNSIGNED;
""",
    ),
    "signs in a lax mode": Scenario(
        before="""
CREATE TABLE nums (id INT PRIMARY KEY, a INT, b BIGINT, d DECIMAL(10,2), u INT UNSIGNED);
INSERT INTO nums VALUES (1, -5, -6, -7.5, 4294967295), (2, 5, 6, 7.5, 1), (3, NULL, NULL, NULL, NULL);
""",
        change="""
SET sql_mode = '';
ALTER TABLE nums MODIFY a INT UNSIGNED, MODIFY b BIGINT UNSIGNED NOT NULL, MODIFY d DECIMAL(10,2) UNSIGNED, MODIFY u INT;
INSERT INTO nums VALUES (4, 1, 2, 3, 4);
UPDATE nums SET a = 4294967295 WHERE id = 1;
""",
    ),
    "text grows and shrinks": Scenario(
        before=T,
        change="""
ALTER TABLE t MODIFY b VARCHAR(200) DEFAULT 'y', MODIFY c LONGTEXT;
INSERT INTO t (b, c) VALUES (REPEAT('ä', 150), REPEAT('z', 70000));
DELETE FROM t WHERE LENGTH(c) > 1000;
ALTER TABLE t MODIFY b CHAR(10) NULL, MODIFY c VARCHAR(9);
INSERT INTO t (b, c) VALUES ('padded  ', 'trailing ');
ALTER TABLE t MODIFY b TEXT, DROP KEY ub;
""".replace("ALTER TABLE t MODIFY b TEXT, DROP KEY ub;\n", "ALTER TABLE t DROP KEY ub, MODIFY b MEDIUMTEXT;\n")
        + """
INSERT INTO t (b) VALUES (REPEAT('b', 300));
SET sql_mode = '';
ALTER TABLE t MODIFY b VARCHAR(5), MODIFY c VARCHAR(3);
INSERT INTO t (b) VALUES ('a');
""",
    ),
    "character sets": Scenario(
        before="""
CREATE TABLE words (id INT PRIMARY KEY, l VARCHAR(20) CHARACTER SET latin1, u VARCHAR(20), t TEXT CHARACTER SET latin1, k CHAR(5) COLLATE utf8mb4_bin, UNIQUE KEY (l)) CHARACTER SET utf8mb4;
INSERT INTO words VALUES (1, 'äöü', 'äöü', 'ß', 'K'), (2, 'abc', 'abc', NULL, 'k'), (3, NULL, NULL, '', NULL);
""",
        change="""
ALTER TABLE words MODIFY l VARCHAR(20) CHARACTER SET utf8mb4;
INSERT INTO words VALUES (4, '€😀', 'x', 'é', 'x');
ALTER TABLE words MODIFY u VARCHAR(20) CHARACTER SET utf8mb3, MODIFY k CHAR(5) COLLATE utf8mb4_general_ci;
INSERT INTO words VALUES (5, '漢字', '漢字', 'é', 'y');
ALTER TABLE words CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
INSERT INTO words VALUES (6, '😀', '😀', '😀', '😀');
DELETE FROM words WHERE id IN (4, 5, 6);
ALTER TABLE words CONVERT TO CHARACTER SET latin1;
INSERT INTO words VALUES (7, 'ÿ', 'ÿ', 'ÿ', 'ÿ');
ALTER TABLE words DEFAULT CHARACTER SET ucs2, ADD n VARCHAR(10);
UPDATE words SET n = 'ñ';
""",
    ),
    "text and bytes": Scenario(
        before="""
CREATE TABLE b (id INT PRIMARY KEY, t TEXT, v VARCHAR(20), x BLOB, y VARBINARY(8), z BINARY(4));
INSERT INTO b VALUES (1, 'ä', 'ä', 'abc', 'abc', 'ab'), (2, NULL, NULL, NULL, NULL, NULL), (3, '', '', '', '', '');
""",
        change="""
ALTER TABLE b MODIFY t BLOB, MODIFY x TEXT CHARACTER SET utf8mb4;
INSERT INTO b VALUES (4, x'00ff', 'x', 'ß', x'00', x'00ff');
ALTER TABLE b MODIFY y VARBINARY(20), MODIFY z BINARY(6);
INSERT INTO b VALUES (5, x'00ff', 'x', 'ß', x'00', x'00ff');
""",
    ),
    "members": Scenario(
        before=T,
        change="""
ALTER TABLE t MODIFY e ENUM('x','y','z','w') DEFAULT 'w', MODIFY s SET('p','q','r','s');
INSERT INTO t (b, e, s) VALUES ('f', 'w', 'p,s');
ALTER TABLE t MODIFY e ENUM('w','z','y','x') NULL;
INSERT INTO t (b, e) VALUES ('g', 'w'), ('h', 'x');
UPDATE t SET e = 'w' WHERE e = 'z';
ALTER TABLE t MODIFY e ENUM('w','new','y','x') NULL;
UPDATE t SET e = 'new' WHERE id = 1;
ALTER TABLE t MODIFY e VARCHAR(10);
INSERT INTO t (b, e) VALUES ('i', 'free');
""",
    ),
    "members of a set in another order": Scenario(
        before=T,
        stops=("ALTER TABLE t MODIFY s",),
        change="""
ALTER TABLE t MODIFY s SET('r','q','p');
INSERT INTO t (b, s) VALUES ('f', 'p,r');
""",
    ),
    "members that go, in a lax mode": Scenario(
        before=T,
        change="""
SET sql_mode = '';
ALTER TABLE t MODIFY e ENUM('x','z');
INSERT INTO t (b, e) VALUES ('f', 'x');
""",
    ),
    "null and defaults": Scenario(
        before=T,
        change="""
UPDATE t SET a = 0 WHERE a IS NULL;
ALTER TABLE t MODIFY a INT NOT NULL;
INSERT INTO t (a, b) VALUES (1, 'f');
ALTER TABLE t MODIFY a INT NULL DEFAULT 5, ALTER b SET DEFAULT 'z', ALTER COLUMN d DROP DEFAULT;
INSERT INTO t (d) VALUES (1);
ALTER TABLE t ALTER d SET DEFAULT 2.5, ALTER b DROP DEFAULT, ALTER f SET DEFAULT '2020-02-02 02:02:02.2';
INSERT INTO t (b) VALUES ('g');
ALTER TABLE t MODIFY f DATETIME(3) NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3);
UPDATE t SET a = 6;
UPDATE t SET s = '' WHERE s IS NULL;
SET sql_mode = '';
ALTER TABLE t MODIFY c TEXT NOT NULL, MODIFY s SET('p','q','r') NOT NULL DEFAULT 'q', MODIFY b VARCHAR(20) NOT NULL;
INSERT INTO t (b) VALUES ('h');
""",
    ),
    "no NULL any more, where the source decides what there was instead": Scenario(
        before=T,
        stops=("MODIFY s SET", "NOT NULL on"),
        change="""
SET sql_mode = '';
ALTER TABLE t MODIFY s SET('p','q','r') NOT NULL;
INSERT INTO t (b) VALUES ('f');
""",
    ),
    "numbering": Scenario(
        before="""
CREATE TABLE plain (id INT NOT NULL, v INT, PRIMARY KEY (id));
CREATE TABLE auto (id INT NOT NULL AUTO_INCREMENT, v INT, PRIMARY KEY (id)) AUTO_INCREMENT=50;
INSERT INTO plain VALUES (1, 1), (2, 2);
INSERT INTO auto (v) VALUES (1), (2);
""",
        change="""
ALTER TABLE plain MODIFY id INT NOT NULL AUTO_INCREMENT;
INSERT INTO plain (v) VALUES (3);
ALTER TABLE auto MODIFY id INT NOT NULL;
INSERT INTO auto VALUES (99, 9);
ALTER TABLE plain AUTO_INCREMENT = 1000;
INSERT INTO plain (v) VALUES (4);
CREATE TABLE more (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, v INT) AUTO_INCREMENT = 7;
INSERT INTO more (v) VALUES (1);
ALTER TABLE more MODIFY id INT UNSIGNED NOT NULL AUTO_INCREMENT;
INSERT INTO more (v) VALUES (2);
""",
    ),
    "numbering that comes with a column": Scenario(
        before="CREATE TABLE loose (v INT);\nINSERT INTO loose VALUES (1), (2);\n",
        stops=("AUTO_INCREMENT", "ALTER TABLE loose ADD"),
        change="""
ALTER TABLE loose ADD COLUMN id INT NOT NULL AUTO_INCREMENT PRIMARY KEY FIRST;
INSERT INTO loose (v) VALUES (3);
""",
    ),
    "generated": Scenario(
        before=T,
        change="""
ALTER TABLE t ADD COLUMN g INT AS (a + 1) STORED, ADD COLUMN v INT GENERATED ALWAYS AS (a * 2) VIRTUAL;
INSERT INTO t (a, b) VALUES (7, 'gen');
UPDATE t SET a = 8 WHERE id = 1;
ALTER TABLE t MODIFY g BIGINT AS (a + 2) STORED;
INSERT INTO t (a, b) VALUES (9, 'gen2');
ALTER TABLE t DROP COLUMN g, DROP COLUMN v;
INSERT INTO t (a, b) VALUES (10, 'gen3');
CREATE TABLE g (id INT PRIMARY KEY, a VARCHAR(10), b VARCHAR(20) AS (CONCAT(a, '!')) STORED, c INT AS (id + 1) VIRTUAL, UNIQUE KEY (b));
INSERT INTO g (id, a) VALUES (1, 'x'), (2, NULL);
UPDATE g SET a = 'y';
""".replace("UPDATE g SET a = 'y';", "UPDATE g SET a = 'y' WHERE id = 2;"),
    ),
    "generated and plain": Scenario(
        before="""
CREATE TABLE g (id INT PRIMARY KEY, a INT, s INT AS (a * 2) STORED);
INSERT INTO g (id, a) VALUES (1, 2), (2, NULL);
""",
        change="""
ALTER TABLE g MODIFY s INT;
UPDATE g SET s = 99 WHERE id = 1;
INSERT INTO g VALUES (3, 3, 3);
""",
    ),
    "invisible": Scenario(
        before=T,
        change="""
ALTER TABLE t ADD COLUMN i INT INVISIBLE DEFAULT 4;
INSERT INTO t (a, b) VALUES (7, 'hidden');
UPDATE t SET i = 5 WHERE id = 1;
CREATE TABLE inv (id INT PRIMARY KEY, x INT NOT NULL DEFAULT 1 INVISIBLE, y INT);
INSERT INTO inv VALUES (1, 2);
INSERT INTO inv (id, x) VALUES (3, 4);
ALTER TABLE inv MODIFY x INT NOT NULL DEFAULT 1;
INSERT INTO inv VALUES (5, 6, 7);
""",
    ),
    "comments": Scenario(
        before=T,
        change="""
ALTER TABLE t COMMENT = 'a table; with ''quotes''';
ALTER TABLE t MODIFY a INT COMMENT 'a column', COMMENT 'again';
ALTER TABLE t MODIFY a INT;
CREATE TABLE n (id INT PRIMARY KEY COMMENT 'id', v INT, KEY v (v) COMMENT 'an index') COMMENT 'n';
""",
    ),
    "kinds that no rule converts": Scenario(
        before=T,
        stops=("ALTER TABLE t MODIFY f TIME",),
        change="ALTER TABLE t MODIFY f TIME;\nINSERT INTO t (f) VALUES ('10:00');\n",
    ),
    "times": Scenario(
        before="""
CREATE TABLE m (id INT PRIMARY KEY, d DATE, t TIME, dt DATETIME, ts TIMESTAMP NULL);
INSERT INTO m VALUES (1, '2020-02-29', '-838:59:59', '9999-12-31 23:59:59', '2038-01-19 03:14:07'), (2, NULL, NULL, NULL, NULL);
""",
        change="""
ALTER TABLE m MODIFY d DATETIME, MODIFY t TIME(6), MODIFY dt DATETIME(6), MODIFY ts TIMESTAMP(3) NULL;
INSERT INTO m VALUES (3, '2020-01-01 10:00:00', '10:00:00.123456', '2020-01-01 00:00:00.000001', '2020-01-01 00:00:00.001');
SET time_zone = '+05:00';
ALTER TABLE m ADD z TIMESTAMP NOT NULL DEFAULT '2020-01-01 05:00:00';
INSERT INTO m (id) VALUES (4);
""",
    ),
    "while a view looks on": Scenario(
        before=T + "CREATE VIEW looks AS SELECT id, a, b, d FROM t WHERE a > 0;\n",
        change="""
ALTER TABLE t MODIFY a BIGINT;
INSERT INTO t (a, b) VALUES (7, 'view');
ALTER TABLE t DROP COLUMN c, ADD COLUMN n INT;
UPDATE t SET n = 1;
ALTER TABLE t DROP COLUMN d;
UPDATE t SET n = 2;
RENAME TABLE t TO u;
INSERT INTO u (a, b) VALUES (8, 'view2');
""",
        unlike=("looks",),
    ),
}
