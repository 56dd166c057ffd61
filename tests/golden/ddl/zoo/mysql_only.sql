-- servers: mysql
CREATE TABLE mysql_only (
  id INT PRIMARY KEY, j JSON DEFAULT (json_array()), n VARCHAR(50), a INT, p POINT SRID 4326, v VECTOR(3), w VECTOR,
  INDEX fun ((a + 1), n(3) DESC), INDEX ((lower(n))), INDEX mv ((CAST(json_extract(j, '$.x') AS UNSIGNED ARRAY))), UNIQUE INDEX iv (n) INVISIBLE COMMENT 'cc', CONSTRAINT lax CHECK (a > 3) NOT ENFORCED, CHECK (n <> 'it''s')
) STATS_PERSISTENT=0 KEY_BLOCK_SIZE=8
