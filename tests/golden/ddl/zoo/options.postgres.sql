DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."options" (
  "a" integer,
  "b" varchar(10),
  "c" text
);
COMMENT ON TABLE "shop"."options" IS 'c';
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."in_memory" (
  "a" integer NOT NULL,
  "b" varchar(10)
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."in_memory"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."in_memory" ADD CONSTRAINT "in_memory__primary" PRIMARY KEY ("a"); END IF; END $opendrs$;
CREATE INDEX IF NOT EXISTS "in_memory__b" ON "shop"."in_memory" ("b");
CREATE INDEX IF NOT EXISTS "in_memory__h" ON "shop"."in_memory" ("b");
