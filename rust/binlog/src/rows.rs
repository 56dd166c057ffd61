//! Rows events: what changed in which table.

use crate::column::{Column, Scratch};
use crate::cursor::Cursor;
use crate::error::{ErrorKind, Fault, Result};
use crate::header::types;
use crate::json;
use crate::window::{Rows, TableRows, op};

/// What a rows event does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Insert,
    Update,
    Delete,
}

/// How the event is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    pub action: Action,
    /// The post-header has extra data (version 2).
    extra: bool,
    /// Rows are compressed (MariaDB).
    pub compressed: bool,
    /// After images may hold JSON diffs (MySQL).
    partial: bool,
}

impl Kind {
    /// None if the event type is no rows event.
    #[inline]
    pub fn of(event_type: u8) -> Option<Self> {
        use types::*;
        let (action, extra, compressed, partial) = match event_type {
            WRITE_ROWS_V1 => (Action::Insert, false, false, false),
            UPDATE_ROWS_V1 => (Action::Update, false, false, false),
            DELETE_ROWS_V1 => (Action::Delete, false, false, false),
            WRITE_ROWS_V2 => (Action::Insert, true, false, false),
            UPDATE_ROWS_V2 => (Action::Update, true, false, false),
            DELETE_ROWS_V2 => (Action::Delete, true, false, false),
            PARTIAL_UPDATE_ROWS => (Action::Update, true, false, true),
            WRITE_ROWS_COMPRESSED_V1 => (Action::Insert, false, true, false),
            UPDATE_ROWS_COMPRESSED_V1 => (Action::Update, false, true, false),
            DELETE_ROWS_COMPRESSED_V1 => (Action::Delete, false, true, false),
            WRITE_ROWS_COMPRESSED => (Action::Insert, true, true, false),
            UPDATE_ROWS_COMPRESSED => (Action::Update, true, true, false),
            DELETE_ROWS_COMPRESSED => (Action::Delete, true, true, false),
            _ => return None,
        };
        Some(Self { action, extra, compressed, partial })
    }
}

/// The columns of a table as one table map describes them.
pub(crate) struct Layout {
    pub columns: Vec<Column>,
    /// Columns that images may lack, for the server computes them.
    pub generated: Vec<bool>,
    /// The column that tells when a row ended.
    pub row_end: Option<usize>,
}

impl Layout {
    /// Whether the row that was read last is no longer there: only a history has it.
    #[inline]
    fn is_past(&self, table: &TableRows) -> bool {
        self.row_end.is_some_and(|column| table.columns[column].last().is_some_and(|end| !NEVER_ENDED.contains(&end)))
    }
}

/// What the end of a row is as long as it is there: the last moment of a TIMESTAMP, in microseconds, up to
/// MariaDB 11.4 and behind it; and the last number of a transaction.
const NEVER_ENDED: [i128; 3] = [2_147_483_647_999_999, 4_294_967_295_999_999, u64::MAX as i128];

/// Which columns an image has.
#[derive(Clone, Copy)]
struct Present<'a> {
    bitmap: &'a [u8],
    /// All of them.
    whole: bool,
    /// Number of those that it has.
    count: usize,
}

/// A rows event with its parts located.
pub(crate) struct RowsEvent<'a> {
    pub table_id: u64,
    pub flags: u16,
    count: usize,
    before: &'a [u8],
    after: &'a [u8],
    pub rows: &'a [u8],
    kind: Kind,
}

/// The log carries the foreign-key cascades of this event (MySQL 9.6 and newer, `USE_SQL_FOREIGN_KEY_F`).
const FLAG_SQL_FOREIGN_KEYS: u16 = 1 << 4;

/// The last rows event of its statement (`STMT_END_F`).
const FLAG_STATEMENT_ENDS: u16 = 1;

/// The rows are not checked for foreign keys (`NO_FOREIGN_KEY_CHECKS_F`): all rows of a session with
/// `foreign_key_checks=0`; and, where the log carries them, those that a foreign key changed.
const FLAG_FOREIGN_KEYS_OFF: u16 = 1 << 1;

/// Bits in the column `flags` of a batch.
const CARRIES_CASCADES: u8 = 1;
const LACKS_GENERATED: u8 = 2;
pub(crate) const FOREIGN_KEYS_OFF: u8 = 4;

/// The table id of a rows event that only ends a statement (MySQL, `Rows_event`: "dummy event").
pub(crate) const DUMMY_TABLE_ID: u64 = 0x00ff_ffff;

impl<'a> RowsEvent<'a> {
    #[inline]
    pub fn parse(body: &'a [u8], kind: Kind, table_id_bytes: usize) -> Result<Self> {
        let mut cursor = Cursor::new(body);
        let table_id = cursor.uint(table_id_bytes)?;
        let flags = cursor.u16()?;
        if kind.extra {
            // Its length counts itself; it holds NDB's or partitioning's notes.
            let length = usize::from(cursor.u16()?);
            cursor.take(length.saturating_sub(2))?;
        }
        let count = cursor.lenenc_size()?;
        let before = cursor.take(count.div_ceil(8))?;
        let after = if kind.action == Action::Update { cursor.take(count.div_ceil(8))? } else { before };
        Ok(Self { table_id, flags, count, before, after, rows: cursor.rest(), kind })
    }

