CREATE TABLE checks (
  id INT PRIMARY KEY, a INT CHECK (a > 0), b INT CHECK (b < 10), c DECIMAL(10,2), d DATE, e VARCHAR(10), CONSTRAINT named CHECK (a < b), CHECK (c >= 0 AND c < 1000.5), CHECK (d > '2000-01-01'), CHECK (e IN ('x', 'y')), CHECK (a BETWEEN 1 AND 100 OR b IS NULL)
)
