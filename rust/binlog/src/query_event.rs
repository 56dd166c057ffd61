use crate::cursor::{self, Cursor};
use crate::error::{Fault, Result};

/// A QUERY event: a statement as text, with the session it ran in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueryEvent<'a> {
    pub thread_id: u32,
    pub database: &'a [u8],
    pub sql: &'a [u8],
    variables: &'a [u8],
}

/// The session's settings, as far as the log tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Session {
    pub sql_mode: u64,
    pub client_charset: u16,
    pub connection_collation: u16,
    pub server_collation: u16,
    pub database_collation: u16,
    pub time_zone: String,
    /// Microseconds of the second in which the statement began.
    pub micros: u32,
    /// First setting that is not known here; it and those behind it were not read.
    pub unknown: Option<u8>,
}

impl<'a> QueryEvent<'a> {
    pub fn parse(body: &'a [u8]) -> Result<Self> {
        let mut cursor = Cursor::new(body);
        let thread_id = cursor.u32()?;
        let _seconds = cursor.u32()?;
        let database_length = usize::from(cursor.u8()?);
        let _error = cursor.u16()?;
        let variables_length = usize::from(cursor.u16()?);
        let variables = cursor.take(variables_length)?;
        let database = cursor.take(database_length)?;
        if cursor.u8()? != 0 {
            return Err(Fault::corrupt("a default database without its closing zero byte"));
        }
        Ok(Self { thread_id, database, sql: cursor.rest(), variables })
    }

    pub fn database(&self) -> Result<&'a str> {
        cursor::name(self.database)
    }

    /// Reads the status variables: MySQL libbinlogevents, statement_events.h,
    /// `Query_event::Query_event_status_vars`; MariaDB sql/log_event.h, `Q_*`.
    pub fn session(&self) -> Result<Session> {
        let mut session = Session::default();
        let mut cursor = Cursor::new(self.variables);
        while !cursor.is_empty() {
            match cursor.u8()? {
                0 => drop(cursor.u32()?),              // flags2: autocommit, foreign key checks
                1 => session.sql_mode = cursor.u64()?, // sql_mode
                2 => drop_catalog(&mut cursor)?,       // catalog, before MySQL 5.0.4
                3 => drop(cursor.u32()?),              // auto_increment_increment and _offset
                4 => {
                    session.client_charset = cursor.u16()?;
                    session.connection_collation = cursor.u16()?;
                    session.server_collation = cursor.u16()?;
                }
                5 => session.time_zone = cursor::name(short_text(&mut cursor)?)?.to_owned(),
                6 => drop(short_text(&mut cursor)?), // catalog
                7 => drop(cursor.u16()?),            // lc_time_names
                8 => session.database_collation = cursor.u16()?,
                9 => drop(cursor.u64()?),  // tables of a multi-table update
                10 => drop(cursor.u32()?), // length in the source's own log
                11 => {
                    short_text(&mut cursor)?; // definer: user and host
                    short_text(&mut cursor)?;
                }
                12 => updated_databases(&mut cursor)?,
                13 => session.micros = cursor.u24()?,
                16 | 19 | 20 => drop(cursor.u8()?), // explicit_defaults_for_timestamp, sql_require_primary_key, default_table_encryption
                17 | 129 => drop(cursor.u64()?),    // XID of an atomic DDL (MySQL, MariaDB)
                18 => drop(cursor.u16()?),          // default_collation_for_utf8mb4
                128 => session.micros = cursor.u24()?, // MariaDB: microseconds
                130 => {
                    const COMMIT_OR_ROLLBACK_ALTER: u8 = 4 | 8;
                    if cursor.u8()? & COMMIT_OR_ROLLBACK_ALTER != 0 {
                        cursor.u64()?; // sequence number of the START ALTER
                    }
                }
                131 => {
                    let pairs = usize::from(cursor.u8()?); // character_set_collations
                    cursor.take(4 * pairs)?;
                }
                // Their lengths are not known, so the servers stop here too.
                unknown => {
                    session.unknown = Some(unknown);
                    break;
                }
            }
        }
        Ok(session)
    }
}

fn short_text<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8]> {
    let length = usize::from(cursor.u8()?);
    cursor.take(length)
}

fn drop_catalog(cursor: &mut Cursor<'_>) -> Result<()> {
    short_text(cursor)?;
    cursor.u8().map(drop)
}

/// Names of the databases that a statement changes; 254 stands for "too many to name".
fn updated_databases(cursor: &mut Cursor<'_>) -> Result<()> {
    let count = cursor.u8()?;
    if count != 254 {
        for _ in 0..count {
            cursor.until_zero()?;
        }
    }
    Ok(())
}
