use opendrs_columns::TableName;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::connection::Connection;
use crate::encode::{ColumnTarget, Encoder, Policies};
use crate::error::{PgError, Result};
use crate::sql::{identifier, qualified};

/// A table of the target as its writers need it. Python gives it as JSON. All names but those of
/// `source`, `columns[].source` and `skipped` are names in the target. Several tables of the source may be
/// written to one of the target.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetTable {
    /// The table at the source, for messages.
    pub source: TableName,
    /// Schema in the target.
    pub schema: String,
    /// Table in the target.
    pub table: String,
    /// The columns that are written, in any order.
    pub columns: Vec<ColumnTarget>,
    /// Columns that nobody writes: an INSERT leaves them to their defaults, every UPDATE of a row sets them.
    #[serde(default)]
    pub touched: Vec<Touched>,
    /// What the additional columns are made of, for who makes the table; not for its writers.
    #[serde(default)]
    pub extras: IgnoredAny,
    /// Names at the source of columns that the batches carry and nobody writes: hidden ones, and generated
    /// ones whose values the log has for some changes only.
    #[serde(default)]
    pub skipped: Vec<String>,
    /// Columns of the identifying key, in key order; empty: the table has none.
    #[serde(default)]
    pub key: Vec<String>,
    /// Columns of each further unique index that the target has.
    #[serde(default)]
    pub uniques: Vec<Vec<String>>,
    /// Whether the target has unique indexes over what the batches do not hold, as expressions: then only
    /// the order of the log is sure not to meet them.
    #[serde(default)]
    pub opaque_uniques: bool,
    /// Whether the batches hold not all changes of the rows: then an insert may find the row, and updates and deletes
    /// may find none, as it were nothing.
    #[serde(default)]
    pub partial: bool,
    /// Whether a foreign key of the target with ON DELETE or ON UPDATE CASCADE, SET NULL or SET
    /// DEFAULT refers to this table: then deletes and key changes have effects elsewhere.
    #[serde(default)]
    pub referenced_with_actions: bool,
    /// Whether a foreign key of the source with such an action is in this table: then rows of it may change or go
    /// before their own changes come. So where nothing is said.
    #[serde(default = "yes")]
    pub acted_on: bool,
    /// What to do with values that the target cannot hold.
    #[serde(default)]
    pub policies: Policies,
}

fn yes() -> bool {
    true
}

/// A column that says when its row was written, or the like.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Touched {
    /// Column in the target.
    pub name: String,
    /// What an UPDATE sets it to: an expression of the target, as it stands.
    pub sql: String,
}

/// What the target's catalog says of a column.
#[derive(Debug, Clone)]
pub(crate) struct ColumnFacts {
    /// The type's name as SQL, without modifier; safe to cast to.
    pub cast: String,
}

impl TargetTable {
    /// Reads the JSON form.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|e| PgError::Usage(format!("target table: {e}")))
    }

    /// The quoted name for SQL.
    pub fn sql_name(&self) -> String {
        qualified(&self.schema, &self.table)
    }

    /// The positions of named columns.
    pub(crate) fn positions(&self, names: &[String]) -> Result<Vec<usize>> {
        let position = |name: &String| {
            self.columns.iter().position(|column| column.name == *name).ok_or_else(|| {
                PgError::Usage(format!("{}.{}: the key names column {name}, which is none", self.schema, self.table))
            })
        };
        names.iter().map(position).collect()
    }

    /// What every UPDATE sets besides: `, "a" = now()`, or nothing.
    pub(crate) fn sql_touched(&self) -> String {
        self.touched.iter().map(|column| format!(", {} = {}", identifier(&column.name), column.sql)).collect()
    }

    /// "a", "b", "c": all columns for SQL.
    pub(crate) fn column_list(&self) -> String {
        self.columns.iter().map(|column| identifier(&column.name)).collect::<Vec<_>>().join(", ")
    }

    /// Compiles the encoder and holds it against the catalog: what is written in binary must be of
    /// exactly the type it is written as, for the server takes the bytes without asking.
    pub(crate) fn prepare(&self, connection: &mut Connection) -> Result<(Encoder, Vec<ColumnFacts>)> {
        let encoder = Encoder::new(&self.schema, &self.table, self.columns.clone(), self.policies)?;
        let mut encoder = encoder.skipping(self.skipped.clone());
        let found = connection.query(CATALOG, &[Some(&self.schema), Some(&self.table)])?.rows;
        if found.is_empty() {
            return Err(PgError::Usage(format!("the target has no table {}.{}", self.schema, self.table)));
        }
        let mut facts = Vec::with_capacity(self.columns.len());
        let mut forms = Vec::new();
        for (number, column) in self.columns.iter().enumerate() {
            let row = found.iter().find(|row| row.first().and_then(Option::as_deref) == Some(&column.name));
            let Some([_, Some(oid), Some(modifier), Some(cast), Some(stored), Some(send)]) = row.map(Vec::as_slice)
            else {
                let message =
                    format!("the target's table {}.{} has no column {}", self.schema, self.table, column.name);
                return Err(PgError::Usage(message));
            };
            if let Some(constant) = &column.constant {
                let parameter = format!("CAST(${} AS {stored})", forms.len() + 1);
                let binary = if column.binary { format!("{send}({parameter})") } else { "''".to_owned() };
                forms.push((number, constant, format!("pg_catalog.encode({binary}, 'hex'), {parameter}::text")));
            }
            let oid: u32 = oid.parse().map_err(|_| PgError::protocol("an oid that is no number"))?;
            let modifier: i32 = modifier.parse().map_err(|_| PgError::protocol("a modifier that is no number"))?;
            encoder.meet_catalog(number, oid, modifier, cast)?;
            facts.push(ColumnFacts { cast: cast.clone() });
        }
        if !forms.is_empty() {
            let sql = format!("SELECT {}", forms.iter().map(|form| form.2.as_str()).collect::<Vec<_>>().join(", "));
            let given: Vec<Option<&str>> = forms.iter().map(|form| Some(form.1.as_str())).collect();
            let row = connection.query(&sql, &given)?.rows.pop().unwrap_or_default();
            let (answers, _) = row.as_chunks::<2>();
            for ((number, ..), answer) in forms.iter().zip(answers) {
                let [Some(binary), Some(text)] = answer else {
                    return Err(PgError::protocol("a constant that the server takes for NULL"));
                };
                encoder.meet_constant(*number, &bytes(binary)?, text);
            }
        }
        Ok((encoder, facts))
    }
}

/// The bytes that hexadecimal digits mean.
fn bytes(digits: &str) -> Result<Vec<u8>> {
    let (pairs, _) = digits.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(byte).collect::<Option<_>>().ok_or_else(|| PgError::protocol("bytes that are not hexadecimal"))
}

/// Columns of a table: name, type, modifier, the type's name without modifier, the name with it (but where a cast
/// would cut the value), and what prints a value in binary. (`format_type` with -1 and not NULL: only so does it print
/// `bpchar`, for `character` would mean `character(1)`.)
const CATALOG: &str = "SELECT a.attname, a.atttypid, a.atttypmod, pg_catalog.format_type(a.atttypid, -1), \
     pg_catalog.format_type(a.atttypid, CASE WHEN t.typcategory = 'S' THEN -1 ELSE a.atttypmod END), t.typsend \
     FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
     WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped";