    /// Whether foreign keys were heeded.
    pub fn is_checked(&self) -> bool {
        self.flags & FLAG_FOREIGN_KEYS_OFF == 0
    }

    /// Whether this is the last rows event of its statement.
    pub fn ends_statement(&self) -> bool {
        self.flags & FLAG_STATEMENT_ENDS != 0
    }

    /// Appends every row of the event to its table.
    pub fn decode(
        &self,
        plain: &[u8],
        layout: &Layout,
        rows: &mut Rows,
        handle: usize,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let Some((table, seq, txn)) = rows.open_table(handle) else {
            return Err(Fault::new(ErrorKind::Misuse, "a table without room for rows"));
        };
        let (first, mut changes) = (table.rows(), 0u32);
        let decoded = self.append(plain, layout, table, scratch, (seq, txn), &mut changes);
        if let Err(fault) = decoded {
            return Err(fault.of_table(&table.spec.name));
        }
        if !self.is_checked() {
            rows.unchecked(handle, first);
        }
        rows.set_deleting(self.kind.action == Action::Delete && self.flags & FLAG_SQL_FOREIGN_KEYS != 0);
        rows.count(handle, changes)
    }

    #[inline]
    fn append(
        &self,
        plain: &[u8],
        layout: &Layout,
        table: &mut TableRows,
        scratch: &mut Scratch,
        first: (u32, u32),
        changes: &mut u32,
    ) -> Result<()> {
        let (before, after) = (self.present(self.before, layout)?, self.present(self.after, layout)?);
        let flags = self.row_flags(before.whole && after.whole);
        let mut cursor = Cursor::new(plain);
        while !cursor.is_empty() {
            let (seq, txn) = (first.0.saturating_add(*changes), first.1);
            match self.kind.action {
                Action::Insert | Action::Delete => {
                    image(layout, before, &mut cursor, table, scratch)?;
                    let op = if self.kind.action == Action::Insert { op::INSERT } else { op::DELETE };
                    table.lead(op, seq, txn, flags);
                    if layout.is_past(table) {
                        table.leave_out_last();
                        continue;
                    }
                }
                Action::Update if self.kind.partial => {
                    update_partial(layout, (before, after), &mut cursor, table, scratch, (seq, txn, flags))?;
                }
                Action::Update => {
                    image(layout, before, &mut cursor, table, scratch)?;
                    table.lead(op::BEFORE, seq, txn, flags);
                    let was_past = layout.is_past(table);
                    image(layout, after, &mut cursor, table, scratch)?;
                    table.lead(op::AFTER, seq, txn, flags);
                    if !table.now_and_then(was_past, layout.is_past(table)) {
                        continue;
                    }
                }
            }
            *changes += 1;
        }
        Ok(())
    }

    fn row_flags(&self, whole: bool) -> u8 {
        let mut flags = if whole { 0 } else { LACKS_GENERATED };
        if self.flags & FLAG_SQL_FOREIGN_KEYS != 0 {
            flags |= CARRIES_CASCADES;
        }
        if self.flags & FLAG_FOREIGN_KEYS_OFF != 0 {
            flags |= FOREIGN_KEYS_OFF;
        }
        flags
    }

