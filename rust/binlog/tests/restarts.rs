//! Beginning again: positions with open XA transactions, rows that a snapshot has, lost connections.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[allow(dead_code)]
mod show;

use std::path::Path;

use opendrs_binlog::{
    Config, Coordinate, Decoder, Event, FilePosition, GtidList, GtidSet, LogFile, Position, TableOptions, Window,
};
use opendrs_columns::TableSpec;
use show::Case;

fn recorded(case: &str) -> (Case, Vec<u8>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/binlog").join(case);
    (Case::read(&folder), std::fs::read(folder.join("events.bin")).unwrap())
}

/// A decoder that begins at a position and knows the tables of the case's end.
fn decoder(case: &Case, start: Position, options: &TableOptions) -> Decoder {
    let mut decoder = Decoder::new(Config::default(), start);
    decoder.select(case.selection.clone());
    for json in case.changes.last().unwrap() {
        let table: TableSpec = serde_json::from_value(json.clone()).unwrap();
        decoder.register(table, options.clone()).unwrap();
    }
    decoder
}

/// The events of a log with their end positions; the format description first.
fn events(bytes: &[u8]) -> Vec<(u64, &[u8])> {
    let events: Vec<&[u8]> = LogFile::new(bytes).unwrap().map(Result::unwrap).collect();
    let mut end = 4;
    events
        .into_iter()
        .map(|event| {
            end += event.len() as u64;
            (end, event)
        })
        .collect()
}

fn drained(decoder: &mut Decoder) -> Vec<Event> {
    let mut all = Vec::new();
    while let Some(event) = decoder.take().unwrap() {
        if let Event::SchemaChange(_) = event {
            decoder.resume().unwrap();
        }
        all.push(event);
    }
    all
}

