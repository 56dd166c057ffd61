//! How a user proves who he is. Each plugin is a small machine: the challenge gives the first
//! answer, and what the server says then may ask for another one.

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512, digest};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::Ed25519KeyPair;

use crate::error::{ErrorKind, MysqlError, Result};
use crate::rsa_oaep::encrypt;

/// The plugins that can be answered; any other is an error that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plugin {
    NativePassword,
    CachingSha2,
    Sha256,
    ClearPassword,
    Ed25519,
    Parsec,
}

impl Plugin {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "mysql_native_password" => Self::NativePassword,
            "caching_sha2_password" => Self::CachingSha2,
            "sha256_password" => Self::Sha256,
            "mysql_clear_password" => Self::ClearPassword,
            "client_ed25519" => Self::Ed25519,
            "parsec" => Self::Parsec,
            _ => return None,
        })
    }
}

/// What to do after a message of the plugin.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Send this.
    Send(Vec<u8>),
    /// Wait for the server's next word.
    Wait,
}

/// One attempt to log in with one plugin.
pub(crate) struct Authenticator<'a> {
    plugin: Plugin,
    name: String,
    password: &'a [u8],
    challenge: Vec<u8>,
    privacy: Privacy,
}

/// Who could listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Privacy {
    /// Anybody on the way.
    Open,
    /// Nobody but this machine's root: a Unix socket.
    Local,
    /// Nobody: TLS.
    Encrypted,
}

impl<'a> Authenticator<'a> {
    /// `challenge` is what came with the plugin's name, without the zero byte at its end.
    pub fn new(name: &str, challenge: &[u8], password: &'a str, privacy: Privacy) -> Result<Self> {
        let plugin = Plugin::from_name(name).ok_or_else(|| {
            MysqlError::new(
                ErrorKind::Unsupported,
                format!(
                    "the server wants the authentication plugin {name}, which is not supported; use a user with \
                     caching_sha2_password, mysql_native_password, sha256_password, ed25519 or parsec"
                ),
            )
        })?;
        let password = password.as_bytes();
        Ok(Self { plugin, name: name.to_owned(), password, challenge: challenge.to_vec(), privacy })
    }

