"""The database of the demo: a shop with eleven tables, more than a million rows, and all common column types.

Rows are made by the server itself from the number of the row, so the same size gives the same shop.
"""

from __future__ import annotations

import re
from collections.abc import Callable

DATABASE = "shop"

SCHEMA = """
CREATE TABLE categories (
  id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  parent_id SMALLINT UNSIGNED NULL,
  name VARCHAR(80) NOT NULL,
  sort_order MEDIUMINT NOT NULL DEFAULT 0,
  UNIQUE KEY name (name),
  CONSTRAINT category_parent FOREIGN KEY (parent_id) REFERENCES categories (id)
) COMMENT='Tree of categories';

CREATE TABLE products (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  category_id SMALLINT UNSIGNED NOT NULL,
  sku CHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  title VARCHAR(200) NOT NULL COMMENT 'As shown, in any language',
  description TEXT,
  price DECIMAL(12,2) NOT NULL,
  weight_kg FLOAT,
  rating DOUBLE,
  flags BIT(6) NOT NULL DEFAULT b'000001',
  season YEAR,
  attributes JSON,
  thumbnail VARBINARY(64),
  UNIQUE KEY sku (sku),
  KEY category (category_id, price),
  CONSTRAINT product_category FOREIGN KEY (category_id) REFERENCES categories (id)
);

CREATE TABLE customers (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  public_id BINARY(16) NOT NULL,
  email VARCHAR(120) NOT NULL,
  full_name VARCHAR(100) NOT NULL,
  legacy_name VARCHAR(60) CHARACTER SET latin1 COLLATE latin1_swedish_ci,
  born DATE,
  wakes_at TIME,
  level TINYINT NOT NULL DEFAULT 0,
  active TINYINT(1) NOT NULL DEFAULT 1,
  interests SET('books','games','music','garden','tools'),
  created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  UNIQUE KEY email (email),
  UNIQUE KEY public_id (public_id),
  KEY created (created_at)
);

CREATE TABLE addresses (
  customer_id BIGINT UNSIGNED NOT NULL,
  kind ENUM('home','work','delivery') NOT NULL,
  street VARCHAR(120) NOT NULL,
  city VARCHAR(60) NOT NULL,
  country CHAR(2) NOT NULL DEFAULT 'DE',
  PRIMARY KEY (customer_id, kind),
  CONSTRAINT address_customer FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE
);

CREATE TABLE orders (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  customer_id BIGINT UNSIGNED NOT NULL,
  state ENUM('new','paid','packed','sent','done','returned') NOT NULL DEFAULT 'new',
  ordered_at DATETIME(6) NOT NULL,
  total DECIMAL(14,2) NOT NULL DEFAULT 0,
  note VARCHAR(255),
  KEY customer (customer_id, ordered_at),
  CONSTRAINT order_customer FOREIGN KEY (customer_id) REFERENCES customers (id)
);

CREATE TABLE order_items (
  order_id BIGINT UNSIGNED NOT NULL,
  line SMALLINT NOT NULL,
  product_id INT UNSIGNED NOT NULL,
  quantity SMALLINT UNSIGNED NOT NULL,
  unit_price DECIMAL(12,2) NOT NULL,
  PRIMARY KEY (order_id, line),
  KEY product (product_id),
  CONSTRAINT item_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE,
  CONSTRAINT item_product FOREIGN KEY (product_id) REFERENCES products (id)
);

CREATE TABLE payments (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  order_id BIGINT UNSIGNED NOT NULL,
  method VARCHAR(20) NOT NULL,
  amount DECIMAL(14,2) NOT NULL,
  paid_at DATETIME,
  receipt MEDIUMTEXT,
  CONSTRAINT payment_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE
);

CREATE TABLE stock (
  warehouse SMALLINT NOT NULL,
  product_id INT UNSIGNED NOT NULL,
  pieces INT NOT NULL,
  moved BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (warehouse, product_id),
  CONSTRAINT stock_product FOREIGN KEY (product_id) REFERENCES products (id)
);

CREATE TABLE reviews (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  product_id INT UNSIGNED NOT NULL,
  customer_id BIGINT UNSIGNED NULL,
  stars TINYINT UNSIGNED NOT NULL,
  words LONGTEXT,
  written_on DATE NOT NULL,
  KEY product (product_id),
  CONSTRAINT review_product FOREIGN KEY (product_id) REFERENCES products (id),
  CONSTRAINT review_customer FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE SET NULL
);

CREATE TABLE visits (
  at DATETIME(3) NOT NULL,
  page VARCHAR(100) NOT NULL,
  millis INT UNSIGNED NOT NULL,
  agent TINYTEXT,
  KEY at (at)
) COMMENT='A table without a key';

CREATE TABLE settings (
  name VARCHAR(50) NOT NULL PRIMARY KEY,
  value LONGBLOB
);

CREATE VIEW open_orders AS
  SELECT o.id, c.email, o.total FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.state IN ('new','paid')
"""

ACTION = re.compile(r" ON DELETE (CASCADE|SET NULL)")

