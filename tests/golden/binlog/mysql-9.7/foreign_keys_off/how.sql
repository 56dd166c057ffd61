-- 9.7.4-2, the harness's settings
CREATE TABLE p (id INT PRIMARY KEY);
CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE);
INSERT INTO p VALUES (1), (2);
INSERT INTO c VALUES (1, 1), (2, 2), (3, 2);
DELETE FROM p WHERE id = 1;
SET foreign_key_checks = 0;
DELETE FROM p WHERE id = 2;
INSERT INTO c VALUES (9, 9);
SET foreign_key_checks = 1;
DELETE FROM c WHERE id = 9;
