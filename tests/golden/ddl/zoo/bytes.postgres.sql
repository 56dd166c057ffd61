DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."bytes" (
  "b" bytea,
  "b3" bytea DEFAULT '\x616200',
  "v" bytea DEFAULT '\x616263',
  "v0" bytea DEFAULT '\x' NOT NULL,
  "hexed" bytea DEFAULT '\x610062',
  "mixed" bytea DEFAULT '\x0001',
  "cb" bytea,
  "vb" bytea,
  "tb" bytea,
  "cby" bytea,
  "bl" bytea,
  "tbl" bytea,
  "mb" bytea,
  "lb" bytea,
  "b10" bytea,
  "b70000" bytea,
  "lvb" bytea
);
