-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD COLUMN n INT

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "n" integer;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD n INT NOT NULL DEFAULT 5 COMMENT 'new' AFTER a

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "n" integer DEFAULT 5 NOT NULL;
COMMENT ON COLUMN "shop"."t"."n" IS 'new';
-- column-order: shop.t.n: The column stands at the end: PostgreSQL cannot put a new column between others.

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD COLUMN n VARCHAR(10) CHARACTER SET latin1 FIRST, ADD COLUMN m TEXT AFTER n

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "n" varchar(10);
ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "m" text;
-- column-order: shop.t.n: The column stands at the end: PostgreSQL cannot put a new column between others.
-- column-order: shop.t.m: The column stands at the end: PostgreSQL cannot put a new column between others.

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD (n INT, m VARCHAR(10) UNIQUE, KEY nm (n, m))

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "n" integer;
ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "m" varchar(10);
CREATE UNIQUE INDEX IF NOT EXISTS "t__m" ON "shop"."t" ("m");
CREATE INDEX IF NOT EXISTS "t__nm" ON "shop"."t" ("n", "m");
-- unique-case: shop.t.m: UNIQUE tells apart what the source's collation does not: case, accents, trailing blanks. Columns: m.

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD n INT UNIQUE, ADD m INT, ADD KEY (m), ADD INDEX (m, n)

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "n" integer;
ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "m" integer;
CREATE UNIQUE INDEX IF NOT EXISTS "t__n" ON "shop"."t" ("n");
CREATE INDEX IF NOT EXISTS "t__m" ON "shop"."t" ("m");
CREATE INDEX IF NOT EXISTS "t__m_2" ON "shop"."t" ("m", "n");

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t DROP a, DROP CONSTRAINT t_chk_1

ALTER TABLE IF EXISTS "shop"."t" DROP CONSTRAINT IF EXISTS "t_chk_1";
DROP INDEX IF EXISTS "shop"."t__ac";
ALTER TABLE "shop"."t" DROP COLUMN IF EXISTS "a";
CREATE INDEX IF NOT EXISTS "t__ac" ON "shop"."t" ("b");

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t DROP COLUMN a

ALTER TABLE IF EXISTS "shop"."t" DROP CONSTRAINT IF EXISTS "t_chk_1";
DROP INDEX IF EXISTS "shop"."t__ac";
ALTER TABLE "shop"."t" DROP COLUMN IF EXISTS "a";
CREATE INDEX IF NOT EXISTS "t__ac" ON "shop"."t" ("b");

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t DROP COLUMN c, DROP COLUMN d

ALTER TABLE "shop"."t" DROP COLUMN IF EXISTS "c";
ALTER TABLE "shop"."t" DROP COLUMN IF EXISTS "d";

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t DROP b, ADD b VARCHAR(50) FIRST

DROP INDEX IF EXISTS "shop"."t__ub";
DROP INDEX IF EXISTS "shop"."t__ac";
ALTER TABLE "shop"."t" DROP COLUMN IF EXISTS "b";
ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "b" varchar(50);
CREATE UNIQUE INDEX IF NOT EXISTS "t__ub" ON "shop"."t" ((left("b", 20)));
CREATE INDEX IF NOT EXISTS "t__ac" ON "shop"."t" ("a", (left("b", 20)));
-- column-order: shop.t.b: The column stands at the end: PostgreSQL cannot put a new column between others.
-- unique-case: shop.t.ub: UNIQUE tells apart what the source's collation does not: case, accents, trailing blanks. Columns: b.
-- index-prefix-unique: shop.t.ub: UNIQUE counts the beginning of the column only, here as an index on an expression.

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t DROP b, ADD b VARCHAR(20)

DROP INDEX IF EXISTS "shop"."t__ub";
DROP INDEX IF EXISTS "shop"."t__ac";
ALTER TABLE "shop"."t" DROP COLUMN IF EXISTS "b";
ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "b" varchar(20);
CREATE UNIQUE INDEX IF NOT EXISTS "t__ub" ON "shop"."t" ("b");
CREATE INDEX IF NOT EXISTS "t__ac" ON "shop"."t" ("a", "b");
-- unique-case: shop.t.ub: UNIQUE tells apart what the source's collation does not: case, accents, trailing blanks. Columns: b.

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t DROP c, ADD c VARCHAR(30)

DROP INDEX IF EXISTS "shop"."t__pre";
ALTER TABLE "shop"."t" DROP COLUMN IF EXISTS "c";
ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "c" varchar(30);
CREATE INDEX IF NOT EXISTS "t__pre" ON "shop"."t" ((left("c", 10)));

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t MODIFY a BIGINT

ALTER TABLE "shop"."t" ALTER COLUMN "a" TYPE bigint USING "a"::bigint;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t MODIFY COLUMN b VARCHAR(10) NOT NULL DEFAULT 'y' AFTER id

ALTER TABLE "shop"."t" ALTER COLUMN "b" DROP DEFAULT;
ALTER TABLE "shop"."t" ALTER COLUMN "b" TYPE varchar(10) USING left("b", 10);
ALTER TABLE "shop"."t" ALTER COLUMN "b" SET DEFAULT 'y';
DO $opendrs$ BEGIN IF EXISTS (SELECT FROM "shop"."t" WHERE "b" IS NULL) THEN RAISE EXCEPTION USING ERRCODE = 'OD001', MESSAGE = 'NOT NULL on shop.t.b changed rows that had NULL there'; END IF; END $opendrs$;
ALTER TABLE "shop"."t" ALTER COLUMN "b" SET NOT NULL;
-- column-order: shop.t.b: The column stands at the end: PostgreSQL cannot put a new column between others.

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t MODIFY c VARCHAR(8)

ALTER TABLE "shop"."t" ALTER COLUMN "c" TYPE varchar(8) USING left("c", 8);
DROP INDEX IF EXISTS "shop"."t__pre";
CREATE INDEX IF NOT EXISTS "t__pre" ON "shop"."t" ("c");

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t MODIFY c VARCHAR(10), MODIFY b VARCHAR(30)

