//! Whom an auditor trusts: logs, witnesses, and how many of them have to agree (C2SP tlog-policy).

use std::collections::{HashMap, HashSet};

use thiserror::Error;

use crate::tlog::key::{KeyError, KeyUse, VerifierKey};
use crate::tlog::note::{Note, Signed};

/// How long the file may be, in bytes.
pub const TRUST_BYTES_MAX: usize = 256 * 1024;

/// How many logs, witnesses and groups it may name together.
pub const NAMES_MAX: usize = 256;

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {what}")]
pub struct TrustError {
    /// The line, from 1; one behind the last for what is missing.
    pub line: usize,
    /// What is wrong there.
    pub what: TrustProblem,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TrustProblem {
    /// The file is too long, names too much, or holds control characters.
    #[error("the file is too long, names too much, or holds control characters")]
    File,
    /// No such line.
    #[error("it begins with none of log, witness, group, quorum")]
    Word,
    /// Too few or too many items.
    #[error("it has too few or too many items")]
    Items,
    /// No key, or one for another use.
    #[error("its key cannot be read: {0}")]
    Key(KeyError),
    /// A log's key where a witness's belongs, or the reverse.
    #[error("its key is for another use")]
    Use,
    /// One key twice.
    #[error("its key stands in an earlier line")]
    SameKey,
    /// One name twice, or `none`.
    #[error("its name is taken")]
    Name,
    /// A name that no earlier line gives.
    #[error("it names what no earlier line defines")]
    Unknown,
    /// A member of two groups.
    #[error("a member of it is in another group already")]
    Member,
    /// A threshold outside 1 to the number of members.
    #[error("its threshold is not between 1 and the number of its members")]
    Threshold,
    /// None, or a second one.
    #[error("there has to be exactly one line `quorum`")]
    Quorum,
}

/// What is trusted.
#[derive(Clone, Debug)]
pub struct Trust {
    logs: Vec<VerifierKey>,
    nodes: Vec<Node>,
    /// Index into `nodes`; `None`: no witness is asked for.
    quorum: Option<usize>,
}

/// A witness, or a group of them; members stand at lower places.
#[derive(Clone, Debug)]
struct Node {
    name: String,
    kind: NodeKind,
}

#[derive(Clone, Debug)]
enum NodeKind {
    Witness(Box<VerifierKey>, Option<String>),
    Group { threshold: usize, members: Vec<usize> },
}

/// What a file of trust says about a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The log that signed it, by the name of its key.
    pub log: Option<String>,
    /// The witnesses that signed it, by their names in the file, and when.
    pub witnesses: Vec<(String, u64)>,
    /// Whether those are enough.
    pub quorum: bool,
    /// A key of the file that is named and did not sign: the checkpoint is forged.
    pub forged: Option<String>,
}

impl Standing {
    /// Whether the checkpoint is to be believed.
    pub fn holds(&self) -> bool {
        self.log.is_some() && self.quorum && self.forged.is_none()
    }
}

impl Trust {
    /// Reads a file.
    pub fn parse(bytes: &[u8]) -> Result<Self, TrustError> {
        let at = |line: usize| move |what| TrustError { line, what };
        let control = |&b: &u8| (b < 0x20 && b != b'\t' && b != b'\n') || b == 0x7f;
        if bytes.len() > TRUST_BYTES_MAX || bytes.iter().any(control) {
            return Err(at(1)(TrustProblem::File));
        }
        let text = String::from_utf8_lossy(bytes);
        let mut reading = Reading::default();
        let mut lines = 0;
        for (number, line) in text.split('\n').enumerate() {
            lines = number + 1;
            let items: Vec<&str> =
                line.split([' ', '\t']).filter(|item| !item.is_empty()).collect();
            if items.first().is_none_or(|first| first.starts_with('#')) {
                continue;
            }
            reading.line(&items).map_err(at(lines))?;
        }
        let quorum = reading.quorum.ok_or_else(|| at(lines)(TrustProblem::Quorum))?;
        Ok(Self { logs: reading.logs, nodes: reading.nodes, quorum })
    }

