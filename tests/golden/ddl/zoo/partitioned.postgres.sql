DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."partitioned" (
  "id" integer NOT NULL,
  "d" date NOT NULL
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."partitioned"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."partitioned" ADD CONSTRAINT "partitioned__primary" PRIMARY KEY ("id", "d"); END IF; END $opendrs$;
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."by_list" (
  "id" integer,
  "k" integer
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."by_key" (
  "id" integer NOT NULL
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."by_key"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."by_key" ADD CONSTRAINT "by_key__primary" PRIMARY KEY ("id"); END IF; END $opendrs$;
