DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."keys" (
  "a" integer NOT NULL,
  "b" varchar(20),
  "c" varchar(100) NOT NULL,
  "d" text,
  "e" integer,
  "f" bytea,
  "g" varchar(10)
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."keys"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."keys" ADD CONSTRAINT "keys__primary" PRIMARY KEY ("a", "c"); END IF; END $opendrs$;
CREATE UNIQUE INDEX IF NOT EXISTS "keys__b" ON "shop"."keys" ("b");
CREATE UNIQUE INDEX IF NOT EXISTS "keys__named" ON "shop"."keys" ("e", "a");
CREATE INDEX IF NOT EXISTS "keys__b_2" ON "shop"."keys" ("b");
CREATE INDEX IF NOT EXISTS "keys__b_3" ON "shop"."keys" ("b");
CREATE INDEX IF NOT EXISTS "keys__pre" ON "shop"."keys" ((left("c", 5)), "a" DESC);
CREATE INDEX IF NOT EXISTS "keys__two" ON "shop"."keys" ((left("d", 10)));
COMMENT ON INDEX "shop"."keys__two" IS 'an index';
CREATE UNIQUE INDEX IF NOT EXISTS "keys__upre" ON "shop"."keys" ((substring("f" from 1 for 8)));
CREATE INDEX IF NOT EXISTS "keys__whole" ON "shop"."keys" ("g");
CREATE UNIQUE INDEX IF NOT EXISTS "keys__uq" ON "shop"."keys" ("g", "b");
CREATE INDEX IF NOT EXISTS "keys__e" ON "shop"."keys" ("e");
-- unique-case: shop.keys.PRIMARY: UNIQUE tells apart what the source's collation does not: case, accents, trailing blanks. Columns: c.
-- unique-case: shop.keys.b: UNIQUE tells apart what the source's collation does not: case, accents, trailing blanks. Columns: b.
-- index-prefix-unique: shop.keys.upre: UNIQUE counts the beginning of the column only, here as an index on an expression.
-- index-fulltext: shop.keys.ft: A full-text index has no counterpart.
-- index-fulltext: shop.keys.c: A full-text index has no counterpart.
-- unique-case: shop.keys.uq: UNIQUE tells apart what the source's collation does not: case, accents, trailing blanks. Columns: g, b.
