//! Tests of texts. What a collation says of two texts only its server knows for certain; but for the collations that
//! most columns have, texts of printable ASCII are compared here.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use serde::Deserialize;

use crate::node::Op;

/// What can be decided here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Local {
    /// Nothing but that a text is equal to itself.
    Nothing,
    /// Everything: characters are compared by their numbers.
    Codes,
    /// Printable ASCII is equal if its letters are, whatever their case.
    Folded,
    /// Printable ASCII is equal if it is the same.
    Exact,
}

/// What is asked of a text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Whether it is equal to one of these.
    OneOf(Vec<String>),
    /// Whether it matches a pattern of LIKE: text, `%` and `_`, and what makes an ordinary character of those.
    Like(String, Option<char>),
    /// Whether it compares so with a text.
    Compare(Op, String),
}

/// A test of the texts of a column.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// Names the test for whoever is asked.
    pub number: u32,
    /// What can be decided here.
    pub local: Local,
    /// Whether blanks at the end do not count.
    pub pad: bool,
    /// What is asked.
    pub test: Test,
    #[serde(skip)]
    constants: OnceLock<Constants>,
}

/// A list of constants, which may be long, as it is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Constants {
    texts: HashSet<String>,
    /// The printable ones, in lower case.
    folded: HashSet<String>,
    all_printable: bool,
}

impl Constants {
    fn of(given: &[String], trimmed: impl Fn(&str) -> &str) -> Self {
        let texts: HashSet<String> = given.iter().map(|text| trimmed(text).to_owned()).collect();
        let folded = texts.iter().filter(|text| printable(text)).map(|text| text.to_ascii_lowercase()).collect();
        let all_printable = texts.iter().all(|text| printable(text));
        Constants { texts, folded, all_printable }
    }
}

impl Texts {
    /// The answer, if it can be given here.
    pub fn decide(&self, text: &str) -> Option<bool> {
        match &self.test {
            Test::OneOf(constants) => self.one_of(text, constants),
            Test::Compare(op, constant) => (self.local == Local::Codes).then(|| op.holds(self.order(text, constant))),
            Test::Like(pattern, escape) => self.like(text, pattern, *escape),
        }
    }

    fn one_of(&self, text: &str, constants: &[String]) -> Option<bool> {
        let known = self.constants.get_or_init(|| Constants::of(constants, |text| self.trimmed(text)));
        let text = self.trimmed(text);
        if known.texts.contains(text) {
            return Some(true);
        }
        let differs_here = match self.local {
            _ if known.texts.is_empty() => true,
            Local::Nothing => false,
            Local::Codes => true,
            Local::Folded if !printable(text) => false,
            Local::Folded if known.folded.contains(&text.to_ascii_lowercase()) => return Some(true),
            Local::Folded => known.all_printable,
            Local::Exact => printable(text) && known.all_printable,
        };
        differs_here.then_some(false)
    }

    fn trimmed<'a>(&self, text: &'a str) -> &'a str {
        if self.pad { text.trim_end_matches(' ') } else { text }
    }

    /// By the numbers of the characters (in UTF-8, by the bytes); the shorter text is filled up with blanks.
    fn order(&self, text: &str, constant: &str) -> Ordering {
        let (left, right) = (text.as_bytes(), constant.as_bytes());
        let common = left.len().min(right.len());
        let beginning = left[..common].cmp(&right[..common]);
        if !self.pad || beginning.is_ne() {
            return beginning.then(left.len().cmp(&right.len()));
        }
        let against_blanks = |rest: &[u8]| rest.iter().map(|byte| byte.cmp(&b' ')).find(|order| order.is_ne());
        let longer = against_blanks(&left[common..]);
        let shorter = against_blanks(&right[common..]).map(Ordering::reverse);
        longer.or(shorter).unwrap_or(Ordering::Equal)
    }

    fn like(&self, text: &str, pattern: &str, escape: Option<char>) -> Option<bool> {
        let folded = match self.local {
            Local::Nothing => return None,
            Local::Codes => false,
            Local::Folded | Local::Exact if !(printable(text) && printable(pattern)) => return None,
            local => local == Local::Folded,
        };
        Some(like(text, &tokens(pattern, escape), folded))
    }
}

/// Whether a text consists of characters that no collation ignores and no other text is equal to but by their case.
fn printable(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Any,
    One,
    Char(char),
}

/// The pattern without its escapes. One that stands at the end is an ordinary character.
fn tokens(pattern: &str, escape: Option<char>) -> Vec<Token> {
    let mut found = Vec::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    while let Some(next) = rest.next() {
        found.push(match next {
            _ if Some(next) == escape => Token::Char(rest.next().unwrap_or(next)),
            '%' => Token::Any,
            '_' => Token::One,
            other => Token::Char(other),
        });
    }
    found
}

/// Goes back to the last `%` only: a later one makes earlier ones free of choice.
fn like(text: &str, pattern: &[Token], folded: bool) -> bool {
    let same = |one: char, other: char| one == other || (folded && one.eq_ignore_ascii_case(&other));
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut token) = (0, 0);
    let mut last: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(token) {
            Some(Token::Any) => {
                last = Some((token, at));
                token += 1;
            }
            Some(Token::One) => (at, token) = (at + 1, token + 1),
            Some(Token::Char(wanted)) if same(text[at], *wanted) => (at, token) = (at + 1, token + 1),
            _ => match &mut last {
                Some((any, begun)) => {
                    *begun += 1;
                    (at, token) = (*begun, *any + 1);
                }
                None => return false,
            },
        }
    }
    pattern[token..].iter().all(|rest| *rest == Token::Any)
}

