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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ErrorKind, KafkaError};

    const KINDS: [ErrorKind; 9] = [
        ErrorKind::Fenced,
        ErrorKind::Unavailable,
        ErrorKind::Aborted,
        ErrorKind::Authentication,
        ErrorKind::Authorization,
        ErrorKind::TooLarge,
        ErrorKind::UnknownTopic,
        ErrorKind::Refused,
        ErrorKind::Misuse,
    ];

    /// Names as librdkafka has them (`rd_kafka_resp_err_t`, rdkafka.h) and what each means to a caller.
    const CODES: [(i32, &str, Option<ErrorKind>); 40] = [
        (-195, "__TRANSPORT", Some(ErrorKind::Unavailable)),
        (-193, "__RESOLVE", Some(ErrorKind::Unavailable)),
        (-192, "__MSG_TIMED_OUT", Some(ErrorKind::Unavailable)),
        (-190, "__UNKNOWN_PARTITION", Some(ErrorKind::UnknownTopic)),
        (-188, "__UNKNOWN_TOPIC", Some(ErrorKind::UnknownTopic)),
        (-187, "__ALL_BROKERS_DOWN", Some(ErrorKind::Unavailable)),
        (-186, "__INVALID_ARG", None),
        (-185, "__TIMED_OUT", Some(ErrorKind::Unavailable)),
        (-184, "__QUEUE_FULL", None),
        (-181, "__SSL", Some(ErrorKind::Authentication)),
        (-172, "__STATE", None),
        (-169, "__AUTHENTICATION", Some(ErrorKind::Authentication)),
        (-166, "__TIMED_OUT_QUEUE", Some(ErrorKind::Unavailable)),
        (-150, "__FATAL", None),
        (-144, "__FENCED", Some(ErrorKind::Fenced)),
        (-1, "UNKNOWN", None),
        (2, "INVALID_MSG", None),
        (3, "UNKNOWN_TOPIC_OR_PART", Some(ErrorKind::UnknownTopic)),
        (5, "LEADER_NOT_AVAILABLE", Some(ErrorKind::Unavailable)),
        (6, "NOT_LEADER_FOR_PARTITION", Some(ErrorKind::Unavailable)),
        (7, "REQUEST_TIMED_OUT", Some(ErrorKind::Unavailable)),
        (10, "MSG_SIZE_TOO_LARGE", Some(ErrorKind::TooLarge)),
        (13, "NETWORK_EXCEPTION", Some(ErrorKind::Unavailable)),
        (14, "COORDINATOR_LOAD_IN_PROGRESS", Some(ErrorKind::Unavailable)),
        (15, "COORDINATOR_NOT_AVAILABLE", Some(ErrorKind::Unavailable)),
        (16, "NOT_COORDINATOR", Some(ErrorKind::Unavailable)),
        (18, "RECORD_LIST_TOO_LARGE", Some(ErrorKind::TooLarge)),
        (19, "NOT_ENOUGH_REPLICAS", Some(ErrorKind::Unavailable)),
        (20, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", Some(ErrorKind::Unavailable)),
        (29, "TOPIC_AUTHORIZATION_FAILED", Some(ErrorKind::Authorization)),
        (30, "GROUP_AUTHORIZATION_FAILED", Some(ErrorKind::Authorization)),
        (31, "CLUSTER_AUTHORIZATION_FAILED", Some(ErrorKind::Authorization)),
        (33, "UNSUPPORTED_SASL_MECHANISM", Some(ErrorKind::Authentication)),
        (44, "POLICY_VIOLATION", None),
        (47, "INVALID_PRODUCER_EPOCH", Some(ErrorKind::Fenced)),
        (51, "CONCURRENT_TRANSACTIONS", Some(ErrorKind::Unavailable)),
        (53, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", Some(ErrorKind::Authorization)),
        (58, "SASL_AUTHENTICATION_FAILED", Some(ErrorKind::Authentication)),
        (82, "FENCED_INSTANCE_ID", Some(ErrorKind::Fenced)),
        (90, "PRODUCER_FENCED", Some(ErrorKind::Fenced)),
    ];

    #[test]
    fn each_number_means_what_its_name_says() {
        for (code, name, kind) in CODES {
            assert_eq!(ErrorKind::of_code(code), kind, "{code} {name}");
        }
    }

    #[test]
    fn no_other_number_means_anything_special() {
        let special: BTreeSet<i32> = CODES.iter().filter(|code| code.2.is_some()).map(|code| code.0).collect();
        let found: BTreeSet<i32> = (-300..300).filter(|code| ErrorKind::of_code(*code).is_some()).collect();
        assert_eq!(found, special);
    }

    #[test]
    fn names_are_those_that_callers_decide_by() {
        let names: Vec<&str> = KINDS.iter().map(|kind| kind.name()).collect();
        let expected = [
            "fenced",
            "unavailable",
            "aborted",
            "authentication",
            "authorization",
            "too_large",
            "unknown_topic",
            "refused",
            "misuse",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn an_error_is_shown_by_its_sentence() {
        let error = KafkaError::misuse("a call out of order");
        assert_eq!(error.to_string(), "a call out of order");
        assert_eq!((error.kind, error.code, error.topic, error.key), (ErrorKind::Misuse, 0, None, None));
    }
}
