//! What the planner makes of windows: no server is needed to see in which order rows go.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::{ArrayRef, Int8Array, Int32Array, RecordBatch, UInt8Array, UInt32Array};
use arrow_schema::{DataType, Field, Schema};

use super::plan::{Deed, How, Step, needs_keys, plan};
use super::shapes::{Shape, statement};
use super::table::{Columns, Table};
use super::window::{LEADING, RowRef, Window};
use super::*;
use crate::sql::identifier;

/// A table (id, u, v) of whole numbers.
fn table(id: u32, key: &[&str], uniques: &[&[&str]], referenced_with_actions: bool) -> Table {
    let column = |name| {
        format!(r#"{{"source": "{name}", "name": "{name}", "type": "int4", "binary": true, "not_null": false}}"#)
    };
    let text = format!(
        r#"{{"source": {{"schema": "s", "table": "t"}}, "schema": "app", "table": "t{id}", "columns": [{}],
            "key": {key:?}, "uniques": {uniques:?}, "referenced_with_actions": {referenced_with_actions}}}"#,
        ["id", "u", "v"].map(column).join(", ")
    );
    let target = TargetTable::from_json(&text).unwrap();
    let encoder = crate::Encoder::new("app", &target.table, target.columns.clone(), target.policies).unwrap();
    Table {
        id,
        generation: 1,
        key: target.positions(&target.key).unwrap(),
        uniques: target.uniques.iter().map(|names| target.positions(names).unwrap()).collect(),
        sql_name: target.sql_name(),
        sql_columns: target.columns.iter().map(|column| identifier(&column.name)).collect(),
        sql_touched: target.sql_touched(),
        casts: vec!["integer".to_owned(); 3],
        formats: vec![1; 3],
        all_binary: true,
        target,
        encoder,
    }
}

type Row = (i32, Option<i32>, i32);

/// (table, seq, op, row); op 2 and 3 are the images of an update.
type Image = (u32, u32, i8, Row);

/// The plan in words: one entry a step, rows by their id.
fn planned(tables: Vec<Table>, images: &[Image], mode: Mode, set_rows_min: usize) -> Vec<String> {
    try_planned(tables, images, mode, set_rows_min, &HashSet::new()).unwrap()
}

fn try_planned(
    tables: Vec<Table>,
    images: &[Image],
    mode: Mode,
    set_rows_min: usize,
    idempotent: &HashSet<u32>,
) -> Result<Vec<String>> {
    let mut tables: HashMap<u32, Table> = tables.into_iter().map(|table| (table.id, table)).collect();
    let mut ids: Vec<u32> = images.iter().map(|image| image.0).collect();
    ids.dedup();
    ids.sort_unstable();
    ids.dedup();
    let batches: Vec<(u32, RecordBatch)> = ids.iter().map(|&id| (id, batch(id, images))).collect();
    for (id, batch) in &batches {
        tables.get_mut(id).unwrap().encoder.bind_schema(&batch.schema(), LEADING)?;
    }
    let mut window = Window::new(&batches, &tables, idempotent)?;
    for slot in needs_keys(&window, mode, set_rows_min) {
        window.compute_keys(slot)?;
    }
    let steps = plan(&window, mode, set_rows_min)?;
    let id = |row: RowRef| {
        let array = batches[row.part as usize].1.column(LEADING);
        array.as_any().downcast_ref::<Int32Array>().unwrap().value(row.row())
    };
    Ok(steps.iter().map(|step| in_words(step, &id)).collect())
}

