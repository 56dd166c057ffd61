use serde::{Deserialize, Serialize};

/// What to write for a date that no calendar has (0000-00-00, 2024-00-10, 2024-02-31).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImpossibleDate {
    /// Nothing: it is an error.
    #[default]
    Stop,
    /// NULL.
    Null,
    /// 1970-01-01 00:00:00.
    Epoch,
    /// PostgreSQL's `-infinity`.
    MinusInfinity,
}

/// What to write for a NUL character in text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NulInText {
    /// Nothing: it is an error.
    #[default]
    Stop,
    /// The text without it.
    Remove,
    /// U+2400, the picture of NUL.
    Replace,
}

impl NulInText {
    /// The text without NUL characters; None if the policy is to stop.
    pub(crate) fn clean(self, text: &[u8]) -> Option<Vec<u8>> {
        let picture: &[u8] = match self {
            Self::Stop => return None,
            Self::Remove => b"",
            Self::Replace => "\u{2400}".as_bytes(),
        };
        let parts: Vec<&[u8]> = text.split(|byte| *byte == 0).collect();
        Some(parts.join(picture))
    }

    /// The JSON text without the escape `\u0000`, which `jsonb` refuses; None if the policy is to stop.
    pub(crate) fn clean_json(self, text: &[u8]) -> Option<Vec<u8>> {
        let picture: &[u8] = match self {
            Self::Stop => return None,
            Self::Remove => b"",
            Self::Replace => "\u{2400}".as_bytes(),
        };
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some((&byte, after)) = rest.split_first() {
            let taken = match byte {
                b'\\' if rest.starts_with(JSON_NUL) => {
                    out.extend_from_slice(picture);
                    JSON_NUL.len()
                }
                // Any other escape is taken whole, so that the second half of `\\` begins none.
                b'\\' if !after.is_empty() => {
                    out.extend_from_slice(&rest[..2]);
                    2
                }
                _ => {
                    out.push(byte);
                    1
                }
            };
            rest = &rest[taken..];
        }
        Some(out)
    }
}

const JSON_NUL: &[u8] = b"\\u0000";

/// Whether the JSON text may hold the escape for NUL.
pub(crate) fn may_hold_json_nul(text: &[u8]) -> bool {
    memchr::memmem::find(text, JSON_NUL).is_some()
}

/// What to do with values that the target's types cannot hold. Whatever has no policy here stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policies {
    /// Dates that no calendar has.
    pub impossible_date: ImpossibleDate,
    /// NUL characters in text.
    pub nul_in_text: NulInText,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_is_removed_or_shown() {
        assert_eq!(NulInText::Stop.clean(b"a\0b"), None);
        assert_eq!(NulInText::Remove.clean(b"\0a\0\0b\0").as_deref(), Some(&b"ab"[..]));
        assert_eq!(NulInText::Replace.clean(b"a\0").as_deref(), Some("a\u{2400}".as_bytes()));
    }

    #[test]
    fn only_the_escape_itself_is_taken_for_nul() {
        let clean =
            |text: &str| NulInText::Remove.clean_json(text.as_bytes()).map(|b| String::from_utf8(b).expect("text"));
        assert_eq!(clean(r#"["a\u0000b"]"#).as_deref(), Some(r#"["ab"]"#));
        assert_eq!(clean(r#"["a\\u0000b"]"#).as_deref(), Some(r#"["a\\u0000b"]"#), "an escaped backslash, then u0000");
        assert_eq!(clean(r#"["\\\u0000\n"]"#).as_deref(), Some(r#"["\\\n"]"#));
        assert!(may_hold_json_nul(br#"\u0000"#) && !may_hold_json_nul(br#"\u0001"#));
    }
}