fn ids(events: &[Event]) -> Vec<String> {
    let windows = events.iter().filter_map(|event| if let Event::Window(window) = event { Some(window) } else { None });
    let rows = |window: &Window| {
        let batches = window.tables.iter().map(|(_, batch)| batch.clone()).collect::<Vec<_>>();
        batches
            .iter()
            .flat_map(|b| (0..b.num_rows()).map(|row| show::show_row(b, row)).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    windows.flat_map(rows).map(|row| row.split('|').nth(1).unwrap().trim().to_owned()).collect()
}

fn starts(product: &str) -> Vec<Position> {
    let file = Position::mysql_file("s", FilePosition { file: "f".to_owned(), pos: 4 });
    let gtid = match product {
        "mysql-9.7" => Position::mysql_gtid("s", GtidSet::default()),
        _ => Position::mariadb("s", GtidList::default(), None),
    };
    vec![file, gtid]
}

/// Stop behind every event, begin again at the position's restart: every row comes once.
#[test]
fn a_restart_anywhere_loses_and_doubles_nothing() {
    for product in ["mysql-9.7", "mariadb-10.11", "mariadb-11.8"] {
        let (case, bytes) = recorded(&format!("{product}/xa"));
        let events = events(&bytes);
        for start in starts(product) {
            for stop in 1..events.len() {
                let mut first = decoder(&case, start.clone(), &TableOptions::default());
                let mut seen = Vec::new();
                for (_, event) in &events[..stop] {
                    first.feed(event).unwrap();
                    seen.extend(drained(&mut first));
                }
                let position: Position = first.position().to_json().parse().unwrap();
                let mut second = decoder(&case, position.clone(), &TableOptions::default());
                for (at, (_, event)) in events.iter().enumerate() {
                    if at == 0 || resends(&position, &events, at) {
                        second.feed(event).unwrap();
                        seen.extend(drained(&mut second));
                    }
                }
                assert_eq!(ids(&seen), ["1", "3"], "{product}, stopped behind event {stop} at {position}");
                assert!(second.position().covers(&position));
            }
        }
    }
}

/// Whether a server that is asked to begin at a position sends an event.
fn resends(position: &Position, events: &[(u64, &[u8])], at: usize) -> bool {
    let begin = events[at - 1].0;
    match &position.at {
        Coordinate::MysqlFile { applied, restart } => begin >= restart.as_ref().unwrap_or(applied).pos,
        // By GTID the server finds whole transactions; sending too much is what the decoder sorts out.
        _ => true,
    }
}

#[test]
fn an_open_xa_transaction_has_two_faces() {
    let (case, bytes) = recorded("mysql-9.7/xa");
    let mut open = None;
    let mut decoder = decoder(&case, Position::mysql_gtid("s", GtidSet::default()), &TableOptions::default());
    for (_, event) in events(&bytes) {
        decoder.feed(event).unwrap();
        drained(&mut decoder);
        if let Coordinate::MysqlGtid { applied, open: gtids, .. } = decoder.position().at
            && let [gtid] = gtids.as_slice()
        {
            assert!(applied.contains(gtid));
            open = Some(decoder.position());
        }
    }
    let opendrs_binlog::Restart::MysqlGtid(restart) = open.unwrap().restart() else { panic!("by GTID") };
    let Coordinate::MysqlGtid { applied, open, .. } = decoder.position().at else { panic!("by GTID") };
    assert!(open.is_empty() && applied.covers(&restart) && applied != restart);
}

/// While its rows wait for room, what was complete before them has a position: behind it they are needed still.
#[test]
fn an_xa_transaction_is_open_until_its_rows_are_through() {
    const ROTATE: u8 = 4;
    const TABLE_MAP: u8 = 19;
    const WRITE: u8 = 30;
    const GTID: u8 = 33;
    let (case, bytes) = recorded("mysql-9.7/xa");
    let all: Vec<&[u8]> = events(&bytes).into_iter().map(|event| event.1).collect();
    let groups: Vec<&[&[u8]]> = all.chunk_by(|_, next| next[4] != GTID && next[4] != ROTATE).collect();
    let decoder = |start: Position, part_bytes: usize| {
        let mut decoder = Decoder::new(Config { part_bytes, ..Config::default() }, start);
        decoder.select(case.selection.clone());
        for json in case.changes.last().unwrap() {
            decoder.register(serde_json::from_value(json.clone()).unwrap(), TableOptions::default()).unwrap();
        }
        decoder.feed(all[0]).unwrap();
        decoder
    };
    let begin = || Position::mysql_gtid("s", GtidSet::default());
    // Prepared, with its row twice; another transaction; and the commit.
    let (prepared, commit, other) = (groups[2], groups[3], groups[6]);
    let row = prepared.iter().filter(|event| [TABLE_MAP, WRITE].contains(&event[4]));
    let end = prepared.len() - 2;
    let log: Vec<&[u8]> =
        prepared[..end].iter().chain(row).chain(&prepared[end..]).chain(other).chain(commit).copied().collect();
    let mut one = decoder(begin(), usize::MAX);
    other.iter().for_each(|event| one.feed(event).unwrap());
    let room = one.buffered_bytes();
    let mut first = decoder(begin(), room);
    log.iter().for_each(|event| first.feed(event).unwrap());
    let Some(Event::Window(window)) = first.take().unwrap() else { panic!("a window") };
    let position: Position = window.position.clone().unwrap().to_json().parse().unwrap();
    assert_eq!(ids(&[Event::Window(window)]), ["3"]);
    let Coordinate::MysqlGtid { open, .. } = &position.at else { panic!("by GTID") };
    assert_eq!(open.len(), 1, "the server must send its rows again: {position}");
    assert_eq!(ids(&drained(&mut first)), ["1", "1"]);
    let mut second = decoder(position, room);
    log.iter().for_each(|event| second.feed(event).unwrap());
    assert_eq!(ids(&drained(&mut second)), ["1", "1"]);
    let Coordinate::MysqlGtid { open, .. } = second.position().at else { panic!("by GTID") };
    assert!(open.is_empty());
}

#[test]
fn rows_that_the_snapshot_has_are_dropped() {
    let (case, bytes) = recorded("mariadb-11.8/foreign_keys");
    let all = events(&bytes);
    for skip in 0..all.len() {
        let at = |pos| Position::mysql_file("s", FilePosition { file: "f".to_owned(), pos });
        let options = TableOptions { skip_through: Some(at(all[skip].0)), ..TableOptions::default() };
        let mut decoder = decoder(&case, at(4), &options);
        let mut seen = Vec::new();
        for (_, event) in &all {
            decoder.feed(event).unwrap();
            seen.extend(drained(&mut decoder));
        }
        let expected = ids(&seen).len();
        assert!(expected <= 5, "{expected} rows");
        assert_eq!(expected == 0, skip + 3 > all.len() || ids(&seen).is_empty());
    }
    let other = Position::mysql_gtid("s", GtidSet::default());
    let options = TableOptions { skip_through: Some(other), ..TableOptions::default() };
    let mut decoder = Decoder::new(Config::default(), Position::mariadb("s", GtidList::default(), None));
    let table: TableSpec = serde_json::from_value(case.changes.last().unwrap()[0].clone()).unwrap();
    assert_eq!(decoder.register(table, options).unwrap_err().kind.name(), "misuse");
}

#[test]
fn a_lost_connection_forgets_the_open_transaction() {
    let (case, bytes) = recorded("mariadb-10.11/savepoints");
    let all = events(&bytes);
    for lost in 2..all.len() {
        let mut decoder = decoder(&case, Position::mariadb("s", GtidList::default(), None), &TableOptions::default());
        let mut seen = Vec::new();
        for (_, event) in &all[..lost] {
            decoder.feed(event).unwrap();
            seen.extend(drained(&mut decoder));
        }
        decoder.disconnect();
        assert!(decoder.at_boundary() && decoder.buffered_bytes() < 1000);
        for (_, event) in &all {
            decoder.feed(event).unwrap();
            seen.extend(drained(&mut decoder));
        }
        let mut found = ids(&seen);
        found.sort();
        assert_eq!(found, ["1", "1", "2", "3"], "lost behind event {lost}");
    }
}

#[test]
fn events_are_refused_while_a_schema_change_waits() {
    let (case, bytes) = recorded("mysql-9.7/foreign_keys");
    let mut decoder = decoder(&case, Position::mysql_gtid("s", GtidSet::default()), &TableOptions::default());
    assert_eq!(decoder.resume().unwrap_err().kind.name(), "misuse");
    let mut refused = 0;
    for (_, event) in events(&bytes) {
        if decoder.must_take() {
            assert_eq!(decoder.feed(event).unwrap_err().kind.name(), "misuse");
            refused += 1;
            drained(&mut decoder);
        }
        decoder.feed(event).unwrap();
    }
    assert_eq!(refused, 2);
}

/// One event as a server sends it, with its checksum.
fn event(kind: u8, end: u32, body: &[u8]) -> Vec<u8> {
    let size = (19 + body.len() + 4) as u32;
    let mut event = vec![0; 4];
    event.push(kind);
    event.extend(1_u32.to_le_bytes());
    event.extend(size.to_le_bytes());
    event.extend(end.to_le_bytes());
    event.extend([0, 0]);
    event.extend(body);
    event.extend(crc32fast::hash(&event).to_le_bytes());
    event
}

fn place(decoder: &Decoder) -> FilePosition {
    let Position { at, .. } = decoder.position();
    match at {
        Coordinate::MysqlGtid { file, .. } | Coordinate::MariadbGtid { file, .. } => file.unwrap(),
        Coordinate::MysqlFile { applied, .. } => applied,
    }
}

/// A server's status shows the end of its log, and whoever has read it must see that he is there: MariaDB writes a
/// checkpoint behind a new file's first transactions, whenever it comes to it.
#[test]
fn what_a_server_notes_between_transactions_moves_the_position() {
    const ROTATE: u8 = 4;
    const HEARTBEAT: u8 = 27;
    const PREVIOUS_GTIDS: u8 = 35;
    const MARIADB_CHECKPOINT: u8 = 161;
    const MARIADB_GTID_LIST: u8 = 163;
    for (product, notes) in [
        ("mysql-9.7", &[PREVIOUS_GTIDS][..]),
        ("mariadb-10.11", &[MARIADB_GTID_LIST, MARIADB_CHECKPOINT]),
        ("mariadb-11.8", &[MARIADB_CHECKPOINT]),
    ] {
        let (case, bytes) = recorded(&format!("{product}/xa"));
        for start in starts(product) {
            let mut decoder = decoder(&case, start, &TableOptions::default());
            decoder.feed(&event(ROTATE, 0, &[&4_u64.to_le_bytes()[..], b"f"].concat())).unwrap();
            let events = events(&bytes);
            let (_, all) = events.split_last().filter(|(last, _)| last.1[4] == ROTATE).unwrap();
            for (_, event) in all {
                decoder.feed(event).unwrap();
                drained(&mut decoder);
            }
            let end = all.last().unwrap().0;
            assert_eq!(place(&decoder), FilePosition { file: "f".to_owned(), pos: end }, "{product}");
            for (number, kind) in (1_u64..).zip(notes) {
                let end = end + number * 40;
                decoder.feed(&event(*kind, end as u32, &[0; 17])).unwrap();
                let told = drained(&mut decoder);
                assert!(matches!(told.as_slice(), [Event::Heartbeat(beat)] if beat.position == decoder.position()));
                assert_eq!(place(&decoder).pos, end, "{product}");
            }
            // Something that nobody has to know, and then the server says where it is.
            let end = end + 1000;
            let mut ignorable = event(200, end as u32, &[0; 17]);
            ignorable[17] = 0x80;
            let crc = ignorable.len() - 4;
            let sum = crc32fast::hash(&ignorable[..crc]).to_le_bytes();
            ignorable[crc..].copy_from_slice(&sum);
            decoder.feed(&ignorable).unwrap();
            drained(&mut decoder);
            decoder.feed(&event(HEARTBEAT, end as u32, b"f")).unwrap();
            drained(&mut decoder);
            assert_eq!(place(&decoder).pos, end, "{product}");
        }
    }
}

/// Within a transaction there is no place to begin at.
#[test]
fn notes_within_a_transaction_move_nothing() {
    const TABLE_MAP: u8 = 19;
    const HEARTBEAT: u8 = 27;
    const MARIADB_CHECKPOINT: u8 = 161;
    for product in ["mysql-9.7", "mariadb-10.11", "mariadb-11.8"] {
        let (case, bytes) = recorded(&format!("{product}/xa"));
        let mut decoder = decoder(&case, starts(product).remove(1), &TableOptions::default());
        let mut before = None;
        for (end, one) in events(&bytes) {
            decoder.feed(one).unwrap();
            drained(&mut decoder);
            if one[4] == TABLE_MAP {
                before.get_or_insert_with(|| decoder.position());
                decoder.feed(&event(MARIADB_CHECKPOINT, end as u32, &[0; 17])).unwrap();
                decoder.feed(&event(HEARTBEAT, end as u32, b"")).unwrap();
                drained(&mut decoder);
                assert_eq!(Some(decoder.position()), before, "{product}");
                break;
            }
        }
        assert!(before.is_some());
    }
}
