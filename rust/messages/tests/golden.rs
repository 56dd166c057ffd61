//! Messages are byte for byte what was reviewed. `OPENDRS_GOLDEN=rewrite` rewrites the expectations.
//!
//! One message a line: `topic/partition key value`; the key quoted, or `-`. Of Avro the value is in hexadecimal,
//! and the line before says what it holds.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod avro_reader;
mod cases;
mod tables;

use std::fmt::Write;
use std::path::Path;

use cases::Case;
use opendrs_messages::{Facts, Statement, TableFormat};
use tables::{FORMATS, Logged, NOW_MS, Row, Sent, all_of, batch, drain, encoder, transactions, window_batch};

const SNAPSHOT: Facts<'_> =
    Facts { moment_us: 1_699_999_999_999_999, gtid: Some("0-1-99"), file: Some("mariadb-bin.000041"), pos: 4 };

#[test]
fn messages_are_as_reviewed() {
    let mut different = Vec::new();
    for format in FORMATS {
        let mut check = |name: &str, found: String| {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{format}/{name}.expected"));
            if std::env::var("OPENDRS_GOLDEN").is_ok_and(|value| value == "rewrite") {
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(&file, found).unwrap();
            } else if std::fs::read_to_string(&file).unwrap_or_default() != found {
                different.push(file);
            }
        };
        for case in cases::all() {
            check(case.name, operations(format, &case));
        }
        check("policies", policies(format));
        check("statements", statements(format));
    }
    assert!(different.is_empty(), "other than expected: {different:#?}");
}

/// A page of messages under headings.
struct Page<'a> {
    format: &'a str,
    text: String,
}

impl Page<'_> {
    fn show(&mut self, heading: &str, messages: &[Sent]) {
        writeln!(self.text, "# {heading}").unwrap();
        for message in messages {
            self.line(&format!("{}/{}", message.topic, message.partition), message.key.as_deref(), &message.value);
        }
    }

    fn line(&mut self, place: &str, key: Option<&[u8]>, value: &[u8]) {
        let key = key.map_or("-".to_owned(), |key| format!("{:?}", String::from_utf8(key.to_vec()).unwrap()));
        if self.format == "avro" {
            let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(self.text, "#= {}\n{place} {key} {hex}", avro_reader::read(value)).unwrap();
        } else {
            let value = String::from_utf8(value.to_vec()).unwrap();
            assert!(!value.contains('\n'));
            writeln!(self.text, "{place} {key} {value}").unwrap();
        }
    }
}

/// All rows as a snapshot finds them, then the first three through every operation.
fn operations(format: &str, case: &Case) -> String {
    let mut encoder = encoder(format, 2);
    let mut spec = all_of(&case.table);
    if !case.columns.is_empty() {
        spec.columns = case.columns.iter().map(|name| (*name).to_owned()).collect();
    }
    encoder.register(7, &spec).unwrap();
    let mut page = Page { format, text: String::new() };
    let mut rows = encoder.rows(7, &batch(&case.table, &case.rows), &SNAPSHOT, 1).unwrap();
    page.show("snapshot", &drain(&mut rows, usize::MAX, usize::MAX));
    let [first, second, third, ..] = &case.rows[..] else { panic!("{}: not enough rows", case.name) };
    let keyed = |row: &Row, key: &Row| with_key(case, row, key);
    let changes: [(&str, Vec<Logged>); 5] = [
        ("insert", vec![(1, 0, 0, first.clone())]),
        ("update", vec![(2, 0, 0, first.clone()), (3, 0, 0, keyed(second, first))]),
        ("update to the same", vec![(2, 0, 0, first.clone()), (3, 0, 0, first.clone())]),
        ("update of the key", vec![(2, 0, 1, keyed(second, first)), (3, 0, 1, third.clone())]),
        ("delete", vec![(4, 0, 1, third.clone())]),
    ];
    for (heading, logged) in changes {
        let batches = [(7, window_batch(&case.table, &logged))];
        let mut messages = encoder.window(&batches, &transactions(2), 100, 0, 0).unwrap();
        page.show(heading, &drain(&mut messages, usize::MAX, usize::MAX));
    }
    page.text
}

/// The row with the other row's key.
fn with_key(case: &Case, row: &Row, other: &Row) -> Row {
    let is_key = |number: usize| case.table.key.contains(&case.table.columns[number].name);
    let cell =
        |(number, cell): (usize, &tables::Cell)| if is_key(number) { other[number].clone() } else { cell.clone() };
    row.iter().enumerate().map(cell).collect()
}

/// Every partition policy, with a key and without; the key changes.
fn policies(format: &str) -> String {
    let mut page = Page { format, text: String::new() };
    let wanted: Vec<Case> = cases::all().into_iter().filter(|case| matches!(case.name, "keys" | "keyless")).collect();
    for policy in 0..4 {
        for case in &wanted {
            let mut encoder = encoder(format, policy);
            encoder.register(1, &TableFormat { topic: 3, partitions: 5, ..all_of(&case.table) }).unwrap();
            let logged = [(1, 0, 0, 0), (2, 1, 0, 0), (3, 1, 0, 1), (4, 2, 0, 1)];
            let logged = logged.map(|(op, seq, txn, row)| (op, seq, txn, case.rows[row].clone()));
            let batches = [(1, window_batch(&case.table, &logged))];
            let mut messages = encoder.window(&batches, &transactions(1), 1, 0, 0).unwrap();
            let sent = drain(&mut messages, usize::MAX, usize::MAX);
            page.show(&format!("policy {policy}, {}: insert, update of the key, delete", case.name), &sent);
        }
    }
    page.text
}

/// Under policy 2 all of them, under the others the first.
fn statements(format: &str) -> String {
    let mut page = Page { format, text: String::new() };
    let place = (Some("0-1-100"), Some("mariadb-bin.000042"));
    let log = Facts { moment_us: 1_700_000_000_123_456, gtid: place.0, file: place.1, pos: 4711 };
    let sql = "CREATE TABLE `o'rders` (id INT DEFAULT 1, v VARCHAR(9) COMMENT \"<&>=\\\\\")\n-- 漢";
    let create = Statement { facts: log, database: "shop", table: "o'rders", sql, kind: "CREATE", snapshot: false };
    let (unknown, sql) = (Facts::default(), "DROP DATABASE shop");
    let all = [
        ("in the log", create),
        ("that drops a table", Statement { sql: "DROP TABLE t", kind: "DROP", table: "t", ..create }),
        ("of no table, where nothing is known", Statement { facts: unknown, table: "", sql, kind: "DROP", ..create }),
        ("of a snapshot", Statement { facts: SNAPSHOT, snapshot: true, ..create }),
    ];
    for (policy, shown) in [(2, 4), (0, 1), (1, 1), (3, 1)] {
        let encoder = encoder(format, policy);
        for (heading, statement) in &all[..shown] {
            let message = encoder.statement(statement, 42, NOW_MS).unwrap();
            writeln!(page.text, "# policy {policy}, {heading}").unwrap();
            page.line("statement", message.key.as_deref(), &message.value);
        }
    }
    page.text
}
