//! Recorded logs decode to what was reviewed. `OPENDRS_GOLDEN=write` rewrites the expectations.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[allow(dead_code)]
mod show;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use show::{Case, folders, transcript};

#[test]
fn recorded_logs_decode_as_reviewed() {
    let write = std::env::var("OPENDRS_GOLDEN").is_ok_and(|value| value == "write");
    let folders = folders();
    assert!(!folders.is_empty(), "no recorded logs");
    let mut different = Vec::new();
    for folder in folders {
        let bytes = std::fs::read(folder.join("events.bin")).unwrap();
        let found = transcript(&Case::read(&folder), &bytes);
        let file = folder.join("expected.txt");
        if write {
            if std::fs::read_to_string(&file).ok().as_ref() != Some(&found) {
                println!("rewritten: {}", file.display());
            }
            std::fs::write(&file, &found).unwrap();
        } else if std::fs::read_to_string(&file).unwrap() != found {
            different.push(folder);
        }
    }
    assert!(different.is_empty(), "other than expected: {different:#?}");
}

/// Whoever tells of a change can say which transaction made it, of parts too.
#[test]
fn every_change_has_an_origin() {
    for folder in folders() {
        let bytes = std::fs::read(folder.join("events.bin")).unwrap();
        let case = Case::read(&folder);
        let see = |event: &opendrs_binlog::Event| {
            let opendrs_binlog::Event::Window(window) = event else { return };
            for (name, batch) in &window.tables {
                let txn = batch.column(2).as_primitive::<UInt32Type>();
                let last = txn.values().iter().max().copied().unwrap_or(0) as usize;
                assert!(last < window.origins.len(), "{}: {name}", folder.display());
            }
        };
        let _ = case.replay(opendrs_binlog::LogFile::new(&bytes).unwrap(), || false, see);
    }
}

/// Cutting after every event, or never, gives the same rows in the same order.
#[test]
fn windows_may_be_cut_anywhere() {
    for folder in folders() {
        let bytes = std::fs::read(folder.join("events.bin")).unwrap();
        let case = Case::read(&folder);
        if case.part_bytes.is_some() {
            continue;
        }
        let rows = |cut: bool| {
            let mut rows = std::collections::BTreeMap::<String, Vec<String>>::new();
            let file = opendrs_binlog::LogFile::new(&bytes).unwrap();
            let end = case.replay(
                file,
                || cut,
                |event| {
                    if let opendrs_binlog::Event::Window(window) = event {
                        for (name, batch) in &window.tables {
                            let shown = (0..batch.num_rows()).map(|row| show::show_row(batch, row));
                            let values =
                                shown.map(|row| row.split_once('|').map(|r| r.1.to_owned()).unwrap_or_default());
                            rows.entry(name.to_string()).or_default().extend(values);
                        }
                    }
                },
            );
            (rows, end.map(|decoder| decoder.position()).map_err(|error| error.kind))
        };
        assert_eq!(rows(false), rows(true), "{}", folder.display());
    }
}