    /// Trusts this log and asks for no witness.
    pub fn of_log(key: VerifierKey) -> Self {
        Self { logs: vec![key], nodes: Vec::new(), quorum: None }
    }

    /// The logs it names. None: any log, known from elsewhere.
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// The witnesses it names, each by its name in the file, with its key and where it can be asked.
    pub fn witnesses(&self) -> impl Iterator<Item = (&str, &VerifierKey, Option<&str>)> {
        self.nodes.iter().filter_map(|node| match &node.kind {
            NodeKind::Witness(key, url) => Some((node.name.as_str(), &**key, url.as_deref())),
            NodeKind::Group { .. } => None,
        })
    }

    /// What it says about a checkpoint of the log with this name.
    pub fn standing(&self, origin: &str, note: &Note) -> Standing {
        let mut standing =
            Standing { log: None, witnesses: Vec::new(), quorum: false, forged: None };
        for key in self.logs.iter().filter(|key| key.name() == origin) {
            match note.signed_by(key) {
                Signed::Yes { .. } => standing.log = Some(key.name().to_owned()),
                Signed::Forged => standing.forged = Some(key.name().to_owned()),
                Signed::No => {}
            }
        }
        // Members stand before their groups, so one pass is enough.
        let mut fine: Vec<bool> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            fine.push(match &node.kind {
                NodeKind::Witness(key, _) => match note.signed_by(key) {
                    Signed::Yes { at } => {
                        standing.witnesses.push((node.name.clone(), at.unwrap_or_default()));
                        true
                    }
                    Signed::Forged => {
                        standing.forged = Some(node.name.clone());
                        false
                    }
                    Signed::No => false,
                },
                NodeKind::Group { threshold, members } => {
                    members.iter().filter(|at| fine[**at]).count() >= *threshold
                }
            });
        }
        standing.quorum = self.quorum.is_none_or(|at| fine[at]);
        standing
    }
}

#[derive(Default)]
struct Reading {
    logs: Vec<VerifierKey>,
    nodes: Vec<Node>,
    names: HashMap<String, usize>,
    keys: HashSet<(KeyKind, [u8; 32])>,
    taken: HashSet<usize>,
    quorum: Option<Option<usize>>,
}

/// A log and a witness may share a key, two logs may not.
type KeyKind = u8;

impl Reading {
    fn line(&mut self, items: &[&str]) -> Result<(), TrustProblem> {
        if self.logs.len() + self.nodes.len() == NAMES_MAX {
            return Err(TrustProblem::File);
        }
        match items {
            ["log", key] | ["log", key, _] => {
                let key = self.key(key, KeyUse::Log)?;
                self.logs.push(key);
                Ok(())
            }
            ["witness", name, key, url @ ..] if url.len() < 2 => {
                let key = self.key(key, KeyUse::Witness)?;
                let url = url.first().map(|url| (*url).to_owned());
                self.define(name, NodeKind::Witness(Box::new(key), url))
            }
            ["group", name, threshold, members @ ..] => self.group(name, threshold, members),
            ["quorum", name] => {
                let found = match *name {
                    "none" => None,
                    name => Some(*self.names.get(name).ok_or(TrustProblem::Unknown)?),
                };
                match self.quorum.replace(found) {
                    None => Ok(()),
                    Some(_) => Err(TrustProblem::Quorum),
                }
            }
            ["log" | "witness" | "group" | "quorum", ..] => Err(TrustProblem::Items),
            _ => Err(TrustProblem::Word),
        }
    }

    fn key(&mut self, text: &str, used: KeyUse) -> Result<VerifierKey, TrustProblem> {
        let key = VerifierKey::parse(text).map_err(TrustProblem::Key)?;
        if key.used() != used {
            return Err(TrustProblem::Use);
        }
        let kind = match used {
            KeyUse::Log => 1,
            KeyUse::Witness => 4,
        };
        if self.keys.insert((kind, *key.bytes())) { Ok(key) } else { Err(TrustProblem::SameKey) }
    }

