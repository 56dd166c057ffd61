//! Messages of the protocol: a checked cursor over what the server sends, and the framing of what
//! we send often.
//!
//! Source: PostgreSQL documentation, "Message Formats" (protocol 3.0).

use crate::error::{PgError, Result, ServerError};

/// Largest message we take. The server's own limit for a row is 1 GiB.
pub(crate) const MESSAGE_BYTES_MAX: usize = 1 << 30;

/// Tags of the server's messages.
pub(crate) mod tag {
    pub const AUTHENTICATION: u8 = b'R';
    pub const BACKEND_KEY: u8 = b'K';
    pub const BIND_COMPLETE: u8 = b'2';
    pub const CLOSE_COMPLETE: u8 = b'3';
    pub const COMMAND_COMPLETE: u8 = b'C';
    pub const COPY_DATA: u8 = b'd';
    pub const COPY_DONE: u8 = b'c';
    pub const COPY_IN: u8 = b'G';
    pub const COPY_OUT: u8 = b'H';
    pub const DATA_ROW: u8 = b'D';
    pub const EMPTY_QUERY: u8 = b'I';
    pub const ERROR: u8 = b'E';
    pub const NEGOTIATE: u8 = b'v';
    pub const NOTICE: u8 = b'N';
    pub const NOTIFICATION: u8 = b'A';
    pub const NO_DATA: u8 = b'n';
    pub const PARAMETER_STATUS: u8 = b'S';
    pub const PARSE_COMPLETE: u8 = b'1';
    pub const READY: u8 = b'Z';
    pub const ROW_DESCRIPTION: u8 = b'T';
}

/// Reads a message's body; running over its end is an error.
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }

    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(short)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(short)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub fn u8(&mut self) -> Result<u8> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub fn i16(&mut self) -> Result<i16> {
        Ok(i16::from_be_bytes(self.array()?))
    }

    pub fn i32(&mut self) -> Result<i32> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    /// Text up to the next zero byte, which is taken too.
    pub fn text(&mut self) -> Result<&'a str> {
        let length = memchr::memchr(0, self.rest).ok_or_else(short)?;
        let bytes = self.bytes(length)?;
        self.u8()?;
        utf8(bytes)
    }

    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

fn short() -> PgError {
    PgError::protocol("a message ends before its content does")
}

/// The bytes as text; everything the server sends is UTF-8, for that is our `client_encoding`.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| PgError::protocol("the server sent text that is not UTF-8"))
}

/// Reads the fields of an ErrorResponse or NoticeResponse. Before the encoding is agreed upon the
/// server may use any, so bytes that are not UTF-8 are replaced: it is text for people.
pub(crate) fn parse_error(body: &[u8]) -> Result<ServerError> {
    let mut error = ServerError::default();
    let mut cursor = Cursor::new(body);
    let mut translated_severity = String::new();
    loop {
        let field = cursor.u8()?;
        if field == 0 {
            break;
        }
        let length = memchr::memchr(0, cursor.rest).ok_or_else(short)?;
        let text = String::from_utf8_lossy(cursor.bytes(length)?).into_owned();
        cursor.u8()?;
        match field {
            b'S' => translated_severity = text,
            b'V' => error.severity = text,
            b'C' => error.sqlstate = text,
            b'M' => error.message = text,
            b'D' => error.detail = Some(text),
            b'H' => error.hint = Some(text),
            b'W' => error.location = Some(text),
            b's' => error.schema = Some(text),
            b't' => error.table = Some(text),
            b'c' => error.column = Some(text),
            b'd' => error.data_type = Some(text),
            b'n' => error.constraint = Some(text),
            // Positions, source files: "frontends should ignore fields of unrecognized type".
            _ => {}
        }
    }
    if error.severity.is_empty() {
        error.severity = translated_severity;
    }
    Ok(error)
}

/// The fields of a DataRow in text format; NULL is None.
pub(crate) fn parse_row(body: &[u8]) -> Result<Vec<Option<String>>> {
    let mut cursor = Cursor::new(body);
    let count = cursor.i16()?;
    let mut row = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
    for _ in 0..count {
        let length = cursor.i32()?;
        row.push(match usize::try_from(length) {
            Ok(length) => Some(utf8(cursor.bytes(length)?)?.to_owned()),
            Err(_) if length == -1 => None,
            Err(_) => return Err(PgError::protocol("a field has a negative length")),
        });
    }
    Ok(row)
}

/// The names of the columns in a RowDescription.
pub(crate) fn parse_columns(body: &[u8]) -> Result<Vec<String>> {
    let mut cursor = Cursor::new(body);
    let count = cursor.i16()?;
    let mut names = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
    for _ in 0..count {
        names.push(cursor.text()?.to_owned());
        // Table, attribute, type, length, modifier, format.
        cursor.bytes(4 + 2 + 4 + 2 + 4 + 2)?;
    }
    Ok(names)
}

/// The number of rows in a command tag ("INSERT 0 5", "UPDATE 3", "COPY 7"); None for "BEGIN".
pub(crate) fn affected(tag: &str) -> Option<u64> {
    tag.rsplit(' ').next().and_then(|word| word.parse().ok())
}

/// Begins a message in `out`; give the result to [`end`] when the body is written.
#[inline]
pub(crate) fn begin(out: &mut Vec<u8>, tag: u8) -> usize {
    out.extend_from_slice(&[tag, 0, 0, 0, 0]);
    out.len() - 4
}

/// Ends a message: writes its length.
#[inline]
pub(crate) fn end(out: &mut [u8], start: usize) -> Result<()> {
    let length = out.len() - start;
    match i32::try_from(length) {
        Ok(length) if out.len() - start <= MESSAGE_BYTES_MAX => {
            out[start..start + 4].copy_from_slice(&length.to_be_bytes());
            Ok(())
        }
        _ => Err(PgError::usage("a row of more than 1 GiB")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_never_reads_beyond_its_message() {
        let mut cursor = Cursor::new(b"\x01\x02ab\0c");
        assert_eq!(cursor.i16().expect("two bytes"), 0x0102);
        assert_eq!(cursor.text().expect("text"), "ab");
        assert!(cursor.text().is_err());
        assert!(cursor.i32().is_err());
        assert_eq!(cursor.u8().expect("a byte"), b'c');
        assert!(cursor.u8().is_err() && cursor.is_empty());
    }

    #[test]
    fn the_fields_of_an_error_are_read() {
        let body = b"SFEHLER\0VERROR\0C23505\0Mdouble\0DKey (id)=(1)\0sapp\0tt\0nt_pkey\0Wline 1\0Fx.c\0L5\0\0";
        let error = parse_error(body).expect("well-formed");
        assert_eq!((error.severity.as_str(), error.sqlstate.as_str()), ("ERROR", "23505"));
        assert_eq!(error.constraint.as_deref(), Some("t_pkey"));
        assert_eq!(error.location.as_deref(), Some("line 1"));
        assert!(!error.is_fatal());
        for cut in 0..body.len() - 1 {
            assert!(parse_error(&body[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn rows_and_tags_are_read() {
        let body = b"\0\x02\0\0\0\x01x\xff\xff\xff\xff";
        assert_eq!(parse_row(body).expect("well-formed"), [Some("x".to_owned()), None]);
        for cut in 0..body.len() {
            assert!(parse_row(&body[..cut]).is_err(), "{cut}");
        }
        assert!(parse_row(b"\0\x01\xff\xff\xff\xfe").is_err());
        assert_eq!(affected("INSERT 0 12"), Some(12));
        assert_eq!(affected("BEGIN"), None);
    }
}
