//! Names and numbers of MySQL's types.

/// Base names of the types as MySQL and MariaDB print them, and the numbers that messages name them by.
///
/// Sources: the constants of `java.sql.Types`; 94 for `datetime`, which is none of them, and 6 for `float`
/// from the examples in Huawei's "Kafka Message Format". What those do not show is as in canal.
const KINDS: [(&str, i32); 42] = [
    ("tinyint", -6),
    ("smallint", 5),
    ("mediumint", 4),
    ("int", 4),
    ("bigint", -5),
    ("decimal", 3),
    ("float", 6),
    ("double", 8),
    ("bit", -7),
    ("char", 1),
    ("varchar", 12),
    ("tinytext", -1),
    ("text", -1),
    ("mediumtext", -1),
    ("longtext", -1),
    ("binary", -2),
    ("varbinary", -3),
    ("tinyblob", 2004),
    ("blob", 2004),
    ("mediumblob", 2004),
    ("longblob", 2004),
    ("date", 91),
    ("time", 92),
    ("timestamp", 93),
    ("datetime", 94),
    ("year", 12),
    ("enum", 1),
    ("set", 1),
    ("json", -1),
    ("geometry", -2),
    ("point", -2),
    ("linestring", -2),
    ("polygon", -2),
    ("multipoint", -2),
    ("multilinestring", -2),
    ("multipolygon", -2),
    ("geometrycollection", -2),
    ("geomcollection", -2),
    ("vector", -3),
    ("uuid", 1),
    ("inet4", 1),
    ("inet6", 1),
];

/// The base name and the number of a type as the source prints it ("INT(10) unsigned" is "int" and 4).
/// None: no such type is known.
pub(crate) fn kind(native: &str) -> Option<(&'static str, i32)> {
    let native = native.trim_start();
    let end = native.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(native.len());
    KINDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(&native[..end])).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_do_not_matter() {
        for (native, name, number) in [
            ("int(10) unsigned zerofill", "int", 4),
            ("BIGINT unsigned", "bigint", -5),
            ("varchar(20)", "varchar", 12),
            ("enum('int','a b')", "enum", 1),
            (" datetime(6) /* mariadb-5.3 */", "datetime", 94),
            ("inet6", "inet6", 1),
            ("longtext/*M!100301 COMPRESSED*/", "longtext", -1),
        ] {
            assert_eq!(kind(native), Some((name, number)), "{native}");
        }
        assert_eq!(kind(""), None);
        assert_eq!(kind("(int)"), None);
        assert_eq!(kind("intx"), None);
    }
}
