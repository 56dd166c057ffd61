//! RSA-OAEP (RFC 8017 7.1.1) with SHA-1: how MySQL's SHA-256 plugins take a password over an open
//! connection. ring has no RSA encryption, and the one public-key operation needs no more than the
//! big integers that Arrow brings along.

use num_bigint::BigUint;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;

use crate::auth::random;
use crate::error::{MysqlError, Result};

const HASH: usize = 20;

/// Encrypts a message of up to (key bytes - 42) bytes under a public key (PEM, "PUBLIC KEY").
pub(crate) fn encrypt(pem: &[u8], message: &[u8]) -> Result<Vec<u8>> {
    let key = SubjectPublicKeyInfoDer::from_pem_slice(pem).map_err(|_| bad_key())?;
    let (modulus, exponent) = public_key(&key).ok_or_else(bad_key)?;
    let length = modulus.len();
    // 1024 bits are what MySQL's own tools make at least; 16384 bound the work.
    if !(128..=2048).contains(&length) {
        return Err(MysqlError::protocol(format!("the server's public key has {} bits", length * 8)));
    }
    if message.len() + 2 * HASH + 2 > length {
        return Err(MysqlError::protocol("the password is too long for the server's public key"));
    }
    let mut seed = [0; HASH];
    random(&mut seed)?;
    let padded = BigUint::from_bytes_be(&pad(message, length, seed));
    let number = padded.modpow(&BigUint::from_bytes_be(exponent), &BigUint::from_bytes_be(modulus)).to_bytes_be();
    let mut out = vec![0; length.saturating_sub(number.len())];
    out.extend_from_slice(&number);
    Ok(out)
}

fn bad_key() -> MysqlError {
    MysqlError::protocol("the server's public key cannot be read")
}

/// 00, masked seed, masked (hash of the empty label, zeros, 01, message).
fn pad(message: &[u8], length: usize, mut seed: [u8; HASH]) -> Vec<u8> {
    let mut block = digest(&SHA1_FOR_LEGACY_USE_ONLY, b"").as_ref().to_vec();
    block.resize(length - HASH - 2 - message.len(), 0);
    block.push(1);
    block.extend_from_slice(message);
    apply_mask(&mut block, &seed);
    apply_mask(&mut seed, &block);
    [&[0], &seed[..], &block].concat()
}

/// MGF1 (RFC 8017 B.2.1).
fn apply_mask(target: &mut [u8], seed: &[u8]) {
    for (counter, chunk) in target.chunks_mut(HASH).enumerate() {
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[seed, &(counter as u32).to_be_bytes()].concat());
        chunk.iter_mut().zip(hash.as_ref()).for_each(|(byte, mask)| *byte ^= mask);
    }
}

/// Modulus and exponent, without leading zeros, of a SubjectPublicKeyInfo (RFC 5280 4.1, RFC 8017 A.1.1).
fn public_key(der: &[u8]) -> Option<(&[u8], &[u8])> {
    const SEQUENCE: u8 = 0x30;
    let (info, _) = element(der, SEQUENCE)?;
    let (_algorithm, rest) = element(info, SEQUENCE)?;
    let (bits, _) = element(rest, 0x03)?;
    let (key, _) = element(bits.strip_prefix(&[0])?, SEQUENCE)?;
    let (modulus, rest) = element(key, 0x02)?;
    let (exponent, _) = element(rest, 0x02)?;
    let trim = |number: &'_ [u8]| number.iter().position(|&byte| byte != 0);
    Some((modulus.get(trim(modulus)?..)?, exponent.get(trim(exponent)?..)?))
}

/// One DER element of the tag: its content and what comes behind.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = match first {
        0..=0x7F => (usize::from(first), rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => {
            let (bytes, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*bytes)), rest)
        }
        _ => return None,
    };
    if found != tag {
        return None;
    }
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made for this test with `openssl genrsa 1024`.
    const PEM: &str = include_str!("testdata/rsa_public.pem");
    const PRIVATE_EXPONENT: &str = include_str!("testdata/rsa_private_exponent.hex");

    #[test]
    fn what_is_encrypted_can_be_decrypted() {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(PEM.as_bytes()).unwrap();
        let (modulus, exponent) = public_key(&der).unwrap();
        assert_eq!((modulus.len(), exponent), (128, &[1, 0, 1][..]));
        let secret = BigUint::parse_bytes(PRIVATE_EXPONENT.trim().as_bytes(), 16).unwrap();
        let sent = encrypt(PEM.as_bytes(), b"pass\0").unwrap();
        assert_eq!(sent.len(), 128);
        let padded = BigUint::from_bytes_be(&sent).modpow(&secret, &BigUint::from_bytes_be(modulus)).to_bytes_be();
        // The leading zero byte is gone from the number.
        let (seed, block) = padded.split_at(HASH);
        let (mut seed, mut block) = (seed.to_vec(), block.to_vec());
        apply_mask(&mut seed, &block);
        apply_mask(&mut block, &seed);
        assert!(block.starts_with(digest(&SHA1_FOR_LEGACY_USE_ONLY, b"").as_ref()));
        assert!(block.ends_with(b"\0\x01pass\0"));
    }

    #[test]
    fn a_bad_key_is_an_error() {
        for bad in ["", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", &PEM[..100]] {
            assert!(encrypt(bad.as_bytes(), b"x").is_err());
        }
        assert!(encrypt(PEM.as_bytes(), &[1; 100]).is_err(), "too long a message");
    }
}
