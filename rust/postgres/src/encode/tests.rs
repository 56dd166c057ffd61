//! Every encoder against bytes that a server printed (`SELECT int8send(5)`) or that its
//! documentation prescribes.

use arrow_array::RecordBatch;
use opendrs_columns::temporal::{Parts, date, datetime};
use opendrs_columns::{BatchBuilder, ColumnBuilder, ColumnSpec, Logical, TableName, TableSpec, ValueError};

use super::*;
use crate::error::{PgError, ValueProblem};

type Push = fn(&mut ColumnBuilder) -> Result<(), ValueError>;

fn batch(logical: Logical, push: Push) -> RecordBatch {
    let column = ColumnSpec {
        name: "c".into(),
        logical,
        nullable: true,
        charset: None,
        members: Vec::new(),
        native: String::new(),
    };
    let name = TableName { schema: "s".into(), table: "t".into() };
    let mut builder = BatchBuilder::new(&TableSpec { name, columns: vec![column], key: Vec::new() });
    push(&mut builder.columns[0]).expect("the value fits");
    builder.rows = 1;
    builder.finish().expect("one row")
}

fn column(name: &str, source: Option<&str>, constant: Option<&str>, type_name: &str, binary: bool) -> ColumnTarget {
    let (source, constant) = (source.map(str::to_owned), constant.map(str::to_owned));
    ColumnTarget { source, constant, name: name.into(), type_name: type_name.into(), binary, not_null: false }
}

fn encoder(type_name: &str, binary: bool, policies: Policies) -> Encoder {
    Encoder::new("s", "t", vec![column("C", Some("c"), None, type_name, binary)], policies).expect("a known type")
}

