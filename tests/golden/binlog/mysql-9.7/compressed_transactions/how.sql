-- 9.7.4-2, the harness's settings
CREATE TABLE t (id INT PRIMARY KEY, x TEXT);
SET binlog_transaction_compression = ON;
INSERT INTO t VALUES (1, REPEAT('a', 10000));
BEGIN;
INSERT INTO t VALUES (2, 'b');
SAVEPOINT s;
UPDATE t SET x = 'c';
COMMIT;
CREATE TABLE u AS SELECT * FROM t;
DELETE FROM t WHERE id = 1;
