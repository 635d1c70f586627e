//! The text form of OpenPGP (RFC 9580, section 6).
//!
//! A signature is one block and nothing else: what Git hands over begins with its first line, and
//! whatever stood behind its last would be signed by nobody. A file of keys may hold several, with
//! blank lines and comments in between.

use base64ct::{Base64, Encoding as _};
use thiserror::Error;

/// How every block of OpenPGP begins.
pub const BEGIN_ANY: &[u8] = b"-----BEGIN PGP ";

/// How a signature begins.
pub const BEGIN: &str = "-----BEGIN PGP SIGNATURE-----";

/// How it ends.
pub const END: &str = "-----END PGP SIGNATURE-----";

/// How a block of keys begins and ends.
const KEYS: (&str, &str) =
    ("-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----");

/// How a block begins that nobody may give away.
const SECRET: &str = "-----BEGIN PGP PRIVATE KEY BLOCK-----";

/// How long an armoured signature may be, in bytes. An RSA key of 8192 bits needs about 2 KiB.
pub const ARMOR_BYTES_MAX: usize = 16 * 1024;

/// Why something is no armour.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ArmorError {
    /// Longer than `ARMOR_BYTES_MAX`.
    #[error("the signature is longer than {ARMOR_BYTES_MAX} bytes")]
    TooLong,
    /// The first line is something else.
    #[error("it does not begin with the line -----BEGIN PGP SIGNATURE-----")]
    NoBeginLine,
    /// No END line follows.
    #[error("its armour does not end")]
    NoEndLine,
    /// Something follows the END line.
    #[error("more than one signature is there, or more than a signature")]
    More,
    /// A header that is none, or no empty line behind them.
    #[error("its armour has a header that is none")]
    Header,
    /// What stands between is not base64, or its checksum is another.
    #[error("its armour is damaged")]
    Damaged,
    /// Keys that are secret.
    #[error(
        "it holds a private key: take it out, make it known to nobody, and revoke it if others could read it"
    )]
    Secret,
    /// Something else than blocks of keys.
    #[error("it has something else than public keys in line {line}")]
    Stray {
        /// Where, from 1.
        line: usize,
    },
}

/// The bytes of the one signature that this text is.
pub(super) fn signature(text: &[u8]) -> Result<Vec<u8>, ArmorError> {
    if text.len() > ARMOR_BYTES_MAX {
        return Err(ArmorError::TooLong);
    }
    let text = std::str::from_utf8(text).map_err(|_| ArmorError::Damaged)?;
    let mut lines = text.split('\n');
    if lines.next() != Some(BEGIN) {
        return Err(ArmorError::NoBeginLine);
    }
    let bytes = body(&mut lines, END)?;
    // A line's end behind the last line, and nothing behind that.
    match (lines.next(), lines.next()) {
        (None | Some(""), None) => Ok(bytes),
        _ => Err(ArmorError::More),
    }
}

/// The bytes of all blocks of keys in this text, one behind the other.
pub(super) fn keys(text: &str) -> Result<Vec<u8>, ArmorError> {
    let plain = |line: &'_ str| line.strip_suffix('\r').unwrap_or(line).len();
    let all: Vec<&str> = text.split('\n').map(|line| &line[..plain(line)]).collect();
    let mut lines = all.iter().copied();
    let mut bytes = Vec::new();
    while let Some(line) = lines.next() {
        match line.trim() {
            "" => {}
            comment if comment.starts_with('#') => {}
            begin if begin == KEYS.0 => bytes.extend(body(&mut lines, KEYS.1)?),
            SECRET => return Err(ArmorError::Secret),
            _ => return Err(ArmorError::Stray { line: all.len() - lines.len() }),
        }
    }
    Ok(bytes)
}

