-- 9.7.4-2, the harness's settings
CREATE TABLE t (id INT PRIMARY KEY);
INSERT INTO t VALUES (1);
