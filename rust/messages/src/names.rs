//! The constant parts of a table's messages that several formats share, as JSON.

use opendrs_columns::print;

use crate::escape::string;

/// A column that is written, as messages describe it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named<'a> {
    pub name: &'a str,
    /// The type as the source prints it.
    pub native: &'a str,
    /// Its base name.
    pub base: &'static str,
    /// Its number.
    pub number: i32,
}

/// What a table's messages say of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape<'a> {
    pub database: &'a str,
    pub table: &'a str,
    pub columns: &'a [Named<'a>],
    pub key: &'a [String],
}

/// `{"name":value,...}`.
pub(crate) fn object<'a, const HTML: bool, T>(
    entries: impl IntoIterator<Item = (&'a str, T)>,
    value: impl Fn(T, &mut Vec<u8>),
    out: &mut Vec<u8>,
) {
    out.push(b'{');
    for (index, (name, entry)) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        string::<HTML>(name.as_bytes(), out);
        out.push(b':');
        value(entry, out);
    }
    out.push(b'}');
}

/// `{"column":"type",...}`, of the base names of the types or of their full ones.
pub(crate) fn mysql_type<const HTML: bool>(columns: &[Named<'_>], full: bool, out: &mut Vec<u8>) {
    let types = columns.iter().map(|column| (column.name, if full { column.native } else { column.base }));
    object::<HTML, _>(types, |text, out| string::<HTML>(text.as_bytes(), out), out);
}

/// `{"column":number,...}`.
pub(crate) fn sql_type<const HTML: bool>(columns: &[Named<'_>], out: &mut Vec<u8>) {
    object::<HTML, _>(columns.iter().map(|column| (column.name, column.number)), print::whole, out);
}

/// `["column",...]`.
pub(crate) fn pk_names<const HTML: bool>(key: &[String], out: &mut Vec<u8>) {
    print::list(key, *b"[]", |name, out| string::<HTML>(name.as_bytes(), out), out);
}

/// What stands before each value of a row: `{"name":` or `,"name":`.
pub(crate) fn prefixes<'a, const HTML: bool>(names: impl IntoIterator<Item = &'a str>) -> Box<[Box<[u8]>]> {
    let prefix = |(index, name): (usize, &str)| {
        let mut out = vec![if index == 0 { b'{' } else { b',' }];
        string::<HTML>(name.as_bytes(), &mut out);
        out.push(b':');
        out.into()
    };
    names.into_iter().enumerate().map(prefix).collect()
}
