CREATE TABLE `keys` (
  a INT NOT NULL, b VARCHAR(20), c VARCHAR(100) NOT NULL, d TEXT, e INT, f BLOB, g CHAR(10),
  PRIMARY KEY (a, c), UNIQUE (b), UNIQUE KEY named (e, a), INDEX (b), KEY (b), KEY pre (c(5), a DESC), INDEX two USING BTREE (d(10)) COMMENT 'an index', UNIQUE upre (f(8)), KEY whole (g(10)), FULLTEXT ft (b, d), FULLTEXT (c), CONSTRAINT uq UNIQUE (g, b), KEY (e) KEY_BLOCK_SIZE=4
)
