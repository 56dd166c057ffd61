//! The published schema, and what identifies it.

#![allow(clippy::unwrap_used, missing_docs)]

use opendrs_messages::{RECORD_FINGERPRINT, RECORD_SCHEMA};
use serde_json::Value;

/// The parsing canonical form. Source: Avro's specification, "Transforming into Parsing Canonical Form".
fn canonical(schema: &Value, namespace: &str) -> String {
    match schema {
        Value::Array(branches) => {
            let branches: Vec<String> = branches.iter().map(|branch| canonical(branch, namespace)).collect();
            format!("[{}]", branches.join(","))
        }
        Value::Object(definition) => {
            let namespace = definition.get("namespace").and_then(Value::as_str).unwrap_or(namespace);
            let part = |name: &str| {
                let value = definition.get(name)?;
                let text = match name {
                    "name" if definition.contains_key("type") && !is_field(definition) => {
                        format!("\"{namespace}.{}\"", value.as_str()?)
                    }
                    "type" | "items" | "values" => canonical(value, namespace),
                    "fields" => canonical(value, namespace),
                    _ => value.to_string(),
                };
                Some(format!("\"{name}\":{text}"))
            };
            let parts: Vec<String> =
                ["name", "type", "fields", "symbols", "items", "values", "size"].into_iter().filter_map(part).collect();
            format!("{{{}}}", parts.join(","))
        }
        other => other.to_string(),
    }
}

/// Whether it is a field of a record, and not a named type.
fn is_field(definition: &serde_json::Map<String, Value>) -> bool {
    !matches!(definition["type"].as_str(), Some("record" | "enum" | "fixed"))
}

/// CRC-64-AVRO. Source: Avro's specification, "Schema Fingerprints".
fn fingerprint(text: &str) -> u64 {
    const EMPTY: u64 = 0xc15d_213a_a4d7_a795;
    text.bytes().fold(EMPTY, |hash, byte| {
        (0..8).fold(hash ^ u64::from(byte), |hash, _| hash >> 1 ^ if hash & 1 == 1 { EMPTY } else { 0 })
    })
}

#[test]
fn the_fingerprint_is_that_of_the_schema() {
    let schema: Value = serde_json::from_str(RECORD_SCHEMA).unwrap();
    let form = canonical(&schema, "");
    assert!(form.starts_with(r#"{"name":"io.opendrs.Record","type":"record","fields":[{"name":"id","type":"long"},"#));
    assert!(form.contains(r#"{"name":"type","type":{"name":"io.opendrs.RecordType","type":"enum","symbols":["#));
    assert_eq!(fingerprint(&form), RECORD_FINGERPRINT, "{:#018x}", fingerprint(&form));
    // From the specification's own test data.
    assert_eq!(fingerprint("\"null\""), 0x63dd_24e7_cc25_8f8a);
}
