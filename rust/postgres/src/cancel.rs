use std::sync::{Arc, Mutex, PoisonError};

use opendrs_net::{Canceller, Stream, TlsMode};

use crate::error::{PgError, Result};
use crate::options::ConnectOptions;

/// What the server wants to hear from somebody who cancels: sent to us at login.
#[derive(Clone)]
pub(crate) struct BackendKey {
    pub process_id: i32,
    pub secret: Vec<u8>,
}

/// Interrupts a connection from another thread.
#[derive(Clone)]
pub struct CancelHandle {
    options: Arc<ConnectOptions>,
    canceller: Canceller,
    key: Arc<Mutex<Option<BackendKey>>>,
}

impl CancelHandle {
    pub(crate) fn new(options: &ConnectOptions, canceller: &Canceller) -> Self {
        Self { options: Arc::new(options.clone()), canceller: canceller.clone(), key: Arc::default() }
    }

    pub(crate) fn know(&self, key: BackendKey) {
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
    }

    /// Asks the server to end the statement that runs now, over a connection of its own. The session
    /// stays; the statement fails with SQLSTATE 57014, if it still runs when the server hears of it.
    pub fn cancel(&self) -> Result<()> {
        let Some(key) = self.key.lock().unwrap_or_else(PoisonError::into_inner).clone() else {
            return Err(PgError::usage("the server gave no key to cancel with"));
        };
        let endpoint = self.options.endpoint();
        let mut stream = Stream::connect(&endpoint, &self.options.net(), &self.canceller)?;
        stream.set_read_timeout(Some(self.options.net().connect_timeout))?;
        if self.options.tls.mode != TlsMode::Disable {
            stream = crate::connection::encrypt(stream, &self.options)?;
        }
        // CancelRequest: length, code, process, secret (of any length from protocol 3.2 on).
        let mut message = Vec::with_capacity(16);
        message.extend_from_slice(&(12 + key.secret.len() as u32).to_be_bytes());
        message.extend_from_slice(&80_877_102u32.to_be_bytes());
        message.extend_from_slice(&key.process_id.to_be_bytes());
        message.extend_from_slice(&key.secret);
        stream.write_all(&message)?;
        // The server hangs up once it has passed the signal on.
        let _ = stream.read(&mut [0u8]);
        Ok(())
    }

    /// Ends the connection at once, whatever it does, with an error of kind `Net`.
    pub fn shut_down(&self) {
        self.canceller.cancel();
    }
}
