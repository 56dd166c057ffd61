//! Applies changes like those of the benchmarks' binlogs and says how fast.
//!
//! `cargo run --release -p opendrs-postgres --example apply_bench -- port=5432 user=postgres
//! password=x database=postgres [workload=large|single] [mode=merged|transactional] [window=10000]
//! [changes=500000] [per_commit=1]`
//!
//! LARGE: updates, inserts and deletes of two tables of 500,000 rows in long runs. SINGLE: one change
//! a transaction, four of one table, then four of the other. Everything is committed every
//! `per_commit` windows with a checkpoint row.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark")]

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, Int8Array, RecordBatch, UInt8Array, UInt32Array};
use arrow_schema::{DataType, Field};
use opendrs_columns::{BatchBuilder, ColumnSpec, Logical, TableName, TableSpec, temporal};
use opendrs_net::Canceller;
use opendrs_postgres::{Applier, ConnectOptions, Connection, CopyFormat, CopyIn, Mode, OnConflict, TargetTable};

const W1: u32 = 1;
const W2: u32 = 2;
const LOADED: i64 = 500_000;

fn main() {
    let given: HashMap<String, String> = std::env::args()
        .skip(1)
        .map(|argument| argument.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())).unwrap())
        .collect();
    let get = |name: &str, default: &str| given.get(name).cloned().unwrap_or(default.to_owned());
    let options = format!(
        r#"{{"port": {}, "user": "{}", "password": "{}", "database": "{}", "synchronous_commit": "off"}}"#,
        get("port", "5432"),
        get("user", "postgres"),
        get("password", ""),
        get("database", "postgres")
    );
    let options = ConnectOptions::from_json(&options).unwrap();
    let mut connection = Connection::connect(&options, &Canceller::new()).unwrap();
    prepare(&mut connection);
    let mut applier = Applier::new(&mut connection).unwrap();
    for (id, table) in [(W1, w1()), (W2, w2())] {
        applier.register(&mut connection, id, table.target).unwrap();
    }
    let changes: usize = get("changes", "500000").parse().unwrap();
    let window: usize = get("window", "10000").parse().unwrap();
    let workload = get("workload", "large");
    let windows = match workload.as_str() {
        "large" => large(changes, window),
        "single" => single(changes, window),
        other => panic!("workload {other}"),
    };
    let mode = if get("mode", "merged") == "merged" { Mode::Merged } else { Mode::Transactional };
    let on_conflict = match get("conflict", "stop").as_str() {
        "stop" => OnConflict::Stop,
        "ignore" => OnConflict::Ignore,
        "overwrite" => OnConflict::Overwrite,
        other => panic!("conflict {other}"),
    };
    let per_commit: usize = get("per_commit", "1").parse().unwrap();
    let begin = Instant::now();
    let backend = connection.query("SELECT pg_backend_pid()", &[]).unwrap().rows[0][0].clone().unwrap();
    let cpu = (cpu_seconds("self"), cpu_seconds(&backend));
    let mut bytes = 0;
    for (number, group) in windows.chunks(per_commit).enumerate() {
        connection.simple_query("BEGIN").unwrap();
        for window in group {
            let counts = applier.apply(&mut connection, window, mode, &HashSet::new(), on_conflict).unwrap();
            bytes += counts.bytes;
        }
        let checkpoint = format!("UPDATE bench.checkpoint SET position = {number}; COMMIT");
        connection.simple_query(&checkpoint).unwrap();
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "{workload} {mode:?} window {window}: {changes} changes in {seconds:.2} s = {:.0}/s; CPU-s: {:.2} ours, \
         {:.2} the backend's; {} MB sent",
        changes as f64 / seconds,
        cpu_seconds("self") - cpu.0,
        cpu_seconds(&backend) - cpu.1,
        bytes >> 20
    );
    let rows =
        connection.query("SELECT (SELECT count(*) FROM bench.w1), (SELECT count(*) FROM bench.w2)", &[]).unwrap();
    println!("rows left: {:?}", rows.rows);
    latency(&mut connection, &mut applier, on_conflict);
}

