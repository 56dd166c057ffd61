DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."vectors" (
  "id" integer NOT NULL,
  "v" real[] NOT NULL
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."vectors"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."vectors" ADD CONSTRAINT "vectors__primary" PRIMARY KEY ("id"); END IF; END $opendrs$;
-- index-vector: shop.vectors.v: A vector index has no counterpart.
