//! librdkafka, loaded from whatever shared object brings it along.
//!
//! The Python package confluent-kafka is a well-kept build of it with TLS and SASL, and is loaded in any case (for
//! administration and for reading): a second copy would cost minutes of compiling and be another one to keep safe.
//! Looking a symbol up through its extension module finds it in the module's own dependencies, wherever these lie.
//!
//! The declarations follow librdkafka's public header `rdkafka.h` (2.x), whose C interface is kept stable.

use std::ffi::{c_char, c_int, c_void};
use std::path::Path;
use std::sync::OnceLock;

use crate::error::{KafkaError, Result};

/// The first release whose interface these declarations were held against.
const VERSION_MIN: c_int = 0x0205_00ff;

/// Opaque objects of librdkafka.
pub(crate) enum Handle {}
pub(crate) enum Conf {}
pub(crate) enum Topic {}
pub(crate) enum Failure {}

/// `rd_kafka_message_t`.
#[repr(C)]
pub(crate) struct RawMessage {
    pub err: c_int,
    pub topic: *mut Topic,
    pub partition: i32,
    pub payload: *mut c_void,
    pub len: usize,
    pub key: *mut c_void,
    pub key_len: usize,
    pub offset: i64,
    pub private: *mut c_void,
}

/// `rd_kafka_metadata_t`.
#[repr(C)]
pub(crate) struct Metadata {
    pub broker_count: c_int,
    pub brokers: *const c_void,
    pub topic_count: c_int,
    pub topics: *const MetadataTopic,
    pub origin_id: i32,
    pub origin_name: *const c_char,
}

/// `rd_kafka_metadata_topic_t`.
#[repr(C)]
pub(crate) struct MetadataTopic {
    pub name: *const c_char,
    pub partition_count: c_int,
    pub partitions: *const c_void,
    pub err: c_int,
}

pub(crate) type DeliveryCallback = unsafe extern "C" fn(*mut Handle, *const RawMessage, *mut c_void);
pub(crate) type ErrorCallback = unsafe extern "C" fn(*mut Handle, c_int, *const c_char, *mut c_void);
pub(crate) type LogCallback = unsafe extern "C" fn(*const Handle, c_int, *const c_char, *const c_char);

/// `RD_KAFKA_PRODUCER`.
pub(crate) const PRODUCER: c_int = 0;
/// `RD_KAFKA_CONF_OK`.
pub(crate) const CONF_OK: c_int = 0;
/// `RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_PARTITION`: the caller keeps payload and key; each message says its partition.
pub(crate) const COPY_AND_PARTITION: c_int = 0x2 | 0x8;

