//! Signed notes: a text, an empty line, and lines by those who signed it (C2SP signed-note).

use base64ct::{Base64, Encoding as _};
use thiserror::Error;

use crate::tlog::key::{KeyUse, SignerKey, VerifierKey, is_name};

/// How long a note may be, in bytes.
pub const NOTE_BYTES_MAX: usize = 256 * 1024;

/// How many signatures a note may carry.
pub const SIGNATURES_MAX: usize = 100;

/// What a signature line begins with: an em dash and a space.
const DASH: &str = "\u{2014} ";

/// Why bytes are no note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoteError {
    /// Longer than a note may be.
    #[error("it is longer than {NOTE_BYTES_MAX} bytes")]
    Length,
    /// Not UTF-8, or with control characters.
    #[error("it is no UTF-8 text, or holds control characters")]
    Text,
    /// No empty line between text and signatures.
    #[error("it has no empty line before its signatures")]
    Parts,
    /// A line behind the text that is no signature.
    #[error("a line behind its text is no signature")]
    Line,
    /// More signatures than are read.
    #[error("it carries more than {SIGNATURES_MAX} signatures")]
    Signatures,
}

/// A text and who signed it, nothing of it checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One line behind the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// The key's name.
    pub name: String,
    /// The key's id.
    pub id: [u8; 4],
    /// What the key made of the text.
    pub bytes: Vec<u8>,
}

/// What a key has to do with a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// It signed the note; a witness also says when, in seconds since 1970.
    Yes {
        /// When, where the key is a witness's.
        at: Option<u64>,
    },
    /// No line names this key.
    No,
    /// A line names this key, and it did not make the signature: the note is to be thrown away.
    Forged,
}

impl Note {
    /// A text nobody has signed yet. It has to end with a line feed.
    pub fn new(text: &str) -> Result<Self, NoteError> {
        let control = |c: char| c.is_ascii_control() && c != '\n';
        if !text.ends_with('\n') || text.contains(control) {
            return Err(NoteError::Text);
        }
        Ok(Self { text: text.to_owned(), signatures: Vec::new() })
    }

    /// Reads a note.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::Length);
        }
        let whole = std::str::from_utf8(bytes).map_err(|_| NoteError::Text)?;
        // The text may hold empty lines; the last of all ends it.
        let end = whole.rfind("\n\n").ok_or(NoteError::Parts)?;
        let mut note = Self::new(&whole[..=end])?;
        let rest = whole[end + 2..].strip_suffix('\n').ok_or(NoteError::Line)?;
        for line in rest.split('\n') {
            if note.signatures.len() == SIGNATURES_MAX {
                return Err(NoteError::Signatures);
            }
            note.signatures.push(signature(line).ok_or(NoteError::Line)?);
        }
        Ok(note)
    }

    /// What was signed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Who says to have signed it.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a log's signature.
    pub fn sign(&mut self, key: &SignerKey) {
        self.add(&key.verifier(), key.sign(self.text.as_bytes()).to_vec());
    }

    /// Adds a signature that somebody else made. One by the same key is taken out.
    pub fn add(&mut self, key: &VerifierKey, bytes: Vec<u8>) {
        let (name, id) = (key.name().to_owned(), key.id());
        self.signatures.retain(|one| one.name != name || one.id != id);
        self.signatures.push(NoteSignature { name, id, bytes });
    }

    /// What this key has to do with it.
    pub fn signed_by(&self, key: &VerifierKey) -> Signed {
        let mut found = Signed::No;
        let named = |one: &&NoteSignature| one.name == key.name() && one.id == key.id();
        for one in self.signatures.iter().filter(named) {
            let checked = match key.used() {
                KeyUse::Log => self.by_log(key, &one.bytes),
                KeyUse::Witness => self.by_witness(key, &one.bytes),
            };
            match checked {
                Some(yes) => found = yes,
                None => return Signed::Forged,
            }
        }
        found
    }

    fn by_log(&self, key: &VerifierKey, bytes: &[u8]) -> Option<Signed> {
        let signature = bytes.try_into().ok()?;
        key.signed(self.text.as_bytes(), signature).then_some(Signed::Yes { at: None })
    }

    /// `timestamp || signature` over `cosignature/v1`, the time, and the text (tlog-cosignature).
    fn by_witness(&self, key: &VerifierKey, bytes: &[u8]) -> Option<Signed> {
        let (time, signature) = bytes.split_at_checked(8)?;
        let at = u64::from_be_bytes(time.try_into().ok()?);
        let message = cosigned(at, &self.text);
        let signature = signature.try_into().ok()?;
        let fits = i64::try_from(at).is_ok() && key.signed(message.as_bytes(), signature);
        fits.then_some(Signed::Yes { at: Some(at) })
    }
}

/// What a witness signs at a time, in seconds since 1970.
pub fn cosigned(at: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {at}\n{text}")
}

/// A line behind a text, as it stands there.
pub fn signature_line(one: &NoteSignature) -> String {
    let bytes = [one.id.as_slice(), &one.bytes].concat();
    format!("{DASH}{} {}\n", one.name, Base64::encode_string(&bytes))
}

