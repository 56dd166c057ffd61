use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field as ArrowField, SchemaRef, TimeUnit};
use opendrs_columns::{Logical, TYPE_KEY};
use serde::Deserialize;

use super::binary::supported;
use super::field::{Constant, Field};
use super::policy::Policies;
use super::target::Target;
use crate::error::{PgError, Result, RowValueError, ValueProblem};

/// A column of a target table, and where its values come from: `source` or `constant`. Python gives it as JSON.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnTarget {
    /// Name of the column at the source: the field of the batch.
    #[serde(default)]
    pub source: Option<String>,
    /// The value of every row, as the server reads it; the source has no such column.
    #[serde(default)]
    pub constant: Option<String>,
    /// Name of the column in the target.
    pub name: String,
    /// Type of the column in the target, by PostgreSQL's name ("int8", "numeric(15,2)").
    #[serde(rename = "type")]
    pub type_name: String,
    /// Whether the type is that of our type map, so that its binary form can be written. Without it
    /// the value goes as text and the server's input function reads it.
    pub binary: bool,
    /// Whether the column is NOT NULL in the target.
    #[serde(default)]
    pub not_null: bool,
}

/// How a row is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowFormat {
    /// COPY's binary format, without header.
    CopyBinary,
    /// COPY's text format.
    CopyText,
}

/// The compiled plan of a table: column by column how values of a batch are written.
#[derive(Debug, Clone)]
pub struct Encoder {
    schema: String,
    table: String,
    pub(crate) columns: Vec<ColumnTarget>,
    targets: Vec<Option<Target>>,
    /// What the server makes of the columns' constants.
    constants: Vec<Option<Constant>>,
    /// Digits behind the point or the second that the target keeps; None: all.
    scales: Vec<Option<i32>>,
    policies: Policies,
    /// Columns of the batches that are not written.
    skipped: Vec<String>,
    bound: Option<Bound>,
}

/// What was found out about the batches' schema.
#[derive(Debug, Clone)]
struct Bound {
    schema: SchemaRef,
    /// None: a constant.
    columns: Vec<Option<(usize, Logical)>>,
}

impl Encoder {
    /// Compiles the plan. An error if a column is said to be binary and its type is none of ours, or if it is not
    /// said where its values come from.
    pub fn new(schema: &str, table: &str, columns: Vec<ColumnTarget>, policies: Policies) -> Result<Self> {
        let mut targets = Vec::with_capacity(columns.len());
        for column in &columns {
            let target = Target::parse(&column.type_name);
            if column.binary && target.is_none() {
                let (name, type_name) = (&column.name, &column.type_name);
                let message = format!("{schema}.{table}, column {name}: no binary form of type {type_name} is known");
                return Err(PgError::Usage(message));
            }
            if column.source.is_some() == column.constant.is_some() {
                let message = format!("{schema}.{table}, column {}: it has a source or a constant", column.name);
                return Err(PgError::Usage(message));
            }
            targets.push(target);
        }
        if columns.is_empty() {
            return Err(PgError::Usage(format!("{schema}.{table}: a table without columns")));
        }
        let (scales, constants) = (vec![None; columns.len()], vec![None; columns.len()]);
        let (schema, table) = (schema.to_owned(), table.to_owned());
        Ok(Self { schema, table, columns, targets, constants, scales, policies, skipped: Vec::new(), bound: None })
    }

    /// Batches may have these columns too, which are not written.
    pub(crate) fn skipping(mut self, names: Vec<String>) -> Self {
        self.skipped = names;
        self
    }

    /// Holds a column against what the catalog says of it.
    pub(crate) fn meet_catalog(&mut self, column: usize, oid: u32, modifier: i32, type_name: &str) -> Result<()> {
        let spec = &self.columns[column];
        let target = self.targets[column];
        if spec.binary && target.map(Target::oid) != Some(oid) {
            return Err(self.refuse(spec, format!("the target has type {type_name} and not {}", spec.type_name)));
        }
        self.scales[column] = target.filter(|t| t.oid() == oid).and_then(|t| t.scale(modifier));
        Ok(())
    }

    /// Takes what the server makes of a column's constant: its binary form (if it has one of ours) and its text.
    pub(crate) fn meet_constant(&mut self, column: usize, binary: &[u8], text: &str) {
        self.constants[column] = Some(Constant::new(binary, text));
    }

    /// Whether every column has a binary form, so that COPY can be binary.
    pub fn is_binary(&self) -> bool {
        self.columns.iter().all(|column| column.binary)
    }

    /// The type of a column as a parameter: its oid, or 0 for "as the server thinks".
    pub(crate) fn parameter_oid(&self, column: usize) -> u32 {
        match (self.columns[column].binary, self.targets[column]) {
            (true, Some(target)) => target.oid(),
            _ => 0,
        }
    }

    pub(crate) fn target(&self, column: usize) -> Option<Target> {
        self.targets[column]
    }

