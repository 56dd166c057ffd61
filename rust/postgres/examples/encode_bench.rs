//! Encodes rows like W1 of the benchmarks (16 columns) to COPY's binary format and says how long a
//! million rows take. `cargo run --release -p opendrs-postgres --example encode_bench`
#![allow(clippy::unwrap_used, reason = "a benchmark")]

use std::time::Instant;

use opendrs_columns::{BatchBuilder, ColumnSpec, Logical, TableName, TableSpec, temporal};
use opendrs_postgres::{ColumnTarget, Encoder, Policies};

const ROWS: usize = 20_000;

fn main() {
    let int = |bits| Logical::Int { bits, unsigned: false };
    let decimal = Logical::Decimal { precision: 15, scale: 2 };
    let types = [
        vec![(int(64), "int8"), (int(32), "int4"), (int(32), "int4"), (int(32), "int4")],
        vec![(decimal, "numeric(15,2)"); 4],
        vec![(Logical::Text, "bpchar"); 2],
        vec![(Logical::Date, "date"); 3],
        vec![(Logical::Text, "bpchar"), (Logical::Text, "bpchar"), (Logical::Text, "varchar")],
    ]
    .concat();
    let column = |(number, (logical, _)): (usize, &(Logical, &str))| ColumnSpec {
        name: format!("c{number}"),
        logical: logical.clone(),
        nullable: false,
        charset: None,
        members: Vec::new(),
        native: String::new(),
    };
    let name = TableName { schema: "s".into(), table: "w1".into() };
    let columns = types.iter().enumerate().map(column).collect();
    let mut builder = BatchBuilder::new(&TableSpec { name, columns, key: Vec::new() });
    for row in 0..ROWS as i64 {
        for (number, column) in builder.columns.iter_mut().enumerate() {
            match number {
                0 => column.push_i64(row / 4),
                1..=3 => column.push_i64(row * 7919 % 200_000),
                4 => column.push_i128(i128::from(row % 50 * 100)),
                5 => column.push_i128(i128::from(90_000 + row * 7919 % 10_410_000)),
                6 | 7 => column.push_i128(i128::from(row % 11)),
                8 => column.push_str("N"),
                9 => column.push_str("O"),
                10..=12 => column.push_date(temporal::date(1992 + (row % 7) as u16, 1 + (row % 12) as u8, 5)),
                13 => column.push_str("DELIVER IN PERSON"),
                14 => column.push_str(["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"][row as usize % 7]),
                _ => column.push_str(&"furiously special requests sleep carefully"[..10 + row as usize % 30]),
            }
            .unwrap();
        }
    }
    let batch = builder.finish().unwrap();
    let columns = types.iter().enumerate().map(|(number, (_, type_name))| ColumnTarget {
        source: Some(format!("c{number}")),
        constant: None,
        name: format!("c{number}"),
        type_name: (*type_name).to_owned(),
        binary: true,
        not_null: true,
    });
    let mut encoder = Encoder::new("s", "w1", columns.collect(), Policies::default()).unwrap();
    let mut out = Vec::new();
    for _ in 0..5 {
        let begin = Instant::now();
        for _ in 0..100 {
            out.clear();
            encoder.encode(&batch, &mut out).unwrap();
        }
        let seconds = begin.elapsed().as_secs_f64() / (100 * ROWS) as f64 * 1e6;
        println!("{seconds:.3} s per million rows, {} bytes per row", out.len() / ROWS);
    }
}