fn batch(id: u32, images: &[Image]) -> RecordBatch {
    let images: Vec<&Image> = images.iter().filter(|image| image.0 == id).collect();
    let fields =
        [("op", DataType::Int8), ("seq", DataType::UInt32), ("txn", DataType::UInt32), ("flags", DataType::UInt8)];
    let fields = fields.into_iter().chain(["id", "u", "v"].map(|name| (name, DataType::Int32)));
    let schema = Schema::new(fields.map(|(name, kind)| Field::new(name, kind, true)).collect::<Vec<_>>());
    let columns: Vec<ArrayRef> = vec![
        Arc::new(images.iter().map(|image| image.2).collect::<Int8Array>()),
        Arc::new(images.iter().map(|image| image.1).collect::<UInt32Array>()),
        Arc::new(images.iter().map(|_| 0).collect::<UInt32Array>()),
        Arc::new(images.iter().map(|_| 0).collect::<UInt8Array>()),
        Arc::new(images.iter().map(|image| Some(image.3.0)).collect::<Int32Array>()),
        Arc::new(images.iter().map(|image| image.3.1).collect::<Int32Array>()),
        Arc::new(images.iter().map(|image| Some(image.3.2)).collect::<Int32Array>()),
    ];
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

fn in_words(step: &Step, id: &dyn Fn(RowRef) -> i32) -> String {
    let ids = |rows: &[RowRef]| rows.iter().map(|&row| id(row)).collect::<Vec<_>>();
    match step {
        Step::Rows(actions) => {
            let action = |action: &super::plan::Action| {
                let lenient = if action.how == How::Strict { "" } else { "?" };
                match action.deed {
                    Deed::Insert => format!("insert{lenient} {}", id(action.after)),
                    Deed::Update => format!("update{lenient} {}", id(action.before)),
                    Deed::Delete => format!("delete{lenient} {}", id(action.before)),
                    Deed::Absent => format!("absent {}", id(action.before)),
                }
            };
            actions.iter().map(action).collect::<Vec<_>>().join(", ")
        }
        Step::Delete { present, absent, tolerated, .. } => {
            format!("DELETE {:?} {:?} {:?}", ids(present), ids(absent), ids(tolerated))
        }
        Step::Update { columns, present, tolerated, upserts, .. } => {
            let columns: Vec<usize> = columns.iter().collect();
            format!("UPDATE {columns:?} {:?} {:?} {:?}", ids(present), ids(tolerated), ids(upserts))
        }
        Step::Copy { rows, .. } => format!("COPY {:?}", ids(rows)),
    }
}

/// The images of an update.
fn update(table: u32, seq: u32, before: Row, after: Row) -> [Image; 2] {
    [(table, seq, 2, before), (table, seq, 3, after)]
}

fn keyed() -> Vec<Table> {
    vec![table(1, &["id"], &[], false)]
}

#[test]
fn each_key_goes_once() {
    let mut images = vec![(1, 0, 1, (1, None, 0))];
    images.extend(update(1, 1, (1, None, 0), (1, None, 5)));
    images.extend(update(1, 2, (2, None, 0), (2, None, 1)));
    images.extend(update(1, 3, (2, None, 1), (2, None, 2)));
    images.extend([(1, 4, 4, (3, None, 0)), (1, 5, 1, (3, None, 9))]); // goes and comes again: it stays
    images.extend([(1, 6, 1, (4, None, 0)), (1, 7, 4, (4, None, 0))]); // comes and goes: it was never there
    images.push((1, 8, 4, (5, None, 0)));
    let sets = planned(keyed(), &images, Mode::Merged, 1);
    assert_eq!(sets, ["DELETE [5] [4] []", "UPDATE [2] [2, 3] [] []", "COPY [1]"]);
    let rows = planned(keyed(), &images, Mode::Merged, 64);
    assert_eq!(rows, ["delete 5, absent 4, update 2, update 3, insert 1"]);
    let in_order = planned(keyed(), &images, Mode::Transactional, 64);
    assert_eq!(in_order, ["insert 1, update 1, update 2, update 2, delete 3, insert 3, insert 4, delete 4, delete 5"]);
}

#[test]
fn a_changed_key_goes_and_comes() {
    let images = [update(1, 0, (1, None, 0), (2, None, 0)), update(1, 1, (7, None, 0), (1, None, 0))].concat();
    // 1 gives its key up and 7 takes it: the row with key 1 stays, with the other's values.
    assert_eq!(planned(keyed(), &images, Mode::Merged, 1), ["DELETE [7] [] []", "UPDATE [] [1] [] []", "COPY [2]"]);
    assert_eq!(planned(keyed(), &images, Mode::Transactional, 64), ["update 1, update 7"]);
}

#[test]
fn a_unique_value_handed_from_update_to_update_cuts() {
    let tables = || vec![table(1, &["id"], &[&["u"]], false)];
    let swap = [
        update(1, 0, (1, Some(10), 0), (1, None, 0)),
        update(1, 1, (2, Some(20), 0), (2, Some(10), 0)),
        update(1, 2, (1, None, 0), (1, Some(20), 0)),
    ]
    .concat();
    let steps = planned(tables(), &swap, Mode::Merged, 1);
    assert_eq!(steps, ["UPDATE [1] [1] [] []", "UPDATE [1] [2] [] []", "UPDATE [1] [1] [] []"]);
    // Handed over by a delete, to an update and to an insert: that is safe as it is.
    let mut by_delete = vec![(1, 0, 4, (1, Some(10), 0)), (1, 1, 4, (2, Some(20), 0)), (1, 2, 1, (5, Some(20), 0))];
    by_delete.extend(update(1, 3, (3, Some(30), 0), (3, Some(10), 0)));
    by_delete.push((1, 4, 1, (6, Some(30), 0)));
    let steps = planned(tables(), &by_delete, Mode::Merged, 1);
    assert_eq!(steps, ["DELETE [1, 2] [] []", "UPDATE [1] [3] [] []", "COPY [5, 6]"]);
    // NULL is nobody's.
    let nulls = [update(1, 0, (1, None, 0), (1, Some(1), 0)), update(1, 1, (2, Some(2), 0), (2, None, 0))].concat();
    assert_eq!(planned(tables(), &nulls, Mode::Merged, 1), ["UPDATE [1] [1, 2] [] []"]);
    // The giver is gone when the value is taken, and comes again afterwards: now it is an update.
    let mut returning = vec![(1, 0, 4, (1, Some(10), 0))];
    returning.extend(update(1, 1, (2, Some(20), 0), (2, Some(10), 0)));
    returning.push((1, 2, 1, (1, Some(30), 0)));
    let steps = planned(tables(), &returning, Mode::Merged, 1);
    assert_eq!(steps, ["DELETE [1] [] []", "UPDATE [1] [2] [] []", "COPY [1]"]);
}

#[test]
fn effects_on_other_tables_keep_their_place() {
    let tables = || vec![table(1, &["id"], &[], true), table(2, &["id"], &[], false)];
    let mut images = vec![(2, 0, 1, (7, Some(1), 0)), (1, 1, 4, (1, None, 0)), (1, 2, 4, (2, None, 0))];
    images.extend([(1, 3, 1, (1, None, 0)), (2, 4, 1, (8, Some(1), 0))]);
    images.extend(update(1, 5, (3, None, 0), (3, None, 1))); // changes no key
    images.extend(update(1, 6, (3, None, 1), (4, None, 1))); // changes the key
    images.push((2, 7, 1, (9, Some(4), 0)));
    let merged = planned(tables(), &images, Mode::Merged, 1);
    let expected =
        ["COPY [7]", "DELETE [1, 2] [] []", "UPDATE [2] [3] [] []", "COPY [1]", "COPY [8]", "update 3", "COPY [9]"];
    assert_eq!(merged, expected);
}

#[test]
fn tables_without_a_key_keep_their_order() {
    let keyless = || vec![table(1, &[], &[], false)];
    let images: Vec<Image> =
        vec![(1, 0, 1, (1, None, 0)), (1, 1, 1, (1, None, 0)), (1, 2, 4, (1, None, 0)), (1, 3, 1, (2, None, 0))];
    for mode in [Mode::Merged, Mode::Transactional] {
        assert_eq!(planned(keyless(), &images, mode, 2), ["COPY [1, 1]", "delete 1, insert 2"], "{mode:?}");
    }
    let again = try_planned(keyless(), &images, Mode::Merged, 2, &HashSet::from([1]));
    assert!(matches!(again, Err(PgError::Usage(_))));
}

#[test]
fn repeating_asks_for_nothing_to_be_there() {
    let mut images = vec![(1, 0, 1, (1, None, 0)), (1, 1, 1, (1, None, 1)), (1, 2, 4, (2, None, 0))];
    images.extend(update(1, 3, (3, None, 0), (4, None, 0)));
    images.extend([(1, 4, 1, (5, None, 0)), (1, 5, 4, (5, None, 0))]);
    let idempotent = HashSet::from([1]);
    let steps = try_planned(keyed(), &images, Mode::Merged, 1, &idempotent).unwrap();
    assert_eq!(steps, ["DELETE [] [] [2, 3, 5]", "UPDATE [0, 1, 2] [] [] [1, 4]"]);
}

#[test]
fn contradictions_are_conflicts() {
    for images in [
        vec![(1, 0, 1, (1, None, 0)), (1, 1, 1, (1, None, 0))],
        vec![(1, 0, 4, (1, None, 0)), (1, 1, 4, (1, None, 0))],
        [vec![(1, 0, 4, (1, None, 0))], update(1, 1, (1, None, 0), (1, None, 1)).to_vec()].concat(),
    ] {
        let failed = try_planned(keyed(), &images, Mode::Merged, 1, &HashSet::new());
        let Err(PgError::Conflict(conflict)) = failed else { panic!("{failed:?}") };
        assert_eq!(conflict.key.as_deref(), Some("(id)=(1)"));
    }
}

#[test]
fn statements_name_everything_in_full() {
    let table = table(7, &["id"], &[], false);
    let text = |shape| statement(&table, &shape).0;
    let mut columns = Columns::none(3);
    columns.insert(2);
    assert_eq!(text(Shape::Insert), r#"INSERT INTO "app"."t7" ("id", "u", "v") VALUES ($1, $2, $3)"#);
    assert_eq!(text(Shape::Update(columns.clone())), r#"UPDATE "app"."t7" SET "v" = $1 WHERE "id" = $2"#);
    assert_eq!(text(Shape::Delete), r#"DELETE FROM "app"."t7" WHERE "id" = $1"#);
    let mut nulls = Columns::none(3);
    nulls.insert(1);
    assert_eq!(
        text(Shape::DeleteMatch(nulls)),
        r#"DELETE FROM "app"."t7" WHERE ctid = (SELECT ctid FROM "app"."t7" WHERE "id" = $1 AND "u" IS NULL AND "v" = $2 LIMIT 1)"#
    );
}

#[test]
fn every_update_touches() {
    let mut table = table(7, &["id"], &[], false);
    let touched = |name: &str, sql: &str| crate::target_table::Touched { name: name.to_owned(), sql: sql.to_owned() };
    table.target.touched = vec![touched("at", "now()"), touched("N", "1")];
    table.sql_touched = table.target.sql_touched();
    let columns = || {
        let mut columns = Columns::none(3);
        columns.insert(2);
        columns
    };
    let shapes = [
        Shape::Update(columns()),
        Shape::Move,
        Shape::UpdateMatch(Columns::none(3), columns()),
        Shape::UpdateStaged(columns()),
    ];
    for shape in shapes {
        let text = statement(&table, &shape).0;
        assert_eq!(text.matches(r#", "at" = now(), "N" = 1 "#).count(), 1, "{text}");
    }
    for shape in [Shape::Insert, Shape::InsertAbsent, Shape::InsertStaged, Shape::CopyTable, Shape::DeleteStaged] {
        let text = statement(&table, &shape).0;
        assert!(!text.contains("now()"), "{text}");
    }
}