ALTER TABLE "shop"."t" ALTER COLUMN "b" DROP DEFAULT;
ALTER TABLE "shop"."t" ALTER COLUMN "b" TYPE varchar(30);
ALTER TABLE "shop"."t" ALTER COLUMN "b" DROP DEFAULT;
ALTER TABLE "shop"."t" ALTER COLUMN "c" TYPE varchar(10) USING left("c", 10);
DROP INDEX IF EXISTS "shop"."t__pre";
CREATE INDEX IF NOT EXISTS "t__pre" ON "shop"."t" ("c");

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t MODIFY e ENUM('x','y','z') NOT NULL

ALTER TABLE "shop"."t" ALTER COLUMN "e" DROP DEFAULT;
DO $opendrs$ BEGIN IF EXISTS (SELECT FROM "shop"."t" WHERE "e" IS NULL) THEN RAISE EXCEPTION USING ERRCODE = 'OD001', MESSAGE = 'NOT NULL on shop.t.e changed rows that had NULL there'; END IF; END $opendrs$;
ALTER TABLE "shop"."t" ALTER COLUMN "e" SET NOT NULL;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t MODIFY id BIGINT UNSIGNED AUTO_INCREMENT

ALTER TABLE "shop"."t" ALTER COLUMN "id" TYPE bigint USING (CASE WHEN "id" < 0 THEN 0 WHEN "id" > 18446744073709551615 THEN 18446744073709551615 ELSE "id" END)::bigint;
DO $opendrs$ BEGIN IF EXISTS (SELECT FROM "shop"."t" WHERE "id" = 0) THEN RAISE EXCEPTION USING ERRCODE = 'OD001', MESSAGE = 'AUTO_INCREMENT on shop.t.id numbered rows that had 0 there'; END IF; END $opendrs$;
ALTER TABLE "shop"."t" ALTER COLUMN "id" DROP DEFAULT;
ALTER TABLE "shop"."t" ALTER COLUMN "id" ADD GENERATED BY DEFAULT AS IDENTITY;
SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence('"shop"."t"', 'id')::regclass, LEAST(n, 9223372036854775807)::bigint, n > 9223372036854775807) FROM (SELECT GREATEST(1::numeric, MAX("id")::numeric + 1, 1) AS n FROM "shop"."t") AS numbers;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t CHANGE d dd DECIMAL(12,4) UNSIGNED NULL COMMENT 'c'

ALTER TABLE "shop"."t" RENAME COLUMN "d" TO "dd";
ALTER TABLE "shop"."t" ALTER COLUMN "dd" DROP DEFAULT;
ALTER TABLE "shop"."t" ALTER COLUMN "dd" TYPE numeric(12,4) USING CASE WHEN "dd" < 0 THEN 0 ELSE "dd"::numeric(12,4) END;
ALTER TABLE "shop"."t" ALTER COLUMN "dd" DROP DEFAULT;
ALTER TABLE "shop"."t" ALTER COLUMN "dd" DROP NOT NULL;
COMMENT ON COLUMN "shop"."t"."dd" IS 'c';

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t CHANGE COLUMN b b VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin

ALTER TABLE "shop"."t" ALTER COLUMN "b" DROP DEFAULT;
ALTER TABLE "shop"."t" ALTER COLUMN "b" TYPE varchar(200);
ALTER TABLE "shop"."t" ALTER COLUMN "b" DROP DEFAULT;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t CHANGE c x TEXT, CHANGE f c DATETIME

ALTER TABLE "shop"."t" RENAME COLUMN "c" TO "x";
ALTER TABLE "shop"."t" RENAME COLUMN "f" TO "c";
DO $opendrs$ BEGIN IF EXISTS (SELECT FROM "shop"."t" WHERE "c" IS NOT NULL) THEN RAISE EXCEPTION USING ERRCODE = 'OD001', MESSAGE = 'MODIFY COLUMN c datetime(3) TO datetime of shop.t: rows are there, and only the source knows their values now'; END IF; END $opendrs$;
ALTER TABLE "shop"."t" ALTER COLUMN "c" TYPE timestamp(0) without time zone USING NULL::timestamp(0) without time zone;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t CHANGE c f TEXT, CHANGE f c DATETIME(3)

ALTER TABLE "shop"."t" RENAME COLUMN "c" TO "__opendrs_1";
ALTER TABLE "shop"."t" RENAME COLUMN "f" TO "c";
ALTER TABLE "shop"."t" RENAME COLUMN "__opendrs_1" TO "f";

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t CHANGE c f TEXT, CHANGE f g DATETIME(3), CHANGE d c DECIMAL(10,2)

ALTER TABLE "shop"."t" RENAME COLUMN "f" TO "g";
ALTER TABLE "shop"."t" RENAME COLUMN "c" TO "f";
ALTER TABLE "shop"."t" RENAME COLUMN "d" TO "c";
ALTER TABLE "shop"."t" ALTER COLUMN "c" DROP DEFAULT;
ALTER TABLE "shop"."t" ALTER COLUMN "c" DROP NOT NULL;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t RENAME COLUMN c TO f, RENAME COLUMN f TO d, RENAME COLUMN d TO c

ALTER TABLE "shop"."t" RENAME COLUMN "c" TO "__opendrs_1";
ALTER TABLE "shop"."t" RENAME COLUMN "d" TO "c";
ALTER TABLE "shop"."t" RENAME COLUMN "f" TO "d";
ALTER TABLE "shop"."t" RENAME COLUMN "__opendrs_1" TO "f";

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t RENAME COLUMN b TO bb

ALTER TABLE "shop"."t" RENAME COLUMN "b" TO "bb";

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t RENAME COLUMN id TO ident

ALTER TABLE "shop"."t" RENAME COLUMN "id" TO "ident";

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t RENAME COLUMN a TO aa

