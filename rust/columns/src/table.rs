use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow_schema::{Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use crate::Logical;

/// Name of a table at the source, as the source spells it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TableName {
    /// Database (MySQL) or schema (PostgreSQL).
    pub schema: String,
    /// Table.
    pub table: String,
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.table)
    }
}

/// One column as readers need it. The JSON form is shared with Python's `model.catalog.Column`,
/// which holds more: unknown fields are ignored here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnSpec {
    /// Name as the source spells it.
    pub name: String,
    /// What the values mean.
    #[serde(rename = "type")]
    pub logical: Logical,
    /// Whether NULL is allowed.
    #[serde(default)]
    pub nullable: bool,
    /// Character set of text, as the source names it ("latin1"); None for all other types.
    #[serde(default)]
    pub charset: Option<String>,
    /// Members of an ENUM or SET, in order.
    #[serde(default)]
    pub members: Vec<String>,
    /// The type as the source prints it ("int(10) unsigned"): for messages and for verification.
    #[serde(default)]
    pub native: String,
}

/// Where the metadata of a batch's field hold the JSON form of the column's logical type.
pub const TYPE_KEY: &str = "opendrs.type";

/// A table as readers need it: the columns in the order of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSpec {
    /// Name at the source.
    pub name: TableName,
    /// Every column that the log carries, in table order.
    pub columns: Vec<ColumnSpec>,
    /// Names of the columns of the identifying key, in key order; empty: the table has none.
    #[serde(default)]
    pub key: Vec<String>,
}

impl TableSpec {
    /// Reads the JSON form.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Arrow schema of a batch of this table: `leading` fields, then one field a column. The JSON
    /// form of the logical type stands in the field's metadata under [`TYPE_KEY`].
    pub fn schema(&self, leading: &[Field]) -> SchemaRef {
        let columns = self.columns.iter().map(|column| {
            let logical = serde_json::to_string(&column.logical).unwrap_or_default();
            // Nullable in any case: the image of a row may lack a column.
            Field::new(&column.name, column.logical.arrow(), true)
                .with_metadata(HashMap::from([(TYPE_KEY.to_owned(), logical)]))
        });
        Arc::new(Schema::new(leading.iter().cloned().chain(columns).collect::<Vec<_>>()))
    }
}
