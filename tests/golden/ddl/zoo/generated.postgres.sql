DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."generated" (
  "a" integer,
  "b" varchar(20),
  "v" integer,
  "s" integer,
  "c" varchar(50),
  "k" integer
);
COMMENT ON COLUMN "shop"."generated"."s" IS 'twice';
CREATE UNIQUE INDEX IF NOT EXISTS "generated__k" ON "shop"."generated" ("k");
CREATE INDEX IF NOT EXISTS "generated__s" ON "shop"."generated" ("s");
-- generated-values: shop.generated.v: A generated column is a plain one, with the source's values. It was: a + 1.
-- generated-values: shop.generated.s: A generated column is a plain one, with the source's values. It was: a * 2.
-- generated-values: shop.generated.c: A generated column is a plain one, with the source's values. It was: concat(b, 'it''s', a).
-- generated-values: shop.generated.k: A generated column is a plain one, with the source's values. It was: abs(a).
