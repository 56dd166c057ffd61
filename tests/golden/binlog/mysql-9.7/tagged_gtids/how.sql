-- 9.7.4-2, the harness's settings
CREATE TABLE t (id INT PRIMARY KEY);
SET gtid_next = 'AUTOMATIC:blue_1';
INSERT INTO t VALUES (1);
INSERT INTO t VALUES (2);
SET gtid_next = 'AUTOMATIC';
INSERT INTO t VALUES (3);
