//! Holds a registered table against what a table map says of itself.

use opendrs_columns::{ColumnSpec, Logical, TableSpec};

use crate::charset::{self, Charset};
use crate::column::Column;
use crate::config::TableOptions;
use crate::error::{ErrorKind, Fault, Result};
use crate::format::Flavour;
use crate::rows::Layout;
use crate::table_map::{Charsets, Columns, OptionalMetadata, WireColumn, column_types as t};

/// The readers of a table's columns, once everything that the log tells agrees with what is registered.
pub(crate) fn compile(spec: &TableSpec, options: &TableOptions, map: &Columns<'_>, flavour: Flavour) -> Result<Layout> {
    let numeric = map.columns.iter().filter(|column| is_numeric(column.kind)).count();
    let optional = OptionalMetadata::parse(map.optional, numeric)?;
    if let Some(names) = &optional.names {
        let registered: Vec<&str> = spec.columns.iter().map(|column| column.name.as_str()).collect();
        if *names != registered {
            return Err(mismatch(format!("registered with the columns {registered:?}, but the log has {names:?}")));
        }
    }
    if spec.columns.len() != map.columns.len() {
        let what = format!("registered with {} columns, but the log has {}", spec.columns.len(), map.columns.len());
        return Err(mismatch(what));
    }
    let mut columns = Vec::with_capacity(spec.columns.len());
    for (column, wire) in spec.columns.iter().zip(&map.columns) {
        columns.push(Column::compile(column, *wire).map_err(mismatch)?);
    }
    signedness(spec, map, &optional)?;
    charsets(spec, map, &optional, flavour)?;
    members(spec, map, &optional, flavour, &mut columns)?;
    let generated = spec.columns.iter().map(|column| options.generated.contains(&column.name)).collect();
    let row_end = spec.columns.iter().position(|column| options.row_end.as_ref() == Some(&column.name));
    Ok(Layout { columns, generated, row_end })
}

#[cold]
fn mismatch(what: String) -> Fault {
    Fault::new(ErrorKind::SchemaMismatch, what)
}

/// Types that have a bit in the signedness (seen on MySQL 9.7 and MariaDB 10.11 and 11.8: YEAR has one too).
fn is_numeric(kind: u8) -> bool {
    matches!(
        kind,
        t::TINY | t::SHORT | t::INT24 | t::LONG | t::LONGLONG | t::NEWDECIMAL | t::FLOAT | t::DOUBLE | t::YEAR
    )
}

/// Types that have a collation (seen on MySQL 9.7 and MariaDB 10.11 and 11.8, which also give one to what is
/// stored like a BLOB: here vectors, there geometries).
fn is_character(kind: u8, flavour: Flavour) -> bool {
    match kind {
        t::STRING | t::VAR_STRING | t::VARCHAR | t::BLOB | t::VARCHAR_COMPRESSED | t::BLOB_COMPRESSED => true,
        t::VECTOR => flavour == Flavour::Mysql,
        t::GEOMETRY => flavour == Flavour::Mariadb,
        _ => false,
    }
}

fn signedness(spec: &TableSpec, map: &Columns<'_>, optional: &OptionalMetadata) -> Result<()> {
    let Some(unsigned) = &optional.unsigned else { return Ok(()) };
    let numeric = spec.columns.iter().zip(&map.columns).filter(|(_, wire)| is_numeric(wire.kind));
    for ((column, _), in_log) in numeric.zip(unsigned) {
        // UNSIGNED of decimals and floats changes no value's form.
        if let Logical::Int { unsigned, .. } = column.logical
            && unsigned != *in_log
        {
            let word = |unsigned| if unsigned { "unsigned" } else { "signed" };
            let what = format!(
                "column `{}` is registered as {}, but {} in the log",
                column.name,
                word(unsigned),
                word(*in_log)
            );
            return Err(mismatch(what));
        }
    }
    Ok(())
}

