DO $opendrs$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA "shop"; END IF; END $opendrs$;
CREATE TABLE IF NOT EXISTS "shop"."moments" (
  "d" date DEFAULT '2020-01-02',
  "t" interval(0),
  "t3" interval(3) DEFAULT '10:11:00.000',
  "tneg" interval(0) DEFAULT '-100:00:01',
  "dt" timestamp(0) without time zone,
  "dt6" timestamp(6) without time zone DEFAULT LOCALTIMESTAMP(6),
  "dt3" timestamp(3) without time zone DEFAULT '2020-01-01 10:11:12.500',
  "ts" timestamp(0) with time zone DEFAULT '2020-01-01 00:00:00+00',
  "tsn" timestamp(0) with time zone DEFAULT CURRENT_TIMESTAMP(0) NOT NULL,
  "ts2" timestamp(2) with time zone DEFAULT CURRENT_TIMESTAMP(2) NOT NULL,
  "dn" timestamp(0) without time zone DEFAULT LOCALTIMESTAMP(0) NOT NULL,
  "d2" date DEFAULT '2021-03-04' NOT NULL,
  "tsx" timestamp(0) with time zone
);
-- on-update: shop.moments.dt6: ON UPDATE CURRENT_TIMESTAMP has no counterpart; writers of the target set the column themselves.
-- on-update: shop.moments.tsn: ON UPDATE CURRENT_TIMESTAMP has no counterpart; writers of the target set the column themselves.
