use std::ffi::{CString, c_int, c_void};
use std::path::Path;
use std::ptr;
use std::time::{Duration, Instant};

use crate::error::{ErrorKind, KafkaError, Result};
use crate::library::{
    CONF_OK, COPY_AND_PARTITION, Conf, Failure, Functions, Handle, Library, PRODUCER, RawMessage, Topic,
};
use crate::message::Message;
use crate::transit::Transit;
use crate::watch::{Watch, key_of, on_delivery, on_error, on_log, text};

const REASON_BYTES: usize = 512;
/// Messages handed over in one call.
const CALL_MESSAGES: usize = 1000;
/// Bytes that may be on their way. librdkafka's own bound is of no use: where it is reached in the middle of a call, a
/// message may be refused and one behind it taken, for there was room again.
const TRANSIT_BYTES_MAX: usize = 16 << 20;
/// `RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART`.
const UNKNOWN_TOPIC: c_int = 3;
/// `RD_KAFKA_RESP_ERR__STATE`, `RD_KAFKA_RESP_ERR__FATAL`: nothing can be sent any more, for what was sent before failed.
const FAILED: [c_int; 2] = [-172, -150];
/// How long is waited to be told why; it is known already.
const TOLD: Duration = Duration::from_secs(1);
/// How long is waited at once for room.
const ROOM_MS: c_int = 2;
/// Without librdkafka's own bounds on what is on its way, and with a report for each message: where it is proves that it
/// is there.
const OURS: [(&str, &str); 3] = [
    ("queue.buffering.max.messages", "0"),
    ("queue.buffering.max.kbytes", "2147483647"),
    ("delivery.report.only.error", "false"),
];

/// A producer. Not to be used by several threads at once.
pub struct Producer {
    functions: &'static Functions,
    handle: *mut Handle,
    topics: Vec<(String, *mut Topic)>,
    transit: Transit,
    /// What librdkafka's threads write to; it outlives them.
    watch: Box<Watch>,
}

// SAFETY: librdkafka's handles may be used by any thread; everything else is owned. Callers lock.
unsafe impl Send for Producer {}

impl Producer {
    /// A producer with these settings of librdkafka's (CONFIGURATION.md). `library`: a shared object that is
    /// librdkafka or depends on it. Nothing is connected yet.
    pub fn new(library: &Path, settings: &[(String, String)]) -> Result<Self> {
        let functions = &Library::load(library)?.functions;
        let watch = Box::new(Watch::new(functions));
        // SAFETY: makes a new object.
        let conf = unsafe { (functions.conf_new)() };
        let ours = OURS.iter().copied();
        for (name, value) in settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(ours) {
            if let Err(error) = set(functions, conf, name, value) {
                // SAFETY: ours, and nobody else's yet.
                unsafe { (functions.conf_destroy)(conf) };
                return Err(error);
            }
        }
        let opaque = ptr::from_ref::<Watch>(&watch).cast_mut().cast::<c_void>();
        let mut reason = [0u8; REASON_BYTES];
        // SAFETY: `conf` is ours; the callbacks live for ever, the watch as long as the handle.
        let handle = unsafe {
            (functions.conf_set_opaque)(conf, opaque);
            (functions.conf_set_delivery)(conf, on_delivery);
            (functions.conf_set_error)(conf, on_error);
            (functions.conf_set_log)(conf, on_log);
            (functions.new)(PRODUCER, conf, reason.as_mut_ptr().cast(), reason.len())
        };
        if handle.is_null() {
            // SAFETY: what was refused was not taken over.
            unsafe { (functions.conf_destroy)(conf) };
            return Err(KafkaError::misuse(text(reason.as_ptr().cast())));
        }
        Ok(Self { functions, handle, topics: Vec::new(), transit: Transit::default(), watch })
    }

