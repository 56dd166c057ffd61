//! What every session of ours looks like, whatever the server's defaults are.

use crate::connection::Connection;
use crate::error::Result;
use crate::options::ConnectionOptions;
use opendrs_binlog::Flavour;

/// The SQL mode of all our sessions.
///
/// Left out on purpose: PAD_CHAR_TO_FULL_LENGTH (changes CHAR values as they are read),
/// ANSI_QUOTES, PIPES_AS_CONCAT, NO_BACKSLASH_ESCAPES, IGNORE_SPACE, HIGH_NOT_PRECEDENCE, ORACLE
/// (our statements would mean something else), NO_ZERO_DATE, NO_ZERO_IN_DATE and the strict modes
/// (a comparison with a zero date would be an error). ALLOW_INVALID_DATES lets a comparison name
/// 2024-02-31, which a table may hold. NO_UNSIGNED_SUBTRACTION keeps arithmetic on unsigned columns
/// from being an error below zero.
pub(crate) const SQL_MODE: &str = "ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION,NO_UNSIGNED_SUBTRACTION";

/// A dump or a scan may wait for us as long as back-pressure lasts.
const TRANSFER_TIMEOUT_S: u32 = 86_400;
/// A session that holds a snapshot may be idle while others read.
const WAIT_TIMEOUT_S: u32 = 604_800;

fn statements(flavour: Flavour, options: &ConnectionOptions) -> Vec<String> {
    // Servers may be told to ignore what the handshake says about character sets.
    let mut all = vec!["SET NAMES utf8mb4".to_owned()];
    // A limit that an administrator meant for people would cut results or end long scans.
    let limit = match flavour {
        Flavour::Mysql => "max_execution_time = 0",
        Flavour::Mariadb => "max_statement_time = 0",
    };
    all.push(format!(
        "SET SESSION time_zone = '+00:00', sql_mode = '{SQL_MODE}', autocommit = 1, \
         sql_select_limit = 18446744073709551615, sql_big_selects = 1, sql_quote_show_create = 1, \
         net_read_timeout = {TRANSFER_TIMEOUT_S}, net_write_timeout = {TRANSFER_TIMEOUT_S}, \
         wait_timeout = {WAIT_TIMEOUT_S}, {limit}"
    ));
    // The isolation that a consistent snapshot needs, whatever the server's default.
    all.push("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ".to_owned());
    if options.read_only {
        all.push("SET SESSION TRANSACTION READ ONLY".to_owned());
    }
    all.extend(options.session.iter().cloned());
    all
}

pub(crate) fn set_up(connection: &mut Connection, options: &ConnectionOptions) -> Result<()> {
    for statement in statements(connection.flavour(), options) {
        connection.execute(&statement).map_err(|error| error.within("setting up the session"))?;
    }
    Ok(())
}
