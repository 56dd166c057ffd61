-- 10.11.18-MariaDB-0+deb12u1-log, the harness's settings
CREATE TABLE t (id INT PRIMARY KEY);
INSERT INTO t VALUES (1);