/// Reads a line behind a text, without its line feed.
pub fn signature(line: &str) -> Option<NoteSignature> {
    let (name, bytes) = line.strip_prefix(DASH)?.split_once(' ')?;
    let bytes = Base64::decode_vec(bytes).ok()?;
    let (id, bytes) = bytes.split_at_checked(4)?;
    if !is_name(name) || bytes.is_empty() {
        return None;
    }
    Some(NoteSignature { name: name.to_owned(), id: id.try_into().ok()?, bytes: bytes.to_vec() })
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|one| f.write_str(&signature_line(one)))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]
mod tests {
    use proptest::prelude::{any, prop_assert_ne, proptest};

    use base64ct::{Base64, Encoding as _};

    use super::{NOTE_BYTES_MAX, Note, NoteError, Signed, cosigned};
    use crate::tlog::key::{SignerKey, VerifierKey};

    // The example of golang.org/x/mod/sumdb/note.
    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const SECRET: &str =
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n";
    const LINE: &str = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN\
        1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn example() -> String {
        format!("{TEXT}\n{LINE}")
    }

    #[test]
    fn a_note_of_others_holds() {
        let note = Note::parse(example().as_bytes()).unwrap();
        assert_eq!(note.signed_by(&VerifierKey::parse(KEY).unwrap()), Signed::Yes { at: None });
        assert_eq!(note.text(), TEXT);
        assert_eq!(note.to_string(), example());
    }

    #[test]
    fn ours_is_theirs_byte_for_byte() {
        let mut note = Note::new(TEXT).unwrap();
        note.sign(&SignerKey::parse(SECRET).unwrap());
        assert_eq!(note.to_string(), example());
        note.sign(&SignerKey::parse(SECRET).unwrap());
        assert_eq!(note.signatures().len(), 1);
    }

    /// The checkpoint of C2SP tlog-cosignature, with a log's and a witness's line; their keys are
    /// not published, so they are unknown here, which is no reason to throw the note away.
    #[test]
    fn lines_by_strangers_are_left_alone() {
        let text = "example.com/behind-the-sofa\n20852163\n\
            CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
            \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN\
            7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
            \u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlr\
            DJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
        let note = Note::parse(text.as_bytes()).unwrap();
        assert_eq!(note.signatures().len(), 2);
        assert_eq!(note.signed_by(&VerifierKey::parse(KEY).unwrap()), Signed::No);
        assert_eq!(note.to_string(), text);
    }

    #[test]
    fn what_is_no_note_is_said_to_be_none() {
        let wrong = |text: &str| Note::parse(text.as_bytes()).unwrap_err();
        assert_eq!(wrong(""), NoteError::Parts);
        assert_eq!(wrong(TEXT), NoteError::Parts);
        assert_eq!(wrong(&format!("{TEXT}\n")), NoteError::Line);
        assert_eq!(
            wrong(&format!("{TEXT}\n{LINE}{LINE}").replace('\u{2014}', "-")),
            NoteError::Line
        );
        assert_eq!(wrong(example().trim_end()), NoteError::Line);
        assert_eq!(wrong(&format!("\t{}", example())), NoteError::Text);
        assert_eq!(wrong(&format!("{TEXT}\n{}", LINE.repeat(101))), NoteError::Signatures);
        assert_eq!(Note::parse(&[0xff; 9]), Err(NoteError::Text));
    }

    #[test]
    fn a_note_has_its_longest() {
        let text = |bytes: usize| format!("{}\n\n{LINE}", "x".repeat(bytes - 2 - LINE.len()));
        let read = |bytes: usize| Note::parse(text(bytes).as_bytes()).map(|_| ());
        assert_eq!(read(NOTE_BYTES_MAX), Ok(()));
        assert_eq!(read(NOTE_BYTES_MAX + 1), Err(NoteError::Length));
    }

    #[test]
    fn two_keys_of_one_name_are_two() {
        let keys = [1, 2].map(|n| SignerKey::of_log("a.example/log", &[n; 32]).unwrap());
        let mut note = Note::new(TEXT).unwrap();
        keys.iter().for_each(|key| note.sign(key));
        for key in &keys {
            assert_eq!(note.signed_by(&key.verifier()), Signed::Yes { at: None });
        }
        assert_eq!(note.signatures().len(), 2);
    }

    #[test]
    fn a_signature_of_no_bytes_is_none() {
        let line = format!("\u{2014} PeterNeumann {}\n", Base64::encode_string(&[1, 2, 3, 4]));
        let note = format!("{TEXT}\n{line}");
        assert_eq!(Note::parse(note.as_bytes()), Err(NoteError::Line));
    }

    /// The message of C2SP tlog-cosignature, as that page has it.
    #[test]
    fn a_witness_signs_the_time_and_the_text() {
        let text = "example.com/behind-the-sofa\n20852163\n\
            CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let message = "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n\
            CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        assert_eq!(cosigned(1_679_315_147, text), message);
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in any::<Vec<u8>>()) {
            let _ = Note::parse(&bytes);
        }

        #[test]
        fn a_changed_byte_is_never_signed(at in 0..example().len(), by in 1_u8..=255) {
            let mut bytes = example().into_bytes();
            bytes[at] = bytes[at].wrapping_add(by);
            if let Ok(note) = Note::parse(&bytes) {
                let yes = Signed::Yes { at: None };
                prop_assert_ne!(note.signed_by(&VerifierKey::parse(KEY).unwrap()), yes);
            }
        }
    }
}