    fn define(&mut self, name: &str, kind: NodeKind) -> Result<(), TrustProblem> {
        if name == "none" || self.names.contains_key(name) {
            return Err(TrustProblem::Name);
        }
        self.names.insert(name.to_owned(), self.nodes.len());
        self.nodes.push(Node { name: name.to_owned(), kind });
        Ok(())
    }

    fn group(&mut self, name: &str, k: &str, members: &[&str]) -> Result<(), TrustProblem> {
        let places: Option<Vec<usize>> =
            members.iter().map(|member| self.names.get(*member).copied()).collect();
        let members = places.ok_or(TrustProblem::Unknown)?;
        let threshold = match k {
            "all" => members.len(),
            "any" => 1,
            k => k.parse().map_err(|_| TrustProblem::Threshold)?,
        };
        if !(1..=members.len()).contains(&threshold) {
            return Err(TrustProblem::Threshold);
        }
        if !members.iter().all(|at| self.taken.insert(*at)) {
            return Err(TrustProblem::Member);
        }
        self.define(name, NodeKind::Group { threshold, members })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]
mod tests {
    use base64ct::{Base64, Encoding as _};
    use ed25519_dalek::{Signer as _, SigningKey};
    use proptest::prelude::{any, proptest};

    use super::{TRUST_BYTES_MAX, Trust, TrustProblem};
    use crate::names::digest::Digest;
    use crate::tlog::checkpoint::Checkpoint;
    use crate::tlog::key::{SignerKey, VerifierKey};
    use crate::tlog::note::{Note, NoteSignature, cosigned};
    use crate::tlog::tree::empty_root;
    use crate::tlog::witness::checked;

    const ORIGIN: &str = "a.example/log";

    fn log() -> SignerKey {
        SignerKey::of_log(ORIGIN, &[9; 32]).unwrap()
    }

    fn witness(n: u8) -> (SigningKey, VerifierKey) {
        let (name, key) = (format!("w{n}.example"), SigningKey::from_bytes(&[n; 32]));
        let bytes = [&[0x04], key.verifying_key().as_bytes().as_slice()].concat();
        let id = Digest::of_parts(&[name.as_bytes(), b"\n", &bytes]).hex();
        let text = format!("{name}+{}+{}", &id[..8], Base64::encode_string(&bytes));
        (key, VerifierKey::parse(&text).unwrap())
    }

    fn note(witnesses: &[u8]) -> Note {
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 0, root: empty_root() };
        let mut note = checkpoint.sign(&log()).unwrap();
        for n in witnesses {
            let (key, public) = witness(*n);
            let at = 1_700_000_000 + u64::from(*n);
            let signature = key.sign(cosigned(at, note.text()).as_bytes()).to_bytes();
            note.add(&public, [at.to_be_bytes().as_slice(), &signature].concat());
        }
        note
    }

    fn file(last: &str) -> String {
        let witness = |n: u8| format!("witness X{n} {} https://w{n}.example\n", witness(n).1);
        let witnesses: String = (1..=4).map(witness).collect();
        format!("# whom we trust\nlog {}\n{witnesses}{last}", log().verifier())
    }

    #[test]
    fn enough_witnesses_are_enough() {
        let lines = "group two 2 X1 X2 X3\ngroup both all two X4\nquorum both\n";
        let trust = Trust::parse(file(lines).as_bytes()).unwrap();
        let holds = |who: &[u8]| trust.standing(ORIGIN, &note(who)).holds();
        assert!(holds(&[1, 3, 4]) && holds(&[1, 2, 3, 4]));
        assert!(!holds(&[1, 2, 3]) && !holds(&[1, 4]) && !holds(&[]));
        let standing = trust.standing(ORIGIN, &note(&[2]));
        assert_eq!(standing.witnesses, [("X2".to_owned(), 1_700_000_002)]);
        assert!(!trust.standing("b.example/log", &note(&[1, 3, 4])).holds());
    }