/// One change at a time, each in its own transaction.
fn latency(connection: &mut Connection, applier: &mut Applier, on_conflict: OnConflict) {
    let mut times = Vec::new();
    for number in 0..2000 {
        let mut rows = Rows::default();
        rows.insert(&mut w2(), 10_000_000 + number, 1);
        let window = rows.finish();
        let begin = Instant::now();
        connection.simple_query("BEGIN").unwrap();
        let middle = Instant::now();
        applier.apply(connection, &window, Mode::Transactional, &HashSet::new(), on_conflict).unwrap();
        let apply = middle.elapsed();
        connection.simple_query("UPDATE bench.checkpoint SET position = 1; COMMIT").unwrap();
        times.push((begin.elapsed(), apply));
    }
    times.sort();
    println!("one row: whole p50 {:?}, p99 {:?}", times[1000].0, times[1980].0);
    times.sort_by_key(|time| time.1);
    println!("one row: apply p50 {:?}, p99 {:?}", times[1000].1, times[1980].1);
}

/// CPU time of a process of this machine, in seconds.
fn cpu_seconds(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or("x) ".to_owned() + &"0 ".repeat(20));
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

fn prepare(connection: &mut Connection) {
    let statements = "DROP SCHEMA IF EXISTS bench CASCADE; CREATE SCHEMA bench; \
        CREATE TABLE bench.checkpoint (position int); INSERT INTO bench.checkpoint VALUES (0); \
        CREATE TABLE bench.w1 (l_orderkey int8 NOT NULL, l_partkey int NOT NULL, l_suppkey int NOT NULL, \
        l_linenumber int NOT NULL, l_quantity numeric(15,2) NOT NULL, l_extendedprice numeric(15,2) NOT NULL, \
        l_discount numeric(15,2) NOT NULL, l_tax numeric(15,2) NOT NULL, l_returnflag char(1) NOT NULL, \
        l_linestatus char(1) NOT NULL, l_shipdate date NOT NULL, l_commitdate date NOT NULL, \
        l_receiptdate date NOT NULL, l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL, \
        l_comment varchar(44) NOT NULL, PRIMARY KEY (l_orderkey, l_linenumber)); \
        CREATE TABLE bench.w2 (id int PRIMARY KEY, k int NOT NULL, c char(120) NOT NULL, pad char(60) NOT NULL)";
    connection.simple_query(statements).unwrap();
    for (mut table, keys) in [(w1(), 0..LOADED), (w2(), 0..LOADED)] {
        let mut copy = CopyIn::begin(connection, &table.target, CopyFormat::Auto).unwrap();
        let begin = Instant::now();
        for key in keys {
            table.push(key, 0);
            if table.builder.rows == 20_000 {
                let batch = table.builder.finish().unwrap();
                copy.write(connection, &batch).unwrap();
            }
        }
        let batch = table.builder.finish().unwrap();
        copy.write(connection, &batch).unwrap();
        let rows = copy.finish(connection).unwrap();
        println!("loaded {rows} rows in {:.2} s", begin.elapsed().as_secs_f64());
    }
    connection.simple_query("VACUUM ANALYZE bench.w1").unwrap();
    connection.simple_query("VACUUM ANALYZE bench.w2").unwrap();
    connection.simple_query("CHECKPOINT").unwrap();
}

struct Table {
    target: TargetTable,
    builder: BatchBuilder,
    wide: bool,
}

impl Table {
    fn new(name: &str, columns: &[(&str, Logical, &str)], key: &[&str]) -> Self {
        let specs = columns.iter().map(|(name, logical, _)| ColumnSpec {
            name: (*name).to_owned(),
            logical: logical.clone(),
            nullable: false,
            charset: None,
            members: Vec::new(),
            native: String::new(),
        });
        let source = TableName { schema: "bench".into(), table: name.into() };
        let spec = TableSpec { name: source, columns: specs.collect(), key: Vec::new() };
        let columns: Vec<String> = columns
            .iter()
            .map(|(name, _, target)| {
                format!(
                    r#"{{"source": "{name}", "name": "{name}", "type": "{target}", "binary": true, "not_null": true}}"#
                )
            })
            .collect();
        let target = format!(
            r#"{{"source": {{"schema": "bench", "table": "{name}"}}, "schema": "bench", "table": "{name}",
                "columns": [{}], "key": {key:?}}}"#,
            columns.join(", ")
        );
        let target = TargetTable::from_json(&target).unwrap();
        Self { target, builder: BatchBuilder::new(&spec), wide: name == "w1" }
    }

    /// Appends the row with the key as it is in a version.
    fn push(&mut self, key: i64, version: i64) {
        self.builder.rows += 1;
        if !self.wide {
            let [id, k, c, pad] = &mut self.builder.columns[..] else { panic!() };
            id.push_i64(key).unwrap();
            k.push_i64(key * 7919 % 500_000 + version).unwrap();
            c.push_str("cccccccccc-cccccccccc-cccccccccc-cccccccccc-cccccccccc-cccccccccc-cccccccccc-cccccccccc")
                .unwrap();
            pad.push_str("pppppppppppppppppppppppppppppppppppp").unwrap();
            return;
        }
        for (number, column) in self.builder.columns.iter_mut().enumerate() {
            match number {
                0 => column.push_i64(key / 4),
                1 | 2 => column.push_i64(key * 7919 % 200_000),
                3 => column.push_i64(key % 4),
                4 => column.push_i128(i128::from(key % 50 * 100 + version * 100)),
                5 => column.push_i128(i128::from(90_000 + key * 7919 % 10_410_000)),
                6 | 7 => column.push_i128(i128::from(key % 11)),
                8 => column.push_str("N"),
                9 => column.push_str("O"),
                10..=12 => column.push_date(temporal::date(1992 + (key % 7) as u16, 1 + (key % 12) as u8, 5)),
                13 => column.push_str("DELIVER IN PERSON"),
                14 => column.push_str("TRUCK"),
                _ if version == 0 => column.push_str("single row insert comment"),
                _ => column.push_str("updated single row insert comment"),
            }
            .unwrap();
        }
    }
}

