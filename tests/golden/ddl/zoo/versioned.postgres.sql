DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."versioned" (
  "id" integer NOT NULL,
  "x" integer,
  "row_start" timestamp(6) with time zone NOT NULL,
  "row_end" timestamp(6) with time zone NOT NULL
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."versioned"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."versioned" ADD CONSTRAINT "versioned__primary" PRIMARY KEY ("id"); END IF; END $opendrs$;
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."versioned_explicit" (
  "x" integer,
  "rs" timestamp(6) with time zone NOT NULL,
  "re" timestamp(6) with time zone NOT NULL,
  "y" integer
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."versioned_parts" (
  "x" integer,
  "row_start" timestamp(6) with time zone NOT NULL,
  "row_end" timestamp(6) with time zone NOT NULL
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."periods" (
  "id" integer,
  "a" date NOT NULL,
  "b" date NOT NULL,
  CONSTRAINT "p" CHECK (("a" < "b"))
);
CREATE UNIQUE INDEX IF NOT EXISTS "periods__id" ON "shop"."periods" ("id", "b", "a");
-- generated-values: shop.versioned.row_start: A generated column is a plain one, with the source's values. It was: ROW START.
-- invisible: shop.versioned.row_start: PostgreSQL has no invisible columns: SELECT * shows it.
-- generated-values: shop.versioned.row_end: A generated column is a plain one, with the source's values. It was: ROW END.
-- invisible: shop.versioned.row_end: PostgreSQL has no invisible columns: SELECT * shows it.
-- generated-values: shop.versioned_explicit.rs: A generated column is a plain one, with the source's values. It was: ROW START.
-- generated-values: shop.versioned_explicit.re: A generated column is a plain one, with the source's values. It was: ROW END.
-- invisible: shop.versioned_explicit.re: PostgreSQL has no invisible columns: SELECT * shows it.
-- generated-values: shop.versioned_parts.row_start: A generated column is a plain one, with the source's values. It was: ROW START.
-- invisible: shop.versioned_parts.row_start: PostgreSQL has no invisible columns: SELECT * shows it.
-- generated-values: shop.versioned_parts.row_end: A generated column is a plain one, with the source's values. It was: ROW END.
-- invisible: shop.versioned_parts.row_end: PostgreSQL has no invisible columns: SELECT * shows it.
