use bytes::BytesMut;
use postgres_protocol::authentication::{md5_hash, sasl};
use postgres_protocol::message::frontend;

use crate::channel_binding;
use crate::connection::Connection;
use crate::error::{PgError, Result};
use crate::options::ConnectOptions;
use crate::wire::{Cursor, tag};

/// Authentication requests, by their number. Source: PostgreSQL documentation, "Message Formats".
mod request {
    pub const OK: i32 = 0;
    pub const CLEARTEXT: i32 = 3;
    pub const MD5: i32 = 5;
    pub const SASL: i32 = 10;
    pub const SASL_CONTINUE: i32 = 11;
    pub const SASL_FINAL: i32 = 12;
}

/// Answers the server's requests until it is content with us.
pub(crate) fn authenticate(connection: &mut Connection, options: &ConnectOptions) -> Result<()> {
    let mut scram = None;
    loop {
        expect_request(connection)?;
        let mut body = Cursor::new(connection.transport.body());
        let mut answer = BytesMut::new();
        match body.i32()? {
            request::OK => {
                // A server that skips its half of the proof is not the one that knows the password.
                return match scram {
                    None | Some(Scram::Proven) => Ok(()),
                    Some(Scram::Running(_)) => Err(PgError::Auth("the server did not prove who it is".to_owned())),
                };
            }
            request::CLEARTEXT => {
                let stream = connection.transport.stream();
                if !(stream.is_encrypted() || stream.is_local() || options.allow_cleartext) {
                    return Err(PgError::Auth(
                        "the server asks for the password in clear over a connection that is not encrypted; \
                         use TLS, or allow it explicitly"
                            .to_owned(),
                    ));
                }
                frontend::password_message(password(options)?, &mut answer).map_err(malformed)?;
            }
            request::MD5 => {
                let salt = body.bytes(4)?.try_into().map_err(|_| PgError::protocol("a salt is 4 bytes"))?;
                let hash = md5_hash(options.user.as_bytes(), password(options)?, salt);
                frontend::password_message(hash.as_bytes(), &mut answer).map_err(malformed)?;
            }
            request::SASL => {
                let (mechanism, exchange) = begin_scram(connection, options)?;
                frontend::sasl_initial_response(mechanism, exchange.message(), &mut answer).map_err(malformed)?;
                scram = Some(Scram::Running(Box::new(exchange)));
            }
            request::SASL_CONTINUE => {
                let exchange = running(&mut scram)?;
                exchange.update(body.rest()).map_err(refused)?;
                frontend::sasl_response(exchange.message(), &mut answer).map_err(malformed)?;
            }
            request::SASL_FINAL => {
                running(&mut scram)?.finish(body.rest()).map_err(refused)?;
                scram = Some(Scram::Proven);
                continue;
            }
            other => return Err(PgError::Auth(unknown_method(other))),
        }
        connection.transport.send(&answer)?;
    }
}

enum Scram {
    Running(Box<sasl::ScramSha256>),
    Proven,
}

fn running(scram: &mut Option<Scram>) -> Result<&mut sasl::ScramSha256> {
    match scram {
        Some(Scram::Running(exchange)) => Ok(exchange),
        _ => Err(PgError::protocol("the server continues an exchange that was not begun")),
    }
}

fn expect_request(connection: &mut Connection) -> Result<()> {
    loop {
        return match connection.receive()? {
            tag::AUTHENTICATION => Ok(()),
            // A server without the protocol's newest minor version says so and goes on.
            tag::NEGOTIATE => continue,
            tag::ERROR => Err(connection.take_error()?),
            other => Err(PgError::protocol(format!("message {:?} during authentication", char::from(other)))),
        };
    }
}

fn password(options: &ConnectOptions) -> Result<&[u8]> {
    match &options.password {
        Some(password) => Ok(password.as_bytes()),
        None => Err(PgError::Auth(format!("the server asks for the password of {}; none was given", options.user))),
    }
}

/// Chooses among the mechanisms that the server offers, strongest first.
fn begin_scram(connection: &Connection, options: &ConnectOptions) -> Result<(&'static str, sasl::ScramSha256)> {
    let mut offered = Cursor::new(connection.transport.body());
    offered.i32()?;
    let (mut plain, mut plus) = (false, false);
    let mut names = Vec::new();
    while !offered.is_empty() {
        let name = offered.text()?;
        plain |= name == sasl::SCRAM_SHA_256;
        plus |= name == sasl::SCRAM_SHA_256_PLUS;
        if !name.is_empty() {
            names.push(name);
        }
    }
    let stream = connection.transport.stream();
    let binding = stream.peer_certificate().as_deref().and_then(channel_binding::end_point);
    let (mechanism, binding) = match binding {
        Some(hash) if plus => (sasl::SCRAM_SHA_256_PLUS, sasl::ChannelBinding::tls_server_end_point(hash)),
        // "I could bind but you do not offer it": lets the server notice that somebody removed it.
        Some(_) if plain => (sasl::SCRAM_SHA_256, sasl::ChannelBinding::unrequested()),
        None if plain => (sasl::SCRAM_SHA_256, sasl::ChannelBinding::unsupported()),
        _ => return Err(PgError::Auth(format!("the server offers only {}", names.join(", ")))),
    };
    Ok((mechanism, sasl::ScramSha256::new(password(options)?, binding)))
}

fn unknown_method(number: i32) -> String {
    let name = match number {
        2 => "Kerberos 5",
        6 => "SCM credentials",
        7 => "GSSAPI",
        9 => "SSPI",
        _ => return format!("the server asks for authentication method {number}, which is not known"),
    };
    format!("the server asks for {name}, which is not supported; use scram-sha-256, md5 or trust")
}

fn malformed(error: std::io::Error) -> PgError {
    // Only a zero byte within a text can be meant.
    PgError::Auth(format!("the password cannot be sent: {error}"))
}

fn refused(error: std::io::Error) -> PgError {
    PgError::Auth(format!("SCRAM-SHA-256: {error}"))
}
