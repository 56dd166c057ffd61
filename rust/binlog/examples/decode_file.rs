//! Decodes a binary log file and prints how fast: `decode_file FILE TABLES.json [TIMES] [SCHEMA]`.
//!
//! TABLES.json holds a list of tables in the form of `TableSpec`. Windows are cut at 10,000 changes' worth of
//! bytes, as a stream would.

use std::collections::BTreeSet;
use std::time::Instant;

use opendrs_binlog::{Config, Decoder, Event, FilePosition, LogFile, Position, Selection, TableOptions};
use opendrs_columns::TableSpec;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, file, tables, ..] = arguments.as_slice() else {
        return Err("usage: decode_file FILE TABLES.json [TIMES]".into());
    };
    let times: usize = arguments.get(3).map_or(Ok(1), |times| times.parse())?;
    let bytes = std::fs::read(file)?;
    let tables: Vec<TableSpec> = serde_json::from_str(&std::fs::read_to_string(tables)?)?;
    for _ in 0..times {
        let start = Position::mysql_file("", FilePosition { file: "file".to_owned(), pos: 4 });
        let mut decoder = Decoder::new(Config { part_bytes: 4 << 20, ..Config::default() }, start);
        decoder.select(Selection {
            tables: tables.iter().map(|t| t.name.clone()).collect::<BTreeSet<_>>(),
            ..Selection::default()
        });
        for table in &tables {
            decoder.register(table.clone(), TableOptions::default())?;
        }
        let begin = Instant::now();
        let (mut changes, mut windows, mut events) = (0u64, 0u64, 0u64);
        let mut drain = |decoder: &mut Decoder, all: bool| {
            while all || decoder.must_take() {
                match decoder.take()? {
                    Some(Event::Window(window)) => {
                        changes += window.changes;
                        windows += 1;
                    }
                    Some(Event::SchemaChange(_)) => decoder.resume()?,
                    Some(Event::Heartbeat(_)) => {}
                    None => break,
                }
            }
            Ok::<(), opendrs_binlog::DecodeError>(())
        };
        for event in LogFile::new(&bytes)? {
            decoder.feed(event?)?;
            events += 1;
            drain(&mut decoder, false)?;
        }
        drain(&mut decoder, true)?;
        let seconds = begin.elapsed().as_secs_f64();
        println!(
            "{changes} changes, {events} events, {windows} windows, {:.1} MB in {seconds:.3} s: {:.0} changes/s, {:.0} MB/s",
            bytes.len() as f64 / 1e6,
            changes as f64 / seconds,
            bytes.len() as f64 / 1e6 / seconds
        );
    }
    Ok(())
}
