DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."long_unique" (
  "id" integer NOT NULL,
  "t" text,
  "b" varchar(5000) NOT NULL,
  "c" varchar(20)
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."long_unique"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."long_unique" ADD CONSTRAINT "long_unique__primary" PRIMARY KEY ("id"); END IF; END $opendrs$;
CREATE UNIQUE INDEX IF NOT EXISTS "long_unique__t" ON "shop"."long_unique" (md5("t"));
CREATE UNIQUE INDEX IF NOT EXISTS "long_unique__k2" ON "shop"."long_unique" ("b", "c");
CREATE UNIQUE INDEX IF NOT EXISTS "long_unique__k3" ON "shop"."long_unique" ("c");
CREATE INDEX IF NOT EXISTS "long_unique__c" ON "shop"."long_unique" ("c");
-- unique-case: shop.long_unique.t: UNIQUE tells apart what the source's collation does not: case, accents, trailing blanks. Columns: t.
-- index-hashed: shop.long_unique.t: UNIQUE on long text is an index on its MD5.
-- unique-case: shop.long_unique.k2: UNIQUE tells apart what the source's collation does not: case, accents, trailing blanks. Columns: b, c.
-- unique-case: shop.long_unique.k3: UNIQUE tells apart what the source's collation does not: case, accents, trailing blanks. Columns: c.
