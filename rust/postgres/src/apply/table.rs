use crate::connection::Connection;
use crate::encode::Encoder;
use crate::error::{PgError, Result};
use crate::sql::identifier;
use crate::target_table::TargetTable;

/// A table that changes are applied to.
pub(crate) struct Table {
    pub id: u32,
    /// Grows with each registration of the same id: statements and staging tables of the old shape
    /// are not those of the new one.
    pub generation: u32,
    pub target: TargetTable,
    pub encoder: Encoder,
    /// Positions of the key's columns, in key order; empty: the table has none.
    pub key: Vec<usize>,
    /// Positions of the columns of each further unique index.
    pub uniques: Vec<Vec<usize>>,
    /// Names for SQL, quoted.
    pub sql_name: String,
    pub sql_columns: Vec<String>,
    /// What every UPDATE sets besides, with a comma in front; may be empty.
    pub sql_touched: String,
    /// The types' names for SQL, without modifier.
    pub casts: Vec<String>,
    /// Format codes of all columns as parameters: 1 binary, 0 text.
    pub formats: Vec<u8>,
    pub all_binary: bool,
}

impl Table {
    pub fn new(connection: &mut Connection, id: u32, generation: u32, target: TargetTable) -> Result<Self> {
        let (encoder, facts) = target.prepare(connection)?;
        let key = target.positions(&target.key)?;
        let uniques = target.uniques.iter().map(|names| target.positions(names)).collect::<Result<Vec<_>>>()?;
        if let Some(empty) = uniques.iter().position(Vec::is_empty) {
            return Err(PgError::Usage(format!("{}: unique index {empty} has no columns", target.sql_name())));
        }
        Ok(Self {
            id,
            generation,
            key,
            uniques,
            sql_name: target.sql_name(),
            sql_columns: target.columns.iter().map(|column| identifier(&column.name)).collect(),
            sql_touched: target.sql_touched(),
            casts: facts.into_iter().map(|facts| facts.cast).collect(),
            formats: target.columns.iter().map(|column| u8::from(column.binary)).collect(),
            all_binary: encoder.is_binary(),
            target,
            encoder,
        })
    }

    pub fn has_key(&self) -> bool {
        !self.key.is_empty()
    }
}

/// A set of columns.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Columns(Vec<u64>);

impl Columns {
    pub fn none(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    pub fn all(count: usize) -> Self {
        let mut columns = Self::none(count);
        (0..count).for_each(|column| columns.insert(column));
        columns
    }

    pub fn insert(&mut self, column: usize) {
        self.0[column / 64] |= 1 << (column % 64);
    }

    pub fn contains(&self, column: usize) -> bool {
        self.0[column / 64] >> (column % 64) & 1 == 1
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.0.len() * 64).filter(|column| self.contains(*column))
    }
}
