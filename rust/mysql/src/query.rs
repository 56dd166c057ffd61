//! Text protocol, for metadata: everything a statement returns, by name.

use crate::column::Column;
use crate::connection::{Connection, Done, MORE_RESULTS, command};
use crate::cursor::Cursor;
use crate::error::{ErrorKind, MysqlError, Result};

/// What a metadata query may return in all, in bytes.
const RESULT_BYTES_MAX: usize = 512 << 20;

/// The rows of a query, as the server prints the values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// Column names, as the server sends them.
    pub columns: Vec<String>,
    /// Whether a column holds bytes rather than text.
    pub is_bytes: Vec<bool>,
    /// One vector a row; None is NULL.
    pub rows: Vec<Vec<Option<Vec<u8>>>>,
}

impl Rows {
    /// Index of the first column of one of these names, in any case.
    pub fn column(&self, names: &[&str]) -> Option<usize> {
        self.columns.iter().position(|column| names.iter().any(|name| column.eq_ignore_ascii_case(name)))
    }

    /// A value as text; None if it is NULL, not UTF-8, or not there.
    pub fn text(&self, row: usize, column: &str) -> Option<&str> {
        let value = self.rows.get(row)?.get(self.column(&[column])?)?.as_deref()?;
        std::str::from_utf8(value).ok()
    }

    /// The first column of the first row as text.
    pub fn scalar(&self) -> Option<&str> {
        std::str::from_utf8(self.rows.first()?.first()?.as_deref()?).ok()
    }
}

impl Connection {
    /// Runs one statement and returns its rows; without a result set, no rows. What a procedure
    /// returns behind its first result set is read and dropped.
    pub fn query(&mut self, sql: &str) -> Result<Rows> {
        self.set_results_as_stored(false)?;
        self.send_query(sql)?;
        let (rows, mut status) = self.result()?;
        while status & MORE_RESULTS != 0 {
            status = self.result()?.1;
        }
        Ok(rows.unwrap_or_default())
    }

    /// Runs one statement that returns no rows.
    pub fn execute(&mut self, sql: &str) -> Result<Done> {
        self.send_query(sql)?;
        let mut first = None;
        loop {
            let (done, status) = match self.result_head()? {
                Head::Done(done) => (done, done.status),
                Head::Columns(count) => {
                    let (_, status) = self.rows(count)?;
                    (Done { affected: 0, last_insert_id: 0, warnings: 0, status }, status)
                }
            };
            first.get_or_insert(done);
            if status & MORE_RESULTS == 0 {
                break;
            }
        }
        first.ok_or_else(|| MysqlError::protocol("the server did not answer"))
    }

    fn send_query(&mut self, sql: &str) -> Result<()> {
        let mut payload = Vec::with_capacity(sql.len() + 1);
        payload.push(command::QUERY);
        payload.extend_from_slice(sql.as_bytes());
        self.command(&payload)
    }

    fn result(&mut self) -> Result<(Option<Rows>, u16)> {
        match self.result_head()? {
            Head::Done(done) => Ok((None, done.status)),
            Head::Columns(count) => self.rows(count).map(|(rows, status)| (Some(rows), status)),
        }
    }

    fn result_head(&mut self) -> Result<Head> {
        let packet = self.packet()?;
        let head = match packet.first() {
            Some(0) => return self.reparse_done(),
            // A server that asks for a local file: we have not offered that, and never will.
            Some(0xFB) | None => None,
            Some(_) => Cursor::new(packet).lenenc().ok().and_then(|count| usize::try_from(count).ok()),
        };
        // The protocol's own limit on columns is 4096.
        match head.filter(|count| (1..=65_535).contains(count)) {
            Some(count) => Ok(Head::Columns(count)),
            None => {
                self.set_broken();
                Err(MysqlError::protocol("the server's answer to a statement cannot be read"))
            }
        }
    }

    fn reparse_done(&mut self) -> Result<Head> {
        let result = crate::connection::parse_done(self.wire().current());
        if result.is_err() {
            self.set_broken();
        }
        result.map(Head::Done)
    }

    /// The descriptions of the columns, and the EOF packet behind them where there is one.
    pub(crate) fn columns(&mut self, count: usize) -> Result<Vec<Column>> {
        let mut columns = Vec::with_capacity(count.min(4096));
        for _ in 0..count {
            let parsed = Column::parse(self.packet()?);
            if parsed.is_err() {
                self.set_broken();
            }
            columns.push(parsed?);
        }
        if !self.deprecates_eof() {
            self.packet()?;
        }
        Ok(columns)
    }

    fn rows(&mut self, count: usize) -> Result<(Rows, u16)> {
        let columns = self.columns(count)?;
        let mut rows = Rows {
            columns: columns.iter().map(|c| c.name.clone()).collect(),
            is_bytes: columns.iter().map(Column::is_bytes).collect(),
            rows: Vec::new(),
        };
        let deprecates_eof = self.deprecates_eof();
        let mut bytes = 0usize;
        loop {
            let packet = self.packet()?;
            if let Some(done) = crate::connection::end_of_rows(packet, deprecates_eof) {
                return done.map(|done| (rows, done.status));
            }
            bytes = bytes.saturating_add(packet.len() + 24 * count);
            let row = text_row(packet, count);
            if row.is_err() || bytes > RESULT_BYTES_MAX {
                self.set_broken();
            }
            if bytes > RESULT_BYTES_MAX {
                let text = format!("a metadata query returns more than {RESULT_BYTES_MAX} bytes");
                return Err(MysqlError::new(ErrorKind::TooLarge, text));
            }
            rows.rows.push(row?);
        }
    }
}

enum Head {
    Done(Done),
    Columns(usize),
}

fn text_row(packet: &[u8], count: usize) -> Result<Vec<Option<Vec<u8>>>> {
    let mut cursor = Cursor::new(packet);
    let mut row = Vec::with_capacity(count);
    for _ in 0..count {
        if cursor.rest().first() == Some(&0xFB) {
            cursor.skip(1)?;
            row.push(None);
        } else {
            row.push(Some(cursor.lenenc_bytes()?.to_vec()));
        }
    }
    if cursor.is_empty() { Ok(row) } else { Err(MysqlError::protocol("a row has more values than columns")) }
}

/// An identifier in backticks.
pub fn quote_name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text literal, for our sessions' SQL mode.
pub fn quote_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for c in text.chars() {
        match c {
            '\'' => out.push_str("''"),
            '\\' => out.push_str("\\\\"),
            '\0' => out.push_str("\\0"),
            _ => out.push(c),
        }
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_whole_or_not_at_all() {
        assert_eq!(text_row(b"\x01a\xfb\x00", 3).unwrap(), [Some(b"a".to_vec()), None, Some(vec![])]);
        assert!(text_row(b"\x01a\xfb", 3).is_err());
        assert!(text_row(b"\x01a\x01b", 1).is_err());
    }

    #[test]
    fn quoting_leaves_nothing_open() {
        assert_eq!(quote_text("a'b\\c\0"), "'a''b\\\\c\\0'");
        assert_eq!(quote_name("a`b"), "`a``b`");
    }
}
