DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."referred" (
  "id" integer NOT NULL
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."referred"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."referred" ADD CONSTRAINT "referred__primary" PRIMARY KEY ("id"); END IF; END $opendrs$;
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."inline_references" (
  "id" integer NOT NULL,
  "a" integer,
  "b" integer NOT NULL
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."inline_references"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."inline_references" ADD CONSTRAINT "inline_references__primary" PRIMARY KEY ("id"); END IF; END $opendrs$;
CREATE INDEX IF NOT EXISTS "inline_references__a" ON "shop"."inline_references" ("a");
CREATE INDEX IF NOT EXISTS "inline_references__b" ON "shop"."inline_references" ("b");
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."inline_references"'::regclass AND conname = 'inline_references_ibfk_1') THEN ALTER TABLE "shop"."inline_references" ADD CONSTRAINT "inline_references_ibfk_1" FOREIGN KEY ("a") REFERENCES "shop"."referred" ("id") DEFERRABLE INITIALLY IMMEDIATE; END IF; END $opendrs$;
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."inline_references"'::regclass AND conname = 'inline_references_ibfk_2') THEN ALTER TABLE "shop"."inline_references" ADD CONSTRAINT "inline_references_ibfk_2" FOREIGN KEY ("b") REFERENCES "shop"."referred" ("id") ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE; END IF; END $opendrs$;