    /// Whether a plugin of that name can be answered.
    pub fn knows(name: &str) -> bool {
        Plugin::from_name(name).is_some()
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The answer to the challenge.
    pub fn first(&self) -> Result<Vec<u8>> {
        match self.plugin {
            Plugin::NativePassword if self.password.is_empty() => Ok(Vec::new()),
            Plugin::NativePassword => Ok(native_password(self.password, self.challenge(20)?)),
            Plugin::CachingSha2 | Plugin::Sha256 if self.password.is_empty() => Ok(vec![0]),
            Plugin::CachingSha2 => Ok(caching_sha2(self.password, self.challenge(20)?)),
            // Unlike its younger brother this plugin takes a Unix socket for a place to be overheard
            // (sql/auth/sha2_password.cc, `my_vio_is_encrypted`).
            Plugin::Sha256 if self.privacy == Privacy::Encrypted => Ok(self.clear()),
            Plugin::Sha256 => Ok(vec![1]),
            Plugin::ClearPassword if self.privacy != Privacy::Open => Ok(self.clear()),
            Plugin::ClearPassword => Err(MysqlError::new(
                ErrorKind::Unsupported,
                "the server wants the password in clear text (mysql_clear_password) and the connection is not encrypted",
            )),
            Plugin::Ed25519 => Ok(ed25519(self.password, self.challenge(32)?)),
            // The salt comes on request: an empty packet.
            Plugin::Parsec => Ok(Vec::new()),
        }
    }

    /// The answer to a later message of the plugin.
    pub fn next(&self, message: &[u8]) -> Result<Step> {
        match (self.plugin, message) {
            // The server remembers the user; OK follows.
            (Plugin::CachingSha2, [3]) => Ok(Step::Wait),
            (Plugin::CachingSha2, [4]) if self.privacy != Privacy::Open => Ok(Step::Send(self.clear())),
            // Over an open connection the server is asked for its public key. Nobody vouches for that
            // key: whoever must fear an impostor encrypts and verifies (`TlsMode::VerifyFull`).
            (Plugin::CachingSha2, [4]) => Ok(Step::Send(vec![2])),
            (Plugin::CachingSha2 | Plugin::Sha256, [b'-', ..]) => self.under_key(message).map(Step::Send),
            (Plugin::Parsec, [b'P', factor, salt @ ..]) => self.parsec(*factor, salt).map(Step::Send),
            _ => Err(MysqlError::protocol(format!(
                "authentication plugin {} of the server said something unexpected ({} bytes)",
                self.name,
                message.len()
            ))),
        }
    }

    fn challenge(&self, length: usize) -> Result<&[u8]> {
        self.challenge.get(..length).ok_or_else(|| {
            MysqlError::protocol(format!("the challenge of {} has {} bytes", self.name, self.challenge.len()))
        })
    }

    fn clear(&self) -> Vec<u8> {
        let mut out = self.password.to_vec();
        out.push(0);
        out
    }

    /// The password for whoever has the private key: XOR with the challenge, so that a recorded
    /// answer is worth nothing, then RSA-OAEP (`sha256_password`, "RSA key pair").
    fn under_key(&self, pem: &[u8]) -> Result<Vec<u8>> {
        let challenge = self.challenge(20)?;
        let mut message = self.clear();
        for (byte, mask) in message.iter_mut().zip(challenge.iter().cycle()) {
            *byte ^= mask;
        }
        encrypt(pem, &message)
    }

    /// MariaDB 11.6, plugin/auth_parsec: the PBKDF2 of the password is an Ed25519 seed, which signs
    /// the server's challenge and one of ours.
    fn parsec(&self, factor: u8, salt: &[u8]) -> Result<Vec<u8>> {
        // The server's own limit: log2(iterations) - 10 is at most 3. More would only burn our time.
        let iterations =
            1024u32.checked_shl(u32::from(factor)).filter(|_| factor <= 3).and_then(std::num::NonZeroU32::new);
        let Some(iterations) = iterations else {
            return Err(MysqlError::protocol(format!("parsec asks for 2^{} iterations", u32::from(factor) + 10)));
        };
        let mut seed = [0; 32];
        ring::pbkdf2::derive(ring::pbkdf2::PBKDF2_HMAC_SHA512, iterations, salt, self.password, &mut seed);
        let key = Ed25519KeyPair::from_seed_unchecked(&seed)
            .map_err(|_| MysqlError::protocol("parsec: no key can be made of the password"))?;
        let mut nonce = [0; 32];
        random(&mut nonce)?;
        let message = [self.challenge(32)?, &nonce].concat();
        Ok([&nonce, key.sign(&message).as_ref()].concat())
    }
}

/// Fills a buffer from the system's random source.
pub(crate) fn random(out: &mut [u8]) -> Result<()> {
    SystemRandom::new()
        .fill(out)
        .map_err(|_| MysqlError::new(ErrorKind::Unsupported, "the system gives no random bytes"))
}

fn xor(mut left: Vec<u8>, right: &[u8]) -> Vec<u8> {
    left.iter_mut().zip(right).for_each(|(a, b)| *a ^= b);
    left
}

/// SHA1(password) XOR SHA1(challenge + SHA1(SHA1(password))).
fn native_password(password: &[u8], challenge: &[u8]) -> Vec<u8> {
    let once = digest(&SHA1_FOR_LEGACY_USE_ONLY, password);
    let twice = digest(&SHA1_FOR_LEGACY_USE_ONLY, once.as_ref());
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    context.update(challenge);
    context.update(twice.as_ref());
    xor(once.as_ref().to_vec(), context.finish().as_ref())
}

/// SHA256(password) XOR SHA256(SHA256(SHA256(password)) + challenge).
fn caching_sha2(password: &[u8], challenge: &[u8]) -> Vec<u8> {
    let once = digest(&SHA256, password);
    let twice = digest(&SHA256, once.as_ref());
    let mut context = Context::new(&SHA256);
    context.update(twice.as_ref());
    context.update(challenge);
    xor(once.as_ref().to_vec(), context.finish().as_ref())
}

/// MariaDB's ed25519: as RFC 8032 5.1.6, but the secret is the password, of any length, instead of
/// a seed of 32 bytes (MDEV-12160); that is why no ready-made signer fits.
fn ed25519(password: &[u8], challenge: &[u8]) -> Vec<u8> {
    let hash = digest(&SHA512, password);
    let (left, right) = hash.as_ref().split_at(32);
    let mut secret = [0; 32];
    secret.copy_from_slice(left);
    let secret = Scalar::from_bytes_mod_order(clamp_integer(secret));
    let public = EdwardsPoint::mul_base(&secret).compress();
    let nonce = wide(&[right, challenge]);
    let point = EdwardsPoint::mul_base(&nonce).compress();
    let factor = wide(&[point.as_bytes(), public.as_bytes(), challenge]);
    [point.to_bytes(), (factor * secret + nonce).to_bytes()].concat()
}

fn wide(parts: &[&[u8]]) -> Scalar {
    let mut context = Context::new(&SHA512);
    parts.iter().for_each(|part| context.update(part));
    let mut bytes = [0; 64];
    bytes.copy_from_slice(context.finish().as_ref());
    Scalar::from_bytes_mod_order_wide(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn native_password_matches_its_definition() {
        // The server knows SHA1(SHA1(password)) and checks exactly this.
        let challenge = b"abcdefghijklmnopqrst";
        let answer = native_password(b"secret", challenge);
        let twice = digest(&SHA1_FOR_LEGACY_USE_ONLY, digest(&SHA1_FOR_LEGACY_USE_ONLY, b"secret").as_ref());
        let mask = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[&challenge[..], twice.as_ref()].concat());
        let once = xor(answer, mask.as_ref());
        assert_eq!(digest(&SHA1_FOR_LEGACY_USE_ONLY, &once).as_ref(), twice.as_ref());
    }

    #[test]
    fn ed25519_equals_the_standard_when_the_password_is_a_seed() {
        // With a secret of 32 bytes the variant is RFC 8032's, so ring's signer must agree.
        let seed = [7u8; 32];
        let challenge = [9u8; 32];
        let standard = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap().sign(&challenge);
        assert_eq!(hex(&ed25519(&seed, &challenge)), hex(standard.as_ref()));
    }

    #[test]
    fn clear_text_needs_privacy() {
        let open = Authenticator::new("mysql_clear_password", b"", "secret", Privacy::Open).unwrap();
        assert_eq!(open.first().unwrap_err().kind(), ErrorKind::Unsupported);
        let private = Authenticator::new("mysql_clear_password", b"", "secret", Privacy::Encrypted).unwrap();
        assert_eq!(private.first().unwrap(), b"secret\0");
        let open = Authenticator::new("caching_sha2_password", &[1; 20], "secret", Privacy::Open).unwrap();
        assert_eq!(open.next(&[4]).unwrap(), Step::Send(vec![2]), "asks for the key instead");
        let private = Authenticator::new("caching_sha2_password", &[1; 20], "secret", Privacy::Encrypted).unwrap();
        assert_eq!(private.next(&[4]).unwrap(), Step::Send(b"secret\0".to_vec()));
    }

    #[test]
    fn nonsense_of_the_server_is_an_error() {
        let parsec = Authenticator::new("parsec", &[1; 32], "secret", Privacy::Open).unwrap();
        assert!(matches!(parsec.next(b"P\0saltsaltsaltsaltsa"), Ok(Step::Send(answer)) if answer.len() == 96));
        assert!(parsec.next(b"P\x1fsalt").is_err(), "2^41 iterations");
        assert!(parsec.next(b"").is_err());
        assert!(Authenticator::new("parsec", &[1; 5], "x", Privacy::Open).unwrap().next(b"P\0salt").is_err());
        assert!(Authenticator::new("caching_sha2_password", b"", "x", Privacy::Open).unwrap().first().is_err());
        let error = Authenticator::new("auth_gssapi_client", b"", "x", Privacy::Open).err().unwrap();
        assert!(error.message().contains("auth_gssapi_client"));
    }
}
