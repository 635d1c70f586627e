//! The text form of an SSH signature, and the base64 in it.
//!
//! Used by `ssh::signature`; a statement, a commit's `gpgsig` header and a tag all carry this form.
//! It follows OpenSSH's own reader (`sshsig_dearmor`) rather than PEM: the first line is exactly
//! the BEGIN line ended by LF, white space inside the base64 means nothing, and whatever follows
//! the END line is not looked at. Leading text and CRLF after the BEGIN line are refused.

use base64ct::{Base64, Encoding as _};
use thiserror::Error;

/// How an armoured signature begins.
pub const BEGIN: &[u8] = b"-----BEGIN SSH SIGNATURE-----";

/// How it ends.
pub const END: &[u8] = b"-----END SSH SIGNATURE-----";

/// How long an armoured signature may be, in bytes. An RSA key of 16384 bits needs about 6 KiB.
pub const ARMOR_BYTES_MAX: usize = 16 * 1024;

/// Why something is no armoured SSH signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ArmorError {
    /// Longer than `ARMOR_BYTES_MAX`.
    #[error("the signature is longer than {ARMOR_BYTES_MAX} bytes")]
    TooLong,
    /// The first line is something else, or does not end in LF.
    #[error("the signature does not begin with the line -----BEGIN SSH SIGNATURE-----")]
    NoBeginLine,
    /// No END line follows.
    #[error("the signature does not end with the line -----END SSH SIGNATURE-----")]
    NoEndLine,
    /// What stands between the two lines is not base64 (RFC 4648, section 4).
    #[error("the signature holds something that is not base64")]
    NotBase64,
}

/// The bytes inside the armour.
pub fn decode(text: &[u8]) -> Result<Vec<u8>, ArmorError> {
    if text.len() > ARMOR_BYTES_MAX {
        return Err(ArmorError::TooLong);
    }
    // The LF before the END line may be the one that ends the BEGIN line's successor only, so it
    // is looked for after the BEGIN line is gone, as OpenSSH does.
    let body = text
        .strip_prefix(BEGIN)
        .and_then(|rest| rest.strip_prefix(b"\n"))
        .ok_or(ArmorError::NoBeginLine)?;
    let end = body
        .windows(END.len() + 1)
        .position(|window| window[0] == b'\n' && &window[1..] == END)
        .ok_or(ArmorError::NoEndLine)?;
    base64(&body[..end]).ok_or(ArmorError::NotBase64)
}

/// Decodes base64 with padding, white space anywhere. `None` for anything else, for nothing at all,
/// and for padding that hides bits.
pub fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.iter().copied().filter(|b| !is_space(*b)).collect();
    if digits.is_empty() {
        return None;
    }
    Base64::decode_vec(std::str::from_utf8(&digits).ok()?).ok()
}

/// What C's `isspace` calls white space, which is what OpenSSH skips.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn armoured(body: &str) -> Vec<u8> {
        format!("-----BEGIN SSH SIGNATURE-----\n{body}\n-----END SSH SIGNATURE-----\n").into_bytes()
    }

    #[test]
    fn base64_follows_rfc_4648() {
        for (text, bytes) in [
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Z m\n9 v", "foo"),
        ] {
            assert_eq!(base64(text.as_bytes()), Some(bytes.as_bytes().to_vec()), "{text}");
        }
    }

    #[test]
    fn base64_refuses_what_has_two_readings() {
        for text in ["", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm9v!", "Zm9-"] {
            assert_eq!(base64(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn any_line_width_and_text_after_the_end_are_accepted() {
        assert_eq!(decode(&armoured("Zm9v")), Ok(b"foo".to_vec()));
        assert_eq!(decode(&armoured("Zm\n9v\n\n")), Ok(b"foo".to_vec()));
        let mut followed = armoured("Zm9v");
        followed.extend_from_slice(b"and so on");
        assert_eq!(decode(&followed), Ok(b"foo".to_vec()));
    }

    #[test]
    fn leading_text_and_a_begin_line_that_ends_in_crlf_are_refused() {
        let plain = armoured("Zm9v");
        for prefix in ["\n", " ", "x\n"] {
            let text = [prefix.as_bytes(), &plain].concat();
            assert_eq!(decode(&text), Err(ArmorError::NoBeginLine), "{prefix:?}");
        }
        let crlf = String::from_utf8_lossy(&plain).replace('\n', "\r\n");
        assert_eq!(decode(crlf.as_bytes()), Err(ArmorError::NoBeginLine));
    }

    #[test]
    fn a_missing_end_line_is_named() {
        assert_eq!(decode(b"-----BEGIN SSH SIGNATURE-----\nZm9v\n"), Err(ArmorError::NoEndLine));
        assert_eq!(
            decode(b"-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----"),
            Err(ArmorError::NoEndLine)
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&bytes);
            let _ = decode(&armoured(&String::from_utf8_lossy(&bytes)));
        }
    }
}