/// The field as a binary parameter, in hexadecimal: length, then bytes.
fn binary_under(logical: Logical, type_name: &str, policies: Policies, push: Push) -> Result<String, ValueProblem> {
    let batch = batch(logical, push);
    let mut encoder = encoder(type_name, true, policies);
    encoder.bind_schema(&batch.schema(), 0).expect("supported");
    let fields = encoder.fields(&batch).expect("bound");
    let mut out = Vec::new();
    encoder.write_parameter(&fields[0], 0, 0, &mut out)?;
    Ok(out.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn binary(logical: Logical, type_name: &str, push: Push) -> String {
    binary_under(logical, type_name, Policies::default(), push).expect("can be written")
}

/// The field as COPY's text format has it, without the newline.
fn text_under(logical: Logical, type_name: &str, policies: Policies, push: Push) -> Result<String, ValueProblem> {
    let batch = batch(logical, push);
    let mut encoder = encoder(type_name, false, policies);
    encoder.bind_schema(&batch.schema(), 0).expect("understood");
    let fields = encoder.fields(&batch).expect("bound");
    let mut out = Vec::new();
    Encoder::write_row(&fields, 0, RowFormat::CopyText, &mut out).map_err(|(_, problem)| problem)?;
    Ok(String::from_utf8(out).expect("text").trim_end_matches('\n').to_owned())
}

fn text(logical: Logical, type_name: &str, push: Push) -> String {
    text_under(logical, type_name, Policies::default(), push).expect("can be written")
}

const I64: Logical = Logical::Int { bits: 64, unsigned: false };
const U64: Logical = Logical::Int { bits: 64, unsigned: true };
const I16: Logical = Logical::Int { bits: 16, unsigned: false };
const U8: Logical = Logical::Int { bits: 8, unsigned: true };
const DATETIME: Logical = Logical::Datetime { fraction: 6 };
const TIMESTAMP: Logical = Logical::Timestamp { fraction: 0 };
const TIME: Logical = Logical::Time { fraction: 0 };

#[test]
fn whole_numbers() {
    assert_eq!(binary(I64, "int8", |b| b.push_i64(-2)), "00000008fffffffffffffffe");
    assert_eq!(binary(I16, "int2", |b| b.push_i64(258)), "000000020102");
    assert_eq!(binary(I16, "int4", |b| b.push_i64(258)), "0000000400000102");
    assert_eq!(binary(U8, "bool", |b| b.push_u64(1)), "0000000101");
    assert_eq!(binary(U64, "oid", |b| b.push_u64(4_000_000_000)), "00000004ee6b2800");
    assert_eq!(binary(I64, "float8", |b| b.push_i64(1)), "000000083ff0000000000000");
    // SELECT numeric_send(18446744073709551615): the groups 1844 6744 0737 0955 1615
    let expected = "00000012 0005 0004 0000 0000 0734 1a58 02e1 03bb 064f";
    assert_eq!(binary(U64, "numeric(20)", |b| b.push_u64(u64::MAX)), expected.replace(' ', ""));
    assert_eq!(
        binary(I64, "int8", |b| {
            b.push_null();
            Ok(())
        }),
        "ffffffff"
    );
    for (logical, type_name, push) in [
        (U64, "int8", (|b: &mut ColumnBuilder| b.push_u64(1 << 63)) as Push),
        (I64, "int2", |b| b.push_i64(32_768)),
        (U8, "bool", |b| b.push_u64(2)),
        (I64, "float8", |b| b.push_i64((1 << 53) + 1)),
        (I64, "oid", |b| b.push_i64(-1)),
    ] {
        let written = binary_under(logical, type_name, Policies::default(), push);
        assert_eq!(written, Err(ValueProblem::OutOfRange), "{type_name}");
    }
}

#[test]
fn decimals_and_floats() {
    let decimal = Logical::Decimal { precision: 15, scale: 2 };
    assert_eq!(binary(decimal.clone(), "numeric(15,2)", |b| b.push_i128(123_456)), "0000000c000200000000000204d215e0");
    assert_eq!(text(decimal, "numeric", |b| b.push_i128(-5)), "-0.05");
    let long = Logical::Decimal { precision: 65, scale: 30 };
    assert_eq!(text(long, "numeric", |b| b.push_i128(-1)), format!("-0.{}1", "0".repeat(29)));
    assert_eq!(binary(Logical::Float32, "float4", |b| b.push_f32(-0.0)), "0000000480000000");
    assert_eq!(binary(Logical::Float64, "float8", |b| b.push_f64(1.5)), "000000083ff8000000000000");
    assert_eq!(binary(Logical::Float32, "float8", |b| b.push_f32(0.1)), "000000083fb99999a0000000");
    assert_eq!(text(Logical::Float32, "float4", |b| b.push_f32(0.1)), "0.1");
    assert_eq!(text(Logical::Float64, "float8", |b| b.push_f64(f64::MAX)), "1.7976931348623157e308");
    assert_eq!(text(Logical::Float64, "float8", |b| b.push_f64(-0.0)), "-0");
    assert_eq!(text(Logical::Float64, "float8", |b| b.push_f64(5e-324)), "5e-324");
}

#[test]
fn dates_and_times() {
    assert_eq!(binary(Logical::Date, "date", |b| b.push_date(date(2000, 1, 2))), "0000000400000001");
    assert_eq!(binary(Logical::Date, "date", |b| b.push_date(date(1999, 12, 31))), "00000004ffffffff");
    assert_eq!(binary(Logical::Date, "timestamp", |b| b.push_date(date(2000, 1, 2))), "00000008000000141dd76000");
    let second: Push =
        |b| b.push_micros(datetime(Parts { year: 2000, month: 1, day: 1, second: 1, ..Parts::default() }));
    assert_eq!(binary(DATETIME, "timestamp(6)", second), "0000000800000000000f4240");
    assert_eq!(binary(TIMESTAMP, "timestamptz", second), "0000000800000000000f4240");
    assert_eq!(binary(TIME, "time", |b| b.push_micros(1)), "000000080000000000000001");
    assert_eq!(binary(TIME, "interval", |b| b.push_micros(-1)), format!("00000010ffffffffffffffff{}", "0".repeat(16)));
    for push in [(|b: &mut ColumnBuilder| b.push_micros(-1)) as Push, |b| b.push_micros(86_400_000_001)] {
        assert_eq!(binary_under(TIME, "time", Policies::default(), push), Err(ValueProblem::OutOfRange));
    }
    assert_eq!(text(TIME, "interval", |b| b.push_micros(-3_020_399_000_000)), "-838:59:59");
    assert_eq!(text(Logical::Time { fraction: 3 }, "interval", |b| b.push_micros(1_500_000)), "00:00:01.500");
    assert_eq!(text(DATETIME, "timestamp", second), "2000-01-01 00:00:01.000000");
    assert_eq!(text(TIMESTAMP, "timestamptz", second), "2000-01-01 00:00:01+00");
    assert_eq!(text(Logical::Date, "date", |b| b.push_date(date(0, 2, 29))), "0001-02-29 BC");
    assert_eq!(text(Logical::Date, "varchar", |b| b.push_date(date(0, 2, 29))), "0000-02-29");
}

#[test]
fn impossible_dates_follow_the_policy() {
    let zero: Push = |b| b.push_date(date(0, 0, 0));
    let zero_time: Push = |b| b.push_micros(datetime(Parts { year: 2024, hour: 1, ..Parts::default() }));
    let under = |policy| Policies { impossible_date: policy, ..Policies::default() };
    for (policy, day, moment) in [
        (ImpossibleDate::Null, "ffffffff", "ffffffff"),
        (ImpossibleDate::Epoch, "00000004ffffd533", "00000008fffca2fec4c82000"),
        (ImpossibleDate::MinusInfinity, "0000000480000000", "000000088000000000000000"),
    ] {
        assert_eq!(binary_under(Logical::Date, "date", under(policy), zero).as_deref(), Ok(day));
        assert_eq!(binary_under(Logical::Date, "timestamp", under(policy), zero).as_deref(), Ok(moment));
        assert_eq!(binary_under(DATETIME, "timestamp", under(policy), zero_time).as_deref(), Ok(moment));
    }
    for (policy, day) in [
        (ImpossibleDate::Null, "\\N"),
        (ImpossibleDate::Epoch, "1970-01-01"),
        (ImpossibleDate::MinusInfinity, "-infinity"),
    ] {
        assert_eq!(text_under(Logical::Date, "date", under(policy), zero).as_deref(), Ok(day));
    }
    let stopped = Err(ValueProblem::ImpossibleDate);
    assert_eq!(binary_under(Logical::Date, "date", Policies::default(), zero), stopped);
    assert_eq!(text_under(DATETIME, "timestamp", Policies::default(), zero_time), stopped);
    // Text holds what the source prints.
    assert_eq!(text(Logical::Date, "text", zero), "0000-00-00");
    assert_eq!(text(DATETIME, "varchar(30)", zero_time), "2024-00-00 01:00:00.000000");
}

#[test]
fn text_and_json() {
    assert_eq!(binary(Logical::Text, "varchar(10)", |b| b.push_str("é")), "00000002c3a9");
    assert_eq!(binary(Logical::Text, "text", |b| b.push_str("")), "00000000");
    assert_eq!(binary(Logical::Json, "jsonb", |b| b.push_str("{}")), "00000003017b7d");
    assert_eq!(binary(Logical::Json, "json", |b| b.push_str("{}")), "000000027b7d");
    assert_eq!(text(Logical::Text, "text", |b| b.push_str("a\tb\\c\nd\re")), "a\\tb\\\\c\\nd\\re");
    let nul: Push = |b| b.push_str("a\0b");
    let under = |policy| Policies { nul_in_text: policy, ..Policies::default() };
    assert_eq!(binary_under(Logical::Text, "text", Policies::default(), nul), Err(ValueProblem::NulInText));
    assert_eq!(binary_under(Logical::Text, "text", under(NulInText::Remove), nul).as_deref(), Ok("000000026162"));
    assert_eq!(
        binary_under(Logical::Text, "text", under(NulInText::Replace), nul).as_deref(),
        Ok("0000000561e2908062")
    );
    assert_eq!(text_under(Logical::Text, "text", Policies::default(), nul), Err(ValueProblem::NulInText));
    assert_eq!(text_under(Logical::Text, "text", under(NulInText::Remove), nul).as_deref(), Ok("ab"));
    let escaped: Push = |b| b.push_str(r#""\u0000""#);
    assert_eq!(binary_under(Logical::Json, "jsonb", Policies::default(), escaped), Err(ValueProblem::NulInText));
    assert_eq!(
        binary_under(Logical::Json, "jsonb", under(NulInText::Remove), escaped).as_deref(),
        Ok("00000003012222")
    );
    assert_eq!(binary(Logical::Json, "jsonb", |b| b.push_str(r#""\\u0000""#)), "0000000a01225c5c753030303022");
}

#[test]
fn bytes_bits_and_the_rest() {
    let bytes = Logical::Binary { fixed: None };
    assert_eq!(binary(bytes.clone(), "bytea", |b| b.push_bytes(&[0, 255])), "0000000200ff");
    assert_eq!(text(bytes, "bytea", |b| b.push_bytes(&[0, 255])), "\\\\x00ff");
    let ten = Logical::Bits { length: 10 };
    // SELECT varbit_send(B'1000000001')
    assert_eq!(binary(ten.clone(), "bit(10)", |b| b.push_u64(513)), "000000060000000a8040");
    assert_eq!(binary(ten.clone(), "int4", |b| b.push_u64(513)), "0000000400000201");
    assert_eq!(binary(ten.clone(), "bytea", |b| b.push_u64(513)), "000000020201");
    assert_eq!(text(ten.clone(), "bit(10)", |b| b.push_u64(513)), "1000000001");
    assert_eq!(text(ten.clone(), "int8", |b| b.push_u64(513)), "513");
    let written = binary_under(ten, "bit(10)", Policies::default(), |b| b.push_u64(1 << 10));
    assert_eq!(written, Err(ValueProblem::OutOfRange));
    let all = Logical::Bits { length: 64 };
    assert_eq!(binary(all, "varbit", |b| b.push_u64(u64::MAX)), "0000000c00000040ffffffffffffffff");
    let uuid: Push = |b| b.push_bytes(&[0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(binary(Logical::Uuid, "uuid", uuid), "00000010123456789abcdef00102030405060708");
    assert_eq!(text(Logical::Uuid, "uuid", uuid), "12345678-9abc-def0-0102-030405060708");
    assert_eq!(binary(Logical::Inet4, "inet", |b| b.push_bytes(&[10, 0, 0, 1])), "00000008022000040a000001");
    assert_eq!(text(Logical::Inet6, "inet", uuid), "1234:5678:9abc:def0:102:304:506:708");
    let inet6 = binary(Logical::Inet6, "inet", uuid);
    assert_eq!(inet6, "0000001403800010123456789abcdef00102030405060708");
    // SELECT array_send('{1,-2}'::float4[])
    let vector: Push = |b| b.push_bytes(&[0, 0, 128, 63, 0, 0, 0, 192]);
    let expected = "00000024 00000001 00000000 000002bc 00000002 00000001 00000004 3f800000 00000004 c0000000";
    assert_eq!(binary(Logical::Vector, "float4[]", vector), expected.replace(' ', ""));
    assert_eq!(binary(Logical::Vector, "real[]", |b| b.push_bytes(&[])), "0000000c0000000000000000000002bc");
    assert_eq!(text(Logical::Vector, "float4[]", vector), "{1,-2}");
    assert_eq!(text(Logical::Vector, "vector(2)", vector), "[1,-2]");
    let written = binary_under(Logical::Vector, "float4[]", Policies::default(), |b| b.push_bytes(&[1, 2, 3]));
    assert_eq!(written, Err(ValueProblem::Malformed));
}

#[test]
fn a_plan_refuses_what_cannot_be_exact() {
    let refused = |logical: Logical, type_name: &str, push: Push| {
        let batch = batch(logical, push);
        encoder(type_name, true, Policies::default()).bind_schema(&batch.schema(), 0).err()
    };
    for (logical, type_name) in [
        (Logical::Float64, "float4"),
        (DATETIME, "date"),
        (Logical::Decimal { precision: 10, scale: 2 }, "int8"),
        (Logical::Binary { fixed: None }, "text"),
        (Logical::Text, "int4"),
    ] {
        let error = refused(logical, type_name, |b| {
            b.push_null();
            Ok(())
        });
        assert!(matches!(error, Some(PgError::Usage(_))), "{type_name}");
    }
    let citext = column("c", Some("c"), None, "citext", true);
    assert!(Encoder::new("s", "t", vec![citext], Policies::default()).is_err());
    let batch = batch(Logical::Decimal { precision: 10, scale: 3 }, |b| b.push_i128(1));
    let mut rounding = encoder("numeric", true, Policies::default());
    rounding.meet_catalog(0, 1700, (15 << 16 | 2) + 4, "numeric").expect("the type is right");
    assert!(rounding.bind_schema(&batch.schema(), 0).is_err(), "three digits into two");
    assert!(rounding.meet_catalog(0, 1043, -1, "character varying").is_err(), "another type");
}

#[test]
fn a_constant_is_in_every_row_and_in_no_batch() {
    let columns = || {
        let name = column("C", Some("c"), None, "int4", true);
        vec![column("from", None, Some("7"), "int4", true), name, column("src", None, Some("a\tb"), "text", true)]
    };
    let batch = batch(Logical::Int { bits: 32, unsigned: false }, |b| b.push_i64(258));
    let mut encoder = Encoder::new("s", "t", columns(), Policies::default()).expect("known types");
    encoder.bind_schema(&batch.schema(), 0).expect("the batch has all that it must have");
    assert!(encoder.fields(&batch).is_err(), "the server was not asked");
    encoder.meet_constant(0, &7i32.to_be_bytes(), "7");
    encoder.meet_constant(2, b"a\tb", "a\tb");
    let fields = encoder.fields(&batch).expect("bound");
    let mut out = Vec::new();
    Encoder::write_row(&fields, 0, RowFormat::CopyText, &mut out).expect("can be written");
    assert_eq!(out, b"7\t258\ta\\tb\n");
    out.clear();
    Encoder::write_row(&fields, 0, RowFormat::CopyBinary, &mut out).expect("can be written");
    assert_eq!(out, b"\0\x03\0\0\0\x04\0\0\0\x07\0\0\0\x04\0\0\x01\x02\0\0\0\x03a\tb");
    assert_eq!(encoder.key_text(&[1, 2, 0], &fields, 0).as_deref(), Some("(C, src, from)=(258, a\tb, 7)"));
    assert!(fields[0].same(0, &fields[0], 1) && !fields[0].is_null(5) && !fields[0].may_become_null());
    for (source, constant) in [(None, None), (Some("c"), Some("7"))] {
        let columns = vec![column("c", source, constant, "int4", true)];
        assert!(Encoder::new("s", "t", columns, Policies::default()).is_err());
    }
}