    /// The number of a topic, for messages to it, and how many partitions it has.
    ///
    /// The brokers are asked: a message for a topic that librdkafka knows nothing of yet has no partition, and in a
    /// transaction it (2.16) then announces a partition -1 to the coordinator, for ever.
    pub fn topic(&mut self, name: &str, timeout: Duration) -> Result<(u32, i32)> {
        if let Some(known) = self.topics.iter().position(|topic| topic.0 == name) {
            return Ok((known as u32, self.partitions(known, timeout)?));
        }
        let text = c_string(name)?;
        // SAFETY: the handle lives; the name is copied.
        let topic = unsafe { (self.functions.topic_new)(self.handle, text.as_ptr(), ptr::null_mut()) };
        if topic.is_null() {
            return Err(self.last_error(&format!("topic {name}")));
        }
        self.topics.push((name.to_owned(), topic));
        let number = self.topics.len() - 1;
        match self.partitions(number, timeout) {
            Ok(partitions) => Ok((number as u32, partitions)),
            Err(error) => {
                self.topics.pop();
                // SAFETY: ours, and no message was sent to it.
                unsafe { (self.functions.topic_destroy)(topic) };
                Err(error)
            }
        }
    }

    fn partitions(&self, topic: usize, timeout: Duration) -> Result<i32> {
        let mut found = ptr::null();
        // SAFETY: handle and topic live; what is found is ours until it is destroyed.
        let (code, seen) = unsafe {
            let pointer = self.topics[topic].1;
            let code = (self.functions.metadata)(self.handle, 0, pointer, &raw mut found, millis(timeout));
            let one = found.as_ref().filter(|all| all.topic_count == 1).and_then(|all| all.topics.as_ref());
            let seen = one.map(|one| (one.err, one.partition_count));
            if !found.is_null() {
                (self.functions.metadata_destroy)(found);
            }
            (code, seen)
        };
        match (code, seen) {
            (0, Some((0, partitions))) if partitions > 0 => Ok(partitions),
            (0, Some((code, _))) if code != 0 => Err(self.error(code, "asking of", Some(topic))),
            (0, _) => Err(self.error(UNKNOWN_TOPIC, "asking of", Some(topic))),
            (code, _) => Err(self.error(code, "asking of", Some(topic))),
        }
    }

    /// Takes the transactional id: older producers that have it are fenced, and what they left open is aborted.
    pub fn init_transactions(&mut self, timeout: Duration) -> Result<()> {
        // SAFETY: the handle lives.
        let failure = unsafe { (self.functions.init_transactions)(self.handle, millis(timeout)) };
        self.check(failure)
    }

    /// Begins a transaction. Needs no broker.
    pub fn begin(&mut self) -> Result<()> {
        self.listen(0); // what became of messages of the last transaction counts no more
        self.watch.forget();
        // SAFETY: the handle lives.
        let failure = unsafe { (self.functions.begin_transaction)(self.handle) };
        self.check(failure)
    }

    /// Waits until every message is taken, then commits. `Unavailable`: the same call may be made again.
    pub fn commit(&mut self, timeout: Duration) -> Result<()> {
        // What librdkafka waits for itself it commits, whatever the reports of it say. Of a transaction that has failed
        // the rest is never taken, and what would end it says so at once.
        if !self.watch.has_failed() {
            let code = self.wait_until_taken(timeout);
            if code != 0 && !self.watch.has_failed() {
                return Err(self.error(code, "waiting for messages to be taken", None));
            }
        }
        match self.watch.unproven() {
            Some(unproven) => Err(unproven),
            None => self.commit_taken(timeout),
        }
    }

    fn commit_taken(&mut self, timeout: Duration) -> Result<()> {
        // SAFETY: the handle lives.
        let failure = unsafe { (self.functions.commit_transaction)(self.handle, millis(timeout)) };
        self.check(failure)
    }

    /// Aborts the transaction. `Unavailable`: the same call may be made again.
    pub fn abort(&mut self, timeout: Duration) -> Result<()> {
        // SAFETY: the handle lives.
        let failure = unsafe { (self.functions.abort_transaction)(self.handle, millis(timeout)) };
        self.watch.take_refused();
        self.check(failure)
    }

    /// Waits until every message is taken: for producers without transactions. `Unavailable`: the same call may be
    /// made again. A message that was lost is told once, and not so.
    pub fn flush(&mut self, timeout: Duration) -> Result<()> {
        let code = self.wait_until_taken(timeout);
        if let Some(unproven) = self.watch.unproven() {
            self.watch.forget();
            return Err(unproven);
        }
        if let Some(mut refused) = self.watch.take_refused() {
            if refused.kind == ErrorKind::Unavailable {
                refused.kind = ErrorKind::Aborted;
            }
            return Err(refused);
        }
        if code == 0 { Ok(()) } else { Err(self.error(code, "waiting for messages to be taken", None)) }
    }

