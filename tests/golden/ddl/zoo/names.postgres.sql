DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."select `from ""x""" (
  "a b" integer NOT NULL,
  "ctid_a6768917" integer,
  "xmin_eafb2f50" integer,
  "Größe" varchar(10),
  "key" integer,
  "UPPER" integer
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."select `from ""x"""'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."select `from ""x""" ADD CONSTRAINT "select `from ""x""__primary" PRIMARY KEY ("a b"); END IF; END $opendrs$;
COMMENT ON COLUMN "shop"."select `from ""x"""."Größe" IS 'ü';
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."a_table_whose_name_is_as_long_as_it_may_be_sixty_four__71b89825" (
  "id" integer NOT NULL,
  "b" integer
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."a_table_whose_name_is_as_long_as_it_may_be_sixty_four__71b89825"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."a_table_whose_name_is_as_long_as_it_may_be_sixty_four__71b89825" ADD CONSTRAINT "a_table_whose_name_is_as_long_as_it_may_be_sixty_four__52439ba0" PRIMARY KEY ("id"); END IF; END $opendrs$;
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."größer_als_dreiundsechzig_bytes_äöüäöüäöüä_85f05ac5" (
  "id" integer NOT NULL,
  "b" integer
);
DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = '"shop"."größer_als_dreiundsechzig_bytes_äöüäöüäöüä_85f05ac5"'::regclass AND contype = 'p') THEN ALTER TABLE "shop"."größer_als_dreiundsechzig_bytes_äöüäöüäöüä_85f05ac5" ADD CONSTRAINT "größer_als_dreiundsechzig_bytes_äöüäöüäöüä_d8119af3" PRIMARY KEY ("id"); END IF; END $opendrs$;
CREATE INDEX IF NOT EXISTS "select `from ""x""__weird key" ON "shop"."select `from ""x""" ("Größe");
CREATE INDEX IF NOT EXISTS "select `from ""x""__a_very_long_name_that_has_sixty_four_69aacfc7" ON "shop"."select `from ""x""" ("key");
CREATE INDEX IF NOT EXISTS "a_table_whose_name_is_as_long_as_it_may_be_sixty_four__3185cebd" ON "shop"."a_table_whose_name_is_as_long_as_it_may_be_sixty_four__71b89825" ("b");
CREATE INDEX IF NOT EXISTS "größer_als_dreiundsechzig_bytes_äöüäöüäöüä_fa0fc0e9" ON "shop"."größer_als_dreiundsechzig_bytes_äöüäöüäöüä_85f05ac5" ("b");
-- renamed: shop.select `from "x".ctid: The name is longer than 63 bytes, or the target keeps it for itself. It is called 'ctid_a6768917'.
-- renamed: shop.select `from "x".xmin: The name is longer than 63 bytes, or the target keeps it for itself. It is called 'xmin_eafb2f50'.
-- renamed: shop.a_table_whose_name_is_as_long_as_it_may_be_sixty_four_characters: The name is longer than 63 bytes, or the target keeps it for itself. It is called 'a_table_whose_name_is_as_long_as_it_may_be_sixty_four__71b89825'.
-- renamed: shop.größer_als_dreiundsechzig_bytes_äöüäöüäöüäöüäöüäöüäöüäöü: The name is longer than 63 bytes, or the target keeps it for itself. It is called 'größer_als_dreiundsechzig_bytes_äöüäöüäöüä_85f05ac5'.
