DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."json" (
  "id" integer NOT NULL,
  "a" json,
  "b" json NOT NULL,
  "c" text,
  "d" json
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."json"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."json" ADD CONSTRAINT "json__primary" PRIMARY KEY ("id"); END IF; END $opendrs$;
COMMENT ON COLUMN "shop"."json"."d" IS 'doc';