    /// Checks a batch's schema against the plan; remembers it, for most batches have the same.
    ///
    /// `leading` names columns at the front that are not the table's. Errors if a column is missing,
    /// is one too many, or has a type that cannot be written as the target's.
    pub(crate) fn bind_schema(&mut self, schema: &SchemaRef, leading: usize) -> Result<()> {
        if let Some(bound) = &self.bound
            && (std::sync::Arc::ptr_eq(&bound.schema, schema) || bound.schema == *schema)
        {
            return Ok(());
        }
        let fields = schema.fields().get(leading..).unwrap_or_default();
        let mut columns = Vec::with_capacity(self.columns.len());
        for (number, column) in self.columns.iter().enumerate() {
            let Some(source) = &column.source else {
                columns.push(None);
                continue;
            };
            let position = fields.iter().position(|field| field.name() == source);
            let Some((index, field)) = position.and_then(|at| Some((at + leading, fields.get(at)?))) else {
                return Err(self.refuse(column, format!("the batch has no column {source}")));
            };
            let logical = infer(field).map_err(|reason| self.refuse(column, reason))?;
            if column.binary && !self.targets[number].is_some_and(|target| supported(&logical, target)) {
                return Err(self.refuse(column, format!("{logical:?} cannot be written as {}", column.type_name)));
            }
            if let Some(scale) = self.scales[number]
                && scale < digits_behind(&logical)
            {
                let reason = format!("{logical:?} would be rounded to {scale} digits in the target");
                return Err(self.refuse(column, reason));
            }
            columns.push(Some((index, logical)));
        }
        let known =
            |name: &String| self.columns.iter().any(|c| c.source.as_ref() == Some(name)) || self.skipped.contains(name);
        if let Some(extra) = fields.iter().find(|field| !known(field.name())) {
            let message =
                format!("{}.{}: the batch has a column {} without a target", self.schema, self.table, extra.name());
            return Err(PgError::Usage(message));
        }
        self.bound = Some(Bound { schema: schema.clone(), columns });
        Ok(())
    }

    fn refuse(&self, column: &ColumnTarget, reason: String) -> PgError {
        PgError::Usage(format!("{}.{}, column {}: {reason}", self.schema, self.table, column.name))
    }

    /// The columns of a batch whose schema was bound.
    pub(crate) fn fields<'a>(&'a self, batch: &'a RecordBatch) -> Result<Vec<Field<'a>>> {
        let bound = self.bound.as_ref().ok_or_else(|| PgError::usage("a batch before its schema"))?;
        let mut fields = Vec::with_capacity(bound.columns.len());
        for (number, place) in bound.columns.iter().enumerate() {
            let target = self.targets[number];
            let field = match (place, &self.constants[number]) {
                (Some((index, logical)), _) => {
                    let array = batch.columns().get(*index);
                    array
                        .and_then(|array| Field::new(array, logical, target, self.policies))
                        .ok_or_else(|| format!("the array does not carry {logical:?}"))
                }
                (None, Some(constant)) => Ok(Field::constant(constant, target, self.policies)),
                (None, None) => Err("the server was not asked for its constant".to_owned()),
            };
            let mut field = field.map_err(|reason| self.refuse(&self.columns[number], reason))?;
            field.has_binary = self.columns[number].binary;
            field.brackets = self.columns[number].type_name.starts_with("vector");
            fields.push(field);
        }
        Ok(fields)
    }

    /// Appends all rows of a batch in COPY's binary format, without header and trailer.
    pub fn encode(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        self.bind_schema(&batch.schema(), 0)?;
        let fields = self.fields(batch)?;
        for row in 0..batch.num_rows() {
            Self::write_row(&fields, row, RowFormat::CopyBinary, out)
                .map_err(|(column, problem)| self.value_error(column, problem, None))?;
        }
        Ok(())
    }