    /// Hands messages over, in order; waits for room while too many bytes are on their way, for `patience` at most. They
    /// are durable after [`Self::commit`] or [`Self::flush`] only.
    pub fn send<'m>(&mut self, messages: impl IntoIterator<Item = Message<'m>>, patience: Duration) -> Result<()> {
        let mut calls: Vec<Vec<RawMessage>> = Vec::new();
        for message in messages {
            let topic = message.topic as usize;
            if topic >= self.topics.len() {
                return Err(KafkaError::misuse(format!("topic {topic} is not known")));
            }
            if calls.len() <= topic {
                calls.resize_with(topic + 1, Vec::new);
            }
            calls[topic].push(raw(&message));
            if calls[topic].len() == CALL_MESSAGES {
                self.hand_over(topic, &mut calls[topic], patience)?;
                calls[topic].clear();
            }
        }
        for (topic, call) in calls.iter_mut().enumerate().filter(|(_, call)| !call.is_empty()) {
            self.hand_over(topic, call, patience)?;
        }
        Ok(())
    }

    /// Messages of one topic. Their bytes live as long as the caller's borrow.
    fn hand_over(&mut self, topic: usize, messages: &mut [RawMessage], patience: Duration) -> Result<()> {
        self.wait_for_room(patience)?;
        let count = messages.len() as c_int;
        // SAFETY: topic and messages live; librdkafka copies the bytes.
        let taken = unsafe {
            (self.functions.produce_batch)(self.topics[topic].1, 0, COPY_AND_PARTITION, messages.as_mut_ptr(), count)
        };
        self.transit.add(messages.len(), messages.iter().map(|message| message.len + message.key_len).sum());
        self.listen(0); // messages that were taken are let go of
        if taken == count {
            return Ok(());
        }
        // Others may have been taken behind it: the transaction is lost, and nothing is tried again here.
        let Some(refused) = messages.iter().find(|message| message.err != 0) else {
            return Err(KafkaError::misuse("a message was refused without a reason"));
        };
        if FAILED.contains(&refused.err)
            && let Some(error) = self.failure()
        {
            return Err(error);
        }
        let size = refused.len + refused.key_len;
        let mut error = self.error(refused.err, &format!("a message of {size} bytes"), Some(topic));
        error.key = key_of(refused);
        Err(error)
    }

    /// Why the transaction cannot go on. Of a transaction that has failed, what would end it says so at once.
    fn failure(&mut self) -> Option<KafkaError> {
        self.listen(0);
        self.watch.take_refused().or_else(|| self.commit_taken(TOLD).err())
    }

    fn wait_for_room(&mut self, patience: Duration) -> Result<()> {
        let begun = Instant::now();
        loop {
            // SAFETY: the handle lives.
            let waiting = unsafe { (self.functions.outq_len)(self.handle) };
            if self.transit.bytes(usize::try_from(waiting).unwrap_or(0)) < TRANSIT_BYTES_MAX {
                return Ok(());
            }
            self.listen(ROOM_MS);
            if let Some(refused) = self.watch.take_refused() {
                return Err(refused);
            }
            if begun.elapsed() > patience {
                let what = format!("no message was taken for {} s", patience.as_secs());
                return Err(self.explained(KafkaError::new(ErrorKind::Unavailable, 0, what)));
            }
        }
    }

    /// Lets librdkafka tell the watch what became of messages, and of brokers; waits so long for something to tell.
    fn listen(&self, wait_ms: c_int) {
        // SAFETY: the handle lives.
        unsafe { (self.functions.poll)(self.handle, wait_ms) };
    }

    /// Waits until of every message is told what became of it; librdkafka's number, 0 if so.
    fn wait_until_taken(&self, timeout: Duration) -> c_int {
        // SAFETY: the handle lives.
        unsafe { (self.functions.flush)(self.handle, millis(timeout)) }
    }

    /// (syslog level, line) of librdkafka's log since the last call.
    pub fn take_log(&self) -> Vec<(i32, String)> {
        self.watch.take_lines()
    }

    /// Consumes the failure, if there is one.
    fn check(&mut self, failure: *mut Failure) -> Result<()> {
        if failure.is_null() {
            self.watch.forget_trouble();
            return Ok(());
        }
        let functions = self.functions;
        // SAFETY: the failure is ours until it is destroyed.
        let (code, said, fatal, retriable, aborts) = unsafe {
            let found = (
                (functions.error_code)(failure),
                text((functions.error_string)(failure)),
                (functions.error_is_fatal)(failure) != 0,
                (functions.error_is_retriable)(failure) != 0,
                (functions.error_requires_abort)(failure) != 0,
            );
            (functions.error_destroy)(failure);
            found
        };
        // What was refused says more than that the transaction failed.
        if let Some(refused) = self.watch.take_refused()
            && !fatal
        {
            return Err(refused);
        }
        let known = ErrorKind::of_code(code);
        let kind = match known {
            Some(ErrorKind::Unavailable) if aborts || fatal => ErrorKind::Aborted,
            Some(kind) => kind,
            None if retriable && !fatal => ErrorKind::Unavailable,
            None if aborts || fatal => ErrorKind::Aborted,
            None => ErrorKind::Refused,
        };
        Err(self.explained(KafkaError::new(kind, code, said)))
    }

    fn error(&self, code: c_int, what: &str, topic: Option<usize>) -> KafkaError {
        let kind = ErrorKind::of_code(code).unwrap_or(ErrorKind::Refused);
        let topic = topic.map(|topic| self.topics[topic].0.clone());
        let place = topic.as_ref().map(|topic| format!(" for topic {topic}")).unwrap_or_default();
        let message = format!("{what}{place}: {}", self.watch.name_of(code));
        let mut error = self.explained(KafkaError::new(kind, code, message));
        error.topic = topic;
        error
    }

    /// That something took too long says little; what was said of brokers or of the login meanwhile says why.
    fn explained(&self, mut error: KafkaError) -> KafkaError {
        if error.kind != ErrorKind::Unavailable {
            return error;
        }
        self.listen(0);
        if let Some((code, said)) = self.watch.trouble() {
            error.message = format!("{}: {said}", error.message);
            if let Some(kind @ (ErrorKind::Authentication | ErrorKind::Authorization)) = ErrorKind::of_code(code) {
                (error.kind, error.code) = (kind, code);
            }
        }
        error
    }

    fn last_error(&self, what: &str) -> KafkaError {
        // SAFETY: answers a number of this thread.
        let code = unsafe { (self.functions.last_error)() };
        self.error(code, what, None)
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        // SAFETY: nothing of this is used afterwards; the watch is dropped behind the threads that write to it.
        unsafe {
            for (_, topic) in self.topics.drain(..) {
                (self.functions.topic_destroy)(topic);
            }
            (self.functions.destroy)(self.handle);
        }
    }
}

