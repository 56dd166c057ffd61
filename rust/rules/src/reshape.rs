//! The columns of a batch as they arrive: some left out, some under other names, some more.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow_schema::{Field, Schema, SchemaRef};
use opendrs_columns::{Logical, TYPE_KEY};
use serde::Deserialize;

use crate::{FilterError, Result};

/// A column as it arrives.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum ReshapeColumn {
    /// One of the batch's.
    Own {
        /// Its name there.
        source: String,
        /// Its name as it arrives.
        name: String,
    },
    /// The same value in each row.
    Constant {
        /// Its name.
        name: String,
        /// What it means: a text, a whole number of 32 or 64 bits, a date and time.
        #[serde(rename = "type")]
        logical: Logical,
        /// The value: text, or a number; of a date and time its microseconds since 1970. None: NULL.
        value: Option<String>,
    },
}

/// Gives batches of one table their shape. Batches of a window keep their leading columns.
#[derive(Debug)]
pub struct Reshape {
    columns: Vec<ReshapeColumn>,
    known: Option<(SchemaRef, SchemaRef)>,
}

impl Reshape {
    /// The columns as they arrive, in order.
    pub fn new(columns: Vec<ReshapeColumn>) -> Self {
        Self { columns, known: None }
    }

    /// A batch in its new shape, behind its first `leading` columns. No value of the batch is copied.
    pub fn batch(&mut self, batch: &RecordBatch, leading: usize) -> Result<RecordBatch> {
        let mut arrays: Vec<ArrayRef> = batch.columns().iter().take(leading).cloned().collect();
        for column in &self.columns {
            arrays.push(match column {
                ReshapeColumn::Own { source, .. } => batch.columns()[place(batch, source, leading)?].clone(),
                ReshapeColumn::Constant { logical, value, name } => {
                    constant(logical, value.as_deref(), batch.num_rows())
                        .ok_or_else(|| FilterError::Condition(format!("column {name}: {value:?} is no {logical:?}")))?
                }
            });
        }
        let schema = self.schema(batch, leading)?;
        RecordBatch::try_new(schema, arrays).map_err(|error| FilterError::Batch(error.to_string()))
    }

    fn schema(&mut self, batch: &RecordBatch, leading: usize) -> Result<SchemaRef> {
        if let Some((before, after)) = &self.known
            && Arc::ptr_eq(before, batch.schema_ref())
        {
            return Ok(after.clone());
        }
        let own = batch.schema_ref().fields();
        let mut fields: Vec<Field> = own.iter().take(leading).map(|field| field.as_ref().clone()).collect();
        for column in &self.columns {
            fields.push(match column {
                ReshapeColumn::Own { source, name } => {
                    own[place(batch, source, leading)?].as_ref().clone().with_name(name)
                }
                ReshapeColumn::Constant { name, logical, .. } => {
                    let text = serde_json::to_string(logical).unwrap_or_default();
                    Field::new(name, logical.arrow(), true).with_metadata(HashMap::from([(TYPE_KEY.to_owned(), text)]))
                }
            });
        }
        let schema = Arc::new(Schema::new(fields));
        self.known = Some((batch.schema(), schema.clone()));
        Ok(schema)
    }
}

fn place(batch: &RecordBatch, name: &str, leading: usize) -> Result<usize> {
    let found = batch.schema_ref().fields().iter().skip(leading).position(|field| field.name() == name);
    found.map(|at| at + leading).ok_or_else(|| FilterError::Batch(format!("there is no column {name}")))
}

fn constant(logical: &Logical, value: Option<&str>, rows: usize) -> Option<ArrayRef> {
    let number = value.map(str::parse::<i64>);
    let number = || number.clone().transpose().ok();
    Some(match logical {
        Logical::Text => {
            let mut texts = StringBuilder::with_capacity(rows, rows * value.map_or(0, str::len));
            (0..rows).for_each(|_| texts.append_option(value));
            Arc::new(texts.finish())
        }
        Logical::Int { bits: 32, unsigned: false } => {
            let value = number()?.map(i32::try_from).transpose().ok()?;
            Arc::new(Int32Array::from(vec![value; rows]))
        }
        Logical::Int { bits: 64, unsigned: false } => Arc::new(Int64Array::from(vec![number()?; rows])),
        Logical::Datetime { .. } => Arc::new(TimestampMicrosecondArray::from(vec![number()?; rows])),
        Logical::Timestamp { .. } => {
            Arc::new(TimestampMicrosecondArray::from(vec![number()?; rows]).with_timezone("UTC"))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_array::{Array, Int8Array};

    use super::*;

    fn columns(text: &str) -> Vec<ReshapeColumn> {
        serde_json::from_str(text).expect("columns")
    }

    fn batch() -> RecordBatch {
        let op: ArrayRef = Arc::new(Int8Array::from(vec![1, 4]));
        let a: ArrayRef = Arc::new(Int32Array::from(vec![Some(7), None]));
        let b: ArrayRef = Arc::new(Int64Array::from(vec![8, 9]));
        RecordBatch::try_from_iter([("op", op), ("a", a), ("op2", b)]).expect("columns of one length")
    }

    #[test]
    fn columns_go_come_and_are_called_otherwise() {
        let wanted = r#"[{"source":"op2","name":"first"},{"source":"a","name":"op"},
            {"name":"t","type":{"kind":"text"},"value":"s@d"},
            {"name":"n","type":{"kind":"int","bits":32},"value":null},
            {"name":"w","type":{"kind":"timestamp","fraction":0},"value":"1000000"}]"#;
        let mut reshape = Reshape::new(columns(wanted));
        for _ in 0..2 {
            let found = reshape.batch(&batch(), 1).expect("fits");
            let schema = found.schema();
            let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            assert_eq!(names, ["op", "first", "op", "t", "n", "w"]);
            assert!(found.column(2).is_null(1));
            assert_eq!(found.column(3).as_string::<i32>().value(1), "s@d");
            assert_eq!(found.column(4).null_count(), 2);
            assert_eq!(schema.field(3).metadata()[TYPE_KEY], r#"{"kind":"text"}"#);
        }
        // A batch of a snapshot has nothing in front.
        assert!(reshape.batch(&batch().project(&[1, 2]).expect("columns"), 0).is_ok());
    }

    #[test]
    fn what_is_not_there_or_does_not_fit_is_an_error() {
        for wanted in [
            r#"[{"source":"x","name":"x"}]"#,
            r#"[{"source":"op","name":"x"}]"#,
            r#"[{"name":"x","type":{"kind":"int","bits":32},"value":"4294967296"}]"#,
            r#"[{"name":"x","type":{"kind":"int","bits":64},"value":"one"}]"#,
            r#"[{"name":"x","type":{"kind":"json"},"value":"1"}]"#,
        ] {
            assert!(Reshape::new(columns(wanted)).batch(&batch(), 1).is_err(), "{wanted}");
        }
    }
}