# table -> (rows of a shop of size 1, SELECT that makes them from n = 1, 2, 3 ...)
ROWS: dict[str, tuple[int, str]] = {
    "categories": (200, "n, IF(n > 10, 1 + n MOD 10, NULL), CONCAT('Category ', n), n * 7 MOD 1000"),
    "products": (
        20_000,
        """n, 1 + n MOD {categories}, CONCAT('SKU', LPAD(n, 9, '0')),
        CONCAT(ELT(1 + n MOD 5, 'Teapot', 'Füller', '茶杯', 'Чашка', 'Cup ☕'), ' ', n),
        IF(n MOD 9, REPEAT(CONCAT('fine ware, no. ', n, '; '), 1 + n MOD 12), NULL), 0.99 + n MOD 50000 / 100,
        IF(n MOD 13, n MOD 97 / 7, NULL), n MOD 501 / 100e0, n MOD 64, IF(n MOD 4, 1990 + n MOD 40, 0),
        JSON_OBJECT('colour', ELT(1 + n MOD 3, 'red', 'blue', 'grün'), 'size', n MOD 60,
                    'tags', JSON_ARRAY(n MOD 7, 'x')),
        UNHEX(SHA2(n, 256))""",
    ),
    "customers": (
        100_000,
        """n, UNHEX(LEFT(SHA2(n, 256), 32)), CONCAT('customer', n, '@example.com'),
        CONCAT(ELT(1 + n MOD 6, 'Ada', 'Jürgen', 'Zoë', '小明', 'Олег', 'Noor'), ' ', n),
        IF(n MOD 3, CONCAT('Señor ', n), NULL), IF(n MOD 10, DATE '1940-01-01' + INTERVAL n MOD 25000 DAY, NULL),
        SEC_TO_TIME(n MOD 86400), n MOD 10 - 3, n MOD 2, n MOD 32,
        TIMESTAMP '2020-01-01 00:00:00' + INTERVAL n * 1337 SECOND""",
    ),
    "addresses": (
        120_000,
        """1 + (n - 1) MOD {customers}, 1 + (n - 1) DIV {customers},
        CONCAT(n MOD 300, ' Long Road'), ELT(1 + n MOD 4, 'Köln', 'Łódź', 'Malmö', 'Porto'),
        ELT(1 + n MOD 4, 'DE', 'PL', 'SE', 'PT')""",
    ),
    "orders": (
        250_000,
        """n, 1 + n * 7919 MOD {customers}, 1 + n MOD 6,
        TIMESTAMP '2021-01-01 00:00:00' + INTERVAL n * 613 SECOND + INTERVAL n MOD 1000000 MICROSECOND,
        n MOD 100000 / 100, IF(n MOD 5, NULL, CONCAT('Please ring, it''s "', n, '"'))""",
    ),
    "order_items": (
        500_000,
        """1 + (n - 1) MOD {orders}, 1 + (n - 1) DIV {orders}, 1 + n * 31 MOD {products}, 1 + n MOD 9,
        0.5 + n MOD 9000 / 100""",
    ),
    "payments": (
        150_000,
        """n, 1 + n * 3 MOD {orders}, ELT(1 + n MOD 3, 'card', 'invoice', 'transfer'), n MOD 77777 / 100,
        IF(n MOD 8, TIMESTAMP '2021-01-02 00:00:00' + INTERVAL n * 900 SECOND, NULL),
        IF(n MOD 50, NULL, REPEAT('receipt ', 100))""",
    ),
    "stock": (40_000, "1 + (n - 1) DIV {products}, 1 + (n - 1) MOD {products}, n MOD 500, n * 1000003"),
    "reviews": (
        60_000,
        """n, 1 + n * 17 MOD {products}, IF(n MOD 6, 1 + n MOD {customers}, NULL), 1 + n MOD 5,
        REPEAT(CONCAT('good 👍 ', n, ' '), n MOD 20), DATE '2022-01-01' + INTERVAL n MOD 1000 DAY""",
    ),
    "visits": (
        60_000,
        """TIMESTAMP '2024-01-01 00:00:00' + INTERVAL n DIV 3 * 37 SECOND, CONCAT('/p/', n MOD 500), n MOD 5000,
        IF(n MOD 3, 'Mozilla/5.0', NULL)""",
    ),
    "settings": (50, "CONCAT('setting.', n), IF(n MOD 2, REPEAT(UNHEX('00FF10'), n), NULL)"),
}


def statements(scale: float, *, cascades: bool = True) -> list[str]:
    """What makes a shop: the schema, then one INSERT a table. 1 gives 1,300,250 rows.

    cascades   whether foreign keys take rows along
    """
    schema = SCHEMA if cascades else ACTION.sub("", SCHEMA)
    counts = {table: max(int(rows * scale), 20) for table, (rows, _) in ROWS.items()}
    # These are made of whole rounds over the other table, so that their keys are unique.
    counts["addresses"] = min(counts["addresses"], counts["customers"] * 3)
    made = [statement.strip() for statement in schema.split(";") if statement.strip()]
    made.append("SET SESSION sql_mode = ''")
    for table, (_, values) in ROWS.items():
        made.append(_numbered_insert(table, counts[table], values.format(**counts)))
    return made


def _numbered_insert(table: str, rows: int, values: str) -> str:
    """INSERT of `rows` rows made from n = 1 ... rows, in a form that MySQL and MariaDB both understand."""
    digits = f"(SELECT 0 d UNION ALL SELECT {' UNION ALL SELECT '.join('123456789')})"
    places = [f"{digits} d{place}" for place in range(len(str(rows)))]
    number = " + ".join(f"d{place}.d * {10**place}" for place in range(len(places)))
    numbers = f"SELECT 1 + {number} AS n FROM {', '.join(places)}"
    return f"INSERT INTO {table} SELECT {values} FROM ({numbers}) numbers WHERE n <= {rows} ORDER BY n"


def create(execute: Callable[[str], object], scale: float, *, cascades: bool = True) -> None:
    """Makes the shop through `execute`, a function that runs one statement on one session."""
    execute(f"DROP DATABASE IF EXISTS {DATABASE}")
    execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
    execute(f"USE {DATABASE}")
    for statement in statements(scale, cascades=cascades):
        execute(statement)