fn w1() -> Table {
    let int = |bits| Logical::Int { bits, unsigned: false };
    let (decimal, text, date) = (Logical::Decimal { precision: 15, scale: 2 }, Logical::Text, Logical::Date);
    let columns = [
        ("l_orderkey", int(64), "int8"),
        ("l_partkey", int(32), "int4"),
        ("l_suppkey", int(32), "int4"),
        ("l_linenumber", int(32), "int4"),
        ("l_quantity", decimal.clone(), "numeric"),
        ("l_extendedprice", decimal.clone(), "numeric"),
        ("l_discount", decimal.clone(), "numeric"),
        ("l_tax", decimal, "numeric"),
        ("l_returnflag", text.clone(), "bpchar"),
        ("l_linestatus", text.clone(), "bpchar"),
        ("l_shipdate", date.clone(), "date"),
        ("l_commitdate", date.clone(), "date"),
        ("l_receiptdate", date, "date"),
        ("l_shipinstruct", text.clone(), "bpchar"),
        ("l_shipmode", text.clone(), "bpchar"),
        ("l_comment", text, "varchar"),
    ];
    Table::new("w1", &columns, &["l_orderkey", "l_linenumber"])
}

fn w2() -> Table {
    let int = Logical::Int { bits: 32, unsigned: false };
    let text = Logical::Text;
    let columns =
        [("id", int.clone(), "int4"), ("k", int, "int4"), ("c", text.clone(), "bpchar"), ("pad", text, "bpchar")];
    Table::new("w2", &columns, &["id"])
}

/// The rows of one table in a window.
#[derive(Default)]
struct Rows {
    ops: Vec<i8>,
    seqs: Vec<u32>,
    id: u32,
    table: Option<Table>,
}

