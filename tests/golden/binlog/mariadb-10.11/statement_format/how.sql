-- 10.11.18-MariaDB-0+deb12u1-log, the harness's settings
CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, x INT);
INSERT INTO t (x) VALUES (1);
SET SESSION binlog_format = STATEMENT;
INSERT INTO t (x) VALUES (2);
