DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."hidden" (
  "id" integer NOT NULL,
  "a" integer,
  "b" integer DEFAULT 3
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."hidden"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."hidden" ADD CONSTRAINT "hidden__primary" PRIMARY KEY ("id"); END IF; END $opendrs$;
-- invisible: shop.hidden.a: PostgreSQL has no invisible columns: SELECT * shows it.