impl Rows {
    fn insert(&mut self, table: &mut Table, key: i64, op: i8) {
        let _ = &table;
        self.change(W2, w2, 0, op, key, 0);
    }

    fn change(&mut self, id: u32, make: fn() -> Table, seq: u32, op: i8, key: i64, version: i64) {
        self.id = id;
        let table = self.table.get_or_insert_with(make);
        self.ops.push(op);
        self.seqs.push(seq);
        if op == 2 {
            table.push(key, version);
            self.ops.push(3);
            self.seqs.push(seq);
            table.push(key, version + 1);
        } else {
            table.push(key, version);
        }
    }

    fn finish(&mut self) -> Vec<(u32, RecordBatch)> {
        let Some(mut table) = self.table.take() else { return Vec::new() };
        let rows = table.builder.finish().unwrap();
        let count = rows.num_rows();
        let leading = [
            Field::new("op", DataType::Int8, false),
            Field::new("seq", DataType::UInt32, false),
            Field::new("txn", DataType::UInt32, false),
            Field::new("flags", DataType::UInt8, false),
        ];
        let fields = leading.into_iter().chain(rows.schema_ref().fields().iter().map(|field| field.as_ref().clone()));
        let schema = Arc::new(arrow_schema::Schema::new(fields.collect::<Vec<_>>()));
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(Int8Array::from(std::mem::take(&mut self.ops))),
            Arc::new(UInt32Array::from(std::mem::take(&mut self.seqs))),
            Arc::new(UInt32Array::from(vec![0; count])),
            Arc::new(UInt8Array::from(vec![0; count])),
        ];
        columns.extend(rows.columns().iter().cloned());
        vec![(self.id, RecordBatch::try_new(schema, columns).unwrap())]
    }
}

type Windows = Vec<Vec<(u32, RecordBatch)>>;

fn large(changes: usize, window: usize) -> Windows {
    let (half, quarter) = (changes as i64 / 4, changes as i64 / 8);
    let mut windows = Windows::new();
    for (id, make) in [(W1, w1 as fn() -> Table), (W2, w2)] {
        let mut rows = Rows::default();
        let mut all: Vec<(i8, i64)> = (0..half).map(|key| (2, key)).collect();
        all.extend((LOADED..LOADED + quarter).map(|key| (1, key)));
        all.extend((0..quarter).map(|key| (4, key)));
        for (number, (op, key)) in all.into_iter().enumerate() {
            let version = i64::from(op == 4 && key < half);
            rows.change(id, make, (number % window) as u32, op, key, version);
            if number % window == window - 1 {
                windows.push(rows.finish());
            }
        }
        windows.push(rows.finish());
    }
    windows.retain(|window| !window.is_empty());
    windows
}

fn single(changes: usize, window: usize) -> Windows {
    let mut windows = Windows::new();
    let (mut first, mut second) = (Rows::default(), Rows::default());
    for number in 0..changes as i64 {
        let (round, seq) = (number / 8, (number as usize % window) as u32);
        match number % 8 {
            0 => second.change(W2, w2, seq, 2, 100_000 + round, 0),
            1 => second.change(W2, w2, seq, 1, 3_000_000 + round, 0),
            2 => second.change(W2, w2, seq, 2, 3_000_000 + round, 0),
            3 => second.change(W2, w2, seq, 4, 100_000 + round, 1),
            4 => first.change(W1, w1, seq, 1, 36_000_000 + 4 * round, 0),
            5 => first.change(W1, w1, seq, 2, 36_000_000 + 4 * round, 0),
            6 => first.change(W1, w1, seq, 2, 36_000_000 + 4 * round, 1),
            _ => first.change(W1, w1, seq, 4, 36_000_000 + 4 * round, 2),
        }
        if seq as usize == window - 1 || number == changes as i64 - 1 {
            windows.push([first.finish(), second.finish()].concat());
        }
    }
    windows
}
