CREATE TABLE expressions (
  id CHAR(36) PRIMARY KEY DEFAULT (uuid()), n INT DEFAULT (1 + 2), t VARCHAR(20) DEFAULT ('it''s'), d DATE DEFAULT (curdate()), x INT DEFAULT (5), dt DATETIME DEFAULT (now()), tt TEXT DEFAULT ('long'), z INT DEFAULT (-7), jj VARCHAR(100) DEFAULT (json_object()), u DOUBLE DEFAULT (rand())
)