ALTER TABLE "shop"."t" RENAME COLUMN "a" TO "aa";
ALTER TABLE IF EXISTS "shop"."t" DROP CONSTRAINT IF EXISTS "t_chk_1";
ALTER TABLE "shop"."t" ADD CONSTRAINT "t_chk_1" CHECK (("aa" > 0));

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t MODIFY f DATETIME(3) FIRST, MODIFY a INT AFTER f, ADD z INT AFTER a

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "z" integer;
-- column-order: shop.t.f: The column stands at the end: PostgreSQL cannot put a new column between others.
-- column-order: shop.t.a: The column stands at the end: PostgreSQL cannot put a new column between others.
-- column-order: shop.t.z: The column stands at the end: PostgreSQL cannot put a new column between others.

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t MODIFY a INT AFTER b, MODIFY b VARCHAR(20) AFTER e

ALTER TABLE "shop"."t" ALTER COLUMN "b" DROP DEFAULT;
-- column-order: shop.t.a: The column stands at the end: PostgreSQL cannot put a new column between others.
-- column-order: shop.t.b: The column stands at the end: PostgreSQL cannot put a new column between others.

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t MODIFY b VARCHAR(20) AFTER z, CHANGE e z INT

ALTER TABLE "shop"."t" ALTER COLUMN "b" DROP DEFAULT;
ALTER TABLE "shop"."t" RENAME COLUMN "e" TO "z";
DO $opendrs$ BEGIN IF EXISTS (SELECT FROM "shop"."t" WHERE "z" IS NOT NULL) THEN RAISE EXCEPTION USING ERRCODE = 'OD001', MESSAGE = 'MODIFY COLUMN z enum(''x'',''y'') TO int(11) of shop.t: rows are there, and only the source knows their values now'; END IF; END $opendrs$;
ALTER TABLE "shop"."t" ALTER COLUMN "z" DROP DEFAULT;
ALTER TABLE "shop"."t" ALTER COLUMN "z" TYPE integer USING NULL::integer;
ALTER TABLE "shop"."t" ALTER COLUMN "z" DROP DEFAULT;
-- column-order: shop.t.b: The column stands at the end: PostgreSQL cannot put a new column between others.

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD n INT AFTER bb, CHANGE b bb VARCHAR(20)

ALTER TABLE "shop"."t" RENAME COLUMN "b" TO "bb";
ALTER TABLE "shop"."t" ALTER COLUMN "bb" DROP DEFAULT;
ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "n" integer;
-- column-order: shop.t.n: The column stands at the end: PostgreSQL cannot put a new column between others.

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD x INT, ADD r INT AFTER x, MODIFY a INT AFTER x

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "x" integer;
ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "r" integer;
-- column-order: shop.t.a: The column stands at the end: PostgreSQL cannot put a new column between others.

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ALTER COLUMN a SET DEFAULT 7, ALTER b DROP DEFAULT, ALTER d SET DEFAULT '2.345'

ALTER TABLE "shop"."t" ALTER COLUMN "a" SET DEFAULT 7;
ALTER TABLE "shop"."t" ALTER COLUMN "b" DROP DEFAULT;
ALTER TABLE "shop"."t" ALTER COLUMN "d" SET DEFAULT 2.35;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ALTER a SET DEFAULT NULL

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD INDEX (d), ADD UNIQUE INDEX named (d, a), ADD KEY (b(5))

CREATE INDEX IF NOT EXISTS "t__d" ON "shop"."t" ("d");
CREATE UNIQUE INDEX IF NOT EXISTS "t__named" ON "shop"."t" ("d", "a");
CREATE INDEX IF NOT EXISTS "t__b" ON "shop"."t" ((left("b", 5)));

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD FULLTEXT KEY ft (b, c)

-- index-fulltext: shop.t.ft: A full-text index has no counterpart.

-- ALTER TABLE t ADD FULLTEXT INDEX (c)

-- index-fulltext: shop.t.c: A full-text index has no counterpart.

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t DROP INDEX ac, DROP KEY pre

DROP INDEX IF EXISTS "shop"."t__ac";
DROP INDEX IF EXISTS "shop"."t__pre";

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t DROP INDEX ac, ADD INDEX ac (b, a)

DROP INDEX IF EXISTS "shop"."t__ac";
CREATE INDEX IF NOT EXISTS "t__ac" ON "shop"."t" ("b", "a");

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t RENAME INDEX ac TO ca

ALTER INDEX IF EXISTS "shop"."t__ac" RENAME TO "t__ca";

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t RENAME KEY ac TO pre, RENAME INDEX pre TO ac

ALTER INDEX IF EXISTS "shop"."t__ac" RENAME TO "t____opendrs_1_b533ce34";
ALTER INDEX IF EXISTS "shop"."t__pre" RENAME TO "t__ac";
ALTER INDEX IF EXISTS "shop"."t____opendrs_1_b533ce34" RENAME TO "t__pre";

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (id, d)

ALTER TABLE "shop"."t" DROP CONSTRAINT IF EXISTS "t__primary";
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."t"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."t" ADD CONSTRAINT "t__primary" PRIMARY KEY ("id", "d"); END IF; END $opendrs$;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t DROP PRIMARY KEY

ALTER TABLE "shop"."t" DROP CONSTRAINT IF EXISTS "t__primary";

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t DROP PRIMARY KEY, MODIFY id INT NULL

ALTER TABLE "shop"."t" DROP CONSTRAINT IF EXISTS "t__primary";
ALTER TABLE "shop"."t" ALTER COLUMN "id" DROP NOT NULL;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t DROP FOREIGN KEY fq, DROP INDEX fq

ALTER TABLE IF EXISTS "shop"."t" DROP CONSTRAINT IF EXISTS "fq";
DROP INDEX IF EXISTS "shop"."t__fq";

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t DROP FOREIGN KEY fq, DROP COLUMN q

ALTER TABLE IF EXISTS "shop"."t" DROP CONSTRAINT IF EXISTS "fq";
ALTER TABLE "shop"."t" DROP COLUMN IF EXISTS "q";

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t DROP CONSTRAINT fq

ALTER TABLE IF EXISTS "shop"."t" DROP CONSTRAINT IF EXISTS "fq";

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES q (k)

DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."t"'::regclass AND conname = 't_ibfk_1') THEN ALTER TABLE "shop"."t" ADD CONSTRAINT "t_ibfk_1" FOREIGN KEY ("a") REFERENCES "shop"."q" ("k") DEFERRABLE INITIALLY IMMEDIATE; END IF; END $opendrs$;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD x INT, ADD CONSTRAINT fk2 FOREIGN KEY (x) REFERENCES q (k) ON DELETE CASCADE ON UPDATE SET NULL

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "x" integer;
CREATE INDEX IF NOT EXISTS "t__fk2" ON "shop"."t" ("x");
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."t"'::regclass AND conname = 'fk2') THEN ALTER TABLE "shop"."t" ADD CONSTRAINT "fk2" FOREIGN KEY ("x") REFERENCES "shop"."q" ("k") ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY IMMEDIATE; END IF; END $opendrs$;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD r INT, ADD FOREIGN KEY idx (r) REFERENCES q (id)

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "r" integer;
CREATE INDEX IF NOT EXISTS "t__idx" ON "shop"."t" ("r");
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."t"'::regclass AND conname = 'idx') THEN ALTER TABLE "shop"."t" ADD CONSTRAINT "idx" FOREIGN KEY ("r") REFERENCES "shop"."q" ("id") DEFERRABLE INITIALLY IMMEDIATE; END IF; END $opendrs$;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD r INT, ADD CONSTRAINT fk3 FOREIGN KEY idx (r) REFERENCES q (id)

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "r" integer;
CREATE INDEX IF NOT EXISTS "t__fk3" ON "shop"."t" ("r");
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."t"'::regclass AND conname = 'fk3') THEN ALTER TABLE "shop"."t" ADD CONSTRAINT "fk3" FOREIGN KEY ("r") REFERENCES "shop"."q" ("id") DEFERRABLE INITIALLY IMMEDIATE; END IF; END $opendrs$;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD r INT, ADD KEY rr (r, a), ADD FOREIGN KEY (r) REFERENCES q (id)

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "r" integer;
CREATE INDEX IF NOT EXISTS "t__rr" ON "shop"."t" ("r", "a");
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."t"'::regclass AND conname = 't_ibfk_1') THEN ALTER TABLE "shop"."t" ADD CONSTRAINT "t_ibfk_1" FOREIGN KEY ("r") REFERENCES "shop"."q" ("id") DEFERRABLE INITIALLY IMMEDIATE; END IF; END $opendrs$;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD r INT REFERENCES q (id)

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "r" integer;
CREATE INDEX IF NOT EXISTS "t__r" ON "shop"."t" ("r");
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."t"'::regclass AND conname = 't_ibfk_1') THEN ALTER TABLE "shop"."t" ADD CONSTRAINT "t_ibfk_1" FOREIGN KEY ("r") REFERENCES "shop"."q" ("id") DEFERRABLE INITIALLY IMMEDIATE; END IF; END $opendrs$;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD CHECK (d > -100), ADD CONSTRAINT named CHECK (d < 1000000)

ALTER TABLE "shop"."t" ADD CONSTRAINT "CONSTRAINT_1" CHECK (("d" > (-100)));
ALTER TABLE "shop"."t" ADD CONSTRAINT "named" CHECK (("d" < 1000000));

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD n INT CHECK (n > 0)

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "n" integer;
ALTER TABLE "shop"."t" ADD CONSTRAINT "n" CHECK (("n" > 0));

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD CHECK (d > -50)

ALTER TABLE "shop"."t" ADD CONSTRAINT "CONSTRAINT_1" CHECK (("d" > (-50)));

-- ALTER TABLE t ADD CHECK (d > -51)

ALTER TABLE "shop"."t" ADD CONSTRAINT "CONSTRAINT_2" CHECK (("d" > (-51)));

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t COMMENT 'new'

COMMENT ON TABLE "shop"."t" IS 'new';

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t COMMENT = 'a', AUTO_INCREMENT = 50, ROW_FORMAT=DYNAMIC

COMMENT ON TABLE "shop"."t" IS 'a';

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE q AUTO_INCREMENT 500

SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence('"shop"."q"', 'id')::regclass, LEAST(n, 2147483647)::bigint, n > 2147483647) FROM (SELECT GREATEST(500::numeric, MAX("id")::numeric + 1, 1) AS n FROM "shop"."q") AS numbers;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t DEFAULT CHARACTER SET latin1


-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t DEFAULT CHARACTER SET latin1, ADD n VARCHAR(10), MODIFY b VARCHAR(20)

ALTER TABLE "shop"."t" ALTER COLUMN "b" DROP DEFAULT;
ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "n" varchar(10);

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t COLLATE utf8mb4_bin, ADD n VARCHAR(10)

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "n" varchar(10);

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t CONVERT TO CHARACTER SET latin1


-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin


-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t CONVERT TO CHARACTER SET latin1


-- ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4


-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD tt TINYTEXT CHARACTER SET latin1, ADD lt LONGTEXT CHARACTER SET latin1, ADD mt MEDIUMTEXT CHARACTER SET utf8mb3

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "tt" text;
ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "lt" text;
ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "mt" text;

-- ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4


-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4, ADD n VARCHAR(10), ADD COLUMN m VARCHAR(5) CHARACTER SET latin1

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "n" varchar(10);
ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "m" varchar(5);

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ENGINE=InnoDB

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t FORCE, ALGORITHM=COPY, LOCK=SHARED

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD n INT, ALGORITHM=INPLACE, LOCK=NONE

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "n" integer;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ORDER BY a, b DESC

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t DISABLE KEYS

-- ALTER TABLE t ENABLE KEYS

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t RENAME TO u

ALTER TABLE IF EXISTS "shop"."t" RENAME TO "u";
ALTER INDEX IF EXISTS "shop"."t__primary" RENAME TO "u__primary";
ALTER INDEX IF EXISTS "shop"."t__a" RENAME TO "u__a";
ALTER INDEX IF EXISTS "shop"."t__ub" RENAME TO "u__ub";
ALTER INDEX IF EXISTS "shop"."t__ac" RENAME TO "u__ac";
ALTER INDEX IF EXISTS "shop"."t__pre" RENAME TO "u__pre";
ALTER INDEX IF EXISTS "shop"."t__fq" RENAME TO "u__fq";

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t RENAME u, ADD n INT

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "n" integer;

