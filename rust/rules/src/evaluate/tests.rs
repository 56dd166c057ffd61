use std::sync::Arc;

use arrow_array::builder::Decimal128Builder;
use arrow_array::{
    ArrayRef, BinaryArray, Date32Array, DurationMicrosecondArray, Float32Array, Float64Array, Int16Array, StringArray,
    TimestampMicrosecondArray, UInt64Array,
};
use opendrs_columns::temporal::{Parts, date, datetime};

use super::*;

const YES: Truth = Some(true);
const NO: Truth = Some(false);

/// One column `c` of a type, and another one `d` of the same values the other way round.
fn truths(kind: &str, array: ArrayRef, condition: &str) -> Result<Vec<Truth>> {
    let columns = ["c", "d"].map(|name| format!(r#"{{"name":"{name}","type":{kind}}}"#)).join(",");
    let table = format!(r#"{{"name":{{"schema":"s","table":"t"}},"columns":[{columns}]}}"#);
    let table = TableSpec::from_json(&table).expect("a table");
    let order: Vec<u64> = (0..array.len() as u64).rev().collect();
    let other = arrow_select::take::take(&array, &UInt64Array::from(order), None).expect("rows");
    let batch = RecordBatch::try_new(table.schema(&[]), vec![array, other]).expect("a batch");
    let node = serde_json::from_str(condition).map_err(|error| FilterError::Condition(error.to_string()))?;
    Filter::new(node, &table)?.truths(&batch)
}

fn is(kind: &str, array: ArrayRef, condition: &str, expected: &[Truth]) {
    assert_eq!(truths(kind, array, condition).as_deref(), Ok(expected), "{condition}");
}

#[test]
fn whole_numbers_compare_exactly() {
    let kind = r#"{"kind":"int","bits":64,"unsigned":true}"#;
    let values: ArrayRef = Arc::new(UInt64Array::from(vec![Some(0), Some(u64::MAX), None]));
    let max = u64::MAX;
    is(kind, values.clone(), &format!(r#"{{"compare":["c","=",{{"number":"{max}"}}]}}"#), &[NO, YES, None]);
    is(kind, values.clone(), &format!(r#"{{"compare":["c","<",{{"number":"{max}.5"}}]}}"#), &[YES, YES, None]);
    is(kind, values.clone(), r#"{"compare":["c",">",{"number":"-1"}]}"#, &[YES, YES, None]);
    is(kind, values.clone(), r#"{"compare":["c",">=",{"double":1.8446744073709552e19}]}"#, &[NO, YES, None]);
    is(kind, values.clone(), r#"{"one_of":["c",[{"number":"0.0"},{"number":"0.5"}]]}"#, &[YES, NO, None]);
    is(kind, values.clone(), r#"{"not":{"is_null":"c"}}"#, &[YES, YES, NO]);
    is(kind, values.clone(), r#"{"modulo":["c",2,"=",1]}"#, &[NO, YES, None]);
    is(kind, values, r#"{"columns":["c","<=","d"]}"#, &[None, YES, None]);
    let small: ArrayRef = Arc::new(Int16Array::from(vec![-7, 7]));
    is(r#"{"kind":"int","bits":16}"#, small, r#"{"modulo":["c",3,"=",-1]}"#, &[YES, NO]);
}

#[test]
fn logic_has_three_values() {
    let values = || -> ArrayRef { Arc::new(Int16Array::from(vec![Some(1), Some(2), None])) };
    let (kind, one) = (r#"{"kind":"int","bits":16}"#, r#"{"compare":["c","=",{"number":"1"}]}"#);
    for (condition, expected) in [
        (format!(r#"{{"and":[{one},{{"always":null}}]}}"#), [None, NO, None]),
        (format!(r#"{{"or":[{one},{{"always":null}}]}}"#), [YES, None, None]),
        (format!(r#"{{"and":[{one},{{"always":true}}]}}"#), [YES, NO, None]),
        (format!(r#"{{"or":[{one},{{"always":true}}]}}"#), [YES, YES, YES]),
        (format!(r#"{{"not":{one}}}"#), [NO, YES, None]),
        (format!(r#"{{"xor":[{one},{{"always":true}}]}}"#), [NO, YES, None]),
        (r#"{"and":[]}"#.to_owned(), [YES, YES, YES]),
        (r#"{"or":[]}"#.to_owned(), [NO, NO, NO]),
    ] {
        is(kind, values(), &condition, &expected);
    }
}

#[test]
fn decimals_and_floats() {
    let mut decimals = Decimal128Builder::new().with_precision_and_scale(10, 2).expect("fits");
    [Some(150), Some(-149), None].into_iter().for_each(|value| decimals.append_option(value));
    let decimals: ArrayRef = Arc::new(decimals.finish());
    let kind = r#"{"kind":"decimal","precision":10,"scale":2}"#;
    is(kind, decimals.clone(), r#"{"compare":["c","=",{"number":"1.500"}]}"#, &[YES, NO, None]);
    is(kind, decimals.clone(), r#"{"compare":["c","<",{"number":"-1.485"}]}"#, &[NO, YES, None]);
    is(kind, decimals.clone(), r#"{"one_of":["c",[{"number":"2"},{"number":"1.5"}]]}"#, &[YES, NO, None]);
    assert!(truths(kind, decimals.clone(), r#"{"compare":["c","=",{"double":1.5}]}"#).is_err());
    assert!(truths(kind, decimals, r#"{"modulo":["c",2,"=",1]}"#).is_err());
    let singles: ArrayRef = Arc::new(Float32Array::from(vec![0.1, 0.5]));
    // A single is not the double of the same digits.
    is(r#"{"kind":"float32"}"#, singles, r#"{"compare":["c",">",{"number":"0.1"}]}"#, &[YES, YES]);
    let doubles: ArrayRef = Arc::new(Float64Array::from(vec![0.1, -0.0]));
    is(r#"{"kind":"float64"}"#, doubles.clone(), r#"{"compare":["c","=",{"number":"0.1"}]}"#, &[YES, NO]);
    is(r#"{"kind":"float64"}"#, doubles, r#"{"compare":["c","=",{"double":0.0}]}"#, &[NO, YES]);
}

#[test]
fn dates_times_and_bytes() {
    let dates: ArrayRef = Arc::new(Date32Array::from(vec![date(2024, 2, 29), date(0, 0, 0)]));
    let newer = r#"{"compare":["c",">",{"when":[2024,1,1,0,0,0,0]}]}"#;
    is(r#"{"kind":"date"}"#, dates.clone(), newer, &[YES, NO]);
    is(r#"{"kind":"date"}"#, dates, r#"{"columns":["c",">","d"]}"#, &[YES, NO]);
    let moment = datetime(Parts { year: 2024, month: 2, day: 29, hour: 1, ..Parts::default() });
    let moments: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![moment, i64::MIN]));
    is(r#"{"kind":"datetime","fraction":6}"#, moments.clone(), newer, &[YES, NO]);
    is(r#"{"kind":"datetime","fraction":6}"#, moments, r#"{"columns":["c","<","d"]}"#, &[NO, YES]);
    let times: ArrayRef = Arc::new(DurationMicrosecondArray::from(vec![-1, 5]));
    is(r#"{"kind":"time","fraction":0}"#, times, r#"{"compare":["c","<",{"time":0}]}"#, &[YES, NO]);
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![&b"\xff"[..], b""]));
    is(r#"{"kind":"binary"}"#, bytes, r#"{"compare":["c",">=",{"bytes":"ff"}]}"#, &[YES, NO]);
}

#[test]
fn texts_are_asked_about_once() {
    let column = r#"{"name":"c","type":{"kind":"text"}}"#;
    let table = format!(r#"{{"name":{{"schema":"s","table":"t"}},"columns":[{column}]}}"#);
    let table = TableSpec::from_json(&table).expect("a table");
    let values: ArrayRef = Arc::new(StringArray::from(vec![Some("open"), Some("öpen"), None, Some("öpen")]));
    let batch = RecordBatch::try_new(table.schema(&[]), vec![values]).expect("a batch");
    let test = r#"{"number":4,"local":"folded","pad":true,"test":{"one_of":["OPEN"]}}"#;
    let node = serde_json::from_str(&format!(r#"{{"not":{{"text":["c",{test}]}}}}"#)).expect("a condition");
    let mut filter = Filter::new(node, &table).expect("fits");
    assert_eq!(filter.undecided(&batch), Ok(vec![(4, "öpen".to_owned())]));
    assert_eq!(filter.kept(&batch), Err(FilterError::Undecided("c".to_owned())));
    filter.teach(4, "öpen".to_owned(), Some(false));
    assert_eq!(filter.undecided(&batch), Ok(vec![]));
    assert_eq!(filter.kept(&batch), Ok(vec![false, true, false, true]));
    filter.teach(4, "öpen".to_owned(), None);
    assert_eq!(filter.kept(&batch), Ok(vec![false, false, false, false]));
}

#[test]
fn what_cannot_be_compared_is_refused_at_once() {
    let values = || -> ArrayRef { Arc::new(Int16Array::from(vec![1])) };
    for condition in [
        r#"{"compare":["x","=",{"number":"1"}]}"#,
        r#"{"compare":["c","=",{"number":"one"}]}"#,
        r#"{"compare":["c","=",{"bytes":"00"}]}"#,
        r#"{"compare":["c","=",{"when":[2024,1,1,0,0,0,0]}]}"#,
        r#"{"compare":["c","!=",{"number":"1"}]}"#,
        r#"{"modulo":["c",0,"=",1]}"#,
        r#"{"text":["c",{"number":1,"local":"nothing","pad":true,"test":{"one_of":["1"]}}]}"#,
        r#"{"and":[{"is_null":"x"}]}"#,
        r#"{"unknown":[]}"#,
    ] {
        assert!(truths(r#"{"kind":"int","bits":16}"#, values(), condition).is_err(), "{condition}");
    }
    let dates: ArrayRef = Arc::new(Date32Array::from(vec![0]));
    let wrong = r#"{"compare":["c","=",{"when":[2024,13,1,0,0,0,0]}]}"#;
    assert!(truths(r#"{"kind":"date"}"#, dates, wrong).is_err());
}
