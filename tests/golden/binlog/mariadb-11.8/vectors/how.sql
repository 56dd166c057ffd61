-- 11.8.9-MariaDB-4 from Debian-log, the harness's settings
CREATE TABLE t (id INT PRIMARY KEY, v VECTOR(3) NOT NULL);
INSERT INTO t VALUES (1, Vec_FromText('[1,2,3]')), (2, Vec_FromText('[0.1,-2e10,0]'));
