//! Places, found without looking at a row, are those that the decoder stands at.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[allow(dead_code)]
mod show;

use opendrs_binlog::{
    Coordinate, Decoder, Event, FilePosition, GtidSet, LogFile, Moment, Position, Selection, Step, Survey,
};
use show::{Case, folders};

const FILE: &str = "binlog.000001";

/// The case's position before its first event, as one in our file; and whether it is one of GTIDs.
fn start(case: &Case) -> (Position, bool) {
    let mut start: Position = case.start.to_string().parse().unwrap();
    let first = FilePosition { file: FILE.to_owned(), pos: 4 };
    let by_gtid = match &mut start.at {
        Coordinate::MysqlGtid { file, .. } | Coordinate::MariadbGtid { file, .. } => {
            *file = Some(first);
            true
        }
        Coordinate::MysqlFile { applied, .. } => {
            *applied = first;
            false
        }
    };
    (start, by_gtid)
}

/// What has been read, and from where it would be read again, without the place itself: between transactions there may
/// be events that one of the two passes over. MariaDB's log is followed by file in some cases, where a survey has its
/// GTIDs as well.
fn facts(position: &Position, by_gtid: bool) -> String {
    match &position.at {
        Coordinate::MariadbGtid { applied, restart, .. } if by_gtid => format!("{applied} {restart:?}"),
        Coordinate::MariadbGtid { restart, .. } => format!("{:?}", restart.as_ref().map(|restart| &restart.file)),
        Coordinate::MysqlFile { restart, .. } => format!("{:?}", restart.as_ref().map(Some)),
        Coordinate::MysqlGtid { applied, open, .. } => format!("{applied} {open:?}"),
    }
}

/// Events that only say how the log goes on are no matter of a position.
fn drained(decoder: &mut Decoder) {
    while let Some(event) = decoder.take().unwrap() {
        if let Event::SchemaChange(_) = event {
            decoder.resume().unwrap();
        }
    }
}

#[test]
fn in_front_of_every_transaction_both_stand_at_the_same_place() {
    let (mut cases, mut transactions, mut open) = (0, 0, 0);
    for folder in folders() {
        let case = Case::read(&folder);
        let bytes = std::fs::read(folder.join("events.bin")).unwrap();
        let (start, by_gtid) = start(&case);
        let server = start.server.clone();
        let mut decoder = Decoder::new(opendrs_binlog::Config::default(), start);
        decoder.select(Selection::default());
        let mut survey = Survey::new(1 << 30);
        survey.enter(FILE.to_owned());
        let Ok(events) = LogFile::new(&bytes).unwrap().collect::<Result<Vec<_>, _>>() else { continue };
        cases += 1;
        for event in events {
            let Ok(step) = survey.feed(event) else { break };
            if step == Step::Begins {
                transactions += 1;
                if survey.seen().0 == 1 {
                    // What the file says of itself is no matter of the decoder's position.
                    decoder.feed(event).unwrap();
                    continue;
                }
                let place = survey.place();
                let stands = decoder.position().file().unwrap().pos;
                assert!(stands <= place.pos, "{}: {stands} is behind {}", folder.display(), place.pos);
                let found = survey.position(&server, by_gtid, &GtidSet::default(), place);
                assert_eq!(facts(&found, by_gtid), facts(&decoder.position(), by_gtid), "{}", folder.display());
                open += usize::from(found.to_json().contains("\"restart\"") || found.to_json().contains("\"open\""));
            }
            if decoder.feed(event).is_err() {
                break; // what the decoder does not take, the survey does not look at
            }
            drained(&mut decoder);
        }
    }
    assert!(cases > 20 && transactions > 100 && open > 3, "{cases} cases, {transactions} transactions, {open} with XA");
}

#[test]
fn of_a_whole_second_nobody_knows_where_in_it() {
    let second = |us| Moment { us, exact: false };
    assert!(second(10_000_000).reaches(10_999_999) && !second(10_000_000).reaches(11_000_000));
    let exact = |us| Moment { us, exact: true };
    assert!(exact(10_500_000).reaches(10_500_000) && !exact(10_500_000).reaches(10_500_001));
    assert!(second(-1_000_000).reaches(-1) && !second(-1_000_000).reaches(0));
}

/// MariaDB's word of from where a crash is recovered: header, length and name.
fn checkpoint(at_s: u32, pos: u32) -> Vec<u8> {
    let size = 19 + 4 + FILE.len() as u32;
    let mut event = at_s.to_le_bytes().to_vec();
    event.push(161);
    for word in [1, size, pos + size] {
        event.extend(word.to_le_bytes());
    }
    event.extend([0, 0]);
    event.extend((FILE.len() as u32).to_le_bytes());
    event.extend(FILE.as_bytes());
    event
}

#[test]
fn the_first_checkpoint_of_a_file_has_the_files_own_time_and_the_others_that_of_the_clock() {
    let mut survey = Survey::new(1 << 20);
    survey.enter(FILE.to_owned());
    let size = checkpoint(0, 0).len() as u32;
    for (number, (at_s, clock_s)) in [(7, None), (90, Some(90)), (80, Some(90))].into_iter().enumerate() {
        let step = survey.feed(&checkpoint(at_s, 4 + number as u32 * size)).unwrap();
        assert_eq!((step, survey.clock_s()), (Step::Between, clock_s));
    }
    survey.enter("binlog.000002".to_owned());
    assert_eq!(survey.clock_s(), None);
}

#[test]
fn mutilated_events_are_errors_or_nothing() {
    for folder in folders() {
        let bytes = std::fs::read(folder.join("events.bin")).unwrap();
        for event in LogFile::new(&bytes).unwrap().map_while(Result::ok).take(40) {
            for cut in (0..event.len()).step_by(1 + event.len() / 50) {
                let mut survey = Survey::new(1 << 20);
                survey.enter(FILE.to_owned());
                let mut bad = event[..cut].to_vec();
                if let Some(size) = bad.get_mut(9..13) {
                    size.copy_from_slice(&(cut as u32).to_le_bytes());
                }
                let _ = survey.feed(&bad);
                survey.finish();
            }
        }
    }
}
