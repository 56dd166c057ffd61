//! Encodes rows like sysbench's (id, k, c of 119 characters, pad of 59), and rows of what is dearer to write, in
//! every format, and says how many messages a second one thread makes.
//! `cargo run --release -p opendrs-messages --example messages_bench`
#![allow(clippy::unwrap_used, reason = "a benchmark")]

use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, Int8Array, Int64Array, RecordBatch, StringArray, UInt8Array, UInt32Array, UInt64Array};
use opendrs_columns::{BatchBuilder, ColumnBuilder, TableSpec};
use opendrs_messages::{Encoder, Facts, Portion, TableFormat};

const ROWS: u32 = 20_000;
const PASSES: usize = 20;
/// As a producer would take them: a piece of memory that stays in the cache.
const PORTION_BYTES: usize = 1 << 20;

fn main() {
    for (what, spec, batch) in [sysbench(), mixed()] {
        let transactions = transactions();
        let inserts = lead(&batch, |_| 1, |row| row);
        let updates = lead(&batch, |row| 2 + (row % 2) as i8, |row| row / 2);
        for format in ["json", "json_c", "avro", "canal-json", "debezium-json"] {
            let options = format!(
                r#"{{"format": "{format}", "partition_policy": 2,
                "source": {{"name": "shop", "version": "1", "connector": "mysql", "server_id": 1}}}}"#
            );
            let mut encoder = Encoder::new(serde_json::from_str(&options).unwrap()).unwrap();
            let columns = spec.columns.iter().map(|column| column.name.clone()).collect();
            encoder.register(1, &TableFormat { table: spec.clone(), columns, topic: 0, partitions: 12 }).unwrap();
            let window = |batch: &RecordBatch| encoder.window(&[(1, batch.clone())], &transactions, 1, 0, 0).unwrap();
            measure(format, &format!("{what} insert"), || window(&inserts));
            measure(format, &format!("{what} update"), || window(&updates));
            let facts = Facts { moment_us: 1_700_000_000_000_000, ..Facts::default() };
            measure(format, &format!("{what} snapshot"), || encoder.rows(1, &batch, &facts, 1).unwrap());
        }
    }
}

fn measure(format: &str, what: &str, messages: impl Fn() -> opendrs_messages::Messages) {
    let mut portion = Portion::default();
    let mut best = f64::INFINITY;
    let (mut count, mut bytes) = (0, 0);
    for _ in 0..PASSES {
        (count, bytes) = (0, 0);
        let begin = Instant::now();
        let mut messages = messages();
        loop {
            let more = messages.fill(&mut portion, 1_700_000_000_123, PORTION_BYTES, usize::MAX).unwrap();
            count += portion.messages().len();
            bytes += portion.bytes().len();
            if !more {
                break;
            }
        }
        best = best.min(begin.elapsed().as_secs_f64());
    }
    let (rate, each_us) = (count as f64 / best, best * 1e6 / count as f64);
    println!("{format:13} {what:17} {rate:>9.0} messages/s  {each_us:.3} us each  {} bytes each", bytes / count);
}

