//! Places in the log of a server: files of it are read from their begin on, to where somebody wants to stand.

use opendrs_binlog::{Config, FilePosition, Flavour, GtidSet, Position, Step, Survey, TransactionId};
use opendrs_net::Canceller;
use serde::{Deserialize, Serialize};

use crate::connection::Connection;
use crate::dump::FileDump;
use crate::error::{ErrorKind, MysqlError, Result};
use crate::options::ConnectionOptions;

/// Silence after which the connection counts as dead. The server sends as fast as it can, to the end of its log.
const PATIENCE_S: f64 = 60.0;

/// What MySQL says of transactions without GTID that it does not send (ER_CANT_REPLICATE_ANONYMOUS_WITH_GTID_MODE_ON),
/// under the code of all refusals of a dump.
const NAMELESS: &str = "Cannot replicate anonymous transaction";

/// Which files are read, and how a place of them is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurveyOptions {
    /// The server.
    pub connection: ConnectionOptions,
    /// The file that reading begins with.
    pub file: String,
    /// The last one that is read; None: the same.
    #[serde(default)]
    pub through: Option<String>,
    /// Identity of the server, for positions.
    pub server: String,
    /// Of MySQL: whether every transaction has a GTID.
    #[serde(default)]
    pub by_gtid: bool,
    /// Of MySQL: transactions of which no file is left.
    #[serde(default)]
    pub purged: String,
}

impl SurveyOptions {
    /// Reads the JSON form: an object of the fields above; unknown ones are an error.
    pub fn from_json(text: &str) -> Result<Self> {
        // serde_json would quote the value, which may be the password.
        serde_json::from_str(text).map_err(|e| {
            let place = format!("line {} column {}", e.line(), e.column());
            MysqlError::new(
                ErrorKind::Misuse,
                format!("the survey options are not valid: {:?} at {place}", e.classify()),
            )
        })
    }
}

/// Where reading stops: at the first of these, and at the end of the last file in any case.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Until {
    /// In front of the first transaction at or after this time, in microseconds since 1970.
    pub time_us: Option<i64>,
    /// At this place.
    pub place: Option<FilePosition>,
    /// In front of the first transaction that a position (its JSON form) does not hold.
    pub behind: Option<String>,
    /// When the last file has shown so many transactions.
    pub transactions: Option<u64>,
    /// When the last file has shown when it began: by a transaction that tells its commit exactly, or the server's clock.
    pub begun: bool,
    /// When so many bytes have been read by this call.
    pub bytes: Option<u64>,
}

/// What was found where reading stopped.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Surveyed {
    /// What was wanted was met: a transaction at or after the time; the place, or one behind it.
    pub found: bool,
    /// The last file is at its end.
    pub ended: bool,
    /// The last file has shown what was wanted of it: so many transactions, or when it began.
    pub shown: bool,
    /// What the place that was wanted is: "transaction" (one begins there, or none is under way), "event" (inside a
    /// transaction, between two events), "nothing" (inside an event); None if it was not met.
    pub met: Option<&'static str>,
    /// Where the log stands: in front of the transaction under way, or behind the last one.
    pub file: String,
    /// The same, bytes from the file's begin.
    pub pos: u64,
    /// The same as a position.
    pub position: String,
    /// When the transaction under way was committed, in microseconds since 1970, and whether that is exact.
    pub moment_us: Option<i64>,
    /// See `moment_us`.
    pub exact: bool,
    /// The begin of the last file as it says it, in seconds since 1970; None if it was not read so far.
    pub begun_s: Option<u32>,
    /// The server began that file by starting.
    pub started: bool,
    /// What the server's clock said behind the begin of that file, in seconds since 1970; None if it was not read so far.
    pub clock_s: Option<u32>,
    /// Transactions that have begun in the last file so far.
    pub transactions: u64,
    /// The latest moment of them, in microseconds since 1970, and whether it is exact.
    pub latest_us: Option<i64>,
    /// See `latest_us`.
    pub latest_exact: bool,
    /// Some transaction was one of XA.
    pub met_xa: bool,
    /// The server sends nothing from there on, and says why: with `gtid_mode=ON` no transaction that has no GTID.
    pub refused: Option<String>,
    /// Bytes that this call has read.
    pub bytes: u64,
}

/// Reads the places of one stretch of the log.
pub struct LogSurvey {
    dump: FileDump,
    survey: Survey,
    options: SurveyOptions,
    purged: GtidSet,
    ended: bool,
    refused: Option<String>,
}

impl LogSurvey {
    /// Connects, and asks for the file. We are no replica to the server, and throw none out.
    ///
    /// Errors: `LogPurged` if the file is not there, and those of connecting.
    pub fn open(options: SurveyOptions, canceller: &Canceller) -> Result<Self> {
        let purged = options.purged.parse().map_err(|e| misuse(format!("not a set of GTIDs: {e}")))?;
        let mut connection = options.connection.clone();
        connection.read_timeout_s.get_or_insert(PATIENCE_S);
        let connection = Connection::open(&connection, canceller)?;
        let event_bytes_max = Config::default().event_bytes_max;
        let dump = FileDump::start(connection, &options.file, event_bytes_max)?;
        Ok(Self { dump, survey: Survey::new(event_bytes_max), options, purged, ended: false, refused: None })
    }