    /// Every column but generated ones must be in every image: what is missing could only be guessed.
    #[inline]
    fn present(&self, bitmap: &'a [u8], layout: &Layout) -> Result<Present<'a>> {
        let count = layout.columns.len();
        if self.count != count {
            return Err(Fault::corrupt(format!("rows of {} columns behind a table map of {count}", self.count)));
        }
        if all_set(bitmap, count) {
            return Ok(Present { bitmap, whole: true, count });
        }
        let has = |index: usize| bitmap[index / 8] >> (index % 8) & 1 == 1;
        if (0..count).any(|index| !has(index) && !layout.generated[index]) {
            let what = "a row image lacks columns: set binlog_row_image=FULL on the source (for all sessions), then \
                        load the table again";
            return Err(Fault::new(ErrorKind::RowImage, what));
        }
        Ok(Present { bitmap, whole: false, count: (0..count).filter(|index| has(*index)).count() })
    }
}

fn all_set(bitmap: &[u8], count: usize) -> bool {
    let (whole, rest) = (count / 8, count % 8);
    bitmap.iter().take(whole).all(|byte| *byte == 0xff)
        && (rest == 0 || bitmap.get(whole).is_some_and(|byte| byte & ((1 << rest) - 1) == (1 << rest) - 1))
}

/// One image: a bit for each column it has that is NULL, then the values of the others.
#[inline]
fn image(
    layout: &Layout,
    present: Present<'_>,
    cursor: &mut Cursor<'_>,
    table: &mut TableRows,
    scratch: &mut Scratch,
) -> Result<()> {
    if !present.whole {
        return short_image(layout, present, cursor, table, scratch);
    }
    let nulls = cursor.take(present.count.div_ceil(8))?;
    for (index, (column, out)) in layout.columns.iter().zip(&mut table.columns).enumerate() {
        if nulls[index / 8] >> (index % 8) & 1 == 1 {
            out.push_null();
        } else {
            column.read(cursor, out, scratch)?;
        }
    }
    Ok(())
}

fn short_image(
    layout: &Layout,
    present: Present<'_>,
    cursor: &mut Cursor<'_>,
    table: &mut TableRows,
    scratch: &mut Scratch,
) -> Result<()> {
    let nulls = cursor.take(present.count.div_ceil(8))?;
    let mut ordinal = 0;
    for (index, (column, out)) in layout.columns.iter().zip(&mut table.columns).enumerate() {
        if present.bitmap[index / 8] >> (index % 8) & 1 == 0 {
            out.push_null();
            continue;
        }
        if nulls[ordinal / 8] >> (ordinal % 8) & 1 == 1 {
            out.push_null();
        } else {
            column.read(cursor, out, scratch)?;
        }
        ordinal += 1;
    }
    Ok(())
}

type Leading = (u32, u32, u8);

/// An update whose after image may hold diffs: behind the before image stand options (bit 0: diffs are
/// used), then one bit for each JSON column of the table, then the after image, in which a column with its
/// bit set is a length of 4 bytes and diffs (MySQL, sql/log_event.cc, `Rows_log_event::pack_row`).
fn update_partial(
    layout: &Layout,
    present: (Present<'_>, Present<'_>),
    cursor: &mut Cursor<'_>,
    table: &mut TableRows,
    scratch: &mut Scratch,
    leading: Leading,
) -> Result<()> {
    let (seq, txn, flags) = leading;
    if !(present.0.whole && present.1.whole) {
        return Err(Fault::new(ErrorKind::RowImage, "a partial update whose images lack columns"));
    }
    let mut documents = Vec::new();
    before_image(layout, cursor, table, scratch, &mut documents)?;
    table.lead(op::BEFORE, seq, txn, flags);
    let options = cursor.lenenc()?;
    if options > 1 {
        return Err(Fault::new(ErrorKind::Unsupported, format!("options {options:#x} of a partial update")));
    }
    let bits = if options == 1 { cursor.take(documents.len().div_ceil(8))? } else { &[] };
    let nulls = cursor.take(layout.columns.len().div_ceil(8))?;
    let mut ordinal = 0;
    for (index, (column, out)) in layout.columns.iter().zip(&mut table.columns).enumerate() {
        let is_json = matches!(column, Column::Json { .. });
        let partial = is_json && bits.get(ordinal / 8).is_some_and(|byte| byte >> (ordinal % 8) & 1 == 1);
        let document = if is_json { documents.get(ordinal).copied().flatten() } else { None };
        ordinal += usize::from(is_json);
        if nulls[index / 8] >> (index % 8) & 1 == 1 {
            out.push_null();
        } else if partial {
            let length = cursor.u32()? as usize;
            let diffs = cursor.take(length)?;
            let before = document.ok_or_else(|| Fault::corrupt("a partial JSON update of NULL"))?;
            let mut text = String::new();
            json::apply(before, diffs, &mut text)?;
            out.push_str(&text)?;
        } else {
            column.read(cursor, out, scratch)?;
        }
    }
    table.lead(op::AFTER, seq, txn, flags);
    Ok(())
}

/// As [`image`]; keeps the binary JSON documents of the row, None for those that are NULL.
fn before_image<'a>(
    layout: &Layout,
    cursor: &mut Cursor<'a>,
    table: &mut TableRows,
    scratch: &mut Scratch,
    documents: &mut Vec<Option<&'a [u8]>>,
) -> Result<()> {
    let nulls = cursor.take(layout.columns.len().div_ceil(8))?;
    for (index, (column, out)) in layout.columns.iter().zip(&mut table.columns).enumerate() {
        let null = nulls[index / 8] >> (index % 8) & 1 == 1;
        if matches!(column, Column::Json { .. }) {
            documents.push(if null { None } else { Some(column.skip(&mut cursor.clone())?) });
        }
        if null {
            out.push_null();
        } else {
            column.read(cursor, out, scratch)?;
        }
    }
    Ok(())
}

/// Reads only the first and last of a sequence's eight columns from each row (MariaDB,
/// sql/sql_sequence.h): the next value that is not cached, and how often it has cycled.
pub(crate) fn sequence_state(event: &RowsEvent<'_>, plain: &[u8]) -> Result<Option<(i64, i64)>> {
    let mut cursor = Cursor::new(plain);
    let mut last = None;
    while !cursor.is_empty() {
        let images = if event.kind.action == Action::Update { 2 } else { 1 };
        for _ in 0..images {
            if cursor.u8()? != 0 {
                return Err(Fault::corrupt("a row of a sequence with a NULL"));
            }
            let next = cursor.u64()? as i64;
            // Minimum, maximum, start, increment, cache size; then whether it cycles.
            cursor.take(5 * 8 + 1)?;
            last = Some((next, cursor.u64()? as i64));
        }
    }
    Ok(last.filter(|_| event.kind.action != Action::Delete))
}
