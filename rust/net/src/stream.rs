use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};
use socket2::{Domain, SockAddr, Socket, TcpKeepalive, Type};

use crate::tls::client_connection;
use crate::{Canceller, Endpoint, NetError, NetErrorKind, TlsOptions};

/// How a connection is made and kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectOptions {
    /// Time for the whole attempt, all addresses of the host together (names are looked up outside of it).
    pub connect_timeout: Duration,
    /// Longest wait for the next byte; None: for ever.
    pub read_timeout: Option<Duration>,
    /// Longest wait until bytes can be sent; None: for ever.
    pub write_timeout: Option<Duration>,
    /// Silence after which the kernel asks the peer whether it lives (then thrice, 10 s apart).
    pub keepalive: Option<Duration>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            read_timeout: None,
            write_timeout: None,
            keepalive: Some(Duration::from_secs(30)),
        }
    }
}

/// A connected socket, plain or encrypted. Dropping it ends the connection.
pub struct Stream {
    socket: Arc<Socket>,
    tls: Option<Box<StreamOwned<ClientConnection, Buffered>>>,
    canceller: Canceller,
    local: bool,
}

impl Stream {
    /// Connects: every address of the host in turn. `canceller` can end the connection from now on.
    ///
    /// Errors: `Dns`, `Refused`, `Unreachable`, `Timeout`, `Interrupted`.
    pub fn connect(endpoint: &Endpoint, options: &ConnectOptions, canceller: &Canceller) -> Result<Self, NetError> {
        canceller.check()?;
        let what = format!("connecting to {endpoint}");
        let deadline = Instant::now() + options.connect_timeout;
        let mut last = NetError::new(NetErrorKind::Dns, format!("{what}: the name has no address"));
        for (domain, address) in addresses(endpoint, &what)? {
            let left = deadline.saturating_duration_since(Instant::now());
            match open(domain, &address, left, options, canceller, &what) {
                Ok(socket) => {
                    let local = matches!(endpoint, Endpoint::Unix(_));
                    return Ok(Self { socket, tls: None, canceller: canceller.clone(), local });
                }
                Err(error) if error.kind == NetErrorKind::Interrupted => return Err(error),
                Err(error) => last = error,
            }
            if left.is_zero() {
                break;
            }
        }
        Err(last)
    }

    /// Encrypts the connection: does the TLS handshake. The caller has agreed on it with the server
    /// in the words of the protocol, and has read nothing behind that agreement.
    ///
    /// `endpoint` gives the name that the certificate is checked against, unless the options do.
    /// Errors: `Tls`, or those of reading and writing.
    pub fn upgrade(mut self, options: &TlsOptions, endpoint: &Endpoint) -> Result<Self, NetError> {
        if self.tls.is_some() {
            return Err(NetError::new(NetErrorKind::Tls, "the connection is encrypted already"));
        }
        let mut connection = client_connection(options, endpoint)?;
        let mut transport = Buffered::new(self.socket.clone());
        while connection.is_handshaking() {
            if let Err(error) = connection.complete_io(&mut transport) {
                let mut error = self.error(&error, &format!("TLS handshake with {endpoint}"));
                if error.kind == NetErrorKind::Closed {
                    // A server that dislikes our certificate, or whose TLS is too old, often just hangs up.
                    error.message.push_str(" (the server ended it: it may want a client certificate or TLS below 1.2)");
                }
                return Err(error);
            }
        }
        self.tls = Some(Box::new(StreamOwned::new(connection, transport)));
        Ok(self)
    }

    /// Whether the connection is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Whether it is a Unix socket: nobody but this machine's root can listen.
    pub fn is_local(&self) -> bool {
        self.local
    }

    /// The server's certificate (DER) if the connection is encrypted: what channel binding is made from.
    pub fn peer_certificate(&self) -> Option<Vec<u8>> {
        let tls = self.tls.as_ref()?;
        tls.conn.peer_certificates()?.first().map(|certificate| certificate.to_vec())
    }

    /// TLS version and cipher for people ("TLSv1_3 TLS13_AES_256_GCM_SHA384"); None without encryption.
    pub fn cipher(&self) -> Option<String> {
        let tls = self.tls.as_ref()?;
        let suite = tls.conn.negotiated_cipher_suite()?;
        Some(format!("{:?} {:?}", tls.conn.protocol_version()?, suite.suite()))
    }

    /// Changes the longest wait for the next byte; None: for ever.
    pub fn set_read_timeout(&mut self, timeout: Option<Duration>) -> Result<(), NetError> {
        self.socket.set_read_timeout(nonzero(timeout)).map_err(|e| self.error(&e, "setting the read timeout"))
    }

    /// Changes the longest wait until bytes can be sent; None: for ever.
    pub fn set_write_timeout(&mut self, timeout: Option<Duration>) -> Result<(), NetError> {
        self.socket.set_write_timeout(nonzero(timeout)).map_err(|e| self.error(&e, "setting the write timeout"))
    }

