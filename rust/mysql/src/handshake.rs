//! The first packets of a connection (MySQL Internals, "Connection Phase"; MariaDB "Connection").

use std::collections::BTreeMap;

use opendrs_binlog::Flavour;

use crate::cursor::{Cursor, put_lenenc, put_lenenc_bytes};
use crate::error::{ErrorKind, MysqlError, Result};

pub(crate) mod capability {
    //! What client and server can do ("Capability Flags").
    pub const LONG_PASSWORD: u32 = 1;
    pub const LONG_FLAG: u32 = 1 << 2;
    pub const CONNECT_WITH_DB: u32 = 1 << 3;
    pub const PROTOCOL_41: u32 = 1 << 9;
    pub const SSL: u32 = 1 << 11;
    pub const TRANSACTIONS: u32 = 1 << 13;
    pub const SECURE_CONNECTION: u32 = 1 << 15;
    pub const MULTI_RESULTS: u32 = 1 << 17;
    pub const PS_MULTI_RESULTS: u32 = 1 << 18;
    pub const PLUGIN_AUTH: u32 = 1 << 19;
    pub const CONNECT_ATTRS: u32 = 1 << 20;
    pub const PLUGIN_AUTH_LENENC: u32 = 1 << 21;
    pub const DEPRECATE_EOF: u32 = 1 << 24;

    /// What we ask for if the server has it. Not multi-statements: a statement is one statement.
    /// Not compression: it costs more processor time than a local network saves.
    pub const WANTED: u32 = LONG_PASSWORD
        | LONG_FLAG
        | PROTOCOL_41
        | TRANSACTIONS
        | SECURE_CONNECTION
        | MULTI_RESULTS
        | PS_MULTI_RESULTS
        | PLUGIN_AUTH
        | CONNECT_ATTRS
        | PLUGIN_AUTH_LENENC
        | DEPRECATE_EOF;

    /// What every supported server (MySQL 5.7, MariaDB 10.4) has.
    pub const NEEDED: u32 = PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH;
}

/// utf8mb4_general_ci: known under this number to every supported server.
const COLLATION: u8 = 45;

/// The server's first words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Greeting {
    pub version: String,
    pub flavour: Flavour,
    pub connection_id: u32,
    pub capabilities: u32,
    /// Challenge without the zero byte at its end.
    pub challenge: Vec<u8>,
    pub plugin: String,
}

impl Greeting {
    pub fn parse(packet: &[u8]) -> Result<Self> {
        let mut cursor = Cursor::new(packet);
        match cursor.u8()? {
            10 => {}
            // An ERR packet of a connection that has agreed on nothing yet has no SQLSTATE.
            0xFF => return Err(parse_error(packet)),
            other => {
                return Err(MysqlError::new(
                    ErrorKind::Unsupported,
                    format!("the server speaks protocol version {other}; MySQL 5.7 or MariaDB 10.4 and newer speak 10"),
                ));
            }
        }
        let shown = String::from_utf8_lossy(cursor.until_nul()).into_owned();
        let connection_id = cursor.u32()?;
        let mut challenge = cursor.bytes(8)?.to_vec();
        cursor.skip(1)?;
        let low = u32::from(cursor.u16()?);
        cursor.skip(3)?;
        let capabilities = low | u32::from(cursor.u16()?) << 16;
        let length = usize::from(cursor.u8()?);
        cursor.skip(10)?;
        if capabilities & capability::NEEDED != capability::NEEDED {
            return Err(MysqlError::new(
                ErrorKind::Unsupported,
                format!("server {shown} is too old: MySQL 5.7 or MariaDB 10.4 and newer are supported"),
            ));
        }
        // At least 13 bytes follow, whatever the length says.
        challenge.extend_from_slice(cursor.bytes(length.saturating_sub(8).max(13))?);
        if challenge.last() == Some(&0) {
            challenge.pop();
        }
        let plugin = String::from_utf8_lossy(cursor.until_nul()).into_owned();
        // MariaDB puts "5.5.5-" in front of its version for the sake of old replicas (MDEV-4088).
        let mariadb = shown.contains("MariaDB");
        let version = if mariadb { shown.strip_prefix("5.5.5-").unwrap_or(&shown).to_owned() } else { shown };
        let flavour = if mariadb { Flavour::Mariadb } else { Flavour::Mysql };
        Ok(Self { version, flavour, connection_id, capabilities, challenge, plugin })
    }
}

/// The first 32 bytes of our answer: alone they ask for encryption.
pub(crate) fn ssl_request(capabilities: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    out.extend_from_slice(&capabilities.to_le_bytes());
    // Largest packet we send; what we accept is bounded by the reader.
    out.extend_from_slice(&(1u32 << 30).to_le_bytes());
    out.push(COLLATION);
    out.extend_from_slice(&[0; 23]);
    out
}

