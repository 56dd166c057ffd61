//! What holds for all messages, whatever the rows. Seeded: a failure names its seed.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod avro_reader;
mod random;
#[allow(dead_code, reason = "other tests need more of it")]
mod tables;

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use opendrs_columns::TableSpec;
use opendrs_messages::{Encoder, Facts, partition};
use random::{Random, Told, table_and_rows};
use serde_json::{Map, Value, json};
use tables::{Cell, FORMATS, Logged, Row, Sent, all_of, batch, drain, encoder, transactions, window_batch};

const SEEDS: std::ops::Range<u64> = 0..150;

fn parsed(format: &str, message: &Sent) -> Value {
    match format {
        "avro" => avro_reader::read(&message.value),
        _ => serde_json::from_slice(&message.value).unwrap(),
    }
}

/// What a format must say of a row.
fn told(format: &str, table: &TableSpec, row: &[Told]) -> Map<String, Value> {
    let names = table.columns.iter().map(|column| column.name.clone());
    names.zip(row.iter().map(|told| told.by(format))).collect()
}

#[test]
fn rows_hold_exactly_the_values_given() {
    for seed in SEEDS {
        let mut random = Random::new(seed);
        let (table, rows, all_told) = table_and_rows(&mut random);
        let rows = batch(&table, &rows);
        for format in FORMATS {
            let mut encoder = encoder(format, 2);
            encoder.register(1, &all_of(&table)).unwrap();
            let mut messages = encoder.rows(1, &rows, &Facts::default(), 1).unwrap();
            let sent = drain(&mut messages, usize::MAX, usize::MAX);
            assert_eq!(sent.len(), all_told.len());
            for (message, row) in sent.iter().zip(&all_told) {
                let expected = Value::Object(told(format, &table, row));
                let value = parsed(format, message);
                let found = if format == "debezium-json" { &value["after"] } else { &value["data"][0] };
                assert_eq!(*found, expected, "seed {seed}, {format}");
            }
        }
    }
}

#[test]
fn changes_hold_both_images() {
    for seed in SEEDS {
        let mut random = Random::new(seed);
        let (table, rows, all_told) = table_and_rows(&mut random);
        let logged: Vec<Logged> =
            vec![(2, 0, 0, rows[0].clone()), (3, 0, 0, rows[1].clone()), (4, 1, 0, rows[1].clone())];
        let batches = [(1, window_batch(&table, &logged))];
        for format in FORMATS {
            // Keys do not matter under this policy, but for Debezium's.
            let mut encoder = encoder(format, 0);
            let keyless = TableSpec { key: Vec::new(), ..table.clone() };
            encoder.register(1, &all_of(&keyless)).unwrap();
            let mut messages = encoder.window(&batches, &transactions(1), 1, 0, 0).unwrap();
            let sent = drain(&mut messages, usize::MAX, usize::MAX);
            let [update, delete] = [0, 1].map(|at| parsed(format, &sent[at]));
            let [before, after] = [0, 1].map(|at| told(format, &table, &all_told[at]));
            let mut changed = before.clone();
            changed.retain(|name, value| after[name] != *value);
            let (before, after, changed) = (json!([before]), json!([after]), json!([changed]));
            let (new, old) = (&update["data"], &update["old"]);
            match format {
                "json" => {
                    assert_eq!((new, old, &delete["old"], &delete["data"]), (&after, &before, &after, &Value::Null))
                }
                "canal-json" => {
                    assert_eq!((new, old, &delete["data"], &delete["old"]), (&after, &changed, &after, &Value::Null));
                }
                "debezium-json" => {
                    assert_eq!((&update["before"], &update["after"]), (&before[0], &after[0]));
                    assert_eq!((&delete["before"], &delete["after"]), (&after[0], &Value::Null));
                }
                _ => assert_eq!((new, old, &delete["data"], &delete["old"]), (&after, &before, &after, &Value::Null)),
            }
        }
    }
}

/// A window over several tables: what came, by the ordinal of the change.
struct Window {
    tables: Vec<TableSpec>,
    batches: Vec<(u32, RecordBatch)>,
    transactions: u32,
    /// Of each change: table, transaction, its ordinal in it, how many messages it makes where keys matter.
    expected: BTreeMap<u32, (usize, u32, u64, usize)>,
}