/// The columns of some types, each with its character set as the log tells it.
fn told<'a>(
    spec: &'a TableSpec,
    map: &'a Columns<'_>,
    collations: &'a Charsets,
    flavour: Flavour,
    wanted: impl Fn(u8) -> bool + 'a,
) -> impl Iterator<Item = Result<(&'a ColumnSpec, &'a WireColumn, &'static str)>> + 'a {
    let columns = spec.columns.iter().zip(&map.columns).filter(move |(_, wire)| wanted(wire.kind));
    columns.enumerate().map(move |(ordinal, (column, wire))| {
        let id = collations.of(ordinal).ok_or_else(|| Fault::corrupt("a table map with too few collations"))?;
        let name = charset::of_collation(flavour, id).ok_or_else(|| {
            Fault::new(ErrorKind::Unsupported, format!("column `{}` has the unknown collation {id}", column.name))
        })?;
        Ok((column, wire, name))
    })
}

fn charsets(spec: &TableSpec, map: &Columns<'_>, optional: &OptionalMetadata, flavour: Flavour) -> Result<()> {
    let Some(collations) = &optional.collations else { return Ok(()) };
    for entry in told(spec, map, collations, flavour, |kind| is_character(kind, flavour)) {
        let (column, _, in_log) = entry?;
        let registered = match column.logical {
            Logical::Text => charset::canonical(column.charset.as_deref().unwrap_or("utf8mb4")),
            Logical::Json => continue,
            _ => "binary",
        };
        if registered != in_log {
            let what = format!(
                "column `{}` is registered with the character set {registered}, but has {in_log} in the log",
                column.name
            );
            return Err(mismatch(what));
        }
    }
    Ok(())
}

/// The log has the last word: the catalogs list a question mark for a character beyond U+FFFF.
fn members(
    spec: &TableSpec,
    map: &Columns<'_>,
    optional: &OptionalMetadata,
    flavour: Flavour,
    readers: &mut [Column],
) -> Result<()> {
    for (kind, lists) in [(t::ENUM, &optional.enum_members), (t::SET, &optional.set_members)] {
        let Some(lists) = lists else { continue };
        let of_kind = spec.columns.iter().zip(&map.columns).zip(readers.iter_mut());
        let of_kind = of_kind.filter(|((_, wire), _)| wire.kind == kind);
        for (((column, _), reader), list) in of_kind.zip(lists) {
            let charset = member_charset(spec, map, optional, flavour, &column.name)?;
            let in_log =
                list.iter().map(|member| text(member, charset.as_ref(), &column.name)).collect::<Result<Vec<_>>>()?;
            if in_log == column.members {
                continue;
            }
            if in_log.iter().map(|member| listed(member)).eq(column.members.iter().cloned()) {
                reader.set_members(in_log);
            } else {
                let what = format!(
                    "column `{}` is registered with the members {:?}, but has {in_log:?} in the log",
                    column.name, column.members
                );
                return Err(mismatch(what));
            }
        }
    }
    Ok(())
}

/// A member as the catalogs list it, whose own character set is utf8mb3.
fn listed(member: &str) -> String {
    member.chars().map(|char| if char > '\u{ffff}' { '?' } else { char }).collect()
}

fn member_charset(
    spec: &TableSpec,
    map: &Columns<'_>,
    optional: &OptionalMetadata,
    flavour: Flavour,
    name: &str,
) -> Result<Option<Charset>> {
    let Some(collations) = &optional.member_collations else { return Ok(None) };
    for entry in told(spec, map, collations, flavour, |kind| matches!(kind, t::ENUM | t::SET)) {
        let (column, _, in_log) = entry?;
        if column.name == name {
            return Ok(Charset::named(in_log));
        }
    }
    Ok(None)
}

fn text(member: &[u8], charset: Option<&Charset>, column: &str) -> Result<String> {
    let mut out = Vec::new();
    let converted = charset.unwrap_or(&Charset::Utf8).decode(member, &mut out);
    let text = converted.ok().and_then(|()| String::from_utf8(out).ok());
    text.ok_or_else(|| {
        Fault::new(ErrorKind::Charset, format!("a member of column `{column}` is not valid in its character set"))
    })
}

/// Columns of a MariaDB sequence (sql/sql_sequence.cc, `sequence_structure`).
const SEQUENCE: [(u8, &str); 8] = [
    (t::LONGLONG, "next_not_cached_value"),
    (t::LONGLONG, "minimum_value"),
    (t::LONGLONG, "maximum_value"),
    (t::LONGLONG, "start_value"),
    (t::LONGLONG, "increment"),
    (t::LONGLONG, "cache_size"),
    (t::TINY, "cycle_option"),
    (t::LONGLONG, "cycle_count"),
];

/// Whether a table map can be that of a sequence; `named` if only the column names prove it.
pub(crate) fn is_sequence(map: &Columns<'_>, named: bool) -> bool {
    let kinds = map.columns.len() == SEQUENCE.len()
        && map.columns.iter().zip(SEQUENCE).all(|(column, expected)| column.kind == expected.0);
    if !kinds || !named {
        return kinds;
    }
    let names = OptionalMetadata::parse(map.optional, SEQUENCE.len()).ok().and_then(|optional| optional.names);
    names.is_some_and(|names| names.iter().zip(SEQUENCE).all(|(name, expected)| name == expected.1))
}
