DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."mariadb_only" (
  "id" uuid DEFAULT gen_random_uuid() NOT NULL,
  "i4" inet,
  "i6" inet DEFAULT '::1',
  "a" text,
  "b" varchar(100) DEFAULT 'x',
  "c" bytea,
  "n" integer DEFAULT ((1 + 2))::integer,
  "m" integer DEFAULT 3,
  "t" text DEFAULT 'text',
  "bl" bytea DEFAULT '\x6279746573',
  "dt" date DEFAULT CURRENT_DATE,
  CONSTRAINT "n" CHECK (("n" < 5)),
  CONSTRAINT "m" CHECK (("m" > 1)),
  CONSTRAINT "c2" CHECK (("n" > 1))
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."mariadb_only"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."mariadb_only" ADD CONSTRAINT "mariadb_only__primary" PRIMARY KEY ("id"); END IF; END $opendrs$;
