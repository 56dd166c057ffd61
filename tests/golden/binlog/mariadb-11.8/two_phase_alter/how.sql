-- 11.8.9-MariaDB-4 from Debian-log, the harness's settings
CREATE TABLE t (id INT PRIMARY KEY);
SET binlog_alter_two_phase = 1;
INSERT INTO t VALUES (1);
ALTER TABLE t ADD COLUMN x INT;
INSERT INTO t VALUES (2, 2);
