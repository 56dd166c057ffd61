use std::path::PathBuf;

use crate::Position;

/// Limits of a [`crate::Decoder`].
#[derive(Debug, Clone)]
pub struct Config {
    /// Bytes of decoded values that may be buffered before [`crate::Decoder::must_take`] asks for a
    /// cut. Transactions larger than this come in parts of about this size.
    pub part_bytes: usize,
    /// Largest event, also after decompression or joining of fragments.
    pub event_bytes_max: usize,
    /// Bytes of prepared XA transactions held in memory; above it they go to a file.
    pub held_bytes_max: usize,
    /// Folder for that file, which is unlinked as soon as it is open.
    pub spill_folder: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            part_bytes: 16 << 20,
            // MySQL and MariaDB allow packets of 1 GiB, and an event may be a little larger.
            event_bytes_max: (1 << 30) + (1 << 20),
            held_bytes_max: 16 << 20,
            spill_folder: std::env::temp_dir(),
        }
    }
}

/// How the rows of one table are treated.
#[derive(Debug, Clone)]
pub struct TableOptions {
    /// Rows of transactions that this position covers are dropped: the snapshot has them.
    pub skip_through: Option<Position>,
    /// Whether a rollback undoes changes of this table (InnoDB), or leaves them (MyISAM, Aria, MEMORY).
    pub transactional: bool,
    /// Columns whose values the server computes. MariaDB 11.8 leaves them out of updates and deletes
    /// even with `binlog_row_image=FULL`; they are NULL there and the row's `flags` say so.
    pub generated: Vec<String>,
    /// Of a table WITH SYSTEM VERSIONING (MariaDB), the column that tells when a row ended. The log has
    /// past rows among those that are there now; they are left out, as a SELECT leaves them out.
    pub row_end: Option<String>,
}

impl TableOptions {
    /// What the JSON form of a table (`model.catalog.Table`) says of its columns.
    pub fn of(table: &serde_json::Value) -> Self {
        let mut options = Self::default();
        for column in table.get("columns").and_then(serde_json::Value::as_array).into_iter().flatten() {
            let generated = column.get("generated").filter(|generated| !generated.is_null() && **generated != false);
            let (Some(generated), Some(name)) = (generated, column.get("name").and_then(serde_json::Value::as_str))
            else {
                continue;
            };
            options.generated.push(name.to_owned());
            if generated.get("expression").is_some_and(|expression| expression == "ROW END") {
                options.row_end = Some(name.to_owned());
            }
        }
        options
    }
}

impl Default for TableOptions {
    fn default() -> Self {
        Self { skip_through: None, transactional: true, generated: Vec::new(), row_end: None }
    }
}