    /// What can end this connection from another thread.
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }

    /// Reads some bytes, at least one; 0 only at the end of the stream (or for an empty buffer).
    #[inline]
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, NetError> {
        loop {
            let result = match &mut self.tls {
                None => receive(&self.socket, buffer),
                Some(tls) => tls.read(buffer),
            };
            match result {
                Ok(0) if !buffer.is_empty() => {
                    self.canceller.check()?;
                    return Ok(0);
                }
                Ok(count) => return Ok(count),
                // A signal arrived; Python's handlers run when the caller next lets them.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.error(&error, "reading from the server")),
            }
        }
    }

    /// Writes all bytes and sees them off.
    pub fn write_all(&mut self, bytes: &[u8]) -> Result<(), NetError> {
        let result = match &mut self.tls {
            None => (&*self.socket).write_all(bytes),
            Some(tls) => tls.write_all(bytes).and_then(|()| tls.flush()),
        };
        result.map_err(|error| self.error(&error, "writing to the server"))
    }

    #[cold]
    fn error(&self, error: &io::Error, what: &str) -> NetError {
        // After a cancel the socket reports whatever it likes; the reason is ours.
        self.canceller.check().err().unwrap_or_else(|| NetError::from_io(error, what))
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(Self::read(self, buffer)?)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::write_all(self, bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(tls) = &mut self.tls {
            // So that the server does not log an aborted connection. It must not block: the socket
            // may be dead, and a notice that does not fit the send buffer is not worth waiting for.
            tls.conn.send_close_notify();
            let _ = self.socket.set_nonblocking(true);
            let _ = tls.conn.write_tls(&mut tls.sock);
        }
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("socket", &self.socket).field("cipher", &self.cipher()).finish()
    }
}

#[inline]
fn receive(socket: &Socket, buffer: &mut [u8]) -> io::Result<usize> {
    (&*socket).read(buffer)
}

/// The socket as TLS reads it: rustls asks for 4 KiB at a time, which would be a system call each.
struct Buffered {
    socket: Arc<Socket>,
    data: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffered {
    fn new(socket: Arc<Socket>) -> Self {
        Self { socket, data: vec![0; 64 << 10], start: 0, end: 0 }
    }
}

impl Read for Buffered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            self.end = receive(&self.socket, &mut self.data)?;
        }
        let count = buffer.len().min(self.end - self.start);
        buffer[..count].copy_from_slice(&self.data[self.start..self.start + count]);
        self.start += count;
        Ok(count)
    }
}

impl Write for Buffered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.socket).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn addresses(endpoint: &Endpoint, what: &str) -> Result<Vec<(Domain, SockAddr)>, NetError> {
    match endpoint {
        Endpoint::Unix(path) => {
            let address = SockAddr::unix(path).map_err(|e| NetError::from_io(&e, what))?;
            Ok(vec![(Domain::UNIX, address)])
        }
        Endpoint::Tcp { host, port } => {
            let found: Vec<SocketAddr> = (host.as_str(), *port)
                .to_socket_addrs()
                .map_err(|e| NetError::new(NetErrorKind::Dns, format!("{what}: {e}")))?
                .collect();
            Ok(found.into_iter().map(|a| (Domain::for_address(a), SockAddr::from(a))).collect())
        }
    }
}

fn open(
    domain: Domain,
    address: &SockAddr,
    timeout: Duration,
    options: &ConnectOptions,
    canceller: &Canceller,
    what: &str,
) -> Result<Arc<Socket>, NetError> {
    let attempt = || {
        let socket = Arc::new(Socket::new(domain, Type::STREAM, None)?);
        canceller.guard(&socket)?;
        if domain == Domain::UNIX {
            socket.connect(address)?;
        } else {
            socket.connect_timeout(address, timeout.max(Duration::from_millis(1)))?;
            socket.set_tcp_nodelay(true)?;
            if let Some(time) = options.keepalive {
                let probes = TcpKeepalive::new().with_time(time).with_interval(Duration::from_secs(10)).with_retries(3);
                socket.set_tcp_keepalive(&probes)?;
            }
        }
        socket.set_read_timeout(nonzero(options.read_timeout))?;
        socket.set_write_timeout(nonzero(options.write_timeout))?;
        Ok::<_, io::Error>(socket)
    };
    let result = attempt();
    canceller.check()?;
    result.map_err(|error| NetError::from_io(&error, what))
}

