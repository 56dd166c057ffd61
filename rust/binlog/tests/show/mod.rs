//! Events as text that a person can review, and the replay of recorded logs.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use opendrs_binlog::{Config, DecodeError, Decoder, Event, LogFile, Position, Selection, TableOptions, Window};
use opendrs_columns::TableSpec;
use opendrs_columns::temporal;
use serde::Deserialize;

/// What a replay needs to know: `tables.json` beside the recorded bytes.
#[derive(Deserialize)]
pub struct Case {
    /// JSON form of the position before the first event.
    pub start: serde_json::Value,
    pub selection: Selection,
    /// Tables that are known from the begin on.
    #[serde(default)]
    pub tables: Vec<serde_json::Value>,
    /// Tables that are known behind each schema change, in order; absent: nothing changes.
    #[serde(default)]
    pub changes: Vec<Vec<serde_json::Value>>,
    /// Names of tables without transactions.
    #[serde(default)]
    pub not_transactional: Vec<String>,
    #[serde(default)]
    pub part_bytes: Option<usize>,
}

impl Case {
    pub fn read(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join("tables.json")).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
    }

    pub fn decoder(&self) -> Decoder {
        let start: Position = self.start.to_string().parse().unwrap();
        let mut config = Config::default();
        config.part_bytes = self.part_bytes.unwrap_or(config.part_bytes);
        let mut decoder = Decoder::new(config, start);
        decoder.select(self.selection.clone());
        self.register(&mut decoder, &self.tables);
        decoder
    }

    fn register(&self, decoder: &mut Decoder, tables: &[serde_json::Value]) {
        for json in tables {
            let table: TableSpec = serde_json::from_value(json.clone()).unwrap();
            let transactional = !self.not_transactional.contains(&table.name.table);
            decoder.register(table, TableOptions { transactional, ..TableOptions::of(json) }).unwrap();
        }
    }

    /// Feeds events and calls back with all that the decoder gives; `cut` tells when to take.
    pub fn replay<'a>(
        &self,
        events: impl Iterator<Item = Result<&'a [u8], DecodeError>>,
        mut cut: impl FnMut() -> bool,
        mut see: impl FnMut(&Event),
    ) -> Result<Decoder, DecodeError> {
        let mut decoder = self.decoder();
        let mut changes = self.changes.iter();
        let mut drain = |decoder: &mut Decoder, all: bool| {
            while all || decoder.must_take() {
                let Some(event) = decoder.take()? else { break };
                see(&event);
                if let Event::SchemaChange(_) = event {
                    if let Some(tables) = changes.next() {
                        self.register(decoder, tables);
                    }
                    decoder.resume()?;
                }
            }
            Ok::<(), DecodeError>(())
        };
        for event in events {
            let fed = event.and_then(|event| decoder.feed(event));
            if let Err(error) = fed {
                // What was complete before the error still comes.
                let _ = drain(&mut decoder, true);
                return Err(error);
            }
            drain(&mut decoder, cut())?;
        }
        drain(&mut decoder, true)?;
        Ok(decoder)
    }
}

/// Every folder below `tests/golden/binlog` that holds a recorded log.
pub fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/binlog");
    let entries = |path: &Path| {
        let mut found: Vec<PathBuf> =
            std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        found.sort();
        found
    };
    let mut folders: Vec<PathBuf> = entries(&root).iter().flat_map(|version| entries(version)).collect();
    folders.retain(|folder| folder.join("events.bin").is_file());
    folders
}

/// A case as text: every event in order, then the error if it ends with one.
pub fn transcript(case: &Case, bytes: &[u8]) -> String {
    let mut out = String::new();
    let replayed = LogFile::new(bytes)
        .and_then(|file| case.replay(file, || false, |event| show(event, &mut out)).map(|decoder| decoder.position()));
    match replayed {
        Ok(position) => drop(writeln!(out, "end {position}")),
        Err(error) => drop(writeln!(out, "error {}: {error}", error.kind.name())),
    }
    out
}

pub fn show(event: &Event, out: &mut String) {
    match event {
        Event::Window(window) => show_window(window, out),
        Event::SchemaChange(change) => {
            let _ = writeln!(
                out,
                "schema change in `{}`{}: {:?}",
                change.database,
                if change.in_group { " (within a transaction)" } else { "" },
                change.sql
            );
        }
        Event::Heartbeat(_) => out.push_str("heartbeat\n"),
    }
}

