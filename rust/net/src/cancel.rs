use std::fmt;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use socket2::Socket;

use crate::NetError;

/// Ends connections from another thread.
///
/// One canceller may guard several connections, also one after the other (a reader that
/// reconnects). Once [`Canceller::cancel`] was called, whatever they wait for ends with
/// [`crate::NetErrorKind::Interrupted`], and so does every later attempt to connect. Looking up a
/// host's name is the one step that cannot be cut short.
#[derive(Clone, Default)]
pub struct Canceller {
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    cancelled: AtomicBool,
    sockets: Mutex<Vec<Weak<Socket>>>,
}

impl Canceller {
    /// A canceller that guards nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Shuts down every guarded connection, now and in future. Calling it twice does nothing more.
    pub fn cancel(&self) {
        self.state.cancelled.store(true, Ordering::SeqCst);
        let mut sockets = self.state.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        for socket in sockets.drain(..).filter_map(|weak| weak.upgrade()) {
            // Wakes a thread that reads, writes or connects. An error means that it is closed already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Whether [`Canceller::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.state.cancelled.load(Ordering::SeqCst)
    }

    /// The "interrupted" error if [`Canceller::cancel`] was called.
    pub fn check(&self) -> Result<(), NetError> {
        if self.is_cancelled() { Err(NetError::interrupted()) } else { Ok(()) }
    }

    pub(crate) fn guard(&self, socket: &Arc<Socket>) -> Result<(), NetError> {
        let mut sockets = self.state.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.retain(|weak| weak.strong_count() > 0);
        sockets.push(Arc::downgrade(socket));
        drop(sockets);
        // After the push: a cancel between the two finds the socket or is found here.
        self.check()
    }
}

impl fmt::Debug for Canceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canceller").field("cancelled", &self.is_cancelled()).finish()
    }
}
