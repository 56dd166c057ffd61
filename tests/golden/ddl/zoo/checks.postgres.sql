DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."checks" (
  "id" integer NOT NULL,
  "a" integer,
  "b" integer,
  "c" numeric(10,2),
  "d" date,
  "e" varchar(10),
  CONSTRAINT "checks_chk_1" CHECK (("a" > 0)),
  CONSTRAINT "checks_chk_2" CHECK (("b" < 10)),
  CONSTRAINT "named" CHECK (("a" < "b")),
  CONSTRAINT "checks_chk_3" CHECK ((("c" >= 0) AND ("c" < 1000.5))),
  CONSTRAINT "checks_chk_4" CHECK (("d" > DATE '2000-01-01')),
  CONSTRAINT "checks_chk_6" CHECK ((("a" BETWEEN 1 AND 100) OR ("b" IS NULL)))
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."checks"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."checks" ADD CONSTRAINT "checks__primary" PRIMARY KEY ("id"); END IF; END $opendrs$;
-- check: shop.checks.checks_chk_5: The check does not translate with certainty and is left out. It was: e IN ('x', 'y').