fn show_window(window: &Window, out: &mut String) {
    let kind = match (window.part, &window.position) {
        (false, _) => "window",
        (true, None) => "part",
        (true, Some(_)) => "last part",
    };
    let _ = writeln!(out, "{kind}: {} transactions, {} changes", window.transactions, window.changes);
    let origins = window.origins.batch().unwrap();
    for txn in 0..origins.num_rows() {
        let of = |column: usize| value(origins.column(column), txn);
        let moment = datetime(of(0).parse().unwrap());
        let _ = writeln!(out, "  transaction {txn}: {} behind {}:{}, {moment}", of(1), of(2), of(3));
    }
    for (seq, control) in &window.controls {
        let _ = writeln!(out, "  control before {seq}: {control:?}");
    }
    for sequence in &window.sequences {
        let _ = writeln!(out, "  sequence {}: {} ({})", sequence.name, sequence.next_not_cached, sequence.cycles);
    }
    for (name, batch) in &window.tables {
        let _ = writeln!(
            out,
            "  {name} {:?}",
            batch.schema().fields().iter().skip(4).map(|f| f.name().clone()).collect::<Vec<_>>()
        );
        for row in 0..batch.num_rows() {
            let _ = writeln!(out, "    {}", show_row(batch, row));
        }
    }
}

pub fn show_row(batch: &RecordBatch, row: usize) -> String {
    let lead = |column: usize| value(batch.column(column), row);
    let op = ["?", "insert", "before", "after", "delete"][lead(0).parse::<usize>().unwrap_or(0)];
    let flags: u8 = lead(3).parse().unwrap_or(0);
    let mut line = format!("{op} {}/{}", lead(1), lead(2));
    for (bit, word) in [" cascades", " lacks generated", " unchecked"].iter().enumerate() {
        if flags >> bit & 1 == 1 {
            line.push_str(word);
        }
    }
    line.push_str(" |");
    for column in batch.columns().iter().skip(4) {
        let _ = write!(line, " {} |", value(column, row));
    }
    line
}

fn value(array: &ArrayRef, row: usize) -> String {
    if array.is_null(row) {
        return "NULL".to_owned();
    }
    match array.data_type() {
        DataType::Int8 => array.as_primitive::<Int8Type>().value(row).to_string(),
        DataType::Int16 => array.as_primitive::<Int16Type>().value(row).to_string(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::UInt8 => array.as_primitive::<UInt8Type>().value(row).to_string(),
        DataType::UInt16 => array.as_primitive::<UInt16Type>().value(row).to_string(),
        DataType::UInt32 => array.as_primitive::<UInt32Type>().value(row).to_string(),
        DataType::UInt64 => array.as_primitive::<UInt64Type>().value(row).to_string(),
        DataType::Float32 => format!("{:?}", array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => format!("{:?}", array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().value_as_string(row),
        DataType::Decimal256(..) => array.as_primitive::<Decimal256Type>().value_as_string(row),
        DataType::Date32 => date(array.as_primitive::<Date32Type>().value(row)),
        DataType::Duration(_) => time(array.as_primitive::<DurationMicrosecondType>().value(row)),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            datetime(array.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::Utf8 => short(array.as_string::<i32>().value(row)),
        DataType::Binary => hex(array.as_binary::<i32>().value(row)),
        DataType::FixedSizeBinary(_) => hex(array.as_fixed_size_binary().value(row)),
        other => format!("a value of {other}"),
    }
}

fn short(text: &str) -> String {
    let all = text.chars().count();
    if all <= 120 {
        format!("{text:?}")
    } else {
        format!("{:?}... ({all} characters)", text.chars().take(60).collect::<String>())
    }
}

fn hex(bytes: &[u8]) -> String {
    let shown: String = bytes.iter().take(60).map(|byte| format!("{byte:02x}")).collect();
    if bytes.len() <= 60 { format!("0x{shown}") } else { format!("0x{shown}... ({} bytes)", bytes.len()) }
}

fn date(days: i32) -> String {
    let (year, month, day) = match temporal::as_impossible_date(days) {
        Some((year, month, day)) => (i32::from(year), month, day),
        None => temporal::civil_from_days(days),
    };
    format!("{year:04}-{month:02}-{day:02}")
}

fn time(micros: i64) -> String {
    let (sign, magnitude) = (if micros < 0 { "-" } else { "" }, micros.unsigned_abs());
    let seconds = magnitude / 1_000_000;
    format!("{sign}{:02}:{:02}:{:02}.{:06}", seconds / 3600, seconds / 60 % 60, seconds % 60, magnitude % 1_000_000)
}

fn datetime(micros: i64) -> String {
    if let Some(p) = temporal::as_impossible_datetime(micros) {
        let (time, micro) = ((p.hour, p.minute, p.second), p.micro);
        return format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{micro:06}",
            p.year, p.month, p.day, time.0, time.1, time.2
        );
    }
    let day = micros.div_euclid(86_400_000_000);
    format!("{} {}", date(day as i32), time(micros.rem_euclid(86_400_000_000)))
}
