//! Words of an SQL statement, as far as needed to tell what kind of statement it is.

/// A word of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word<'a> {
    /// A bare word: keyword, name or number. Compare without case.
    Bare(&'a [u8]),
    /// A quoted name, its quotes removed.
    Name(Vec<u8>),
    /// A text in single or double quotes, or one with a prefix such as `X'..'`; raw.
    Text(&'a [u8]),
    /// Any other byte.
    Mark(u8),
}

impl Word<'_> {
    pub fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Bare(word) if word.eq_ignore_ascii_case(keyword.as_bytes()))
    }

    /// The name that a word stands for.
    pub fn as_name(&self) -> Option<String> {
        match self {
            Self::Bare(word) => Some(String::from_utf8_lossy(word).into_owned()),
            Self::Name(name) => Some(String::from_utf8_lossy(name).into_owned()),
            _ => None,
        }
    }
}

/// Reads a statement word by word. Comments are skipped; executable ones (`/*!50700 ... */`,
/// `/*M!100100 ... */`) are read as if their text stood there: every server that wrote a log
/// executed its own, and for telling the kind of a statement the words in them count.
#[derive(Clone)]
pub(crate) struct Words<'a> {
    sql: &'a [u8],
    at: usize,
    /// How many executable comments are open.
    open: usize,
    /// The session's `sql_mode`, which decides what quotes and backslashes mean.
    sql_mode: u64,
}

/// `sql_mode` bits, the same on both servers (sql/sql_class.h, sql/query_options.h).
const MODE_ANSI_QUOTES: u64 = 1 << 2;
const MODE_NO_BACKSLASH_ESCAPES: u64 = 1 << 20;

impl<'a> Words<'a> {
    pub fn new(sql: &'a [u8], sql_mode: u64) -> Self {
        Self { sql, at: 0, open: 0, sql_mode }
    }

