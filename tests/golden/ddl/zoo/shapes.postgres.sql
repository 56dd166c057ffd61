DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."shapes" (
  "g" bytea,
  "p" bytea NOT NULL,
  "l" bytea,
  "y" bytea,
  "mp" bytea,
  "ml" bytea,
  "my" bytea,
  "gc" bytea
);
-- index-spatial: shop.shapes.p: A spatial index has no counterpart.
