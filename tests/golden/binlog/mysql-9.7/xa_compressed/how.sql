-- 9.7.4-2, the harness's settings
CREATE TABLE t (id INT PRIMARY KEY, x TEXT);
SET binlog_transaction_compression = ON;
XA START 'a';
INSERT INTO t VALUES (1, REPEAT('a', 3000));
XA END 'a';
XA PREPARE 'a';
XA COMMIT 'a';
XA START 'o';
INSERT INTO t VALUES (3, REPEAT('o', 3000));
XA END 'o';
XA COMMIT 'o' ONE PHASE;
