-- 10.11.18-MariaDB-0+deb12u1-log, the harness's settings
-- log_bin_compress=ON
CREATE TABLE t (id INT PRIMARY KEY, x TEXT);
INSERT INTO t VALUES (1, REPEAT('a', 5000)), (2, REPEAT('b', 3000));
UPDATE t SET x = REPEAT('c', 4000);
DELETE FROM t WHERE id = 2;
CREATE TABLE u (a INT COMMENT 'éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé');
