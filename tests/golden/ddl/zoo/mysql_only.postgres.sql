DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."mysql_only" (
  "id" integer NOT NULL,
  "j" json DEFAULT '[]',
  "n" varchar(50),
  "a" integer,
  "p" bytea,
  "v" real[],
  "w" real[]
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."mysql_only"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."mysql_only" ADD CONSTRAINT "mysql_only__primary" PRIMARY KEY ("id"); END IF; END $opendrs$;
CREATE UNIQUE INDEX IF NOT EXISTS "mysql_only__iv" ON "shop"."mysql_only" ("n");
COMMENT ON INDEX "shop"."mysql_only__iv" IS 'cc';
-- check-not-enforced: shop.mysql_only.lax: The check is not enforced at the source and is left out. It was: a > 3.
-- check: shop.mysql_only.mysql_only_chk_1: The check does not translate with certainty and is left out. It was: n <> 'it''s'.
-- index-functional: shop.mysql_only.fun: An index on an expression does not translate. a + 1
-- index-functional: shop.mysql_only.functional_index: An index on an expression does not translate. lower(n)
-- index-functional: shop.mysql_only.mv: An index on an expression does not translate. CAST(json_extract(j, '$.x') AS UNSIGNED ARRAY)
-- unique-case: shop.mysql_only.iv: UNIQUE tells apart what the source's collation does not: case, accents, trailing blanks. Columns: n.