ALTER TABLE IF EXISTS "shop"."t" RENAME TO "u";
ALTER INDEX IF EXISTS "shop"."t__primary" RENAME TO "u__primary";
ALTER INDEX IF EXISTS "shop"."t__a" RENAME TO "u__a";
ALTER INDEX IF EXISTS "shop"."t__ub" RENAME TO "u__ub";
ALTER INDEX IF EXISTS "shop"."t__ac" RENAME TO "u__ac";
ALTER INDEX IF EXISTS "shop"."t__pre" RENAME TO "u__pre";
ALTER INDEX IF EXISTS "shop"."t__fq" RENAME TO "u__fq";

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t RENAME AS u

ALTER TABLE IF EXISTS "shop"."t" RENAME TO "u";
ALTER INDEX IF EXISTS "shop"."t__primary" RENAME TO "u__primary";
ALTER INDEX IF EXISTS "shop"."t__a" RENAME TO "u__a";
ALTER INDEX IF EXISTS "shop"."t__ub" RENAME TO "u__ub";
ALTER INDEX IF EXISTS "shop"."t__ac" RENAME TO "u__ac";
ALTER INDEX IF EXISTS "shop"."t__pre" RENAME TO "u__pre";
ALTER INDEX IF EXISTS "shop"."t__fq" RENAME TO "u__fq";

-- ----------------------------------------------------------------------------------------------------
-- RENAME TABLE t TO u

ALTER TABLE IF EXISTS "shop"."t" RENAME TO "u";
ALTER INDEX IF EXISTS "shop"."t__primary" RENAME TO "u__primary";
ALTER INDEX IF EXISTS "shop"."t__a" RENAME TO "u__a";
ALTER INDEX IF EXISTS "shop"."t__ub" RENAME TO "u__ub";
ALTER INDEX IF EXISTS "shop"."t__ac" RENAME TO "u__ac";
ALTER INDEX IF EXISTS "shop"."t__pre" RENAME TO "u__pre";
ALTER INDEX IF EXISTS "shop"."t__fq" RENAME TO "u__fq";

-- ----------------------------------------------------------------------------------------------------
-- RENAME TABLE t TO x, q TO t, x TO q

ALTER TABLE IF EXISTS "shop"."t" RENAME TO "x";
ALTER INDEX IF EXISTS "shop"."t__primary" RENAME TO "x__primary";
ALTER INDEX IF EXISTS "shop"."t__a" RENAME TO "x__a";
ALTER INDEX IF EXISTS "shop"."t__ub" RENAME TO "x__ub";
ALTER INDEX IF EXISTS "shop"."t__ac" RENAME TO "x__ac";
ALTER INDEX IF EXISTS "shop"."t__pre" RENAME TO "x__pre";
ALTER INDEX IF EXISTS "shop"."t__fq" RENAME TO "x__fq";

ALTER TABLE IF EXISTS "shop"."q" RENAME TO "t";
ALTER INDEX IF EXISTS "shop"."q__primary" RENAME TO "t__primary";
ALTER INDEX IF EXISTS "shop"."q__code" RENAME TO "t__code";
ALTER INDEX IF EXISTS "shop"."q__k" RENAME TO "t__k";

ALTER TABLE IF EXISTS "shop"."x" RENAME TO "q";
ALTER INDEX IF EXISTS "shop"."x__primary" RENAME TO "q__primary";
ALTER INDEX IF EXISTS "shop"."x__a" RENAME TO "q__a";
ALTER INDEX IF EXISTS "shop"."x__ub" RENAME TO "q__ub";
ALTER INDEX IF EXISTS "shop"."x__ac" RENAME TO "q__ac";
ALTER INDEX IF EXISTS "shop"."x__pre" RENAME TO "q__pre";
ALTER INDEX IF EXISTS "shop"."x__fq" RENAME TO "q__fq";

-- ----------------------------------------------------------------------------------------------------
-- RENAME TABLE q TO parents

ALTER TABLE IF EXISTS "shop"."q" RENAME TO "parents";
ALTER INDEX IF EXISTS "shop"."q__primary" RENAME TO "parents__primary";
ALTER INDEX IF EXISTS "shop"."q__code" RENAME TO "parents__code";
ALTER INDEX IF EXISTS "shop"."q__k" RENAME TO "parents__k";

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE q RENAME COLUMN id TO ident

ALTER TABLE "shop"."q" RENAME COLUMN "id" TO "ident";

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE q CHANGE code kode VARCHAR(30)

ALTER TABLE "shop"."q" RENAME COLUMN "code" TO "kode";
ALTER TABLE "shop"."q" ALTER COLUMN "kode" TYPE varchar(30);
ALTER TABLE "shop"."q" ALTER COLUMN "kode" DROP NOT NULL;

-- ----------------------------------------------------------------------------------------------------
-- CREATE INDEX i ON t (d, a DESC)

CREATE INDEX IF NOT EXISTS "t__i" ON "shop"."t" ("d", "a" DESC);

-- ----------------------------------------------------------------------------------------------------
-- CREATE UNIQUE INDEX i USING BTREE ON t (b(5)) COMMENT 'c'

CREATE UNIQUE INDEX IF NOT EXISTS "t__i" ON "shop"."t" ((left("b", 5)));
COMMENT ON INDEX "shop"."t__i" IS 'c';
-- unique-case: shop.t.i: UNIQUE tells apart what the source's collation does not: case, accents, trailing blanks. Columns: b.
-- index-prefix-unique: shop.t.i: UNIQUE counts the beginning of the column only, here as an index on an expression.

-- ----------------------------------------------------------------------------------------------------
-- CREATE FULLTEXT INDEX i ON t (c)

-- index-fulltext: shop.t.i: A full-text index has no counterpart.

-- ----------------------------------------------------------------------------------------------------
-- CREATE INDEX i ON t (d) ALGORITHM=INPLACE LOCK=NONE

CREATE INDEX IF NOT EXISTS "t__i" ON "shop"."t" ("d");

-- ----------------------------------------------------------------------------------------------------
-- DROP INDEX ac ON t

