CREATE TABLE `generated` (
  a INT, b VARCHAR(20), v INT AS (a + 1), s INT GENERATED ALWAYS AS (a * 2) STORED COMMENT 'twice', c VARCHAR(50) GENERATED ALWAYS AS (concat(b, 'it''s', a)) VIRTUAL, k INT AS (abs(a)) STORED UNIQUE, KEY (s)
)
