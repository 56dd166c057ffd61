use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme};
use serde::{Deserialize, Serialize};

use crate::{Endpoint, NetError, NetErrorKind};

/// Whether to encrypt, and what to ask of the server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsMode {
    /// Never encrypt.
    Disable,
    /// Encrypt if the server can, without looking at its certificate.
    #[default]
    Prefer,
    /// Encrypt or fail, without looking at the certificate: safe against listeners, not against
    /// somebody who answers in the server's place.
    Require,
    /// The certificate must come from the authority; the name in it may be any.
    VerifyCa,
    /// The certificate must come from the authority and be for the name of the host.
    VerifyFull,
}

/// How to encrypt.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsOptions {
    /// Whether, and what to verify.
    pub mode: TlsMode,
    /// Certificates (PEM) of the authorities to trust; None: those of the system.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate chain (PEM), for servers that want to know their clients.
    pub cert_file: Option<PathBuf>,
    /// Our own private key (PEM, not encrypted).
    pub key_file: Option<PathBuf>,
    /// The name to find in the certificate, if not that of the host.
    pub server_name: Option<String>,
}

impl fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOptions")
            .field("mode", &self.mode)
            .field("ca_file", &self.ca_file)
            .field("cert_file", &self.cert_file)
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}

pub(crate) fn client_connection(options: &TlsOptions, endpoint: &Endpoint) -> Result<ClientConnection, NetError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match options.mode {
        TlsMode::Disable => return Err(tls_error("encryption is switched off by the options")),
        TlsMode::Prefer | TlsMode::Require => Arc::new(Unverified { provider: provider.clone() }),
        TlsMode::VerifyCa => {
            Arc::new(AuthorityOnly { roots: authorities(options.ca_file.as_deref())?, provider: provider.clone() })
        }
        TlsMode::VerifyFull => {
            let roots = Arc::new(authorities(options.ca_file.as_deref())?);
            rustls::client::WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
                .build()
                .map_err(|e| tls_error(format!("preparing the verification of certificates: {e}")))?
        }
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| tls_error(e.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match (&options.cert_file, &options.key_file) {
        (None, None) => builder.with_no_client_auth(),
        (Some(certificate), Some(key)) => builder
            .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
            .map_err(|e| tls_error(format!("our certificate {}: {e}", certificate.display())))?,
        _ => return Err(tls_error("a client certificate needs both cert_file and key_file")),
    };
    let (name, named) = server_name(options, endpoint)?;
    let mut config = config;
    // A name that nobody chose (Unix sockets) must not reach the server as if it meant something.
    config.enable_sni = named;
    ClientConnection::new(Arc::new(config), name).map_err(|e| tls_error(e.to_string()))
}

/// The name to verify, and whether it is a real one.
fn server_name(options: &TlsOptions, endpoint: &Endpoint) -> Result<(ServerName<'static>, bool), NetError> {
    let Some(text) = options.server_name.as_deref().or(endpoint.host()) else {
        if options.mode == TlsMode::VerifyFull {
            return Err(tls_error("verify_full over a Unix socket needs server_name"));
        }
        return Ok((ServerName::try_from("localhost").map_err(|e| tls_error(e.to_string()))?, false));
    };
    match ServerName::try_from(text.to_owned()) {
        Ok(name) => Ok((name, true)),
        // Host names with underscores are common in container networks and are no DNS names.
        Err(_) if options.mode != TlsMode::VerifyFull => {
            Ok((ServerName::try_from("localhost").map_err(|e| tls_error(e.to_string()))?, false))
        }
        Err(error) => Err(tls_error(format!("{text} cannot be found in a certificate: {error}"))),
    }
}

fn tls_error(message: impl Into<String>) -> NetError {
    NetError::new(NetErrorKind::Tls, message)
}

fn authorities(file: Option<&Path>) -> Result<RootCertStore, NetError> {
    let mut roots = RootCertStore::empty();
    let Some(path) = file else {
        let found = rustls_native_certs::load_native_certs();
        let (added, _) = roots.add_parsable_certificates(found.certs);
        if added == 0 {
            let reasons = found.errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            return Err(tls_error(format!("the system has no certificate authorities; give ca_file ({reasons})")));
        }
        return Ok(roots);
    };
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|e| tls_error(format!("{}: {e}", path.display())))?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, NetError> {
    let failed = |e: rustls::pki_types::pem::Error| tls_error(format!("{}: {e}", path.display()));
    let found = CertificateDer::pem_file_iter(path).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    if found.is_empty() {
        return Err(tls_error(format!("{} holds no certificate", path.display())));
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, NetError> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(|e| tls_error(format!("{}: {e} (a key with a passphrase is not supported)", path.display())))
}

/// `prefer` and `require`: whoever answers is taken for the server. The handshake's signature is
/// not checked either: it would prove nothing, and servers with version 1 certificates (which
/// webpki cannot parse) would be refused.
#[derive(Debug)]
struct Unverified {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// `verify_ca`: the chain and the signature, not the name.
#[derive(Debug)]
struct AuthorityOnly {
    roots: RootCertStore,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AuthorityOnly {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&certificate, &self.roots, intermediates, now, algorithms)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
