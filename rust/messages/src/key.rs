//! Keys of messages, and the partitions that they choose.

use opendrs_columns::values::{Column, Values};

use crate::debezium;
use crate::error::{Refused, ValueProblem};
use crate::murmur::partition;
use crate::options::{Format, Options, PartitionPolicy};
use crate::text;

/// How the keys of a table's messages are made.
pub(crate) struct Keys {
    form: Form,
    /// The partition of all messages; None: that of each one's key.
    fixed: Option<i32>,
    partitions: i32,
    /// Whether an update that changes the row's key is a deletion under the old key and an insertion under the
    /// new one.
    pub splits: bool,
}

enum Form {
    None,
    Same(Box<[u8]>),
    /// The values of the key's columns as text.
    Text,
    /// The values of the key's columns as a JSON object: `{"name":` or `,"name":` of each column.
    Object(Box<[Box<[u8]>]>),
}

impl Keys {
    /// `key` holds the names of the key's columns.
    pub fn new(options: &Options, (database, table): (&str, &str), key: &[String], partitions: i32) -> Self {
        let Options { format, partition_policy: policy, .. } = *options;
        // Without a key a row has no name of its own: what concerns the table stays in order.
        let by_row = policy == PartitionPolicy::PrimaryKey && !key.is_empty();
        let name = shared(policy, database, table);
        let fixed = name.as_deref().map_or(0, |name| partition(name.as_bytes(), partitions));
        let form = match (format, name) {
            (Format::DebeziumJson, _) if key.is_empty() => Form::None,
            (Format::DebeziumJson, _) => Form::Object(debezium::names(key.iter().map(String::as_str))),
            _ if by_row => Form::Text,
            (_, Some(name)) => Form::Same(name.into_bytes().into()),
            (_, None) => Form::None,
        };
        let splits = matches!(form, Form::Text | Form::Object(_));
        Self { form, fixed: (!by_row).then_some(fixed), partitions, splits }
    }

    /// Appends the key of a row, of which `key` has the columns. Says whether there is one, and the partition.
    #[inline]
    pub fn write(
        &self,
        columns: &[Column<'_>],
        key: &[usize],
        row: usize,
        out: &mut Vec<u8>,
    ) -> Result<(bool, i32), Refused> {
        let start = out.len();
        match &self.form {
            Form::None => return Ok((false, self.fixed.unwrap_or(0))),
            Form::Same(bytes) => out.extend_from_slice(bytes),
            Form::Text => write_text(columns, key, row, out)?,
            Form::Object(names) => debezium::object(names, columns, key.iter().copied(), row, out)?,
        }
        let partition = match self.fixed {
            Some(fixed) => fixed,
            None => partition(&out[start..], self.partitions),
        };
        Ok((true, partition))
    }
}

/// The text that all rows of a table share as their key, under policies that give them such.
pub(crate) fn shared(policy: PartitionPolicy, database: &str, table: &str) -> Option<String> {
    match policy {
        PartitionPolicy::Single => None,
        PartitionPolicy::Database => Some(database.to_owned()),
        // A statement may concern no table, but a database.
        _ if table.is_empty() => Some(database.to_owned()),
        PartitionPolicy::Table | PartitionPolicy::PrimaryKey => Some(format!("{database}.{table}")),
    }
}

/// One value as it is; several with commas between them, and with a backslash before what is a comma or a
/// backslash in a value. NULL is `\N`.
fn write_text(columns: &[Column<'_>], key: &[usize], row: usize, out: &mut Vec<u8>) -> Result<(), Refused> {
    for (position, &number) in key.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        let column = &columns[number];
        if column.is_null(row) {
            out.extend_from_slice(b"\\N");
            continue;
        }
        let start = out.len();
        text::write(&column.values, row, text::KEY, out).map_err(|problem| (number, problem))?;
        // Only text, and vectors, can hold what is to be escaped.
        if key.len() > 1 && matches!(column.values, Values::Text(_) | Values::Vector(_)) {
            escape(start, out);
        }
    }
    Ok(())
}

fn escape(start: usize, out: &mut Vec<u8>) {
    let special = |byte: &u8| matches!(byte, b',' | b'\\');
    if out[start..].iter().any(special) {
        for byte in out.split_off(start) {
            if special(&byte) {
                out.push(b'\\');
            }
            out.push(byte);
        }
    }
}

/// A row's key for people: "(a, b)=(1, x)".
pub(crate) fn for_people(names: &[&str], columns: &[Column<'_>], key: &[usize], row: usize) -> Option<String> {
    let value = |&number: &usize| -> Result<String, ValueProblem> {
        let column = columns.get(number).filter(|column| !column.is_null(row));
        let Some(column) = column else { return Ok("null".to_owned()) };
        let mut out = Vec::new();
        text::write(&column.values, row, text::KEY, &mut out)?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    };
    let values: Vec<String> =
        key.iter().map(|number| value(number).unwrap_or_else(|problem| format!("<{}>", problem.name()))).collect();
    (!key.is_empty()).then(|| format!("({})=({})", names.join(", "), values.join(", ")))
}