DROP INDEX IF EXISTS "shop"."t__ac";

-- ----------------------------------------------------------------------------------------------------
-- DROP INDEX `PRIMARY` ON t

ALTER TABLE "shop"."t" DROP CONSTRAINT IF EXISTS "t__primary";

-- ----------------------------------------------------------------------------------------------------
-- CREATE TABLE l LIKE t

DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."l" (
  "id" integer NOT NULL,
  "a" integer,
  "b" varchar(20) DEFAULT 'x',
  "c" text,
  "d" numeric(10,2) DEFAULT 1.50 NOT NULL,
  "e" varchar(1) DEFAULT 'x',
  "f" timestamp(3) without time zone,
  "q" integer,
  CONSTRAINT "t_chk_1" CHECK (("a" > 0))
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."l"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."l" ADD CONSTRAINT "l__primary" PRIMARY KEY ("id"); END IF; END $opendrs$;
COMMENT ON TABLE "shop"."l" IS 'old';
CREATE INDEX IF NOT EXISTS "l__a" ON "shop"."l" ("a");
CREATE UNIQUE INDEX IF NOT EXISTS "l__ub" ON "shop"."l" ("b");
CREATE INDEX IF NOT EXISTS "l__ac" ON "shop"."l" ("a", "b");
CREATE INDEX IF NOT EXISTS "l__pre" ON "shop"."l" ((left("c", 10)));
CREATE INDEX IF NOT EXISTS "l__fq" ON "shop"."l" ("q");
-- unique-case: shop.l.ub: UNIQUE tells apart what the source's collation does not: case, accents, trailing blanks. Columns: b.

-- ----------------------------------------------------------------------------------------------------
-- CREATE TABLE l LIKE q

DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."l" (
  "id" integer GENERATED BY DEFAULT AS IDENTITY,
  "k" integer NOT NULL,
  "code" varchar(20) NOT NULL
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."l"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."l" ADD CONSTRAINT "l__primary" PRIMARY KEY ("id"); END IF; END $opendrs$;
CREATE UNIQUE INDEX IF NOT EXISTS "l__code" ON "shop"."l" ("code");
CREATE UNIQUE INDEX IF NOT EXISTS "l__k" ON "shop"."l" ("k");
-- unique-case: shop.l.code: UNIQUE tells apart what the source's collation does not: case, accents, trailing blanks. Columns: code.

-- ----------------------------------------------------------------------------------------------------
-- CREATE TABLE IF NOT EXISTS t (z INT)

-- ----------------------------------------------------------------------------------------------------
-- CREATE TABLE n (a INT, b VARCHAR(10)) CHARACTER SET latin1

DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."n" (
  "a" integer,
  "b" varchar(10)
);

-- ALTER TABLE n ADD c VARCHAR(10)

ALTER TABLE "shop"."n" ADD COLUMN IF NOT EXISTS "c" varchar(10);

-- ----------------------------------------------------------------------------------------------------
-- DROP TABLE IF EXISTS t, nothing

DROP TABLE IF EXISTS "shop"."t" CASCADE;


-- ----------------------------------------------------------------------------------------------------
-- DROP TABLE t

DROP TABLE IF EXISTS "shop"."t" CASCADE;

-- DROP TABLE q

DROP TABLE IF EXISTS "shop"."q" CASCADE;

-- ----------------------------------------------------------------------------------------------------
-- TRUNCATE TABLE t

TRUNCATE TABLE "shop"."t" RESTART IDENTITY;

-- ----------------------------------------------------------------------------------------------------
-- TRUNCATE t

TRUNCATE TABLE "shop"."t" RESTART IDENTITY;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD g INT AS (a + 1) STORED, ADD v INT GENERATED ALWAYS AS (a * 2) VIRTUAL

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "g" integer;
UPDATE "shop"."t" SET "g" = (("a"::numeric + 1))::integer;
ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "v" integer;
UPDATE "shop"."t" SET "v" = (("a"::numeric * 2))::integer;
-- generated-values: shop.t.g: A generated column is a plain one, with the source's values. It was: a + 1.
-- generated-values: shop.t.v: A generated column is a plain one, with the source's values. It was: a * 2.

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD g INT AS (a + 1) STORED

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "g" integer;
UPDATE "shop"."t" SET "g" = (("a"::numeric + 1))::integer;
-- generated-values: shop.t.g: A generated column is a plain one, with the source's values. It was: a + 1.

-- ALTER TABLE t MODIFY g BIGINT AS (a + 2) STORED

ALTER TABLE "shop"."t" ALTER COLUMN "g" TYPE bigint USING "g"::bigint;
UPDATE "shop"."t" SET "g" = (("a"::numeric + 2))::bigint;
-- generated-values: shop.t.g: A generated column is a plain one, with the source's values. It was: a + 2.

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD j JSON

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "j" json;

-- ALTER TABLE t MODIFY j JSON NOT NULL

ALTER TABLE "shop"."t" ALTER COLUMN "j" SET NOT NULL;

-- ALTER TABLE t DROP j

ALTER TABLE "shop"."t" DROP COLUMN IF EXISTS "j";

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD j JSON

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "j" json;

-- ALTER TABLE t MODIFY j LONGTEXT

ALTER TABLE "shop"."t" ALTER COLUMN "j" TYPE text USING "j"::text;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD j JSON

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "j" json;

-- ALTER TABLE t CONVERT TO CHARACTER SET latin1

ALTER TABLE "shop"."t" ALTER COLUMN "j" TYPE text USING "j"::text;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD j JSON, ADD n VARCHAR(5) CHARACTER SET utf8mb3, ADD vb VARBINARY(5), CONVERT TO CHARACTER SET latin1

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "j" text;
ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "n" varchar(5);
ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "vb" bytea;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t CONVERT TO CHARACTER SET latin1, MODIFY b VARCHAR(30) CHARACTER SET utf8mb4

ALTER TABLE "shop"."t" ALTER COLUMN "b" DROP DEFAULT;
ALTER TABLE "shop"."t" ALTER COLUMN "b" TYPE varchar(30);
ALTER TABLE "shop"."t" ALTER COLUMN "b" DROP DEFAULT;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD j JSON

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "j" json;

-- ALTER TABLE t CHANGE j k JSON

ALTER TABLE "shop"."t" RENAME COLUMN "j" TO "k";

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD n VARBINARY(40), ADD INDEX nb (n(20)), ADD INDEX an (a, n(30))

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "n" bytea;
CREATE INDEX IF NOT EXISTS "t__nb" ON "shop"."t" ((substring("n" from 1 for 20)));
CREATE INDEX IF NOT EXISTS "t__an" ON "shop"."t" ("a", (substring("n" from 1 for 30)));

-- ALTER TABLE t CHANGE n nn VARCHAR(60)

ALTER TABLE "shop"."t" RENAME COLUMN "n" TO "nn";
DO $opendrs$ BEGIN IF EXISTS (SELECT FROM "shop"."t" WHERE "nn" IS NOT NULL) THEN RAISE EXCEPTION USING ERRCODE = 'OD001', MESSAGE = 'MODIFY COLUMN nn varbinary(40) TO varchar(60) of shop.t: rows are there, and only the source knows their values now'; END IF; END $opendrs$;
DROP INDEX IF EXISTS "shop"."t__nb";
DROP INDEX IF EXISTS "shop"."t__an";
ALTER TABLE "shop"."t" ALTER COLUMN "nn" TYPE varchar(60) USING NULL::varchar(60);
CREATE INDEX IF NOT EXISTS "t__nb" ON "shop"."t" ((left("nn", 20)));
CREATE INDEX IF NOT EXISTS "t__an" ON "shop"."t" ("a", (left("nn", 30)));

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD ts TIMESTAMP NULL, ADD ts2 TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "ts" timestamp(0) with time zone;
ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "ts2" timestamp(0) with time zone DEFAULT '2024-05-06 07:08:09+00' NOT NULL;
ALTER TABLE "shop"."t" ALTER COLUMN "ts2" SET DEFAULT CURRENT_TIMESTAMP(0);
-- on-update: shop.t.ts2: ON UPDATE CURRENT_TIMESTAMP has no counterpart; writers of the target set the column themselves.

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t MODIFY d DECIMAL(10,2) PRIMARY KEY, DROP PRIMARY KEY

ALTER TABLE "shop"."t" DROP CONSTRAINT IF EXISTS "t__primary";
ALTER TABLE "shop"."t" ALTER COLUMN "d" DROP DEFAULT;
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."t"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."t" ADD CONSTRAINT "t__primary" PRIMARY KEY ("d"); END IF; END $opendrs$;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD COLUMN big INT UNSIGNED NOT NULL, ADD UNIQUE (big, id), DROP INDEX ub

DROP INDEX IF EXISTS "shop"."t__ub";
ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "big" bigint DEFAULT 0 NOT NULL;
ALTER TABLE "shop"."t" ALTER COLUMN "big" DROP DEFAULT;
CREATE UNIQUE INDEX IF NOT EXISTS "t__big" ON "shop"."t" ("big", "id");

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD COLUMN IF NOT EXISTS a INT, ADD COLUMN IF NOT EXISTS n INT, DROP COLUMN IF EXISTS nothing, DROP INDEX IF EXISTS nothing

DROP INDEX IF EXISTS "shop"."t__nothing";
ALTER TABLE "shop"."t" DROP COLUMN IF EXISTS "nothing";
ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "n" integer;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD INDEX IF NOT EXISTS ac (a), MODIFY IF EXISTS nothing INT, CHANGE IF EXISTS nothing n INT, DROP FOREIGN KEY IF EXISTS nothing, DROP CONSTRAINT IF EXISTS nothing

ALTER TABLE IF EXISTS "shop"."t" DROP CONSTRAINT IF EXISTS "nothing";
DROP INDEX IF EXISTS "shop"."t__nothing";

-- ----------------------------------------------------------------------------------------------------
-- ALTER ONLINE TABLE t ADD n INT

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "n" integer;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE IF EXISTS t WAIT 5 ADD n INT

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "n" integer;

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD UNIQUE (c)

CREATE UNIQUE INDEX IF NOT EXISTS "t__c" ON "shop"."t" (md5("c"));
-- unique-case: shop.t.c: UNIQUE tells apart what the source's collation does not: case, accents, trailing blanks. Columns: c.
-- index-hashed: shop.t.c: UNIQUE on long text is an index on its MD5.

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD UNIQUE long_c (c), ADD n INT

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "n" integer;
CREATE UNIQUE INDEX IF NOT EXISTS "t__long_c" ON "shop"."t" (md5("c"));
-- unique-case: shop.t.long_c: UNIQUE tells apart what the source's collation does not: case, accents, trailing blanks. Columns: c.
-- index-hashed: shop.t.long_c: UNIQUE on long text is an index on its MD5.

-- ALTER TABLE t ADD m INT

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "m" integer;
-- column-order: shop.t.m: The column stands at the end: PostgreSQL cannot put a new column between others.

-- ALTER TABLE t DROP INDEX long_c

DROP INDEX IF EXISTS "shop"."t__long_c";
ALTER TABLE "shop"."t" DROP COLUMN IF EXISTS "DB_ROW_HASH_1";

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t DROP INDEX ac

DROP INDEX IF EXISTS "shop"."t__ac";

-- ALTER TABLE t MODIFY b TEXT

ALTER TABLE "shop"."t" ALTER COLUMN "b" DROP DEFAULT;
ALTER TABLE "shop"."t" ALTER COLUMN "b" TYPE text;
ALTER TABLE "shop"."t" ALTER COLUMN "b" DROP DEFAULT;
DROP INDEX IF EXISTS "shop"."t__ub";
CREATE UNIQUE INDEX IF NOT EXISTS "t__ub" ON "shop"."t" (md5("b"));
-- unique-case: shop.t.ub: UNIQUE tells apart what the source's collation does not: case, accents, trailing blanks. Columns: b.
-- index-hashed: shop.t.ub: UNIQUE on long text is an index on its MD5.

-- ALTER TABLE t MODIFY b VARCHAR(30)

ALTER TABLE "shop"."t" ALTER COLUMN "b" TYPE varchar(30) USING left("b", 30);
DROP INDEX IF EXISTS "shop"."t__ub";
CREATE UNIQUE INDEX IF NOT EXISTS "t__ub" ON "shop"."t" ("b");
ALTER TABLE "shop"."t" DROP COLUMN IF EXISTS "DB_ROW_HASH_1";
-- unique-case: shop.t.ub: UNIQUE tells apart what the source's collation does not: case, accents, trailing blanks. Columns: b.

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t DROP INDEX ac

DROP INDEX IF EXISTS "shop"."t__ac";

-- ALTER TABLE t MODIFY b VARCHAR(900) CHARACTER SET latin1

ALTER TABLE "shop"."t" ALTER COLUMN "b" DROP DEFAULT;
ALTER TABLE "shop"."t" ALTER COLUMN "b" TYPE varchar(900);
ALTER TABLE "shop"."t" ALTER COLUMN "b" DROP DEFAULT;

-- ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4

DROP INDEX IF EXISTS "shop"."t__ub";
CREATE UNIQUE INDEX IF NOT EXISTS "t__ub" ON "shop"."t" ("b");
-- unique-case: shop.t.ub: UNIQUE tells apart what the source's collation does not: case, accents, trailing blanks. Columns: b.

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD SYSTEM VERSIONING

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "row_start" timestamp(6) with time zone;
DO $opendrs$ BEGIN IF EXISTS (SELECT FROM "shop"."t") THEN RAISE EXCEPTION USING ERRCODE = 'OD001', MESSAGE = 'row_start AS (ROW START) of shop.t: rows are there, and only the source knows their values now'; END IF; END $opendrs$;
ALTER TABLE "shop"."t" ALTER COLUMN "row_start" SET NOT NULL;
ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "row_end" timestamp(6) with time zone;
DO $opendrs$ BEGIN IF EXISTS (SELECT FROM "shop"."t") THEN RAISE EXCEPTION USING ERRCODE = 'OD001', MESSAGE = 'row_end AS (ROW END) of shop.t: rows are there, and only the source knows their values now'; END IF; END $opendrs$;
ALTER TABLE "shop"."t" ALTER COLUMN "row_end" SET NOT NULL;
-- generated-values: shop.t.row_start: A generated column is a plain one, with the source's values. It was: ROW START.
-- generated-values: shop.t.row_end: A generated column is a plain one, with the source's values. It was: ROW END.

-- ALTER TABLE t ADD n INT

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "n" integer;
-- column-order: shop.t.n: The column stands at the end: PostgreSQL cannot put a new column between others.

-- ALTER TABLE t DROP SYSTEM VERSIONING

ALTER TABLE "shop"."t" DROP COLUMN IF EXISTS "row_start";
ALTER TABLE "shop"."t" DROP COLUMN IF EXISTS "row_end";

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD n INT CHECK (n > 0)

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "n" integer;
ALTER TABLE "shop"."t" ADD CONSTRAINT "n" CHECK (("n" > 0));

-- ALTER TABLE t MODIFY n INT

ALTER TABLE IF EXISTS "shop"."t" DROP CONSTRAINT IF EXISTS "n";

-- ALTER TABLE t CHANGE n m INT CHECK (m < 5)

ALTER TABLE "shop"."t" RENAME COLUMN "n" TO "m";
ALTER TABLE "shop"."t" ADD CONSTRAINT "m" CHECK (("m" < 5));

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD n INT CHECK (n > 0)

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "n" integer;
ALTER TABLE "shop"."t" ADD CONSTRAINT "n" CHECK (("n" > 0));

-- ALTER TABLE t RENAME COLUMN n TO m

ALTER TABLE "shop"."t" RENAME COLUMN "n" TO "m";
ALTER TABLE IF EXISTS "shop"."t" DROP CONSTRAINT IF EXISTS "n";
ALTER TABLE "shop"."t" ADD CONSTRAINT "n" CHECK (("m" > 0));

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD n INT CHECK (n > 0)

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "n" integer;
ALTER TABLE "shop"."t" ADD CONSTRAINT "n" CHECK (("n" > 0));

-- ALTER TABLE t DROP n

ALTER TABLE IF EXISTS "shop"."t" DROP CONSTRAINT IF EXISTS "n";
ALTER TABLE "shop"."t" DROP COLUMN IF EXISTS "n";

-- ----------------------------------------------------------------------------------------------------
-- ALTER TABLE t ADD g INT AS (a + 1) STORED

ALTER TABLE "shop"."t" ADD COLUMN IF NOT EXISTS "g" integer;
UPDATE "shop"."t" SET "g" = (("a"::numeric + 1))::integer;
-- generated-values: shop.t.g: A generated column is a plain one, with the source's values. It was: a + 1.

-- ALTER TABLE t RENAME COLUMN a TO aa

ALTER TABLE "shop"."t" RENAME COLUMN "a" TO "aa";
ALTER TABLE IF EXISTS "shop"."t" DROP CONSTRAINT IF EXISTS "t_chk_1";
ALTER TABLE "shop"."t" ADD CONSTRAINT "t_chk_1" CHECK (("aa" > 0));
UPDATE "shop"."t" SET "g" = (("aa"::numeric + 1))::integer;
-- generated-values: shop.t.g: A generated column is a plain one, with the source's values. It was: `aa` + 1.

-- ----------------------------------------------------------------------------------------------------
-- CREATE OR REPLACE TABLE t (x INT PRIMARY KEY)

DROP TABLE IF EXISTS "shop"."t" CASCADE;

DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."t" (
  "x" integer NOT NULL
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."t"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."t" ADD CONSTRAINT "t__primary" PRIMARY KEY ("x"); END IF; END $opendrs$;

-- ----------------------------------------------------------------------------------------------------
-- CREATE OR REPLACE INDEX ac ON t (d)

DROP INDEX IF EXISTS "shop"."t__ac";
CREATE INDEX IF NOT EXISTS "t__ac" ON "shop"."t" ("d");

-- ----------------------------------------------------------------------------------------------------
-- CREATE INDEX IF NOT EXISTS ac ON t (d)