/// A timeout of zero would mean "for ever" to the kernel.
fn nonzero(timeout: Option<Duration>) -> Option<Duration> {
    timeout.map(|t| t.max(Duration::from_millis(1)))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;
    use crate::{ReadBuffer, TlsMode};

    fn pair(options: &ConnectOptions, canceller: &Canceller) -> (Stream, std::net::TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = Endpoint::tcp("127.0.0.1", listener.local_addr().unwrap().port());
        let stream = Stream::connect(&endpoint, options, canceller).unwrap();
        (stream, listener.accept().unwrap().0)
    }

    #[test]
    fn cancelling_wakes_a_blocked_read_and_refuses_the_next_connection() {
        let canceller = Canceller::new();
        let (mut stream, _server) = pair(&ConnectOptions::default(), &canceller);
        let other = canceller.clone();
        let thread = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            other.cancel();
        });
        assert_eq!(stream.read(&mut [0; 10]).unwrap_err().kind, NetErrorKind::Interrupted);
        thread.join().unwrap();
        assert_eq!(stream.write_all(b"x").unwrap_err().kind, NetErrorKind::Interrupted);
        let endpoint = Endpoint::tcp("127.0.0.1", 1);
        let error = Stream::connect(&endpoint, &ConnectOptions::default(), &canceller).unwrap_err();
        assert_eq!(error.kind, NetErrorKind::Interrupted);
    }

    #[test]
    fn cancelling_wakes_a_connect_that_nobody_answers() {
        // A listener whose queue is full takes no more; Linux keeps one more than asked for.
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let _first = std::net::TcpStream::connect(address).unwrap();
        let canceller = Canceller::new();
        let other = canceller.clone();
        let thread = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            other.cancel();
        });
        let options = ConnectOptions { connect_timeout: Duration::from_secs(60), ..ConnectOptions::default() };
        let error = Stream::connect(&Endpoint::tcp("127.0.0.1", address.port()), &options, &canceller).unwrap_err();
        assert_eq!(error.kind, NetErrorKind::Interrupted);
        thread.join().unwrap();
    }

    #[test]
    fn every_failure_has_its_kind() {
        let (options, canceller) = (ConnectOptions::default(), Canceller::new());
        let kind = |endpoint: Endpoint| Stream::connect(&endpoint, &options, &canceller).unwrap_err().kind;
        let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        assert_eq!(kind(Endpoint::tcp("127.0.0.1", unused)), NetErrorKind::Refused);
        assert_eq!(kind(Endpoint::unix("/nonexistent/socket")), NetErrorKind::Refused);
        assert_eq!(kind(Endpoint::tcp("no-such-host.invalid", 1)), NetErrorKind::Dns);
        let quick = ConnectOptions { read_timeout: Some(Duration::from_millis(20)), ..options.clone() };
        let (mut stream, server) = pair(&quick, &canceller);
        assert_eq!(stream.read(&mut [0; 10]).unwrap_err().kind, NetErrorKind::Timeout);
        drop(server);
        assert_eq!(stream.read(&mut [0; 10]).unwrap(), 0);
        assert_eq!(ReadBuffer::new().fill(&mut stream, 1).unwrap_err().kind, NetErrorKind::Closed);
    }

    #[test]
    fn dropping_a_stream_ends_the_connection() {
        let (stream, mut server) = pair(&ConnectOptions::default(), &Canceller::new());
        let canceller = stream.canceller();
        drop(stream);
        assert_eq!(server.read(&mut [0; 10]).unwrap(), 0, "although somebody still holds a canceller");
        canceller.cancel();
    }

    #[test]
    fn buffers_keep_what_is_unread_and_grow_for_what_is_wanted() {
        let (mut stream, mut server) = pair(&ConnectOptions::default(), &Canceller::new());
        let sent: Vec<u8> = (0..3_000_000u32).map(|i| (i % 251) as u8).collect();
        let copy = sent.clone();
        let thread = thread::spawn(move || server.write_all(&copy));
        let (mut buffer, mut at) = (ReadBuffer::new(), 0);
        for wanted in [1, 1000, 300_000, 7, 1_500_000, 256 << 10].into_iter().cycle() {
            let wanted = wanted.min(sent.len() - at);
            buffer.fill(&mut stream, wanted).unwrap();
            assert_eq!(buffer.unread()[..wanted], sent[at..at + wanted]);
            buffer.consume(wanted);
            at += wanted;
            if at == sent.len() {
                break;
            }
        }
        assert!(buffer.is_empty());
        thread.join().unwrap().unwrap();
    }

    #[test]
    fn encryption_that_nobody_speaks_is_a_tls_error() {
        let (stream, mut server) = pair(&ConnectOptions::default(), &Canceller::new());
        let thread = thread::spawn(move || {
            let _ = server.read(&mut [0; 1000]);
            server.write_all(b"not a TLS record at all")
        });
        let options = TlsOptions { mode: TlsMode::Require, ..TlsOptions::default() };
        let error = stream.upgrade(&options, &Endpoint::tcp("127.0.0.1", 1)).unwrap_err();
        assert_eq!(error.kind, NetErrorKind::Tls);
        thread.join().unwrap().unwrap();
        let (stream, _server) = pair(&ConnectOptions::default(), &Canceller::new());
        let options = TlsOptions { ca_file: Some("/nonexistent".into()), mode: TlsMode::VerifyCa, ..options };
        let error = stream.upgrade(&options, &Endpoint::tcp("127.0.0.1", 1)).unwrap_err();
        assert!(error.kind == NetErrorKind::Tls && error.message.contains("/nonexistent"));
    }
}
