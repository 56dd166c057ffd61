"""Indexes, keys, foreign keys and checks."""

from __future__ import annotations

from typing import Final

from tests.integration.links.changes.scenario import MARIADB, MYSQL, Scenario, T

# The index that a server makes for a foreign key gives way to another one, if nobody declared it; whether somebody
# did, no catalog says.
FOLLOWING_NAMES: Final = tuple(f"CREATE INDEX t__{name}" for name in ("fq", "fq2", "again"))

KEYS: Final = {
    "indexes": Scenario(
        before=T,
        change="""
ALTER TABLE t ADD INDEX i1 (d, a DESC), ADD UNIQUE INDEX i2 (f, id), ADD KEY (c(10)), ADD FULLTEXT KEY ft (c), DROP INDEX ad;
INSERT INTO t (a, b) VALUES (7, 'indexed');
CREATE INDEX i3 ON t (e) COMMENT 'c';
CREATE UNIQUE INDEX i4 USING BTREE ON t (b(5));
ALTER TABLE t RENAME INDEX i1 TO i9, RENAME KEY i3 TO i1;
DROP INDEX ub ON t;
INSERT INTO t (a, b) VALUES (7, 'and more');
ALTER TABLE t DROP INDEX i4, DROP KEY i9;
INSERT INTO t (a, b) VALUES (7, 'and more');
CREATE FULLTEXT INDEX ft2 ON t (b);
DROP INDEX ft ON t;
ALTER TABLE t RENAME KEY a TO tmp, RENAME KEY c TO a;
""",
        unlike=("t: index c_",),
    ),
    "index swap": Scenario(
        before=T,
        change="""
ALTER TABLE t DROP INDEX a, ADD UNIQUE INDEX a (f);
UPDATE t SET f = NULL;
ALTER TABLE t RENAME INDEX a TO ad, RENAME INDEX ad TO a;
ALTER TABLE t DROP INDEX ub, ADD INDEX ub (b, a);
INSERT INTO t (a, b) VALUES (1, 'a'), (2, 'a');
""",
    ),
    "primary key changed": Scenario(
        before="""
CREATE TABLE p (id INT NOT NULL, k VARCHAR(10) NOT NULL, v INT, PRIMARY KEY (id));
CREATE TABLE r (id INT NOT NULL AUTO_INCREMENT, k INT NOT NULL, PRIMARY KEY (id), KEY (k));
CREATE TABLE w (a INT NOT NULL, b INT NOT NULL, v INT, UNIQUE KEY ab (a, b));
INSERT INTO p VALUES (1, 'a', 1), (2, 'b', 2);
INSERT INTO r (k) VALUES (5), (6);
INSERT INTO w VALUES (1, 1, 1), (1, 2, 2);
""",
        change="""
ALTER TABLE p DROP PRIMARY KEY, ADD PRIMARY KEY (k, id);
UPDATE p SET v = 10 WHERE k = 'a';
INSERT INTO p VALUES (1, 'b', 3);
ALTER TABLE p DROP PRIMARY KEY;
INSERT INTO p VALUES (1, 'b', 3);
DELETE FROM p WHERE v = 3 LIMIT 1;
UPDATE p SET id = 9 WHERE v = 2;
ALTER TABLE p ADD PRIMARY KEY (id, k);
UPDATE p SET v = 11;
ALTER TABLE r DROP PRIMARY KEY, ADD PRIMARY KEY (k), ADD KEY (id);
UPDATE r SET id = id + 10;
INSERT INTO r (k) VALUES (7);
ALTER TABLE w DROP KEY ab, ADD PRIMARY KEY (b);
UPDATE w SET v = 20 WHERE b = 2;
ALTER TABLE w ADD UNIQUE KEY (v), DROP PRIMARY KEY;
UPDATE w SET a = 5 WHERE v = 20;
""",
    ),
    "a key comes to a table without": Scenario(
        merged=True,
        before="""
CREATE TABLE loose (a INT, b VARCHAR(10));
INSERT INTO loose VALUES (1, 'a'), (1, 'a'), (2, NULL);
""",
        change="""
DELETE FROM loose WHERE a = 1 LIMIT 1;
ALTER TABLE loose ADD PRIMARY KEY (a);
INSERT INTO loose VALUES (3, 'c');
UPDATE loose SET b = 'x' WHERE a = 3;
ALTER TABLE loose DROP PRIMARY KEY;
INSERT INTO loose VALUES (3, 'x'), (3, 'x');
DELETE FROM loose WHERE a = 3 LIMIT 2;
""",
    ),
    "foreign keys": Scenario(
        unlike=FOLLOWING_NAMES,
        before=T,
        change="""
ALTER TABLE t DROP FOREIGN KEY fq;
UPDATE t SET q = 77 WHERE id = 1;
UPDATE t SET q = 1 WHERE id = 1;
ALTER TABLE t ADD CONSTRAINT again FOREIGN KEY (q) REFERENCES q (id) ON DELETE SET NULL ON UPDATE CASCADE;
DELETE FROM q WHERE id = 1;
UPDATE q SET id = 30 WHERE id = 3;
CREATE TABLE child (id INT PRIMARY KEY, code VARCHAR(20), CONSTRAINT cc FOREIGN KEY (code) REFERENCES q (code) ON DELETE CASCADE);
INSERT INTO child VALUES (1, 'two'), (2, NULL);
DELETE FROM q WHERE code = 'two';
ALTER TABLE child ADD COLUMN parent INT, ADD FOREIGN KEY (parent) REFERENCES child (id);
INSERT INTO child VALUES (5, NULL, NULL), (6, NULL, 5);
ALTER TABLE t RENAME COLUMN q TO qq, DROP FOREIGN KEY again;
ALTER TABLE t ADD CONSTRAINT again FOREIGN KEY (qq) REFERENCES q (id);
INSERT INTO t (b, qq) VALUES ('z', 30);
""",
    ),
    "a foreign key before its parent": Scenario(
        before=T,
        change="""
SET foreign_key_checks = 0;
CREATE TABLE child (id INT PRIMARY KEY, parent INT, k VARCHAR(5), CONSTRAINT to_parent FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE, CONSTRAINT to_code FOREIGN KEY (k) REFERENCES parent (k));
CREATE TABLE parent (id INT PRIMARY KEY, k VARCHAR(5) NOT NULL UNIQUE);
INSERT INTO parent VALUES (1, 'a'), (2, 'b');
INSERT INTO child VALUES (10, 1, 'a'), (20, 2, NULL);
SET foreign_key_checks = 1;
DELETE FROM parent WHERE id = 2;
INSERT INTO child VALUES (11, 1, 'a');
""",
    ),
    "a parent dropped and made anew": Scenario(
        again=True,
        before=T,
        change="""
SET foreign_key_checks = 0;
DROP TABLE q;
CREATE TABLE q (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, code VARCHAR(30) NOT NULL);
INSERT INTO q VALUES (1, 'one'), (2, 'two'), (3, 'three');
SET foreign_key_checks = 1;
INSERT INTO q VALUES (4, 'four');
UPDATE t SET q = 4 WHERE id = 1;
""",
    ),
    "a parent renamed away and back": Scenario(
        unlike=FOLLOWING_NAMES,
        before=T,
        change="""
RENAME TABLE q TO r;
INSERT INTO r (code) VALUES ('r');
UPDATE t SET q = 4 WHERE id = 1;
CREATE TABLE q (id INT PRIMARY KEY);
INSERT INTO q VALUES (1);
ALTER TABLE t DROP FOREIGN KEY fq, ADD CONSTRAINT fq2 FOREIGN KEY (q) REFERENCES r (id);
""",
    ),
    "a parent by rename": Scenario(
        before=T,
        change="""
SET foreign_key_checks = 0;
CREATE TABLE child (id INT PRIMARY KEY, parent INT, CONSTRAINT to_parent FOREIGN KEY (parent) REFERENCES parent (id));
CREATE TABLE later (id INT PRIMARY KEY);
INSERT INTO later VALUES (1);
RENAME TABLE later TO parent;
SET foreign_key_checks = 1;
INSERT INTO child VALUES (10, 1);
""",
    ),
    "a parent gets its key late": Scenario(
        products=MARIADB,  # MySQL 9 refuses such a key
        before=T,
        change="""
SET foreign_key_checks = 0;
CREATE TABLE child (id INT PRIMARY KEY, parent INT, CONSTRAINT to_parent FOREIGN KEY (parent) REFERENCES parent (k));
CREATE TABLE parent (id INT PRIMARY KEY, k INT NOT NULL, KEY (k));
ALTER TABLE parent ADD UNIQUE KEY kk (k);
SET foreign_key_checks = 1;
INSERT INTO parent VALUES (1, 5);
INSERT INTO child VALUES (10, 5);
""",
    ),
    "checks": Scenario(
        before=T,
        change="""
ALTER TABLE t ADD CONSTRAINT positive CHECK (a > -1000), ADD CHECK (d < 1000000000);
INSERT INTO t (a, b) VALUES (1, 'checked');
ALTER TABLE t DROP CONSTRAINT positive;
CREATE TABLE k (id INT PRIMARY KEY, v INT CHECK (v >= 0), w VARCHAR(10), CONSTRAINT both_ok CHECK (v < 100 AND w <> ''));
INSERT INTO k VALUES (1, 5, 'x');
ALTER TABLE k DROP CONSTRAINT both_ok;
INSERT INTO k VALUES (2, 500, '');
""",
    ),
    "checks come and go": Scenario(
        products=MYSQL,
        before="CREATE TABLE k (id INT PRIMARY KEY, v INT, CONSTRAINT vv CHECK (v > 0));\nINSERT INTO k VALUES (1, 1);\n",
        change="""
ALTER TABLE k ALTER CHECK vv NOT ENFORCED;
INSERT INTO k VALUES (2, -1);
DELETE FROM k WHERE id = 2;
ALTER TABLE k ALTER CHECK vv ENFORCED;
INSERT INTO k VALUES (3, 3);
ALTER TABLE k DROP CHECK vv;
INSERT INTO k VALUES (4, -4);
""",
    ),
    "unique on long text": Scenario(
        products=MARIADB,
        before=T,
        change="""
ALTER TABLE t ADD UNIQUE KEY long_c (c);
INSERT INTO t (b, c) VALUES ('f', REPEAT('x', 5000));
ALTER TABLE t ADD n INT;
UPDATE t SET n = 1;
ALTER TABLE t DROP KEY long_c;
INSERT INTO t (b, c) VALUES ('g', REPEAT('x', 5000));
""",
    ),
}
