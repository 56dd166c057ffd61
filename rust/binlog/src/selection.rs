use std::collections::BTreeSet;

use opendrs_columns::TableName;
use serde::{Deserialize, Serialize};

/// Databases that hold the server's own tables; never selected as a whole.
const SYSTEM: [&str; 4] = ["mysql", "information_schema", "performance_schema", "sys"];

/// Which tables are decoded. Names are compared as the log spells them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Every database but the server's own.
    #[serde(default)]
    pub all: bool,
    /// Whole databases.
    #[serde(default)]
    pub databases: BTreeSet<String>,
    /// Single tables.
    #[serde(default)]
    pub tables: BTreeSet<TableName>,
    /// Tables that are not decoded although their database is selected: what the log says of them
    /// means nothing any more.
    #[serde(default)]
    pub excluded: BTreeSet<TableName>,
    /// Unselected tables that statements logged as text may change without stopping the decoder: the
    /// caller vouches that they have no triggers that reach selected tables.
    #[serde(default)]
    pub vouched: BTreeSet<TableName>,
}

impl Selection {
    /// Whether the rows of a table are wanted.
    pub fn selects(&self, table: &TableName) -> bool {
        (self.selects_database(&table.schema) || self.tables.contains(table)) && !self.excluded.contains(table)
    }

    /// Whether every table of a database is wanted.
    pub fn selects_database(&self, database: &str) -> bool {
        (self.all && !Self::is_system(database)) || self.databases.contains(database)
    }

    /// Whether a database holds the server's own tables, on which no triggers can be made.
    pub fn is_system(database: &str) -> bool {
        SYSTEM.iter().any(|name| name.eq_ignore_ascii_case(database))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_can_be_excluded_from_its_database() {
        let named = |table: &str| TableName { schema: "shop".to_owned(), table: table.to_owned() };
        let selection = Selection { all: true, excluded: [named("gone")].into(), ..Selection::default() };
        assert!(selection.selects(&named("there")));
        assert!(!selection.selects(&named("gone")));
    }
}