    /// The statement from the next word on.
    pub fn rest(&self) -> &'a [u8] {
        self.sql.get(self.at..).unwrap_or_default()
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.sql.get(self.at + ahead).copied()
    }

    fn skip_past(&mut self, end: &[u8]) {
        let rest = self.rest();
        let found = rest.windows(end.len()).position(|window| window == end);
        self.at += found.map_or(rest.len(), |index| index + end.len());
    }

    /// Skips blanks and comments, and enters executable comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            match rest.first() {
                Some(byte) if byte.is_ascii_whitespace() || *byte == 0x0b => self.at += 1,
                Some(b'#') => self.skip_past(b"\n"),
                Some(b'-') if rest.starts_with(b"--") && rest.get(2).is_none_or(|b| *b <= b' ') => {
                    self.skip_past(b"\n")
                }
                Some(b'/') if rest.starts_with(b"/*!") || rest.starts_with(b"/*M!") => {
                    self.at += if rest[2] == b'!' { 3 } else { 4 };
                    while self.byte(0).is_some_and(|byte| byte.is_ascii_digit()) {
                        self.at += 1;
                    }
                    self.open += 1;
                }
                Some(b'/') if rest.starts_with(b"/*") => {
                    self.at += 2;
                    self.skip_past(b"*/");
                }
                Some(b'*') if self.open > 0 && rest.starts_with(b"*/") => {
                    self.at += 2;
                    self.open -= 1;
                }
                _ => return,
            }
        }
    }

    /// The end of a quoted piece that begins at `at`; backslashes are skipped in texts.
    fn quoted(&mut self, quote: u8, escapes: bool) -> &'a [u8] {
        let begin = self.at + 1;
        self.at = begin;
        while let Some(byte) = self.byte(0) {
            let pair = (byte == b'\\' && escapes) || (byte == quote && self.byte(1) == Some(quote));
            match byte {
                _ if pair => self.at += 2,
                byte if byte == quote => break,
                _ => self.at += 1,
            }
        }
        let end = self.at.min(self.sql.len());
        self.at = (self.at + 1).min(self.sql.len());
        &self.sql[begin.min(end)..end]
    }

    /// `schema.table` or `table`, if the next words are a name.
    pub fn table_name(&mut self) -> Option<(Option<String>, String)> {
        let first = self.next()?.as_name()?;
        let mut ahead = self.clone();
        if ahead.next() == Some(Word::Mark(b'.'))
            && let Some(second) = ahead.next().and_then(|word| word.as_name())
        {
            *self = ahead;
            return Some((Some(first), second));
        }
        Some((None, first))
    }

    /// Whether the next word is the keyword, which is consumed then.
    pub fn eat(&mut self, keyword: &str) -> bool {
        let mut ahead = self.clone();
        if ahead.next().is_some_and(|word| word.is(keyword)) {
            *self = ahead;
            return true;
        }
        false
    }

    /// As [`Self::eat`], for several words that only count together.
    pub fn eat_all(&mut self, keywords: &[&str]) -> bool {
        let mut ahead = self.clone();
        if keywords.iter().all(|keyword| ahead.eat(keyword)) {
            *self = ahead;
            return true;
        }
        false
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        self.skip();
        let byte = self.byte(0)?;
        let escapes = self.sql_mode & MODE_NO_BACKSLASH_ESCAPES == 0;
        match byte {
            b'`' => Some(Word::Name(unquoted(self.quoted(b'`', false), b'`'))),
            b'"' if self.sql_mode & MODE_ANSI_QUOTES != 0 => Some(Word::Name(unquoted(self.quoted(b'"', false), b'"'))),
            b'\'' | b'"' => Some(Word::Text(self.quoted(byte, escapes))),
            b'x' | b'X' | b'b' | b'B' | b'n' | b'N' if self.byte(1) == Some(b'\'') => {
                let begin = self.at;
                self.at += 1;
                self.quoted(b'\'', escapes);
                Some(Word::Text(&self.sql[begin..self.at]))
            }
            byte if is_word(byte) => {
                let begin = self.at;
                while self.byte(0).is_some_and(is_word) {
                    self.at += 1;
                }
                Some(Word::Bare(&self.sql[begin..self.at]))
            }
            other => {
                self.at += 1;
                Some(Word::Mark(other))
            }
        }
    }
}

fn unquoted(raw: &[u8], quote: u8) -> Vec<u8> {
    let mut name = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter().copied();
    while let Some(byte) = bytes.next() {
        name.push(byte);
        if byte == quote {
            bytes.next();
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(sql: &str) -> Vec<Word<'_>> {
        Words::new(sql.as_bytes(), 0).collect()
    }

    #[test]
    fn executable_comments_count_and_others_do_not() {
        let found = words("/* x */ DROP /*!40005 TEMPORARY */ TABLE -- y\n `a``b`.`c` # z");
        let expected = vec![
            Word::Bare(b"DROP"),
            Word::Bare(b"TEMPORARY"),
            Word::Bare(b"TABLE"),
            Word::Name(b"a`b".to_vec()),
            Word::Mark(b'.'),
            Word::Name(b"c".to_vec()),
        ];
        assert_eq!(found, expected);
        assert_eq!(words("/*M!100500 a */ b"), vec![Word::Bare(b"a"), Word::Bare(b"b")]);
    }

    #[test]
    fn texts_hide_what_they_hold() {
        assert_eq!(
            words("'a\\'b' X'61' \"c\"\"d\""),
            vec![Word::Text(b"a\\'b"), Word::Text(b"X'61'"), Word::Text(b"c\"\"d")]
        );
        let plain = Words::new(b"'a\\' b", MODE_NO_BACKSLASH_ESCAPES).collect::<Vec<_>>();
        assert_eq!(plain, vec![Word::Text(b"a\\"), Word::Bare(b"b")]);
        for torn in ["'abc", "`abc", "/* abc", "/*!", "'abc\\", "X'"] {
            assert!(words(torn).len() <= 1, "{torn}");
        }
    }
}
