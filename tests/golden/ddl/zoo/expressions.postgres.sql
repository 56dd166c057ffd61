DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."expressions" (
  "id" varchar(36) DEFAULT gen_random_uuid()::text NOT NULL,
  "n" integer DEFAULT ((1 + 2))::integer,
  "t" varchar(20) DEFAULT ('it''s'),
  "d" date DEFAULT CURRENT_DATE,
  "x" integer DEFAULT (5)::integer,
  "dt" timestamp(0) without time zone DEFAULT LOCALTIMESTAMP(0),
  "tt" text DEFAULT ('long'),
  "z" integer DEFAULT ((-7))::integer,
  "jj" varchar(100) DEFAULT '{}',
  "u" double precision
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."expressions"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."expressions" ADD CONSTRAINT "expressions__primary" PRIMARY KEY ("id"); END IF; END $opendrs$;
-- default: shop.expressions.u: The default does not translate with certainty and is left out. It was: rand().
-- unique-case: shop.expressions.PRIMARY: UNIQUE tells apart what the source's collation does not: case, accents, trailing blanks. Columns: id.
