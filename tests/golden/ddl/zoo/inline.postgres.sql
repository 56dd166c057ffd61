DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."inline" (
  "id" integer NOT NULL,
  "code" varchar(10) NOT NULL,
  "other" integer DEFAULT 3,
  "plain" integer,
  "x" integer,
  "n" integer NOT NULL
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."inline"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."inline" ADD CONSTRAINT "inline__primary" PRIMARY KEY ("id"); END IF; END $opendrs$;
COMMENT ON COLUMN "shop"."inline"."id" IS 'the key';
COMMENT ON COLUMN "shop"."inline"."n" IS 'c';
CREATE UNIQUE INDEX IF NOT EXISTS "inline__code" ON "shop"."inline" ("code");
CREATE UNIQUE INDEX IF NOT EXISTS "inline__other" ON "shop"."inline" ("other");
-- unique-case: shop.inline.code: UNIQUE tells apart what the source's collation does not: case, accents, trailing blanks. Columns: code.