fn raw(message: &Message<'_>) -> RawMessage {
    // A null pointer is no key and no value; empty ones need another.
    let part = |bytes: Option<&[u8]>| match bytes {
        None => (ptr::null_mut(), 0),
        Some(bytes) => (bytes.as_ptr().cast_mut().cast::<c_void>(), bytes.len()),
    };
    let ((payload, len), (key, key_len)) = (part(message.value), part(message.key));
    let (err, topic, private) = (0, ptr::null_mut(), ptr::null_mut());
    RawMessage { err, topic, partition: message.partition, payload, len, key, key_len, offset: 0, private }
}

fn set(functions: &Functions, conf: *mut Conf, name: &str, value: &str) -> Result<()> {
    let (name_text, value_text) = (c_string(name)?, c_string(value)?);
    let mut reason = [0u8; REASON_BYTES];
    // SAFETY: all strings end with a NUL byte, and are copied.
    let result = unsafe {
        (functions.conf_set)(conf, name_text.as_ptr(), value_text.as_ptr(), reason.as_mut_ptr().cast(), reason.len())
    };
    if result == CONF_OK {
        return Ok(());
    }
    // The reason may quote the value.
    let said = text(reason.as_ptr().cast());
    Err(KafkaError::misuse(if said.contains(value) { format!("the value of {name} is refused") } else { said }))
}

fn c_string(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| KafkaError::misuse("a NUL character in a name or setting"))
}

fn millis(timeout: Duration) -> c_int {
    timeout.as_millis().try_into().unwrap_or(c_int::MAX)
}
