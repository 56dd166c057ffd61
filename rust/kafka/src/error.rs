/// What went wrong: what callers decide by. The names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A newer producer has the transactional id: nothing more of ours will be accepted.
    Fenced,
    /// The broker did not answer in time, or cannot be reached; the same call may succeed later.
    Unavailable,
    /// What was sent is lost: the transaction must be aborted, or the producer made anew.
    Aborted,
    /// The broker refused the login.
    Authentication,
    /// The user may not do that.
    Authorization,
    /// A message is larger than broker or topic allow.
    TooLarge,
    /// There is no such topic or partition.
    UnknownTopic,
    /// The broker refused, for any other reason.
    Refused,
    /// The caller asked for something impossible: a wrong setting, a call out of order.
    Misuse,
}

impl ErrorKind {
    /// The stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fenced => "fenced",
            Self::Unavailable => "unavailable",
            Self::Aborted => "aborted",
            Self::Authentication => "authentication",
            Self::Authorization => "authorization",
            Self::TooLarge => "too_large",
            Self::UnknownTopic => "unknown_topic",
            Self::Refused => "refused",
            Self::Misuse => "misuse",
        }
    }

    /// By librdkafka's number (`rd_kafka_resp_err_t`): its own are negative, Kafka's positive. None: nothing special.
    pub(crate) fn of_code(code: i32) -> Option<Self> {
        Some(match code {
            // __FENCED; INVALID_PRODUCER_EPOCH, PRODUCER_FENCED, FENCED_INSTANCE_ID
            -144 | 47 | 90 | 82 => Self::Fenced,
            // __TRANSPORT, __RESOLVE, __ALL_BROKERS_DOWN, __TIMED_OUT, __MSG_TIMED_OUT, __TIMED_OUT_QUEUE
            -195 | -193 | -187 | -185 | -192 | -166 => Self::Unavailable,
            // LEADER_NOT_AVAILABLE, NOT_LEADER_FOR_PARTITION, REQUEST_TIMED_OUT, NETWORK_EXCEPTION,
            // COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, NOT_ENOUGH_REPLICAS,
            // NOT_ENOUGH_REPLICAS_AFTER_APPEND, CONCURRENT_TRANSACTIONS
            5 | 6 | 7 | 13 | 14 | 15 | 16 | 19 | 20 | 51 => Self::Unavailable,
            // __AUTHENTICATION, __SSL; SASL_AUTHENTICATION_FAILED, UNSUPPORTED_SASL_MECHANISM
            -169 | -181 | 58 | 33 => Self::Authentication,
            // TOPIC_, GROUP_, CLUSTER_ and TRANSACTIONAL_ID_AUTHORIZATION_FAILED
            29 | 30 | 31 | 53 => Self::Authorization,
            // MSG_SIZE_TOO_LARGE, RECORD_LIST_TOO_LARGE
            10 | 18 => Self::TooLarge,
            // __UNKNOWN_TOPIC, __UNKNOWN_PARTITION; UNKNOWN_TOPIC_OR_PART
            -188 | -190 | 3 => Self::UnknownTopic,
            _ => return None,
        })
    }
}

/// A failure of the producer. It never holds a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct KafkaError {
    /// What callers decide by.
    pub kind: ErrorKind,
    /// librdkafka's number, 0 if the failure is not its own.
    pub code: i32,
    /// A sentence for people.
    pub message: String,
    /// The topic that it is about, if one.
    pub topic: Option<String>,
    /// The key of the message that it is about, if one.
    pub key: Option<Vec<u8>>,
}

impl KafkaError {
    pub(crate) fn new(kind: ErrorKind, code: i32, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), topic: None, key: None }
    }

    pub(crate) fn misuse(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Misuse, 0, message)
    }
}

/// The result of the producer.
pub type Result<T> = std::result::Result<T, KafkaError>;
