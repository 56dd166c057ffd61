//! Names and numbers of MySQL's types.

/// Base names of the types as MySQL and MariaDB print them, and the numbers that messages name them by: Huawei's
/// formats, and canal's.
///
/// Sources: the constants of `java.sql.Types`; 94 for `datetime`, which is none of them, and 6 for `float`
/// from the examples in Huawei's "Kafka Message Format", and what those do not show as in MySQL's Connector/J; of
/// canal, `RowsLogBuffer` and `LogEventConvert`, and what it does not know as in Huawei's.
const KINDS: [(&str, i32, i32); 42] = [
    ("tinyint", -6, -6),
    ("smallint", 5, 5),
    ("mediumint", 4, 4),
    ("int", 4, 4),
    ("bigint", -5, -5),
    ("decimal", 3, 3),
    ("float", 6, 7),
    ("double", 8, 8),
    ("bit", -7, -7),
    ("char", 1, 1),
    ("varchar", 12, 12),
    ("tinytext", -1, 2005),
    ("text", -1, 2005),
    ("mediumtext", -1, 2005),
    ("longtext", -1, 2005),
    ("binary", -2, 2004),
    ("varbinary", -3, 2004),
    ("tinyblob", 2004, 2004),
    ("blob", 2004, 2004),
    ("mediumblob", 2004, 2004),
    ("longblob", 2004, 2004),
    ("date", 91, 91),
    ("time", 92, 92),
    ("timestamp", 93, 93),
    ("datetime", 94, 93),
    ("year", 12, 12),
    ("enum", 1, 4),
    ("set", 1, -7),
    ("json", -1, 12),
    ("geometry", -2, 2004),
    ("point", -2, 2004),
    ("linestring", -2, 2004),
    ("polygon", -2, 2004),
    ("multipoint", -2, 2004),
    ("multilinestring", -2, 2004),
    ("multipolygon", -2, 2004),
    ("geometrycollection", -2, 2004),
    ("geomcollection", -2, 2004),
    ("vector", -3, -3),
    ("uuid", 1, 1),
    ("inet4", 1, 1),
    ("inet6", 1, 1),
];

/// The base name and the number of a type as the source prints it ("INT(10) unsigned" is "int" and 4).
/// None: no such type is known.
pub(crate) fn kind(native: &str, canal: bool) -> Option<(&'static str, i32)> {
    let native = native.trim_start();
    let end = native.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(native.len());
    let (name, number, canals) = KINDS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(&native[..end])).copied()?;
    let number = match canal {
        false => number,
        true if name.ends_with("int") && native[end..].contains("unsigned") => wider(canals),
        true => canals,
    };
    Some((name, number))
}

/// What canal calls a number that does not fit the signed type of its width; here all that have no sign are called so.
fn wider(number: i32) -> i32 {
    const TINYINT: i32 = -6;
    const SMALLINT: i32 = 5;
    const INTEGER: i32 = 4;
    const BIGINT: i32 = -5;
    const DECIMAL: i32 = 3;
    match number {
        TINYINT => SMALLINT,
        SMALLINT => INTEGER,
        INTEGER => BIGINT,
        BIGINT => DECIMAL,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_do_not_matter() {
        for (native, name, number, canal) in [
            ("int(10) unsigned zerofill", "int", 4, -5),
            ("int(10)", "int", 4, 4),
            ("mediumint unsigned", "mediumint", 4, -5),
            ("BIGINT unsigned", "bigint", -5, 3),
            ("varchar(20)", "varchar", 12, 12),
            ("enum('int','a b')", "enum", 1, 4),
            ("enum('unsigned')", "enum", 1, 4),
            ("set('unsigned')", "set", 1, -7),
            (" datetime(6) /* mariadb-5.3 */", "datetime", 94, 93),
            ("inet6", "inet6", 1, 1),
            ("longtext/*M!100301 COMPRESSED*/", "longtext", -1, 2005),
        ] {
            assert_eq!(kind(native, false), Some((name, number)), "{native}");
            assert_eq!(kind(native, true), Some((name, canal)), "{native}");
        }
        for canal in [false, true] {
            assert_eq!(kind("", canal), None);
            assert_eq!(kind("(int)", canal), None);
            assert_eq!(kind("intx", canal), None);
        }
    }
}
