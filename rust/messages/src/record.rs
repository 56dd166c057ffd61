use opendrs_columns::values::Column;

use crate::error::Refused;
use crate::facts::Facts;
use crate::names::Shape;
use crate::options::{Format, Source};
use crate::{avro, canal, debezium, json};

/// What a message says happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Insert,
    Update,
    Delete,
    /// The row was there when the snapshot was taken.
    Init,
}

impl Kind {
    /// In the order of their numbers: what there is one of a kind stands in an array.
    pub const ALL: [Self; 4] = [Self::Insert, Self::Update, Self::Delete, Self::Init];

    /// The name in DRS's formats.
    pub fn name(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Init => "INIT",
        }
    }
}

/// One message to be written.
pub(crate) struct Record<'a, 'b> {
    pub kind: Kind,
    pub id: u64,
    /// Ordinal of the change within the part of its transaction that the window holds.
    pub ordinal: u32,
    pub stamp: &'a Stamp,
    /// The columns that are read; those that are written come first.
    pub columns: &'a [Column<'b>],
    /// The row before, unless it came.
    pub before: Option<usize>,
    /// The row after, unless it went.
    pub after: Option<usize>,
}

impl Record<'_, '_> {
    /// The row after, or the row that went.
    pub fn row(&self) -> Option<usize> {
        self.after.or(self.before)
    }
}

/// What the messages of one transaction share, as their format writes it: made once for all of them.
#[derive(Default)]
pub(crate) struct Stamp {
    txn: Option<u32>,
    /// When the transaction was committed.
    pub es: Vec<u8>,
    /// Which one it was: its id, its place in the log.
    pub place: Vec<u8>,
    /// When the message was made.
    pub ts: Vec<u8>,
}

impl Stamp {
    /// `now_ms` is milliseconds since 1970 UTC.
    pub fn new(format: Format, now_ms: i64) -> Self {
        let mut stamp = Self::default();
        match format {
            Format::Avro => avro::long(now_ms, &mut stamp.ts),
            _ => opendrs_columns::print::whole(now_ms, &mut stamp.ts),
        }
        stamp
    }

    /// Makes it that of another transaction.
    #[inline]
    pub fn turn_to<'f>(&mut self, format: Format, txn: u32, facts: impl FnOnce() -> Facts<'f>) {
        if self.txn != Some(txn) {
            self.txn = Some(txn);
            self.renew(format, &facts());
        }
    }

    fn renew(&mut self, format: Format, facts: &Facts<'_>) {
        self.es.clear();
        self.place.clear();
        match format {
            Format::Avro => avro::long(facts.moment_ms(), &mut self.es),
            _ => opendrs_columns::print::whole(facts.moment_ms(), &mut self.es),
        }
        match format {
            Format::Json | Format::JsonC | Format::Avro => {}
            Format::CanalJson => canal::place(facts, &mut self.place),
            Format::DebeziumJson => debezium::place(facts, &mut self.place),
        }
    }

    /// That of a single message.
    pub fn of(format: Format, now_ms: i64, facts: &Facts<'_>) -> Self {
        let mut stamp = Self::new(format, now_ms);
        stamp.renew(format, facts);
        stamp
    }
}

/// The constant parts of a table's messages.
pub(crate) enum Layout {
    Json(json::Layout),
    Canal(canal::Layout),
    Debezium(debezium::Layout),
    Avro(avro::Layout),
}

impl Layout {
    pub fn new(format: Format, source: &Source, shape: &Shape<'_>) -> Self {
        match format {
            Format::Json => Self::Json(json::Layout::new(shape, false)),
            Format::JsonC => Self::Json(json::Layout::new(shape, true)),
            Format::Avro => Self::Avro(avro::Layout::new(shape)),
            Format::CanalJson => Self::Canal(canal::Layout::new(shape)),
            Format::DebeziumJson => Self::Debezium(debezium::Layout::new(shape, source)),
        }
    }

    /// Appends a message.
    #[inline]
    pub fn write(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<(), Refused> {
        match self {
            Self::Json(layout) => layout.write(record, out),
            Self::Canal(layout) => layout.write(record, out),
            Self::Debezium(layout) => layout.write(record, out),
            Self::Avro(layout) => layout.write(record, out),
        }
    }
}
