-- 11.8.9-MariaDB-4 from Debian-log, the harness's settings
CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, x INT);
INSERT INTO t (x) VALUES (1);
SET SESSION binlog_row_image = MINIMAL;
UPDATE t SET x = 2;
