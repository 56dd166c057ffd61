-- 9.7.4-2, the harness's settings
CREATE TABLE w (id INT PRIMARY KEY, y INT GENERATED ALWAYS AS (id + 1) VIRTUAL, z INT GENERATED ALWAYS AS (id * 2) STORED, i INT INVISIBLE DEFAULT 7, j JSON, KEY ((id + 5)), KEY k ((CAST(j->'$.a' AS UNSIGNED ARRAY))));
SET sql_generate_invisible_primary_key = 1;
CREATE TABLE g (x INT);
INSERT INTO w (id, j) VALUES (1, '{"a": [1, 2]}'), (2, NULL);
UPDATE w SET i = 8 WHERE id = 2;
INSERT INTO g VALUES (7);
