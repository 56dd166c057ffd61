//! Where a change comes from does not depend on where windows are cut.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[allow(dead_code)]
mod show;

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt32Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use opendrs_binlog::{Event, LogFile, Window};
use show::{Case, folders};

fn origin(origins: &RecordBatch, txn: usize) -> String {
    let gtid = origins.column(1);
    let gtid = if gtid.is_null(txn) { "none" } else { gtid.as_string::<i32>().value(txn) };
    let file = origins.column(2).as_string::<i32>().value(txn);
    let (moment, pos) = (origins.column(0).as_primitive::<Int64Type>(), origins.column(3).as_primitive::<UInt64Type>());
    format!("{} {gtid} {file}:{}", moment.value(txn), pos.value(txn))
}

/// The rows of every table in order, each with the origin of its transaction; and whether anything was undone over the
/// border of a part.
fn rows(case: &Case, bytes: &[u8], cut: bool) -> (BTreeMap<String, Vec<String>>, bool) {
    let (mut found, mut undone) = (BTreeMap::<String, Vec<String>>::new(), false);
    let see = |event: &Event| {
        let Event::Window(window) = event else { return };
        undone |= !window.controls.is_empty();
        let origins = window.origins.batch().unwrap();
        for (name, batch) in &window.tables {
            let txns = batch.column(2).as_primitive::<UInt32Type>();
            let list = found.entry(name.to_string()).or_default();
            for row in 0..batch.num_rows() {
                let shown = show::show_row(batch, row);
                let values = shown.split_once('|').map(|parts| parts.1.to_owned()).unwrap_or_default();
                list.push(format!("{} from {}", values, origin(&origins, txns.value(row) as usize)));
            }
        }
    };
    // What comes before an error comes all the same.
    let _ = case.replay(LogFile::new(bytes).unwrap(), || cut, see);
    (found, undone)
}

fn recorded() -> Vec<(String, Case, Vec<u8>)> {
    let read = |folder: std::path::PathBuf| {
        let bytes = std::fs::read(folder.join("events.bin")).unwrap();
        (folder.display().to_string(), Case::read(&folder), bytes)
    };
    folders().into_iter().map(read).filter(|(_, case, _)| case.part_bytes.is_none()).collect()
}

#[test]
fn a_change_has_the_same_origin_however_windows_are_cut() {
    let cases = recorded();
    assert!(!cases.is_empty());
    for (name, case, bytes) in cases {
        assert_eq!(rows(&case, &bytes, false).0, rows(&case, &bytes, true).0, "{name}");
    }
}

#[test]
fn a_change_of_a_part_has_the_origin_of_its_transaction() {
    let mut parted = 0;
    for (name, mut case, bytes) in recorded() {
        let (whole, _) = rows(&case, &bytes, true);
        case.part_bytes = Some(1);
        let (parts, undone) = rows(&case, &bytes, true);
        // Rows that a later part undoes are in the earlier ones.
        if !undone && !parts.is_empty() {
            assert_eq!(parts, whole, "{name}");
            parted += 1;
        }
    }
    assert!(parted > 20, "{parted} logs had parts");
}

#[test]
fn a_part_comes_from_one_transaction_and_a_window_from_as_many_as_it_ends() {
    let (mut parts, mut lasts) = (0, 0);
    for (name, mut case, bytes) in recorded() {
        case.part_bytes = Some(1);
        let see = |event: &Event| {
            let Event::Window(Window { part, position, transactions, origins, tables, .. }) = event else { return };
            if *part {
                // One that only says what becomes of those before it comes from nowhere.
                assert!(origins.len() == 1 || (origins.is_empty() && tables.is_empty()), "{name}");
                parts += usize::from(position.is_none());
                lasts += usize::from(position.is_some());
            } else {
                assert_eq!(origins.len(), *transactions as usize, "{name}");
            }
            assert_eq!(origins.batch().unwrap().num_rows(), origins.len());
        };
        let _ = case.replay(LogFile::new(&bytes).unwrap(), || true, see);
    }
    assert!(parts > 20 && lasts > 20, "{parts} parts, {lasts} last ones");
}