/// What the server has said, by the number of the test.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    known: HashMap<u32, HashMap<String, Option<bool>>>,
}

/// So many texts of a test are remembered; then all are forgotten, for the next may be others.
const REMEMBERED: usize = 100_000;

impl Verdicts {
    pub fn get(&self, number: u32, text: &str) -> Option<Option<bool>> {
        self.known.get(&number)?.get(text).copied()
    }

    /// Makes room, when nothing that was asked for is still to be used.
    pub fn shrink(&mut self) {
        self.known.values_mut().filter(|texts| texts.len() > REMEMBERED).for_each(HashMap::clear);
    }

    pub fn learn(&mut self, number: u32, text: String, verdict: Option<bool>) {
        self.known.entry(number).or_default().insert(text, verdict);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(local: Local, pad: bool, test: Test) -> Texts {
        Texts { number: 0, local, pad, test, constants: OnceLock::new() }
    }

    fn one_of(local: Local, pad: bool, text: &str, constant: &str) -> Option<bool> {
        texts(local, pad, Test::OneOf(vec![constant.to_owned()])).decide(text)
    }

    #[test]
    fn plain_texts_are_decided_and_others_are_not() {
        assert_eq!(one_of(Local::Folded, true, "Open ", "oPEN"), Some(true));
        assert_eq!(one_of(Local::Folded, false, "Open ", "open"), Some(false));
        assert_eq!(one_of(Local::Folded, true, "shut", "open"), Some(false));
        assert_eq!(one_of(Local::Folded, true, "öpen", "open"), None);
        assert_eq!(one_of(Local::Folded, true, "öpen", "öpen "), Some(true));
        assert_eq!(one_of(Local::Folded, true, "op\u{1}en", "open"), None);
        assert_eq!(one_of(Local::Exact, true, "Open", "open"), Some(false));
        assert_eq!(one_of(Local::Nothing, true, "Open", "open"), None);
        assert_eq!(one_of(Local::Nothing, true, "open", "open"), Some(true));
        assert_eq!(one_of(Local::Codes, true, "ö", "o"), Some(false));
        let many = texts(Local::Folded, true, Test::OneOf(vec!["ä".into(), "b".into()]));
        assert_eq!(many.decide("B"), Some(true));
        assert_eq!(many.decide("c"), None);
        assert_eq!(texts(Local::Nothing, true, Test::OneOf(vec![])).decide("c"), Some(false));
    }

    #[test]
    fn order_by_code_fills_up_with_blanks() {
        for (pad, text, constant, expected) in [
            (true, "a", "a  ", Ordering::Equal),
            (false, "a", "a  ", Ordering::Less),
            (true, "a\t", "a", Ordering::Less),
            (true, "a", "a\t", Ordering::Greater),
            (true, "a!", "a", Ordering::Greater),
            (true, "a   b", "a", Ordering::Greater),
            (true, "ab", "b", Ordering::Less),
            (true, "\u{e000}", "\u{10000}", Ordering::Less),
        ] {
            assert_eq!(texts(Local::Codes, pad, Test::OneOf(vec![])).order(text, constant), expected, "{text:?}");
        }
        assert_eq!(texts(Local::Folded, true, Test::Compare(Op::Lt, "b".into())).decide("a"), None);
        assert_eq!(texts(Local::Codes, true, Test::Compare(Op::Lt, "b".into())).decide("a"), Some(true));
    }

    #[test]
    fn patterns() {
        let decide = |text: &str, pattern: &str| {
            texts(Local::Folded, true, Test::Like(pattern.to_owned(), Some('\\'))).decide(text)
        };
        for (text, pattern, matches) in [
            ("", "", true),
            ("", "%", true),
            ("a", "", false),
            ("abc", "A%", true),
            ("abc", "%c", true),
            ("abc", "%b%", true),
            ("abc", "a_c", true),
            ("abc", "a_", false),
            ("abcabd", "%abd", true),
            ("aaab", "%a_b", true),
            ("100%", "100\\%", true),
            ("1000", "100\\%", false),
            ("a_b", "a\\_b", true),
            ("axb", "a\\_b", false),
            ("a\\", "a\\", true),
            ("a ", "a", false),
            ("aXbXc", "a%x%c", true),
            ("mississippi", "m%iss%ip_i", true),
        ] {
            assert_eq!(decide(text, pattern), Some(matches), "{text:?} LIKE {pattern:?}");
        }
        assert_eq!(decide("ä", "a"), None);
        assert_eq!(texts(Local::Codes, true, Test::Like("_b".into(), None)).decide("äb"), Some(true));
    }

    #[test]
    fn what_was_learned_is_known_until_there_is_too_much() {
        let mut verdicts = Verdicts::default();
        verdicts.learn(3, "a".into(), Some(true));
        verdicts.learn(3, "b".into(), None);
        verdicts.shrink();
        assert_eq!(verdicts.get(3, "a"), Some(Some(true)));
        assert_eq!(verdicts.get(3, "b"), Some(None));
        assert_eq!(verdicts.get(4, "a"), None);
        (0..=REMEMBERED).for_each(|number| verdicts.learn(3, number.to_string(), None));
        verdicts.shrink();
        assert_eq!(verdicts.get(3, "a"), None);
    }
}
