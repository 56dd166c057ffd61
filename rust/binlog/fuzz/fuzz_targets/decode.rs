//! Any bytes as a log: the first byte picks the tables' shape, the rest is a sequence of events, each with
//! a length byte; lengths and checksums in the headers are made right so that the bodies are reached.

#![no_main]

use libfuzzer_sys::fuzz_target;
use opendrs_binlog::{Config, Decoder, FilePosition, Position, Selection, TableOptions};
use opendrs_columns::TableSpec;

const TABLE: &str = include_str!("../table.json");

fuzz_target!(|data: &[u8]| {
    let start = Position::mysql_file("", FilePosition { file: "f".to_owned(), pos: 4 });
    let mut decoder =
        Decoder::new(Config { part_bytes: 1 << 16, event_bytes_max: 1 << 20, ..Config::default() }, start);
    decoder.select(Selection { all: true, ..Selection::default() });
    let table: TableSpec = serde_json::from_str(TABLE).expect("the table");
    decoder.register(table, TableOptions::default()).expect("a table of its own");
    let mut rest = data;
    while let Some((&length, behind)) = rest.split_first() {
        let (body, behind) = behind.split_at(behind.len().min(usize::from(length)));
        rest = behind;
        if body.len() < 23 {
            continue;
        }
        let mut event = body.to_vec();
        let size = event.len() as u32;
        event[9..13].copy_from_slice(&size.to_le_bytes());
        let end = event.len() - 4;
        let sum = crc32fast::hash(&event[..end]);
        event[end..].copy_from_slice(&sum.to_le_bytes());
        if decoder.feed(&event).is_err() {
            return;
        }
        while decoder.must_take() {
            match decoder.take() {
                Ok(Some(opendrs_binlog::Event::SchemaChange(_))) => drop(decoder.resume()),
                Ok(Some(_)) => {}
                _ => break,
            }
        }
    }
});