    /// Reads on.
    ///
    /// Errors: those of the network; the log cannot be read.
    pub fn read(&mut self, until: &Until) -> Result<Surveyed> {
        let behind = until.behind.as_deref().map(str::parse).transpose();
        let behind = behind.map_err(|e: opendrs_binlog::PositionError| misuse(e.0))?;
        let mut look = Look { until, behind, met: None };
        let mut bytes = 0u64;
        while !self.ended {
            let event = match self.dump.next() {
                Ok(Some(event)) => event,
                Ok(None) => {
                    self.survey.finish();
                    look.at_the_end(&self.survey);
                    self.ended = true;
                    break;
                }
                Err(error) if error.message().contains(NAMELESS) => {
                    self.refused = Some(error.message().to_owned());
                    self.ended = true;
                    break;
                }
                Err(error) => return Err(error),
            };
            bytes += event.len() as u64;
            let step = self.survey.feed(event)?;
            if let Step::Ends(next) = &step {
                look.at_the_end(&self.survey);
                if self.survey.file() == self.last() {
                    self.ended = true;
                    break;
                }
                self.survey.enter(next.clone());
            } else if look.found(&self.survey, &step) {
                return Ok(self.surveyed(&look, bytes, true));
            }
            let enough = until.bytes.is_some_and(|most| bytes >= most) || self.shows(until);
            if enough && look.met.is_none() {
                break;
            }
        }
        Ok(self.surveyed(&look, bytes, look.met.is_some()))
    }

    fn last(&self) -> &str {
        self.options.through.as_deref().unwrap_or(&self.options.file)
    }

    fn shows(&self, until: &Until) -> bool {
        let (transactions, latest) = self.survey.seen();
        let begun = latest.is_some_and(|latest| latest.exact) || self.survey.clock_s().is_some();
        let enough = until.transactions.is_some_and(|most| transactions >= most) || (until.begun && begun);
        enough && self.survey.file() == self.last()
    }

    fn surveyed(&self, look: &Look<'_>, bytes: u64, found: bool) -> Surveyed {
        let survey = &self.survey;
        let place = look.met_place().unwrap_or_else(|| survey.place());
        let (transactions, latest) = survey.seen();
        let named = !matches!(survey.transaction(), Some(TransactionId::File(_)));
        let by_gtid = self.options.by_gtid && named;
        let position = survey.position(&self.options.server, by_gtid, &self.purged, place.clone());
        let (moment, begin) = (survey.moment(), survey.file_begin());
        Surveyed {
            found,
            ended: self.ended,
            shown: self.shows(look.until),
            met: look.met,
            file: place.file,
            pos: place.pos,
            position: position.to_json(),
            moment_us: moment.map(|moment| moment.us),
            exact: moment.is_some_and(|moment| moment.exact),
            begun_s: begin.map(|begin| begin.at_s),
            started: begin.is_some_and(|begin| begin.started),
            clock_s: survey.clock_s(),
            transactions,
            latest_us: latest.map(|latest| latest.us),
            latest_exact: latest.is_some_and(|latest| latest.exact),
            met_xa: survey.met_xa(),
            refused: self.refused.clone(),
            bytes,
        }
    }
}

/// One call's look for what is wanted.
struct Look<'a> {
    until: &'a Until,
    behind: Option<Position>,
    met: Option<&'static str>,
}

impl Look<'_> {
    /// Whether the event that was fed last is where reading stops.
    fn found(&mut self, survey: &Survey, step: &Step) -> bool {
        let begins = *step == Step::Begins;
        if let (Some(time), Some(moment)) = (self.until.time_us, survey.moment())
            && begins
            && moment.reaches(time)
        {
            return true;
        }
        if let (Some(behind), true, Some(transaction)) = (&self.behind, begins, survey.transaction())
            && !behind.contains(&transaction)
        {
            return true;
        }
        let Some(place) = self.until.place.as_ref().filter(|place| place.file == survey.file()) else { return false };
        if self.met.is_some() {
            // What the file says of itself is read to its end: it names the transactions before.
            return begins;
        }
        let (begin, end) = survey.event();
        if begin == place.pos && end > begin {
            self.met = Some(if *step == Step::Inside { "event" } else { "transaction" });
            return *step != Step::Between;
        }
        if begin < place.pos && place.pos < end {
            self.met = Some("nothing");
            return true;
        }
        false
    }

    /// The file is at its end, its last event included.
    fn at_the_end(&mut self, survey: &Survey) {
        let Some(place) = self.until.place.as_ref().filter(|place| place.file == survey.file()) else { return };
        let (begin, end) = survey.event();
        if self.met.is_none() && (place.pos == begin || place.pos == end) {
            self.met = Some("transaction");
        } else if begin < place.pos && place.pos < end {
            self.met = Some("nothing");
        }
    }

    /// The place that was wanted, if one may stand there.
    fn met_place(&self) -> Option<FilePosition> {
        self.until.place.clone().filter(|_| self.met == Some("transaction"))
    }
}

fn misuse(text: String) -> MysqlError {
    MysqlError::new(ErrorKind::Misuse, text)
}

/// Session variables that the server reads when a file is asked for.
pub(crate) fn announcement(flavour: Flavour) -> String {
    // What is written is sent, checksums included; both spellings, of which each server reads those it knows.
    let mut variables = vec!["@master_binlog_checksum = 'CRC32'", "@source_binlog_checksum = 'CRC32'"];
    if flavour == Flavour::Mariadb {
        // Understands GTIDs; less, and other events come in their place.
        variables.push("@mariadb_slave_capability = 4");
    }
    format!("SET {}", variables.join(", "))
}
