/// A column type of the target whose binary form we write ourselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is named as PostgreSQL names it")]
pub enum Target {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Numeric,
    Float4,
    Float8,
    Float4Array,
    Text,
    Varchar,
    Bpchar,
    Json,
    Jsonb,
    Bytea,
    Bit,
    Varbit,
    Date,
    Time,
    Timestamp,
    Timestamptz,
    Interval,
    Uuid,
    Inet,
}

/// (type, oid, internal name, what `format_type` prints). The oids are fixed for ever.
///
/// Source: PostgreSQL, `src/include/catalog/pg_type.dat`.
const TYPES: [(Target, u32, &str, &str); 24] = [
    (Target::Bool, 16, "bool", "boolean"),
    (Target::Bytea, 17, "bytea", "bytea"),
    (Target::Int8, 20, "int8", "bigint"),
    (Target::Int2, 21, "int2", "smallint"),
    (Target::Int4, 23, "int4", "integer"),
    (Target::Text, 25, "text", "text"),
    (Target::Oid, 26, "oid", "oid"),
    (Target::Json, 114, "json", "json"),
    (Target::Float4, 700, "float4", "real"),
    (Target::Float8, 701, "float8", "double precision"),
    (Target::Inet, 869, "inet", "inet"),
    (Target::Float4Array, 1021, "float4[]", "real[]"),
    (Target::Bpchar, 1042, "bpchar", "character"),
    (Target::Varchar, 1043, "varchar", "character varying"),
    (Target::Date, 1082, "date", "date"),
    (Target::Time, 1083, "time", "time without time zone"),
    (Target::Timestamp, 1114, "timestamp", "timestamp without time zone"),
    (Target::Timestamptz, 1184, "timestamptz", "timestamp with time zone"),
    (Target::Interval, 1186, "interval", "interval"),
    (Target::Bit, 1560, "bit", "bit"),
    (Target::Varbit, 1562, "varbit", "bit varying"),
    (Target::Numeric, 1700, "numeric", "numeric"),
    (Target::Uuid, 2950, "uuid", "uuid"),
    (Target::Jsonb, 3802, "jsonb", "jsonb"),
];

impl Target {
    /// The type that a name means, with or without its modifier: "varchar", "character varying(20)",
    /// "timestamp(3) with time zone", "numeric(15,2)". None: none of ours.
    pub fn parse(name: &str) -> Option<Self> {
        let bare = without_modifier(name);
        let bare = match bare.as_str() {
            "decimal" => "numeric",
            "int" => "integer",
            "char" => "character",
            "_float4" => "float4[]",
            other => other,
        };
        TYPES.iter().find(|(_, _, internal, printed)| bare == *internal || bare == *printed).map(|row| row.0)
    }

    /// The type's object identifier.
    pub fn oid(self) -> u32 {
        TYPES.iter().find(|row| row.0 == self).map_or(0, |row| row.1)
    }

    /// The type's internal name.
    pub fn name(self) -> &'static str {
        TYPES.iter().find(|row| row.0 == self).map_or("", |row| row.2)
    }

    /// Digits behind the point or the second that a type modifier (`atttypmod`) leaves; None: as many as come.
    pub fn scale(self, modifier: i32) -> Option<i32> {
        match self {
            // ((precision << 16) | (scale & 0x7ff)) + 4; the scale is signed since PostgreSQL 15.
            Self::Numeric if modifier >= 4 => Some((((modifier - 4) & 0x7ff) ^ 1024) - 1024),
            Self::Time | Self::Timestamp | Self::Timestamptz if modifier >= 0 => Some(modifier),
            // The low half is the precision, 0xffff meaning "full"; the high half the range of fields.
            Self::Interval if modifier >= 0 && modifier & 0xffff != 0xffff => Some(modifier & 0xffff),
            _ => None,
        }
    }
}

/// "character varying(20)" -> "character varying"; "timestamp(3) with time zone" loses "(3)" too.
fn without_modifier(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    match (name.find('('), name.find(')')) {
        (Some(open), Some(close)) if open < close => format!("{}{}", name[..open].trim_end(), &name[close + 1..]),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_by_all_their_names() {
        for (name, target) in [
            ("int8", Target::Int8),
            ("character varying(20)", Target::Varchar),
            ("VARCHAR", Target::Varchar),
            ("timestamp(3) with time zone", Target::Timestamptz),
            ("numeric(15,2)", Target::Numeric),
            ("char(3)", Target::Bpchar),
            ("bit(8)", Target::Bit),
            ("real[]", Target::Float4Array),
        ] {
            assert_eq!(Target::parse(name), Some(target), "{name}");
        }
        assert_eq!(Target::parse("citext"), None);
        assert_eq!(Target::parse("varchar[]"), None);
        assert_eq!(Target::Jsonb.oid(), 3802);
        assert_eq!(Target::Numeric.scale((15 << 16 | 2) + 4), Some(2));
        assert_eq!(Target::Numeric.scale((15 << 16 | (-3 & 0x7ff)) + 4), Some(-3));
        assert_eq!(Target::Numeric.scale(-1), None);
        assert_eq!(Target::Timestamp.scale(3), Some(3));
        assert_eq!(Target::Interval.scale(0x7fff_ffff), None);
    }
}