/// A name, a table, and rows in pairs of one id, so that they may be updates too.
type Rows = (&'static str, TableSpec, RecordBatch);

fn sysbench() -> Rows {
    let groups = |row: u32, count: u64| {
        let group = |at: u64| format!("{:011}", (u64::from(row) * 2_654_435_761 + at * 40_503) % 100_000_000_000);
        (0..count).map(group).collect::<Vec<_>>().join("-")
    };
    let columns = r#"
        {"name": "id", "type": {"kind": "int", "bits": 32}, "native": "int(11)"},
        {"name": "k", "type": {"kind": "int", "bits": 32}, "native": "int(11)"},
        {"name": "c", "type": {"kind": "text"}, "native": "char(120)"},
        {"name": "pad", "type": {"kind": "text"}, "native": "char(60)"}"#;
    rows("sysbench", columns, |row, columns| {
        columns[1].push_i64((row * 7919 % 1_000_000).into()).unwrap();
        columns[2].push_str(&groups(row, 10)).unwrap();
        columns[3].push_str(&groups(row, 5)).unwrap();
    })
}

fn mixed() -> Rows {
    let columns = r#"
        {"name": "id", "type": {"kind": "int", "bits": 32}, "native": "int(11)"},
        {"name": "price", "type": {"kind": "decimal", "precision": 15, "scale": 2}, "native": "decimal(15,2)"},
        {"name": "ratio", "type": {"kind": "float64"}, "native": "double"},
        {"name": "made", "type": {"kind": "datetime", "fraction": 6}, "native": "datetime(6)"},
        {"name": "seen", "type": {"kind": "timestamp", "fraction": 0}, "native": "timestamp"},
        {"name": "doc", "type": {"kind": "json"}, "native": "json"},
        {"name": "title", "type": {"kind": "text"}, "native": "varchar(100)"},
        {"name": "raw", "type": {"kind": "binary"}, "native": "blob"}"#;
    let bytes: Vec<u8> = (0..=255).collect();
    rows("mixed", columns, |row, columns| {
        columns[1].push_i128(i128::from(row) * 7919).unwrap();
        columns[2].push_f64(f64::from(row) / 7.0).unwrap();
        columns[3].push_micros(1_700_000_000_123_456 + i64::from(row) * 977).unwrap();
        columns[4].push_micros(1_700_000_000_000_000 + i64::from(row) * 1_000_000).unwrap();
        columns[5].push_str(&format!(r#"{{"row": {row}, "tags": ["a", "b"], "note": "it's <b>bold</b>"}}"#)).unwrap();
        columns[6].push_str("数据复制服务把表和日志搬到另一边，并证明两边相等。").unwrap();
        columns[7].push_bytes(&bytes[row as usize % 100..][..100]).unwrap();
    })
}

fn rows(name: &'static str, columns: &str, push: impl Fn(u32, &mut [ColumnBuilder])) -> Rows {
    let json = format!(r#"{{"name": {{"schema": "bench", "table": "t"}}, "key": ["id"], "columns": [{columns}]}}"#);
    let spec = TableSpec::from_json(&json).unwrap();
    let mut builder = BatchBuilder::new(&spec);
    for row in 0..ROWS {
        builder.columns[0].push_i64((1_000_000 + row / 2).into()).unwrap();
        push(row, &mut builder.columns);
        builder.rows += 1;
    }
    let batch = builder.finish().unwrap();
    (name, spec, batch)
}

/// Four rows a transaction.
fn lead(batch: &RecordBatch, op: impl Fn(u32) -> i8, seq: impl Fn(u32) -> u32) -> RecordBatch {
    let leading: [(&str, ArrayRef); 4] = [
        ("op", Arc::new(Int8Array::from_iter_values((0..ROWS).map(op)))),
        ("seq", Arc::new(UInt32Array::from_iter_values((0..ROWS).map(seq)))),
        ("txn", Arc::new(UInt32Array::from_iter_values((0..ROWS).map(|row| row / 4)))),
        ("flags", Arc::new(UInt8Array::from(vec![0; ROWS as usize]))),
    ];
    let names = batch.schema();
    let own = names.fields().iter().map(|field| field.name().as_str()).zip(batch.columns().iter().cloned());
    RecordBatch::try_from_iter(leading.into_iter().chain(own)).unwrap()
}

fn transactions() -> RecordBatch {
    let count = u64::from(ROWS / 4);
    let columns: [(&str, ArrayRef); 4] = [
        (
            "commit_us",
            Arc::new(Int64Array::from_iter_values((0..count as i64).map(|at| 1_700_000_000_000_000 + at * 977))),
        ),
        ("gtid", Arc::new(StringArray::from_iter_values((0..count).map(|at| format!("0-1-{at}"))))),
        ("file", Arc::new(StringArray::from_iter_values((0..count).map(|_| "mariadb-bin.000042")))),
        ("pos", Arc::new(UInt64Array::from_iter_values((0..count).map(|at| 4 + at * 1000)))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}
