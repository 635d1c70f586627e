//! What is said to a witness and what it answers (C2SP tlog-witness, `add-checkpoint`).

use thiserror::Error;

use crate::names::digest::Digest;
use crate::tlog::checkpoint::{base64, decimal};
use crate::tlog::key::VerifierKey;
use crate::tlog::note::{Note, NoteSignature, Signed, signature};

/// The most hashes of a proof that may be sent.
pub const PROOF_MAX: usize = 63;

/// How long an answer may be, in bytes.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// How many signatures an answer may hold.
const SIGNATURES_MAX: usize = 16;

/// The request: what the witness is thought to know, the proof from there, the checkpoint.
pub fn request(old: u64, proof: &[Digest], note: &Note) -> String {
    let mut text = format!("old {old}\n");
    for hash in proof {
        text.push_str(&base64(hash));
        text.push('\n');
    }
    text.push('\n');
    text + &note.to_string()
}

/// What a witness answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It cosigned; these lines came, nothing of them checked.
    Signed(Vec<NoteSignature>),
    /// It knows another size, this one.
    Knows(u64),
}

/// Why a witness did not sign.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WitnessError {
    /// 400.
    #[error("the witness says that the request is malformed (400)")]
    Malformed,
    /// 403.
    #[error("the witness trusts none of the keys that signed this checkpoint (403)")]
    Untrusted,
    /// 404.
    #[error("the witness does not know this log (404)")]
    Unknown,
    /// 409 without a size.
    #[error("the witness has another checkpoint of the same size: the log has two stories (409)")]
    Fork,
    /// 422.
    #[error("the witness does not accept the proof that the log has only grown (422)")]
    Proof,
    /// Any other.
    #[error("the witness answered with status {0}")]
    Status(u16),
    /// 200 with something else in it.
    #[error("the witness answered what is no signature")]
    Answer,
}

/// Reads an answer.
pub fn answer(status: u16, body: &[u8]) -> Result<Answer, WitnessError> {
    match status {
        200 => {
            let text = std::str::from_utf8(body).map_err(|_| WitnessError::Answer)?;
            let lines = text.strip_suffix('\n').ok_or(WitnessError::Answer)?.split('\n');
            let signatures: Option<Vec<NoteSignature>> =
                lines.take(SIGNATURES_MAX + 1).map(signature).collect();
            match signatures {
                Some(found) if found.len() <= SIGNATURES_MAX => Ok(Answer::Signed(found)),
                Some(_) | None => Err(WitnessError::Answer),
            }
        }
        409 => {
            let size = std::str::from_utf8(body).ok().map(|text| text.trim_end_matches('\n'));
            size.and_then(decimal).map(Answer::Knows).ok_or(WitnessError::Fork)
        }
        400 => Err(WitnessError::Malformed),
        403 => Err(WitnessError::Untrusted),
        404 => Err(WitnessError::Unknown),
        422 => Err(WitnessError::Proof),
        other => Err(WitnessError::Status(other)),
    }
}

/// The cosignatures of these lines that one of these witnesses really made on this note, each with
/// its key and its time. What strangers signed is left out, as the format asks.
pub fn checked<'a>(
    note: &Note,
    lines: &[NoteSignature],
    keys: &'a [VerifierKey],
) -> Vec<(&'a VerifierKey, u64, NoteSignature)> {
    let mut found = Vec::new();
    for line in lines {
        let named = keys.iter().find(|key| key.name() == line.name && key.id() == line.id);
        let Some(key) = named else { continue };
        let mut with = note.clone();
        with.add(key, line.bytes.clone());
        if let Signed::Yes { at: Some(at) } = with.signed_by(key) {
            found.push((key, at, line.clone()));
        }
    }
    found
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{Answer, SIGNATURES_MAX, WitnessError, answer, request};
    use crate::tlog::checkpoint::digest;
    use crate::tlog::note::Note;

    /// The example of C2SP tlog-witness.
    const REQUEST: &str = "old 20852014\n\
        PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\
        jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n\
        5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n\
        /6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\
        \n\
        example.com/behind-the-sofa\n\
        20852163\n\
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\
        \n\
        \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
        \u{2014} example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n";
    const ANSWER: &str = "\u{2014} witness.example/w1 CMp+6LWBU0anHGH5aNDTJkH/gj79sG+T6+iP2ThYN5krrDJbR1HDnucjL39QsZTSvVjyQLrdk3DXDqI5G2HgLatVs0pWh6Up69HVOw==\n\
        \u{2014} witness.example/w1 I7rEps0pvK2UqkS2gSpVUDhrhVtQV9lgF6pRrWAvjJHjyWpW7VcE3SiOlVlbQNt64vWhO+DlkL0+UfzuOBMh9ChdMkP1vi/lCAsmlw==\n\
        \u{2014} witness.example/w2 AWui8Sk55XjYLOijihBjhqEH6nS1ndDymE0a+6idX7pLcnoB+dhnz0854aLZgrrKbYKA7nC3HNJhm/kWl7oJlqU3rXXvpysAdyP3wQ==\n";

    #[test]
    fn the_example_is_written_and_read() {
        let (head, note) = REQUEST.split_once("\n\n").unwrap();
        let note = Note::parse(note.as_bytes()).unwrap();
        let proof: Vec<_> = head.lines().skip(1).map(|line| digest(line).unwrap()).collect();
        assert_eq!(request(20_852_014, &proof, &note), REQUEST);
        let Ok(Answer::Signed(lines)) = answer(200, ANSWER.as_bytes()) else { panic!() };
        let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["witness.example/w1", "witness.example/w1", "witness.example/w2"]);
        // Eight bytes of time and 64 of signature, behind the key's id.
        assert!(lines.iter().all(|line| line.bytes.len() == 72));
    }

    #[test]
    fn every_status_has_its_meaning() {
        assert_eq!(answer(409, b"20852014\n"), Ok(Answer::Knows(20_852_014)));
        assert_eq!(answer(409, b"another tree\n"), Err(WitnessError::Fork));
        assert_eq!(answer(400, b""), Err(WitnessError::Malformed));
        assert_eq!(answer(403, b""), Err(WitnessError::Untrusted));
        assert_eq!(answer(404, b""), Err(WitnessError::Unknown));
        assert_eq!(answer(422, b""), Err(WitnessError::Proof));
        assert_eq!(answer(301, b""), Err(WitnessError::Status(301)));
        assert_eq!(answer(200, b"fine\n"), Err(WitnessError::Answer));
        assert_eq!(answer(200, b""), Err(WitnessError::Answer));
        assert_eq!(answer(200, ANSWER.repeat(6).as_bytes()), Err(WitnessError::Answer));
    }

    #[test]
    fn an_answer_holds_so_many_lines() {
        let line = ANSWER.lines().next().unwrap();
        let lines = |n| answer(200, format!("{line}\n").repeat(n).as_bytes());
        let Ok(Answer::Signed(most)) = lines(SIGNATURES_MAX) else { panic!() };
        assert_eq!(most.len(), SIGNATURES_MAX);
        assert_eq!(lines(SIGNATURES_MAX + 1), Err(WitnessError::Answer));
    }

    proptest! {
        #[test]
        fn any_answer_is_answered(status in any::<u16>(), body in any::<Vec<u8>>()) {
            let _ = answer(status, &body);
        }
    }
}