    /// Appends a row; an error is that of the column with this number.
    #[inline]
    pub(crate) fn write_row(
        fields: &[Field<'_>],
        row: usize,
        format: RowFormat,
        out: &mut Vec<u8>,
    ) -> Result<(), (usize, ValueProblem)> {
        match format {
            RowFormat::CopyBinary => {
                out.extend_from_slice(&(fields.len() as i16).to_be_bytes());
                for (number, field) in fields.iter().enumerate() {
                    field.write_binary(row, out).map_err(|problem| (number, problem))?;
                }
            }
            RowFormat::CopyText => {
                for (number, field) in fields.iter().enumerate() {
                    if number > 0 {
                        out.push(b'\t');
                    }
                    field.write_copy_text(row, out).map_err(|problem| (number, problem))?;
                }
                out.push(b'\n');
            }
        }
        Ok(())
    }

    /// Appends a field as a parameter: its length, then its bytes in the format of [`Self::is_text`].
    #[inline]
    pub(crate) fn write_parameter(
        &self,
        field: &Field<'_>,
        column: usize,
        row: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), ValueProblem> {
        if self.columns[column].binary {
            return field.write_binary(row, out);
        }
        let start = out.len();
        out.extend_from_slice(&(-1i32).to_be_bytes());
        if !field.is_null(row) && field.write_text(row, out)? {
            let length = (out.len() - start - 4) as i32;
            out[start..start + 4].copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }

    /// The error for a value; `key` is the row's key for people.
    #[cold]
    pub(crate) fn value_error(&self, column: usize, problem: ValueProblem, key: Option<String>) -> PgError {
        PgError::Value(Box::new(RowValueError {
            schema: self.schema.clone(),
            table: self.table.clone(),
            column: self.columns[column].name.clone(),
            target_type: self.columns[column].type_name.clone(),
            key,
            problem,
        }))
    }

    /// A row's key for people: "(a, b)=(1, x)".
    #[cold]
    pub(crate) fn key_text(&self, key: &[usize], fields: &[Field<'_>], row: usize) -> Option<String> {
        if key.is_empty() {
            return None;
        }
        let names: Vec<&str> = key.iter().map(|&column| self.columns[column].name.as_str()).collect();
        let text = |column: &usize| fields[*column].for_people(row).unwrap_or_else(|| "null".to_owned());
        let values: Vec<String> = key.iter().map(text).collect();
        Some(format!("({})=({})", names.join(", "), values.join(", ")))
    }
}

impl Field<'_> {
    /// A field of COPY's text format. Source: PostgreSQL documentation, COPY, "Text Format".
    pub(crate) fn write_copy_text(&self, row: usize, out: &mut Vec<u8>) -> Result<(), ValueProblem> {
        let start = out.len();
        if self.is_null(row) || !self.write_text(row, out)? {
            out.truncate(start);
            out.extend_from_slice(b"\\N");
            return Ok(());
        }
        let special = |byte: &u8| matches!(byte, b'\\' | b'\t' | b'\n' | b'\r');
        if !out[start..].iter().any(special) {
            return Ok(());
        }
        let plain = out.split_off(start);
        for byte in plain {
            match byte {
                b'\t' => out.extend_from_slice(b"\\t"),
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\r' => out.extend_from_slice(b"\\r"),
                b'\\' => out.extend_from_slice(b"\\\\"),
                other => out.push(other),
            }
        }
        Ok(())
    }

    /// The value as text whatever the policies say: it goes into a message. None: NULL.
    pub(crate) fn for_people(&self, row: usize) -> Option<String> {
        if self.is_null(row) {
            return None;
        }
        let mut out = Vec::new();
        let policies = Policies { nul_in_text: super::NulInText::Replace, ..self.policies };
        match self.write_text_as(row, Some(Target::Text), policies, &mut out) {
            Ok(_) => Some(String::from_utf8_lossy(&out).into_owned()),
            Err(problem) => Some(format!("<{}>", problem.name())),
        }
    }
}

/// Digits behind the point or the second that values can have.
fn digits_behind(logical: &Logical) -> i32 {
    match *logical {
        Logical::Decimal { scale, .. } => scale.into(),
        Logical::Time { fraction } | Logical::Datetime { fraction } | Logical::Timestamp { fraction } => {
            fraction.into()
        }
        _ => 0,
    }
}

/// The logical type of a batch's column: what its metadata say, else the plain meaning of its Arrow type.
pub(crate) fn infer(field: &ArrowField) -> Result<Logical, String> {
    if let Some(text) = field.metadata().get(TYPE_KEY) {
        return serde_json::from_str(text).map_err(|e| format!("the metadata {TYPE_KEY} cannot be read: {e}"));
    }
    Ok(match field.data_type() {
        DataType::Int8 => Logical::Int { bits: 8, unsigned: false },
        DataType::Int16 => Logical::Int { bits: 16, unsigned: false },
        DataType::Int32 => Logical::Int { bits: 32, unsigned: false },
        DataType::Int64 => Logical::Int { bits: 64, unsigned: false },
        DataType::UInt8 => Logical::Int { bits: 8, unsigned: true },
        DataType::UInt16 => Logical::Int { bits: 16, unsigned: true },
        DataType::UInt32 => Logical::Int { bits: 32, unsigned: true },
        DataType::UInt64 => Logical::Int { bits: 64, unsigned: true },
        DataType::Float32 => Logical::Float32,
        DataType::Float64 => Logical::Float64,
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) if (0..=76).contains(scale) => {
            Logical::Decimal { precision: *precision, scale: *scale as u8 }
        }
        DataType::Date32 => Logical::Date,
        DataType::Duration(TimeUnit::Microsecond) => Logical::Time { fraction: 6 },
        DataType::Timestamp(TimeUnit::Microsecond, None) => Logical::Datetime { fraction: 6 },
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) if &**zone == "UTC" => {
            Logical::Timestamp { fraction: 6 }
        }
        DataType::Utf8 => Logical::Text,
        DataType::Binary => Logical::Binary { fixed: None },
        other => return Err(format!("a batch's column of Arrow type {other} is not understood")),
    })
}