/// What stands between the first line, which was read, and the last: headers, an empty line,
/// base64, a checksum that may be missing.
fn body<'t>(
    lines: &mut impl Iterator<Item = &'t str>,
    end: &'static str,
) -> Result<Vec<u8>, ArmorError> {
    loop {
        match lines.next().ok_or(ArmorError::NoEndLine)? {
            "" => break,
            header if header.contains(": ") || header.ends_with(':') => {}
            _ => return Err(ArmorError::Header),
        }
    }
    let mut digits = String::new();
    let mut checksum = None;
    loop {
        let line = lines.next().ok_or(ArmorError::NoEndLine)?;
        if line == end {
            break;
        }
        if checksum.is_some() {
            return Err(ArmorError::Damaged);
        }
        match line.strip_prefix('=') {
            Some(sum) => checksum = Some(sum),
            None => digits.push_str(line),
        }
    }
    let bytes = Base64::decode_vec(&digits).map_err(|_| ArmorError::Damaged)?;
    let fits = |sum| Base64::decode_vec(sum).is_ok_and(|sum| sum == crc24(&bytes));
    if bytes.is_empty() || !checksum.is_none_or(fits) {
        return Err(ArmorError::Damaged);
    }
    Ok(bytes)
}

/// The checksum of armour (section 6.1.1): against accidents, not against anybody.
fn crc24(bytes: &[u8]) -> [u8; 3] {
    let mut crc: u32 = 0x00b7_04ce;
    for byte in bytes {
        crc ^= u32::from(*byte) << 16;
        for _ in 0..8 {
            crc <<= 1;
            if crc & 0x0100_0000 != 0 {
                crc ^= 0x0186_4cfb;
            }
        }
    }
    let [_, sum @ ..] = crc.to_be_bytes();
    sum
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    fn armoured(body: &str) -> String {
        format!("{BEGIN}\n\n{body}\n{END}\n")
    }

    #[test]
    fn a_signature_is_one_block_and_nothing_else() {
        let good = armoured("Zm9v\n=0yrD");
        let sum = Base64::encode_string(&crc24(b"foo"));
        let good = good.replace("0yrD", &sum);
        assert_eq!(signature(good.as_bytes()), Ok(b"foo".to_vec()));
        assert_eq!(signature(good.trim_end().as_bytes()), Ok(b"foo".to_vec()));
        assert_eq!(signature(armoured("Zm\n9v").as_bytes()), Ok(b"foo".to_vec()));
        let versioned = good.replacen("\n\n", "\nVersion: GnuPG v2\nComment:\n\n", 1);
        assert_eq!(signature(versioned.as_bytes()), Ok(b"foo".to_vec()));
        for (text, why) in [
            (format!("{good}{good}"), ArmorError::More),
            (format!("{good}\n"), ArmorError::More),
            (format!("{good}x"), ArmorError::More),
            (format!("\n{good}"), ArmorError::NoBeginLine),
            (good.replace('\n', "\r\n"), ArmorError::NoBeginLine),
            (good.replace("SIGNATURE", "MESSAGE"), ArmorError::NoBeginLine),
            (good.replace(&format!("\n{END}\n"), ""), ArmorError::NoEndLine),
            (good.replacen("\n\n", "\nversion\n\n", 1), ArmorError::Header),
            (good.replace("Zm9v", "Zm9x"), ArmorError::Damaged),
            (good.replace("Zm9v", "Zm9v!"), ArmorError::Damaged),
            (good.replace("Zm9v", "Zm9v "), ArmorError::Damaged),
            (good.replace("\n-----END", "\nZm9v\n-----END"), ArmorError::Damaged),
            (armoured(""), ArmorError::Damaged),
            (armoured(&"A".repeat(ARMOR_BYTES_MAX)), ArmorError::TooLong),
        ] {
            assert_eq!(signature(text.as_bytes()), Err(why), "{text}");
        }
    }

    #[test]
    fn a_file_of_keys_may_hold_several_blocks() {
        let block = format!("{}\n\nZm9v\n{}\n", KEYS.0, KEYS.1);
        let text = format!("# alice\n{block}\n\n# bob\r\n{}", block.replace('\n', "\r\n"));
        assert_eq!(keys(&text).unwrap(), b"foofoo");
        assert_eq!(keys(&format!("{block}x\n")), Err(ArmorError::Stray { line: 5 }));
        assert_eq!(keys(&format!("{SECRET}\n\nZm9v\n")), Err(ArmorError::Secret));
        assert_eq!(keys(&block.replace(KEYS.1, "")), Err(ArmorError::NoEndLine));
        assert_eq!(keys("").unwrap(), b"");
    }

    #[test]
    fn the_checksum_is_the_one_of_the_standard() {
        // From an armour that gpg 2.2 wrote.
        assert_eq!(crc24(b"123456789"), [0x21, 0xcf, 0x02]);
    }
}
