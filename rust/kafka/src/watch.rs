//! What librdkafka says beside its answers: why brokers cannot be reached, which message was refused, its log.

use std::collections::VecDeque;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{ErrorKind, KafkaError};
use crate::library::{Functions, Handle, RawMessage};

/// Lines of the log that are kept until somebody asks for them.
const LINES_MAX: usize = 200;

/// Filled by librdkafka's threads.
pub(crate) struct Watch {
    functions: &'static Functions,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The first message that was not taken, since it was last asked for.
    refused: Option<KafkaError>,
    /// Whether a message of this transaction was not taken: it cannot be committed.
    failed: bool,
    /// The first message of this transaction that a broker counts as one that came before, and cannot find.
    unproven: Option<KafkaError>,
    /// What was last said of brokers or of the login.
    trouble: Option<(c_int, String)>,
    lines: VecDeque<(i32, String)>,
}

impl Watch {
    pub fn new(functions: &'static Functions) -> Self {
        Self { functions, state: Mutex::new(State::default()) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn take_refused(&self) -> Option<KafkaError> {
        self.state().refused.take()
    }

    /// Whether a message was not taken since [`Self::forget`], whoever has been told of it.
    pub fn has_failed(&self) -> bool {
        self.state().failed
    }

    /// Why the transaction must not be committed, until [`Self::forget`].
    pub fn unproven(&self) -> Option<KafkaError> {
        self.state().unproven.clone()
    }

    /// What became of messages so far is no news any more.
    pub fn forget(&self) {
        let mut state = self.state();
        (state.refused, state.failed, state.unproven) = (None, false, None);
    }

    /// What was last said of brokers or of the login: librdkafka's number and a sentence.
    pub fn trouble(&self) -> Option<(c_int, String)> {
        self.state().trouble.clone()
    }

    pub fn forget_trouble(&self) {
        self.state().trouble = None;
    }

    /// (syslog level, line) since the last call.
    pub fn take_lines(&self) -> Vec<(i32, String)> {
        self.state().lines.drain(..).collect()
    }

    /// The name of a number of librdkafka's.
    pub fn name_of(&self, code: c_int) -> String {
        // SAFETY: answers a static string for every number.
        text(unsafe { (self.functions.err2name)(code) })
    }

    fn describe(&self, code: c_int) -> String {
        // SAFETY: answers a static string for every number.
        text(unsafe { (self.functions.err2str)(code) })
    }
}

/// A C string of librdkafka's, as text; empty for a null pointer.
pub(crate) fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: librdkafka's strings end with a NUL byte.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}

/// A copy of the message's key.
pub(crate) fn key_of(message: &RawMessage) -> Option<Vec<u8>> {
    // SAFETY: key and its length belong together, as long as the message lives.
    let key = || unsafe { std::slice::from_raw_parts(message.key.cast::<u8>(), message.key_len) }.to_vec();
    (!message.key.is_null()).then(key)
}

/// The watch that a callback was registered with.
///
/// # Safety
/// `opaque` is the pointer that `rd_kafka_conf_set_opaque` was given, or null; the producer keeps the watch until
/// librdkafka's threads have ended.
unsafe fn watch<'a>(opaque: *mut c_void) -> Option<&'a Watch> {
    // SAFETY: as promised above.
    unsafe { opaque.cast::<Watch>().as_ref() }
}

/// Called for every message. One that was sent again and had come before is taken, and the broker says where it is.
/// If it does not, the broker has never had it, only one behind it: of several requests on their way to a new leader the
/// first was refused and the next was taken, so that the first, sent again, looks like an old one (KAFKA-15591; seen
/// with 4.3.1). librdkafka takes that for a success.
pub(crate) unsafe extern "C" fn on_delivery(_: *mut Handle, message: *const RawMessage, opaque: *mut c_void) {
    // SAFETY: librdkafka hands a message that lives as long as the call, and our pointer.
    let (Some(message), Some(watch)) = (unsafe { message.as_ref() }, unsafe { watch(opaque) }) else { return };
    if message.err == 0 && message.offset >= 0 {
        return;
    }
    // SAFETY: a message has a topic.
    let topic = text(unsafe { (watch.functions.topic_name)(message.topic) });
    let key = key_of(message);
    let size = message.len + message.key_len;
    let (kind, code, said) = match message.err {
        0 => (ErrorKind::Aborted, DUPLICATE_SEQUENCE, UNPROVEN.to_owned()),
        code => (ErrorKind::of_code(code).unwrap_or(ErrorKind::Refused), code, watch.describe(code)),
    };
    let what = format!("a message of {size} bytes for topic {topic}: {said}");
    let error = KafkaError { kind, code, message: what, topic: Some(topic), key };
    let mut state = watch.state();
    match message.err {
        0 => _ = state.unproven.get_or_insert(error),
        // The rest of the transaction is purged when it is aborted: that is no news.
        PURGE_QUEUE | PURGE_INFLIGHT => {}
        _ => {
            state.failed = true;
            state.refused.get_or_insert(error);
        }
    }
}

const UNPROVEN: &str = "the broker counts it as one that it has had, and cannot say where";
/// `RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER`.
const DUPLICATE_SEQUENCE: c_int = 46;
/// `RD_KAFKA_RESP_ERR__PURGE_QUEUE`, `RD_KAFKA_RESP_ERR__PURGE_INFLIGHT`.
const PURGE_QUEUE: c_int = -152;
const PURGE_INFLIGHT: c_int = -151;

pub(crate) unsafe extern "C" fn on_error(_: *mut Handle, code: c_int, reason: *const c_char, opaque: *mut c_void) {
    // SAFETY: our pointer.
    let Some(watch) = (unsafe { watch(opaque) }) else { return };
    let said = text(reason);
    let mut state = watch.state();
    // That all brokers are down is the least that can be said; why, was said before.
    let vague = code == ALL_BROKERS_DOWN;
    if !vague || state.trouble.is_none() {
        state.trouble = Some((code, said));
    }
}

/// `RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN`.
const ALL_BROKERS_DOWN: c_int = -187;

pub(crate) unsafe extern "C" fn on_log(
    handle: *const Handle,
    level: c_int,
    facility: *const c_char,
    line: *const c_char,
) {
    let Some(library) = crate::library::loaded() else { return };
    if handle.is_null() {
        return;
    }
    // SAFETY: the handle lives as long as the call; its opaque is ours.
    let Some(watch) = (unsafe { watch((library.functions.opaque)(handle)) }) else { return };
    let mut state = watch.state();
    if state.lines.len() == LINES_MAX {
        state.lines.pop_front();
    }
    state.lines.push_back((level, format!("{}: {}", text(facility), text(line))));
}
