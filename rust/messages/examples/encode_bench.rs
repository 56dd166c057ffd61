//! Encodes rows like sysbench's (id, k, c of 119 characters, pad of 59) in every format and says how many
//! messages a second one thread makes. `cargo run --release -p opendrs-messages --example encode_bench`
#![allow(clippy::unwrap_used, reason = "a benchmark")]

use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, Int8Array, Int64Array, RecordBatch, StringArray, UInt8Array, UInt32Array, UInt64Array};
use opendrs_columns::{BatchBuilder, TableSpec};
use opendrs_messages::{Encoder, Facts, Portion, TableFormat};

const ROWS: u32 = 20_000;
const PASSES: usize = 20;
/// As a producer would take them: a piece of memory that stays in the cache.
const PORTION_BYTES: usize = 1 << 20;

fn main() {
    let spec = spec();
    let batch = rows(&spec);
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
        measure(format, "insert", || encoder.window(&[(1, inserts.clone())], &transactions, 1, 0).unwrap());
        measure(format, "update", || encoder.window(&[(1, updates.clone())], &transactions, 1, 0).unwrap());
        let facts = Facts { moment_us: 1_700_000_000_000_000, ..Facts::default() };
        measure(format, "snapshot", || encoder.rows(1, &batch, &facts, 1).unwrap());
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
    println!("{format:13} {what:8} {rate:>9.0} messages/s  {each_us:.3} us each  {} bytes each", bytes / count);
}

fn spec() -> TableSpec {
    let json = r#"{"name": {"schema": "sbtest", "table": "sbtest1"}, "key": ["id"], "columns": [
        {"name": "id", "type": {"kind": "int", "bits": 32}, "native": "int(11)"},
        {"name": "k", "type": {"kind": "int", "bits": 32}, "native": "int(11)"},
        {"name": "c", "type": {"kind": "text"}, "native": "char(120)"},
        {"name": "pad", "type": {"kind": "text"}, "native": "char(60)"}]}"#;
    TableSpec::from_json(json).unwrap()
}

/// Rows in pairs of one id, so that they may be updates too.
fn rows(spec: &TableSpec) -> RecordBatch {
    let mut builder = BatchBuilder::new(spec);
    let groups = |row: u32, count: u64| {
        let group = |at: u64| format!("{:011}", (u64::from(row) * 2_654_435_761 + at * 40_503) % 100_000_000_000);
        (0..count).map(group).collect::<Vec<_>>().join("-")
    };
    for row in 0..ROWS {
        builder.columns[0].push_i64((1_000_000 + row / 2).into()).unwrap();
        builder.columns[1].push_i64((row * 7919 % 1_000_000).into()).unwrap();
        builder.columns[2].push_str(&groups(row, 10)).unwrap();
        builder.columns[3].push_str(&groups(row, 5)).unwrap();
        builder.rows += 1;
    }
    builder.finish().unwrap()
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