macro_rules! functions {
    ($($field:ident = $symbol:literal: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// The functions that are used here.
        pub(crate) struct Functions {
            $(pub $field: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Functions {
            fn find(library: &libloading::Library) -> std::result::Result<Self, libloading::Error> {
                Ok(Self {
                    // SAFETY: the symbol is the C function that the header declares with these types.
                    $($field: unsafe { *library.get($symbol)? },)*
                })
            }
        }
    };
}

functions! {
    version = b"rd_kafka_version\0": fn() -> c_int;
    err2str = b"rd_kafka_err2str\0": fn(c_int) -> *const c_char;
    err2name = b"rd_kafka_err2name\0": fn(c_int) -> *const c_char;
    conf_new = b"rd_kafka_conf_new\0": fn() -> *mut Conf;
    conf_set = b"rd_kafka_conf_set\0": fn(*mut Conf, *const c_char, *const c_char, *mut c_char, usize) -> c_int;
    conf_destroy = b"rd_kafka_conf_destroy\0": fn(*mut Conf);
    conf_set_opaque = b"rd_kafka_conf_set_opaque\0": fn(*mut Conf, *mut c_void);
    conf_set_delivery = b"rd_kafka_conf_set_dr_msg_cb\0": fn(*mut Conf, DeliveryCallback);
    conf_set_error = b"rd_kafka_conf_set_error_cb\0": fn(*mut Conf, ErrorCallback);
    conf_set_log = b"rd_kafka_conf_set_log_cb\0": fn(*mut Conf, LogCallback);
    new = b"rd_kafka_new\0": fn(c_int, *mut Conf, *mut c_char, usize) -> *mut Handle;
    destroy = b"rd_kafka_destroy\0": fn(*mut Handle);
    opaque = b"rd_kafka_opaque\0": fn(*const Handle) -> *mut c_void;
    topic_new = b"rd_kafka_topic_new\0": fn(*mut Handle, *const c_char, *mut c_void) -> *mut Topic;
    metadata = b"rd_kafka_metadata\0": fn(*mut Handle, c_int, *mut Topic, *mut *const Metadata, c_int) -> c_int;
    metadata_destroy = b"rd_kafka_metadata_destroy\0": fn(*const Metadata);
    topic_name = b"rd_kafka_topic_name\0": fn(*const Topic) -> *const c_char;
    topic_destroy = b"rd_kafka_topic_destroy\0": fn(*mut Topic);
    produce_batch = b"rd_kafka_produce_batch\0": fn(*mut Topic, i32, c_int, *mut RawMessage, c_int) -> c_int;
    poll = b"rd_kafka_poll\0": fn(*mut Handle, c_int) -> c_int;
    flush = b"rd_kafka_flush\0": fn(*mut Handle, c_int) -> c_int;
    outq_len = b"rd_kafka_outq_len\0": fn(*mut Handle) -> c_int;
    last_error = b"rd_kafka_last_error\0": fn() -> c_int;
    init_transactions = b"rd_kafka_init_transactions\0": fn(*mut Handle, c_int) -> *mut Failure;
    begin_transaction = b"rd_kafka_begin_transaction\0": fn(*mut Handle) -> *mut Failure;
    commit_transaction = b"rd_kafka_commit_transaction\0": fn(*mut Handle, c_int) -> *mut Failure;
    abort_transaction = b"rd_kafka_abort_transaction\0": fn(*mut Handle, c_int) -> *mut Failure;
    error_code = b"rd_kafka_error_code\0": fn(*const Failure) -> c_int;
    error_string = b"rd_kafka_error_string\0": fn(*const Failure) -> *const c_char;
    error_is_fatal = b"rd_kafka_error_is_fatal\0": fn(*const Failure) -> c_int;
    error_is_retriable = b"rd_kafka_error_is_retriable\0": fn(*const Failure) -> c_int;
    error_requires_abort = b"rd_kafka_error_txn_requires_abort\0": fn(*const Failure) -> c_int;
    error_destroy = b"rd_kafka_error_destroy\0": fn(*mut Failure);
}

/// The library of this process, once it is loaded.
static LIBRARY: OnceLock<Library> = OnceLock::new();

/// The library, if it has been loaded.
pub(crate) fn loaded() -> Option<&'static Library> {
    LIBRARY.get()
}

/// librdkafka.
pub(crate) struct Library {
    pub functions: Functions,
    /// Keeps the functions where they are.
    _object: libloading::Library,
}

impl Library {
    /// The library of this process. The first call loads it by way of the shared object at `path`, which is librdkafka
    /// or depends on it; later calls find it loaded.
    pub fn load(path: &Path) -> Result<&'static Self> {
        if let Some(library) = LIBRARY.get() {
            return Ok(library);
        }
        let unusable =
            |reason: String| KafkaError::misuse(format!("librdkafka by way of {}: {reason}", path.display()));
        // SAFETY: the object is a Python extension module that is imported in this process already: what it runs
        // when it is loaded has been run.
        let object = unsafe { libloading::Library::new(path) }.map_err(|error| unusable(error.to_string()))?;
        let functions = Functions::find(&object).map_err(|error| unusable(error.to_string()))?;
        // SAFETY: takes nothing and answers a number.
        let version = unsafe { (functions.version)() };
        if version < VERSION_MIN {
            return Err(unusable(format!("version {version:#010x} is older than {VERSION_MIN:#010x}")));
        }
        Ok(LIBRARY.get_or_init(|| Self { functions, _object: object }))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Library;
    use crate::error::ErrorKind;

    #[test]
    fn what_is_no_librdkafka_is_an_error_that_names_it() {
        for path in
            ["/nowhere/librdkafka.so", env!("CARGO_MANIFEST_DIR"), concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]
        {
            let error = Library::load(Path::new(path)).err().map(|error| (error.kind, error.message));
            assert!(matches!(&error, Some((ErrorKind::Misuse, message)) if message.contains(path)), "{error:?}");
        }
    }
}