fn window(random: &mut Random) -> Window {
    let id = || tables::column("id", "int(11)", opendrs_columns::Logical::Int { bits: 32, unsigned: false });
    let text = || tables::column("v", "text", opendrs_columns::Logical::Text);
    let tables: Vec<TableSpec> =
        (0..3).map(|number| tables::table("d", &format!("t{number}"), vec![id(), text()], &["id"])).collect();
    let row = |random: &mut Random| -> Row {
        vec![Cell::Int(random.below(4) as i64), Cell::Text("x".repeat(random.below(300) as usize))]
    };
    let mut logged: Vec<Vec<Logged>> = vec![Vec::new(); tables.len()];
    let mut expected = BTreeMap::new();
    let (mut seq, mut transactions) = (0, 0);
    while transactions < 6 {
        for ordinal in 0..1 + random.below(9) {
            let table = random.below(tables.len() as u64) as usize;
            let (before, after) = (row(random), row(random));
            let mut count = 1;
            match random.below(3) {
                0 => logged[table].push((1, seq, transactions, after)),
                1 => logged[table].push((4, seq, transactions, before)),
                _ => {
                    count += usize::from(before[0] != after[0]);
                    logged[table].extend([(2, seq, transactions, before), (3, seq, transactions, after)]);
                }
            }
            expected.insert(seq, (table, transactions, ordinal, count));
            seq += 1 + random.below(2) as u32;
        }
        transactions += 1;
    }
    let batch = |(number, logged): (usize, &Vec<Logged>)| (number as u32, window_batch(&tables[number], logged));
    let batches = logged.iter().enumerate().map(batch).collect();
    Window { tables, batches, transactions, expected }
}

fn registered(format: &str, policy: u8, window: &Window) -> Encoder {
    let mut encoder = encoder(format, policy);
    for (number, table) in window.tables.iter().enumerate() {
        let format = opendrs_messages::TableFormat { topic: 10 + number as u32, ..all_of(table) };
        encoder.register(number as u32, &format).unwrap();
    }
    encoder
}

#[test]
fn changes_come_in_the_order_of_the_log() {
    for seed in SEEDS {
        let window = window(&mut Random::new(seed));
        for format in FORMATS {
            let encoder = registered(format, 2, &window);
            // Some of the first transaction came in windows before.
            let begun = (seed % 3) as u32 * 1000;
            let facts = transactions(window.transactions);
            let mut messages = encoder.window(&window.batches, &facts, 500, 0, begun).unwrap();
            let sent = drain(&mut messages, usize::MAX, usize::MAX);
            let expected = window.expected.iter().flat_map(|(seq, change)| vec![(*seq, change); change.3]);
            let mut count = 0;
            for (message, (seq, (table, txn, ordinal, _))) in sent.iter().zip(expected) {
                assert_eq!((message.seq, message.topic), (seq, 10 + *table as u32), "seed {seed}, {format}");
                let value = parsed(format, message);
                if format == "debezium-json" {
                    assert_eq!(value["source"]["table"], format!("t{table}"));
                    assert_eq!(value["source"]["row"], *ordinal + if *txn == 0 { u64::from(begun) } else { 0 });
                    assert_eq!(value["source"]["ts_ms"], 1_700_000_000_123i64 + i64::from(*txn));
                    assert_eq!(value["source"]["pos"], 4 + i64::from(*txn) * 1000);
                } else {
                    assert_eq!(value["table"], format!("t{table}"));
                    assert_eq!(value["id"], 500 + count);
                    assert_eq!(value["es"], 1_700_000_000_123i64 + i64::from(*txn));
                }
                count += 1;
            }
            assert_eq!(count, sent.len() as u64);
            assert_eq!(messages.next_id(), 500 + count);
        }
    }
}

#[test]
fn portions_of_any_size_are_the_same_messages() {
    for seed in SEEDS {
        let mut random = Random::new(seed);
        let window = window(&mut random);
        let format = FORMATS[random.below(FORMATS.len() as u64) as usize];
        let encoder = registered(format, 2, &window);
        let begin = |from| encoder.window(&window.batches, &transactions(window.transactions), 1, from, 0).unwrap();
        let whole = drain(&mut begin(0), usize::MAX, usize::MAX);
        let (bytes_max, messages_max) = (random.below(3000) as usize, random.below(5) as usize);
        assert_eq!(drain(&mut begin(0), bytes_max, usize::MAX), whole, "seed {seed}, {format}, {bytes_max}");
        assert_eq!(drain(&mut begin(0), usize::MAX, messages_max), whole, "seed {seed}, {format}, {messages_max}");
        // From a change on: the same ones, with other ids.
        let from = random.below(30) as u32;
        let places = |sent: &[Sent]| -> Vec<_> {
            sent.iter().map(|message| (message.seq, message.topic, message.partition, message.key.clone())).collect()
        };
        let rest: Vec<Sent> = whole.into_iter().filter(|message| message.seq >= from).collect();
        assert_eq!(places(&drain(&mut begin(from), bytes_max, messages_max)), places(&rest));
    }
}

#[test]
fn partitions_are_kafkas() {
    for seed in SEEDS {
        let window = window(&mut Random::new(seed));
        for format in FORMATS {
            let encoder = registered(format, 2, &window);
            let mut messages = encoder.window(&window.batches, &transactions(window.transactions), 1, 0, 0).unwrap();
            let mut seen = BTreeMap::new();
            for message in drain(&mut messages, 999, 9) {
                let key = message.key.unwrap();
                assert_eq!(message.partition, partition(&key, 12));
                assert!((0..12).contains(&message.partition));
                assert_eq!(*seen.entry((message.topic, key)).or_insert(message.partition), message.partition);
            }
        }
    }
}
