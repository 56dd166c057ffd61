//! TABLE_MAP and rows events.

use opendrs_columns::TableName;

use crate::compressed;
use crate::decoder::Decoder;
use crate::error::{ErrorKind, Fault, Result};
use crate::event::SequenceState;
use crate::format::Flavour;
use crate::header::{HEADER_BYTES, Header, types};
use crate::maps::Target;
use crate::rows::{self, DUMMY_TABLE_ID, Kind, RowsEvent};
use crate::table_map::{Columns, TableMap};
use crate::verify;

impl Decoder {
    pub(crate) fn table_map(&mut self, body: &[u8]) -> Result<()> {
        self.no_context()?;
        let group = self.open_group()?;
        if group.applied && group.xa.is_none() {
            return Ok(());
        }
        if group.xa.is_some() {
            return self.hold(types::TABLE_MAP, body);
        }
        let map = TableMap::parse(body, self.table_id_bytes())?;
        if self.maps.seen(map.id, body, self.group_number) {
            return Ok(());
        }
        let name = map.table_name()?;
        let (target, lasting) = self.target(&map, &name).map_err(|fault| fault.of_table(&name))?;
        self.maps.put(map.id, body, self.group_number, target, lasting);
        Ok(())
    }

    /// What becomes of the rows of a table; whether that holds in the next group too.
    fn target(&self, map: &TableMap<'_>, name: &TableName) -> Result<(Target, bool)> {
        if !self.selection.selects(name) {
            return Ok((Target::Ignored, true));
        }
        let Some(registered) = self.tables.get(name) else {
            let columns = map.columns()?;
            return self.sequence(name, &columns).map(|target| (target, true));
        };
        let mut lasting = true;
        if let (Some(skip), Some(group)) = (&registered.options.skip_through, &self.group) {
            lasting = false;
            if skip.contains(&group.id) {
                return Ok((Target::Skipped, false));
            }
        }
        let table = self.rows.table(registered.handle);
        let table = table.ok_or_else(|| Fault::new(ErrorKind::Misuse, "a table without room for rows"))?;
        let layout = verify::compile(&table.spec, &registered.options, &map.columns()?, self.flavour())?;
        Ok((Target::Table { handle: registered.handle, layout }, lasting))
    }

    fn sequence(&self, name: &TableName, columns: &Columns<'_>) -> Result<Target> {
        let known = self.sequences.contains(name);
        if self.flavour() == Flavour::Mariadb && verify::is_sequence(columns, !known) {
            return Ok(Target::Sequence(name.clone()));
        }
        let what = if known {
            "the log has rows that are not those of a sequence"
        } else {
            "the log has rows of a selected table that is not known: its schema history lacks a statement"
        };
        Err(Fault::new(if known { ErrorKind::SchemaMismatch } else { ErrorKind::NotRegistered }, what))
    }

    #[inline]
    pub(crate) fn rows_event(&mut self, kind: Kind, event_type: u8, body: &[u8]) -> Result<()> {
        self.no_context()?;
        let table_id_bytes = self.table_id_bytes();
        let number = self.group_number;
        let group = self.open_group()?;
        if group.xa.is_some() {
            return self.hold(event_type, body);
        }
        if group.applied {
            return Ok(());
        }
        let event = RowsEvent::parse(body, kind, table_id_bytes)?;
        self.rows_of(&event, kind, number)?;
        self.rows.statement(event.is_checked(), event.ends_statement());
        Ok(())
    }

    #[inline]
    fn rows_of(&mut self, event: &RowsEvent<'_>, kind: Kind, number: u64) -> Result<()> {
        if event.table_id == DUMMY_TABLE_ID && event.rows.is_empty() {
            return Ok(());
        }
        let Some(entry) = self.maps.get(event.table_id).filter(|entry| entry.group == number) else {
            return Err(Fault::corrupt(format!("rows of table id {} without a table map", event.table_id)));
        };
        let sequence = match &entry.target {
            Target::Ignored | Target::Skipped => return Ok(()),
            Target::Sequence(name) => Some(name.clone()),
            Target::Table { .. } => None,
        };
        let plain;
        let rows = if kind.compressed {
            plain = compressed::event(event.rows, self.config.event_bytes_max)?;
            plain.as_slice()
        } else {
            event.rows
        };
        match (&entry.target, sequence) {
            (Target::Table { handle, layout }, _) => {
                event.decode(rows, layout, &mut self.rows, *handle, &mut self.scratch)
            }
            (_, Some(name)) => {
                let state = rows::sequence_state(event, rows).map_err(|fault| fault.of_table(&name))?;
                if let Some((next_not_cached, cycles)) = state {
                    self.rows.sequences.retain(|known| known.name != name);
                    self.rows.sequences.push(SequenceState { name, next_not_cached, cycles });
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A piece of a rows event; the last one brings the whole.
    pub(crate) fn fragment(&mut self, body: &[u8]) -> Result<()> {
        self.open_group()?;
        let Some(event) = self.fragments.push(body, self.config.event_bytes_max)? else { return Ok(()) };
        let header = Header::parse(&event)?;
        match Kind::of(header.kind) {
            Some(kind) => self.rows_event(kind, header.kind, event.get(HEADER_BYTES..).unwrap_or_default()),
            None => Err(Fault::corrupt(format!("pieces of an event of type {}, which has no rows", header.kind))),
        }
    }
}