    #[test]
    fn a_forged_line_by_somebody_trusted_spoils_all() {
        let trust = Trust::parse(file("quorum none\n").as_bytes()).unwrap();
        assert!(trust.standing(ORIGIN, &note(&[])).holds());
        let mut forged = note(&[]);
        forged.add(&witness(1).1, vec![0; 72]);
        assert_eq!(trust.standing(ORIGIN, &forged).forged.as_deref(), Some("X1"));
        assert!(!trust.standing(ORIGIN, &forged).holds());
    }

    #[test]
    fn witnesses_have_names_keys_and_addresses() {
        let trust = Trust::parse(file("quorum none\n").as_bytes()).unwrap();
        let asked: Vec<_> = trust.witnesses().map(|(name, _, url)| (name, url)).collect();
        assert_eq!(asked[1], ("X2", Some("https://w2.example")));
        assert_eq!(trust.logs(), [log().verifier()]);
        assert_eq!(asked.len(), 4);
    }

    #[test]
    fn problems_have_a_line() {
        let wrong = |last: &str| {
            let error = Trust::parse(file(last).as_bytes()).unwrap_err();
            assert!(error.line >= 7, "{error}");
            error.what
        };
        assert_eq!(wrong(""), TrustProblem::Quorum);
        assert_eq!(wrong("quorum X1\nquorum X2\n"), TrustProblem::Quorum);
        assert_eq!(wrong("quorum X9\n"), TrustProblem::Unknown);
        assert_eq!(wrong("group g 5 X1 X2\n"), TrustProblem::Threshold);
        assert_eq!(wrong("group g any X1\ngroup h any X1\n"), TrustProblem::Member);
        assert_eq!(wrong("group X1 any X2\n"), TrustProblem::Name);
        assert_eq!(wrong("group g any\n"), TrustProblem::Threshold);
        assert_eq!(wrong("quorum\n"), TrustProblem::Items);
        assert_eq!(wrong("wittness X1\n"), TrustProblem::Word);
        let two = format!("witness X5 {} https://a https://b\n", witness(5).1);
        assert_eq!(wrong(&two), TrustProblem::Items);
        assert_eq!(wrong(&format!("log {}\n", witness(1).1)), TrustProblem::Use);
        assert_eq!(wrong(&format!("witness X5 {}\n", witness(1).1)), TrustProblem::SameKey);
        assert_eq!(wrong("log a+b+c\n"), TrustProblem::Key(crate::tlog::key::KeyError::Form));
    }

    #[test]
    fn a_file_has_its_longest_and_no_control_characters() {
        let read = |bytes: usize| {
            let text = file("quorum none\n");
            let comment = format!("#{}\n", "x".repeat(bytes - text.len() - 2));
            Trust::parse(format!("{text}{comment}").as_bytes()).map(|_| ()).map_err(|it| it.what)
        };
        assert_eq!(read(TRUST_BYTES_MAX), Ok(()));
        assert_eq!(read(TRUST_BYTES_MAX + 1), Err(TrustProblem::File));
        let text = |c: char| file(&format!("# of {c}our own\nquorum none\n"));
        let with = |c: char| Trust::parse(text(c).as_bytes()).is_ok();
        assert!(with('\t') && with(' '));
        assert!(!with('\r') && !with('\u{7f}') && !with('\u{1f}'));
    }

    #[test]
    fn only_what_a_witness_that_is_asked_really_signed_is_taken() {
        let keys: Vec<VerifierKey> = [log().verifier(), witness(1).1].to_vec();
        let plain = note(&[]);
        let good = note(&[1]).signatures()[1].clone();
        let other_name = NoteSignature { name: "w2.example".to_owned(), ..good.clone() };
        let other_key = NoteSignature { id: [0; 4], ..good.clone() };
        let other_time =
            NoteSignature { bytes: [&[0; 8], &good.bytes[8..]].concat(), ..good.clone() };
        let stranger = note(&[2]).signatures()[1].clone();
        let by_log = plain.signatures()[0].clone();
        let lines = [other_name, other_key, other_time, stranger, by_log, good.clone()];
        assert_eq!(checked(&plain, &lines, &keys), [(&keys[1], 1_700_000_001, good)]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in any::<Vec<u8>>()) {
            let _ = Trust::parse(&bytes);
        }
    }
}
