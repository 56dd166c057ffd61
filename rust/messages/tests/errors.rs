//! What cannot be written is an error that names it, and nothing panics.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[allow(dead_code, reason = "other tests need more of it")]
mod tables;

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, StringArray, new_null_array};
use arrow_schema::{DataType, Schema};
use opendrs_columns::{Logical, TableSpec};
use opendrs_messages::{Encoder, Facts, MessageError, Messages, Options, Portion, Statement, TableFormat};
use tables::{Cell, FORMATS, Logged, NOW_MS, all_of, batch, column, drain, encoder, table, transactions, window_batch};

const INT: Logical = Logical::Int { bits: 32, unsigned: false };

fn shop() -> TableSpec {
    table("d", "t", vec![column("id", "int", INT), column("v", "text", Logical::Text)], &["id"])
}

fn registered(format: &str, spec: &TableSpec) -> Encoder {
    let mut encoder = encoder(format, 2);
    encoder.register(1, &all_of(spec)).unwrap();
    encoder
}

fn refused<T>(result: Result<T, MessageError>, kind: &str, part: &str) {
    let error = result.err().unwrap_or_else(|| panic!("no error where {part:?} was expected"));
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(part), "{error} does not say {part:?}");
}

#[test]
fn options_are_checked() {
    let options = |text: &str| serde_json::from_str::<Options>(text);
    refused(Encoder::new(options(r#"{"format": "debezium-json", "partition_policy": 0}"#).unwrap()), "usage", "source");
    assert!(Encoder::new(options(r#"{"format": "json_c", "partition_policy": 3}"#).unwrap()).is_ok());
    assert!(options(r#"{"format": "json", "partition_policy": 4}"#).is_err());
    assert!(options(r#"{"format": "xml", "partition_policy": 0}"#).is_err());
    assert!(options(r#"{"format": "json", "partition_policy": 0, "colour": 1}"#).is_err());
}

#[test]
fn tables_are_checked() {
    let mut encoder = encoder("json", 2);
    let format = |columns: &[&str], spec: TableSpec, partitions| TableFormat {
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        partitions,
        ..all_of(&spec)
    };
    refused(encoder.register(1, &format(&["id"], shop(), 0)), "usage", "d.t: a topic of 0 partitions");
    refused(encoder.register(1, &format(&["id", "x"], shop(), 1)), "usage", "d.t: there is no column x");
    refused(encoder.register(1, &format(&["id", "id"], shop(), 1)), "usage", "column id is there twice");
    let keyed = TableSpec { key: vec!["gone".to_owned()], ..shop() };
    refused(encoder.register(1, &format(&["id"], keyed, 1)), "usage", "there is no column gone");
    let strange = table("d", "t", vec![column("a", "hyperint(3)", INT)], &[]);
    refused(encoder.register(1, &format(&["a"], strange, 1)), "usage", "column a: no type \"hyperint(3)\" is known");
}

#[test]
fn batches_are_checked() {
    let encoder = registered("json", &shop());
    let facts = Facts::default();
    let rows = |batch: &RecordBatch| encoder.rows(1, batch, &facts, 1);
    let good = batch(&shop(), &[vec![Cell::Int(1), Cell::Null]]);
    assert!(rows(&good).is_ok());
    refused(encoder.rows(2, &good, &facts, 1), "usage", "table 2 was not registered");
    refused(rows(&good.project(&[0]).unwrap()), "batch", "d.t: column v is not in the batch");
    // Arrays of other types, whether or not the batch says what it means.
    for data_type in [DataType::Int64, DataType::Utf8, DataType::LargeUtf8, DataType::Null] {
        let array = new_null_array(&data_type, 1);
        let batch = RecordBatch::try_from_iter([("id", array), ("v", good.column(1).clone())]).unwrap();
        refused(rows(&batch), "batch", "d.t: column id has another type");
    }
    let json = TableSpec { columns: vec![column("id", "int", INT), column("v", "json", Logical::Json)], ..shop() };
    refused(rows(&batch(&json, &[])), "batch", "d.t: column v has another type");
    refused(encoder.rows(1, &good, &facts, u64::MAX), "usage", "63 bits");
    refused(encoder.rows(1, &good, &facts, i64::MAX as u64), "usage", "63 bits");
    let statement = Statement { facts, database: "d", table: "", sql: "", kind: "DROP", snapshot: false };
    refused(encoder.statement(&statement, i64::MAX as u64 + 1, NOW_MS), "usage", "63 bits");
}

#[test]
fn columns_are_found_by_name() {
    let spec = shop();
    let encoder = registered("json", &spec);
    let usual = batch(&spec, &[vec![Cell::Int(1), Cell::text("x")]]);
    let more: ArrayRef = Arc::new(Int64Array::from(vec![7]));
    let columns = [("v", usual.column(1).clone()), ("more", more), ("id", usual.column(0).clone())];
    let other = RecordBatch::try_from_iter(columns).unwrap();
    let messages = |batch| drain(&mut encoder.rows(1, batch, &Facts::default(), 1).unwrap(), 9, 9);
    assert_eq!(messages(&other), messages(&usual));
}

fn window(encoder: &Encoder, tables: &[&[Logged]], transactions: &RecordBatch) -> Result<Messages, MessageError> {
    let batches: Vec<_> = tables.iter().map(|logged| (1, window_batch(&shop(), logged))).collect();
    encoder.window(&batches, transactions, 1, 0, 0)
}

#[test]
fn windows_are_checked() {
    let encoder = registered("json", &shop());
    let row = |id| vec![Cell::Int(id), Cell::text("x")];
    let two = transactions(2);
    let of = |tables: &[&[Logged]]| window(&encoder, tables, &two);
    assert!(of(&[&[(1, 0, 0, row(1))], &[(1, 1, 1, row(1))]]).is_ok(), "a table may come in several batches");
    refused(of(&[&[(1, 0, 2, row(1))]]), "batch", "d.t: row 0 is of transaction 2, of 2");
    refused(of(&[&[(1, 5, 0, row(1))], &[(1, 5, 0, row(1))]]), "batch", "seq 5 is there twice");
    refused(of(&[&[(1, 0, 1, row(1)), (1, 1, 0, row(1))]]), "batch", "transaction 0 comes after 1");
    refused(of(&[&[(2, 0, 0, row(1))]]), "batch", "row 0 is not followed by its after image");
    refused(of(&[&[(3, 0, 0, row(1))]]), "batch", "row 0 has op 3");
    let bare = batch(&shop(), &[row(1)]);
    refused(encoder.window(&[(1, bare)], &two, 1, 0, 0), "batch", "d.t");
    for at in 0..4 {
        let columns = (0..4).map(|column| {
            let array = two.column(column).clone();
            (
                two.schema_ref().field(column).name().clone(),
                if column == at { new_null_array(&DataType::Int8, 2) } else { array },
            )
        });
        let wrong = RecordBatch::try_from_iter(columns).unwrap();
        refused(encoder.window(&[], &wrong, 1, 0, 0), "batch", two.schema_ref().field(at).name());
    }
    refused(encoder.window(&[], &RecordBatch::new_empty(Arc::new(Schema::empty())), 1, 0, 0), "batch", "commit_us");
}

#[test]
fn empty_batches_have_no_messages() {
    for format in FORMATS {
        let encoder = registered(format, &shop());
        let mut portion = Portion::default();
        let mut none = [
            encoder.rows(1, &batch(&shop(), &[]), &Facts::default(), 7).unwrap(),
            window(&encoder, &[&[]], &transactions(0)).unwrap(),
            encoder.window(&[], &transactions(3), 7, 0, 0).unwrap(),
        ];
        for messages in &mut none {
            assert_eq!((messages.changes_left(), messages.next_seq()), (0, None));
            assert_eq!(messages.fill(&mut portion, NOW_MS, 0, 0), Ok(false));
            assert!(portion.messages().is_empty() && portion.bytes().is_empty());
        }
        assert_eq!(none[2].next_id(), 7);
    }
}

#[test]
fn no_column_need_be_written() {
    let rows = [vec![Cell::Int(1), Cell::Null], vec![Cell::Int(2), Cell::Null]];
    for format in FORMATS {
        let mut encoder = encoder(format, 2);
        encoder.register(1, &TableFormat { columns: Vec::new(), ..all_of(&shop()) }).unwrap();
        let keyless = TableSpec { key: Vec::new(), ..shop() };
        encoder.register(2, &TableFormat { columns: Vec::new(), ..all_of(&keyless) }).unwrap();
        let nothing = RecordBatch::try_new_with_options(
            Arc::new(Schema::empty()),
            Vec::new(),
            &RecordBatchOptions::new().with_row_count(Some(2)),
        );
        let batches = [(1, batch(&shop(), &rows)), (2, nothing.unwrap())];
        for (id, batch) in batches {
            let sent = drain(&mut encoder.rows(id, &batch, &Facts::default(), 1).unwrap(), 999, 9);
            assert_eq!(sent.len(), 2);
            let text = String::from_utf8_lossy(&sent[0].value);
            assert!(format == "avro" || text.contains(r#""data":[{}]"#) || text.contains(r#""after":{}"#), "{text}");
        }
    }
}

/// The error names the row; what came before it is there, and the next call ends there again.
#[test]
fn a_value_that_cannot_be_written_names_its_row() {
    let columns = vec![
        column("id", "int", INT),
        column("v", "vector(1)", Logical::Vector),
        column("g", "double", Logical::Float64),
        column("b", "bit(2)", Logical::Bits { length: 2 }),
    ];
    let spec = table("d", "t", columns, &["id"]);
    let row = |id, vector: &[u8], double, bits| {
        vec![Cell::Int(id), Cell::bytes(vector), Cell::Double(double), Cell::Uint(bits)]
    };
    let good = row(1, &[0; 4], 1.5, 3);
    for (bad, native, problem, formats) in [
        (row(2, &[0; 3], 0.0, 0), "v (vector(1)) has a malformed value", "malformed", &FORMATS[..]),
        (row(2, &[], f64::NAN, 0), "g (double) has a number that JSON cannot hold", "not_a_number", &FORMATS[4..]),
        (row(2, &[], f64::NEG_INFINITY, 0), "g (double)", "not_a_number", &FORMATS[4..]),
        (row(2, &[], 0.0, 4), "b (bit(2))", "malformed", &FORMATS[4..]),
    ] {
        for format in formats {
            let encoder = registered(format, &spec);
            let batch = batch(&spec, &[good.clone(), good.clone(), bad.clone(), good.clone()]);
            let mut messages = encoder.rows(1, &batch, &Facts::default(), 1).unwrap();
            let mut portion = Portion::default();
            for before in [2, 0] {
                let error = messages.fill(&mut portion, NOW_MS, usize::MAX, usize::MAX).err().unwrap();
                assert_eq!(error.reason(), Some(problem));
                refused::<()>(Err(error), "value", &format!("d.t, the row with key (id)=(2): column {native}"));
                assert_eq!((portion.messages().len(), messages.next_seq(), messages.next_id()), (before, Some(2), 3));
                let end = portion.messages().last().map_or(0, |message| message.value.end);
                assert_eq!(portion.bytes().len(), end as usize);
            }
        }
    }
}

/// Neither half of an update stays when the other cannot be written.
#[test]
fn the_messages_of_one_change_go_together() {
    let spec = table("d", "t", vec![column("id", "int", INT), column("v", "vector(1)", Logical::Vector)], &["id"]);
    let encoder = registered("json", &spec);
    let row = |id, bytes: &[u8]| vec![Cell::Int(id), Cell::bytes(bytes)];
    let logged = [(2, 0, 0, row(1, &[0; 4])), (3, 0, 0, row(2, &[0; 5]))];
    let mut messages = encoder.window(&[(1, window_batch(&spec, &logged))], &transactions(1), 1, 0, 0).unwrap();
    let mut portion = Portion::default();
    refused(messages.fill(&mut portion, NOW_MS, 1, 1), "value", "(id)=(2)");
    assert!(portion.messages().is_empty() && portion.bytes().is_empty());
}

#[test]
fn a_message_names_its_row() {
    let encoder = registered("json", &shop());
    let row = |id| vec![Cell::Int(id), Cell::text("x")];
    let logged: [&[Logged]; 2] = [&[(1, 0, 0, row(5)), (4, 7, 0, row(6))], &[(2, 3, 0, row(7)), (3, 3, 0, row(8))]];
    let mut messages = window(&encoder, &logged, &transactions(1)).unwrap();
    let mut portion = Portion::default();
    assert_eq!(messages.fill(&mut portion, NOW_MS, usize::MAX, usize::MAX), Ok(false));
    let named = |at: usize| messages.row_name(&portion.messages()[at]).map(|name| name.to_string());
    let names: Vec<_> = (0..4).map(|at| named(at).unwrap()).collect();
    let expected = [5, 8, 8, 6].map(|id| format!("d.t, the row with key (id)=({id})"));
    assert_eq!(names, expected);
    let strange = opendrs_messages::Message { seq: 4, ..portion.messages()[0].clone() };
    assert_eq!(messages.row_name(&strange), None);
}

#[test]
fn a_table_may_be_registered_again() {
    let mut encoder = registered("json", &shop());
    let row = batch(&shop(), &[vec![Cell::Int(1), Cell::text("x")]]);
    let mut before = encoder.rows(1, &row, &Facts::default(), 1).unwrap();
    let wider = table("d", "t2", vec![column("id", "bigint", Logical::Int { bits: 64, unsigned: false })], &["id"]);
    encoder.register(1, &TableFormat { topic: 9, ..all_of(&wider) }).unwrap();
    refused(encoder.rows(1, &row, &Facts::default(), 1), "batch", "d.t2: column id has another type");
    assert_eq!(drain(&mut before, 9, 9)[0].topic, 0, "messages that were begun keep what was");
    let row = batch(&wider, &[vec![Cell::Int(1)]]);
    assert_eq!(drain(&mut encoder.rows(1, &row, &Facts::default(), 1).unwrap(), 9, 9)[0].topic, 9);
}

#[test]
fn slices_of_arrays_are_read_where_they_begin() {
    let encoder = registered("json_c", &shop());
    let rows: Vec<_> =
        (0..9).map(|id| vec![Cell::Int(id), if id % 2 == 0 { Cell::Null } else { Cell::text("x") }]).collect();
    let whole = batch(&shop(), &rows);
    let messages = |batch: &RecordBatch| drain(&mut encoder.rows(1, batch, &Facts::default(), 1).unwrap(), 99, 99);
    assert_eq!(messages(&whole.slice(3, 4)), messages(&batch(&shop(), &rows[3..7])));
    let text: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("b")]));
    let sliced = RecordBatch::try_from_iter([("id", whole.column(0).slice(5, 2)), ("v", text.slice(1, 2))]).unwrap();
    assert!(String::from_utf8_lossy(&messages(&sliced)[1].value).contains(r#"[{"id":"6","v":"b"}]"#));
}
