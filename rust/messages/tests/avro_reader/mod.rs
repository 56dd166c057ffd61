//! A reader of the record's binary form that knows nothing of the writer: it follows the schema.

use opendrs_messages::{RECORD_FINGERPRINT, RECORD_SCHEMA};
use serde_json::{Map, Value, json};

/// A message as JSON; bytes as `{"bytes": "hexadecimal"}`. Panics at what is no such message.
pub fn read(message: &[u8]) -> Value {
    let (header, datum) = message.split_at(10);
    assert_eq!(header[..2], [0xc3, 0x01], "single-object encoding");
    assert_eq!(header[2..], RECORD_FINGERPRINT.to_le_bytes());
    let schema: Value = serde_json::from_str(RECORD_SCHEMA).unwrap();
    let mut reader = Reader(datum);
    let record = reader.value(&schema);
    assert!(reader.0.is_empty(), "bytes behind the record");
    record
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Vec<u8> {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken.to_vec()
    }

    fn long(&mut self) -> i64 {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return (number >> 1) as i64 ^ -((number & 1) as i64);
            }
        }
        panic!("a number of more than ten bytes")
    }

    fn string(&mut self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = self.long().try_into().unwrap();
        self.take(length)
    }

    fn value(&mut self, schema: &Value) -> Value {
        match schema {
            Value::Array(branches) => {
                let branch = self.long();
                self.value(&branches[usize::try_from(branch).unwrap()])
            }
            Value::String(name) => self.primitive(name),
            Value::Object(definition) => self.complex(definition),
            other => panic!("{other} in a schema"),
        }
    }

    fn primitive(&mut self, name: &str) -> Value {
        match name {
            "null" => Value::Null,
            "boolean" => json!(self.take(1)[0] == 1),
            "int" | "long" => json!(self.long()),
            "string" => json!(self.string()),
            "bytes" => {
                let hex: String = self.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
                json!({"bytes": hex})
            }
            other => panic!("type {other}"),
        }
    }

    fn complex(&mut self, definition: &Map<String, Value>) -> Value {
        match definition["type"].as_str().unwrap() {
            "record" => {
                let fields = definition["fields"].as_array().unwrap().iter();
                fields.map(|field| (field["name"].as_str().unwrap().to_owned(), self.value(&field["type"]))).collect()
            }
            "enum" => {
                let symbol = usize::try_from(self.long()).unwrap();
                definition["symbols"][symbol].clone()
            }
            "array" => {
                let mut items = Vec::new();
                self.blocks(|reader| items.push(reader.value(&definition["items"])));
                Value::Array(items)
            }
            "map" => {
                let mut entries = Map::new();
                self.blocks(|reader| {
                    let name = reader.string();
                    let value = reader.value(&definition["values"]);
                    assert!(entries.insert(name, value).is_none());
                });
                Value::Object(entries)
            }
            name => self.primitive(name),
        }
    }

    fn blocks(&mut self, mut item: impl FnMut(&mut Self)) {
        loop {
            let count = self.long();
            assert!(count >= 0, "no block says its size");
            if count == 0 {
                return;
            }
            (0..count).for_each(|_| item(self));
        }
    }
}