pub(crate) struct Login<'a> {
    pub capabilities: u32,
    pub user: &'a str,
    pub answer: &'a [u8],
    pub database: Option<&'a str>,
    pub plugin: &'a str,
    pub attributes: &'a BTreeMap<String, String>,
}

impl Login<'_> {
    pub fn packet(&self) -> Vec<u8> {
        let mut out = ssl_request(self.capabilities);
        put_nul(&mut out, self.user);
        if self.capabilities & capability::PLUGIN_AUTH_LENENC != 0 {
            put_lenenc_bytes(&mut out, self.answer);
        } else {
            // Answers of more than 255 bytes exist only for plugins of servers that have the flag.
            out.push(self.answer.len().min(255) as u8);
            out.extend_from_slice(&self.answer[..self.answer.len().min(255)]);
        }
        if self.capabilities & capability::CONNECT_WITH_DB != 0 {
            put_nul(&mut out, self.database.unwrap_or_default());
        }
        put_nul(&mut out, self.plugin);
        if self.capabilities & capability::CONNECT_ATTRS != 0 {
            let mut pairs = Vec::new();
            for (key, value) in self.attributes {
                put_lenenc_bytes(&mut pairs, key.as_bytes());
                put_lenenc_bytes(&mut pairs, value.as_bytes());
            }
            put_lenenc(&mut out, pairs.len() as u64);
            out.extend_from_slice(&pairs);
        }
        out
    }
}

/// A zero byte ends the text, so none may be in it.
fn put_nul(out: &mut Vec<u8>, text: &str) {
    out.extend(text.bytes().filter(|&byte| byte != 0));
    out.push(0);
}

/// The error in an ERR packet (its first byte is 0xFF).
pub(crate) fn parse_error(packet: &[u8]) -> MysqlError {
    let mut cursor = Cursor::new(packet);
    let Ok((_, code)) = cursor.u8().and_then(|first| Ok((first, cursor.u16()?))) else {
        return MysqlError::protocol("the server reports an error that cannot be read");
    };
    let (state, text) = match cursor.rest() {
        [b'#', rest @ ..] if rest.len() >= 5 => rest.split_at(5),
        rest => (&b""[..], rest),
    };
    let (state, text) = (String::from_utf8_lossy(state), String::from_utf8_lossy(text));
    MysqlError::server(code, &state, text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Greetings recorded from MariaDB 10.11.19 and MySQL 9.7.
    fn greeting(version: &str, low: u16, high: u16, reserved: [u8; 10], plugin: &str) -> Vec<u8> {
        let mut out = vec![10];
        put_nul(&mut out, version);
        out.extend_from_slice(&7u32.to_le_bytes());
        out.extend_from_slice(b"abcdefgh\0");
        out.extend_from_slice(&low.to_le_bytes());
        out.extend_from_slice(&[45, 2, 0]);
        out.extend_from_slice(&high.to_le_bytes());
        out.push(21);
        out.extend_from_slice(&reserved);
        out.extend_from_slice(b"ijklmnopqrst\0");
        put_nul(&mut out, plugin);
        out
    }

    #[test]
    fn both_families_are_understood() {
        let ours = greeting(
            "5.5.5-10.11.19-MariaDB-log",
            0xF7FE,
            0x81BF,
            [0, 0, 0, 0, 0, 0, 0x1D, 0, 0, 0],
            "mysql_native_password",
        );
        let parsed = Greeting::parse(&ours).unwrap();
        assert_eq!((parsed.version.as_str(), parsed.flavour), ("10.11.19-MariaDB-log", Flavour::Mariadb));
        assert_eq!(parsed.challenge, b"abcdefghijklmnopqrst");
        assert_eq!(parsed.plugin, "mysql_native_password");
        let ours = greeting("9.7.4", 0xFFFF, 0xDFFF, [0; 10], "caching_sha2_password");
        let parsed = Greeting::parse(&ours).unwrap();
        assert_eq!((parsed.version.as_str(), parsed.flavour), ("9.7.4", Flavour::Mysql));
        for cut in 0..ours.len() - 22 {
            assert!(Greeting::parse(&ours[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_refusal_instead_of_a_greeting_is_the_servers_error() {
        let error = Greeting::parse(b"\xff\x10\x04Too many connections").unwrap_err();
        assert_eq!((error.code(), error.message()), (1040, "Too many connections"));
        let error = Greeting::parse(b"\xff\x6a\x04#HY000Host is not allowed").unwrap_err();
        assert_eq!((error.code(), error.kind(), error.sqlstate()), (1130, ErrorKind::AccessDenied, "HY000"));
        assert_eq!(Greeting::parse(b"\x09old").unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(parse_error(b"\xff").kind(), ErrorKind::Protocol);
    }
}
