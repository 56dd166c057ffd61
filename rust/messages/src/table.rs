use std::collections::HashSet;

use arrow_array::RecordBatch;
use arrow_schema::Field;
use opendrs_columns::values::Column;
use opendrs_columns::{ColumnSpec, Logical, TYPE_KEY, TableName};

use crate::error::{MessageError, Refused, Result, RowName, RowValueError};
use crate::key::{Keys, for_people};
use crate::kinds::kind;
use crate::names::{Named, Shape};
use crate::options::{Format, Options, Source, TableFormat};
use crate::record::Layout;

/// A registered table: which columns are read, and the constant parts of its messages.
pub(crate) struct Table {
    pub name: TableName,
    pub topic: u32,
    pub keys: Keys,
    /// The columns of the key, by their numbers among those that are read.
    pub key: Vec<usize>,
    pub layout: Layout,
    /// Those that are written come first, then those that only the key needs.
    columns: Vec<Read>,
}

/// A column that is read.
struct Read {
    spec: ColumnSpec,
    /// The JSON form of the logical type.
    declared: String,
    /// Where it stands in the table.
    position: usize,
    base: &'static str,
    number: i32,
}

impl Table {
    /// Makes the constant parts. An error if a name is not that of a column or is there twice, or if the messages
    /// have no name for a type.
    pub fn new(options: &Options, source: &Source, format: &TableFormat) -> Result<Self> {
        let TableFormat { table, columns: written, topic, partitions } = format;
        let refuse = |reason: String| MessageError::Usage(format!("{}: {reason}", table.name));
        if *partitions < 1 {
            return Err(refuse(format!("a topic of {partitions} partitions")));
        }
        let key_only = table.key.iter().filter(|name| !written.contains(name));
        let canal = options.format == Format::CanalJson;
        let read = |name: &String| Read::new(&table.columns, name, canal).map_err(refuse);
        let columns = written.iter().chain(key_only).map(read).collect::<Result<Vec<_>>>()?;
        let mut names = HashSet::new();
        if let Some(twice) = columns.iter().find(|column| !names.insert(column.spec.name.as_str())) {
            return Err(refuse(format!("column {} is there twice", twice.spec.name)));
        }
        let TableName { schema: database, table: name } = &table.name;
        let named: Vec<Named<'_>> = columns[..written.len()].iter().map(Read::named).collect();
        let shape = Shape { database, table: name, columns: &named, key: &table.key };
        let layout = Layout::new(options.format, source, &shape);
        let keys = Keys::new(options, (database, name), &table.key, *partitions);
        let number = |name: &String| columns.iter().position(|column| column.spec.name == *name);
        let key = table.key.iter().filter_map(number).collect();
        Ok(Self { name: table.name.clone(), topic: *topic, keys, key, layout, columns })
    }

    /// Finds the columns in a batch behind its first `leading` ones; checks that they carry what was registered.
    pub fn bind(&self, batch: &RecordBatch, leading: usize) -> Result<Vec<usize>> {
        let fields = batch.schema_ref().fields();
        let find = |read: &Read| {
            let (name, likely) = (&read.spec.name, leading + read.position);
            let is_it = |at: &usize| fields.get(*at).is_some_and(|field| field.name() == name);
            let found = Some(likely).filter(is_it).or_else(|| (leading..fields.len()).find(is_it));
            let at = found.ok_or_else(|| self.refuse(read, "is not in the batch"))?;
            if !read.is_carried_by(&fields[at]) || Column::new(batch.column(at), &read.spec.logical).is_none() {
                return Err(self.refuse(read, "has another type in the batch than was registered"));
            }
            Ok(at)
        };
        self.columns.iter().map(find).collect()
    }

    /// The columns of a batch that was bound, in the order of `places`.
    pub fn columns<'b>(&self, batch: &'b RecordBatch, places: &[usize]) -> Result<Vec<Column<'b>>> {
        let column = |(read, at): (&Read, &usize)| {
            let array = batch.columns().get(*at);
            let column = array.and_then(|array| Column::new(array, &read.spec.logical));
            column.ok_or_else(|| self.refuse(read, "is not in the batch"))
        };
        self.columns.iter().zip(places).map(column).collect()
    }

    /// A row, for people.
    #[cold]
    pub fn row_name(&self, columns: &[Column<'_>], row: usize) -> RowName {
        let names: Vec<&str> = self.key.iter().map(|&number| self.columns[number].spec.name.as_str()).collect();
        let key = for_people(&names, columns, &self.key, row);
        RowName { schema: self.name.schema.clone(), table: self.name.table.clone(), key }
    }

    /// The error for a value of a row.
    #[cold]
    pub fn value_error(&self, columns: &[Column<'_>], row: usize, (number, problem): Refused) -> MessageError {
        let (column, native) = match self.columns.get(number) {
            Some(read) => (read.spec.name.clone(), read.spec.native.clone()),
            None => (String::new(), String::new()),
        };
        MessageError::Value(Box::new(RowValueError { row: self.row_name(columns, row), column, native, problem }))
    }

    #[cold]
    fn refuse(&self, column: &Read, reason: &str) -> MessageError {
        MessageError::Batch(format!("{}: column {} {reason}", self.name, column.spec.name))
    }
}

impl Read {
    fn new(columns: &[ColumnSpec], name: &str, canal: bool) -> Result<Self, String> {
        let found = columns.iter().enumerate().find(|(_, column)| column.name == name);
        let (position, spec) = found.ok_or_else(|| format!("there is no column {name}"))?;
        let (base, number) =
            kind(&spec.native, canal).ok_or_else(|| format!("column {name}: no type {:?} is known", spec.native))?;
        let declared = serde_json::to_string(&spec.logical).unwrap_or_default();
        Ok(Self { spec: spec.clone(), declared, position, base, number })
    }

    fn named(&self) -> Named<'_> {
        Named { name: &self.spec.name, native: &self.spec.native, base: self.base, number: self.number }
    }

    /// Whether what a batch says of a column, if it does, is the registered logical type.
    fn is_carried_by(&self, field: &Field) -> bool {
        // The same text nearly always; but the order of its parts is not ours alone to choose.
        field.metadata().get(TYPE_KEY).is_none_or(|text| {
            *text == self.declared || serde_json::from_str::<Logical>(text).is_ok_and(|it| it == self.spec.logical)
        })
    }
}
