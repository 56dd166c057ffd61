-- servers: mariadb mariadb11
CREATE TABLE long_unique (id INT PRIMARY KEY, t TEXT, b VARCHAR(5000) NOT NULL, c VARCHAR(20), UNIQUE (t), UNIQUE k2 (b, c), UNIQUE k3 (c) USING HASH, KEY (c))
