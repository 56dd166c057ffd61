//! Tables, rows and windows for the tests, and the messages that an encoder makes of them.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int8Array, Int64Array, RecordBatch, StringArray, UInt8Array, UInt32Array, UInt64Array};
use arrow_buffer::i256;
use opendrs_columns::temporal::{self, Parts};
use opendrs_columns::{BatchBuilder, ColumnBuilder, ColumnSpec, Logical, TableName, TableSpec};
use opendrs_messages::{Encoder, Messages, Portion, TableFormat};

pub const FORMATS: [&str; 5] = ["json", "json_c", "avro", "canal-json", "debezium-json"];
/// When all messages of the tests were made.
pub const NOW_MS: i64 = 1_800_000_000_123;

/// A value, as whoever appends it to a column gives it.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Null,
    Int(i64),
    Uint(u64),
    /// Unscaled digits.
    Decimal(i128),
    /// The same as text, for long ones.
    Long(String),
    Single(f32),
    Double(f64),
    Date(u16, u8, u8),
    /// A duration, or an instant since 1970.
    Micros(i64),
    Moment(Parts),
    Text(String),
    Bytes(Vec<u8>),
}

impl Cell {
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub fn bytes(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }

    /// A wall clock: [year, month, day, hour, minute, second, microsecond].
    pub fn at([year, month, day, hour, minute, second, micro]: [u32; 7]) -> Self {
        let small = |part: u32| u8::try_from(part).unwrap();
        Self::Moment(Parts {
            year: year.try_into().unwrap(),
            month: small(month),
            day: small(day),
            hour: small(hour),
            minute: small(minute),
            second: small(second),
            micro,
        })
    }

    fn push(&self, column: &mut ColumnBuilder) {
        match self {
            Self::Null => {
                column.push_null();
                Ok(())
            }
            Self::Int(value) => column.push_i64(*value),
            Self::Uint(value) => column.push_u64(*value),
            Self::Decimal(value) => column.push_i128(*value),
            Self::Long(digits) => column.push_i256(i256::from_string(digits).unwrap()),
            Self::Single(value) => column.push_f32(*value),
            Self::Double(value) => column.push_f64(*value),
            Self::Date(year, month, day) => column.push_date(temporal::date(*year, *month, *day)),
            Self::Micros(value) => column.push_micros(*value),
            Self::Moment(parts) => column.push_micros(temporal::datetime(*parts)),
            Self::Text(value) => column.push_str(value),
            Self::Bytes(value) => column.push_bytes(value),
        }
        .unwrap();
    }
}

pub type Row = Vec<Cell>;

pub fn column(name: &str, native: &str, logical: Logical) -> ColumnSpec {
    let (charset, members) = (None, Vec::new());
    ColumnSpec { name: name.to_owned(), logical, nullable: true, charset, members, native: native.to_owned() }
}

pub fn table(schema: &str, table: &str, columns: Vec<ColumnSpec>, key: &[&str]) -> TableSpec {
    let name = TableName { schema: schema.to_owned(), table: table.to_owned() };
    TableSpec { name, columns, key: key.iter().map(|name| (*name).to_owned()).collect() }
}

/// All columns, to topic 0 of 12 partitions.
pub fn all_of(table: &TableSpec) -> TableFormat {
    let columns = table.columns.iter().map(|column| column.name.clone()).collect();
    TableFormat { table: table.clone(), columns, topic: 0, partitions: 12 }
}

pub fn encoder(format: &str, policy: u8) -> Encoder {
    let source = r#"{"name": "shop", "version": "0.1.0", "connector": "mysql", "server_id": 223344}"#;
    let options = format!(r#"{{"format": "{format}", "partition_policy": {policy}, "source": {source}}}"#);
    Encoder::new(serde_json::from_str(&options).unwrap()).unwrap()
}

pub fn batch(table: &TableSpec, rows: &[Row]) -> RecordBatch {
    let mut builder = BatchBuilder::new(table);
    for row in rows {
        assert_eq!(row.len(), table.columns.len());
        row.iter().zip(&mut builder.columns).for_each(|(cell, column)| cell.push(column));
        builder.rows += 1;
    }
    builder.finish().unwrap()
}

/// A row of a window: op, seq, txn, values.
pub type Logged = (i8, u32, u32, Row);

pub fn window_batch(table: &TableSpec, logged: &[Logged]) -> RecordBatch {
    let rows: Vec<Row> = logged.iter().map(|row| row.3.clone()).collect();
    let own = batch(table, &rows);
    let leading: [(&str, ArrayRef); 4] = [
        ("op", Arc::new(Int8Array::from_iter_values(logged.iter().map(|row| row.0)))),
        ("seq", Arc::new(UInt32Array::from_iter_values(logged.iter().map(|row| row.1)))),
        ("txn", Arc::new(UInt32Array::from_iter_values(logged.iter().map(|row| row.2)))),
        ("flags", Arc::new(UInt8Array::from(vec![0; logged.len()]))),
    ];
    let schema = own.schema();
    let own = schema.fields().iter().map(|field| field.name().as_str()).zip(own.columns().iter().cloned());
    RecordBatch::try_from_iter(leading.into_iter().chain(own)).unwrap()
}

/// Every other transaction has no global id; all were committed at different milliseconds.
pub fn transactions(count: u32) -> RecordBatch {
    let numbers = 0..i64::from(count);
    let gtid = |number: i64| (number % 2 == 0).then(|| format!("0-1-{}", 100 + number));
    let file = |number: i64| (number % 2 == 0).then_some("mariadb-bin.000042");
    let columns: [(&str, ArrayRef); 4] = [
        ("commit_us", Arc::new(numbers.clone().map(|at| 1_700_000_000_123_456 + at * 1000).collect::<Int64Array>())),
        ("gtid", Arc::new(numbers.clone().map(gtid).collect::<StringArray>())),
        ("file", Arc::new(numbers.map(file).collect::<StringArray>())),
        ("pos", Arc::new((0..u64::from(count)).map(|at| 4 + at * 1000).collect::<UInt64Array>())),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

/// A message with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub topic: u32,
    pub partition: i32,
    pub key: Option<Vec<u8>>,
    pub value: Vec<u8>,
    pub seq: u32,
}

/// All messages, in portions of this size.
pub fn drain(messages: &mut Messages, bytes_max: usize, messages_max: usize) -> Vec<Sent> {
    let mut portion = Portion::default();
    let mut sent = Vec::new();
    loop {
        let more = messages.fill(&mut portion, NOW_MS, bytes_max, messages_max).unwrap();
        sent.extend(portion.messages().iter().map(|message| Sent {
            topic: message.topic,
            partition: message.partition,
            key: portion.key(message).map(<[u8]>::to_vec),
            value: portion.value(message).to_vec(),
            seq: message.seq,
        }));
        assert_eq!(more, messages.next_seq().is_some());
        if !more {
            return sent;
        }
    }
}
