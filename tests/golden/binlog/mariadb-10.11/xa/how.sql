-- 10.11.18-MariaDB-0+deb12u1-log, the harness's settings
CREATE TABLE t (id INT PRIMARY KEY, x INT);
XA START 'a', 'b', 7;
INSERT INTO t VALUES (1, 1);
XA END 'a', 'b', 7;
XA PREPARE 'a', 'b', 7;
XA COMMIT 'a', 'b', 7;
XA START 'r';
INSERT INTO t VALUES (2, 1);
XA END 'r';
XA PREPARE 'r';
XA ROLLBACK 'r';
XA START 'o';
INSERT INTO t VALUES (3, 1);
XA END 'o';
XA COMMIT 'o' ONE PHASE;
