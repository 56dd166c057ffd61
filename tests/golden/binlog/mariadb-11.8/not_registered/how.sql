-- 11.8.9-MariaDB-4 from Debian-log, the harness's settings
CREATE TABLE t (id INT PRIMARY KEY);
INSERT INTO t VALUES (1);
