//! An approval or a check made with nothing but `git`, `ssh-keygen` and `sha256sum`'s function.
//!
//! The format is that of the README, "Approving without Portcullis". A test changes one field of a
//! [`Draft`] and shows that the statement no longer counts.

use std::fs;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::support::ground::{bytes, text};
use crate::support::person::{Person, put_key};
use crate::support::push::Pushed;

/// Everything that a statement says, free to be changed before it is signed.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) repository: String,
    pub(crate) reference: String,
    pub(crate) base: String,
    pub(crate) commit: String,
    pub(crate) delta: String,
    pub(crate) person: String,
    pub(crate) date: String,
    pub(crate) expires: String,
    pub(crate) verdict: String,
    pub(crate) namespace: String,
    /// The name of the check, for a machine's word.
    pub(crate) check: Option<String>,
    pub(crate) url: Option<String>,
    /// The private key; that of the person, unless a test lies.
    pub(crate) key: PathBuf,
}

/// A signed statement, written into the clone of who made it.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) blob: String,
    pub(crate) place: String,
}

/// The time of now plus some seconds, as a statement writes it.
pub(crate) fn moment(seconds: i64) -> String {
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    (now + SignedDuration::from_secs(seconds)).to_string()
}

impl Draft {
    /// A person's approval of `base..commit` for a ref, as it should be.
    pub(crate) fn new(
        person: &Person,
        repository: &str,
        reference: &str,
        base: &str,
        commit: &str,
    ) -> Self {
        Self {
            repository: repository.to_owned(),
            reference: reference.to_owned(),
            base: base.to_owned(),
            commit: commit.to_owned(),
            delta: delta(person, base, commit),
            person: person.name().to_owned(),
            date: moment(0),
            expires: moment(14 * 86_400),
            verdict: "approve".to_owned(),
            namespace: "approval@portcullis".to_owned(),
            check: None,
            url: None,
            key: person.key(),
        }
    }

    /// Dated some seconds later; what replaces a statement has to be later than it.
    pub(crate) fn later(mut self, seconds: i64) -> Self {
        self.date = moment(seconds);
        self
    }

    /// With another verdict.
    pub(crate) fn verdict(mut self, verdict: &str) -> Self {
        verdict.clone_into(&mut self.verdict);
        self
    }

    /// As a machine's word about a check: `pass` or `fail`.
    pub(crate) fn check(mut self, check: &str, verdict: &str) -> Self {
        self.check = Some(check.to_owned());
        "check@portcullis".clone_into(&mut self.namespace);
        self.verdict(verdict)
    }

    /// With the address of a check's details.
    pub(crate) fn url(mut self, url: &str) -> Self {
        self.url = Some(url.to_owned());
        self
    }

    /// The signed part, the empty line included.
    pub(crate) fn text(&self) -> String {
        let Self {
            repository, reference, base, commit, delta, person, date, expires, verdict, ..
        } = self;
        let kind = if self.check.is_some() { "check" } else { "approval" };
        let line = |key: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("{key} {value}\n")).unwrap_or_default()
        };
        let (check, url) = (line("check", &self.check), line("url", &self.url));
        format!(
            "{kind} v1\nrepository {repository}\nref {reference}\nbase {base}\ncommit {commit}\n\
             delta sha256:{delta}\n{check}person {person}\ndate {date}\nexpires {expires}\n\
             verdict {verdict}\n{url}\n"
        )
    }

    /// Where it belongs: `refs/approvals/<key>/<person>` or `refs/checks/<key>/<check>/<machine>`.
    pub(crate) fn place(&self) -> String {
        let key = key(&self.reference, &self.delta);
        match &self.check {
            Some(check) => format!("refs/checks/{key}/{check}/{}", self.person),
            None => format!("refs/approvals/{key}/{}", self.person),
        }
    }

    /// Signs it and writes the blob into the person's clone.
    pub(crate) fn sign(&self, person: &Person) -> Statement {
        let whole = self.signed(person);
        Statement { blob: person.object("blob", whole.as_bytes()), place: self.place() }
    }

    /// The statement with its signature, as it stands in the blob.
    pub(crate) fn signed(&self, person: &Person) -> String {
        let file = person.home().join("statement");
        let armour = person.home().join("statement.sig");
        fs::write(&file, self.text()).unwrap();
        let _ = fs::remove_file(&armour);
        text(
            person
                .command("ssh-keygen")
                .args(["-q", "-Y", "sign", "-n", &self.namespace, "-f"])
                .arg(&self.key)
                .arg(&file),
        );
        self.text() + &fs::read_to_string(armour).unwrap()
    }

    /// Signs it and pushes it to its place.
    pub(crate) fn push(&self, person: &Person) -> Pushed {
        self.sign(person).push(person)
    }

    /// Signs with the person's own key, and pushes with these options of Git.
    pub(crate) fn push_with(&self, person: &Person, options: &[&str]) -> Pushed {
        let refspec = self.sign(person).refspec();
        person.push(&[options, &[refspec.as_str()]].concat())
    }
}

impl Statement {
    /// What `git push` is told; with the `+` that a replacement needs.
    pub(crate) fn refspec(&self) -> String {
        format!("+{}:{}", self.blob, self.place)
    }

    /// Pushes it to its place.
    pub(crate) fn push(&self, person: &Person) -> Pushed {
        person.push(&[&self.refspec()])
    }
}

/// A key of the tests as a private key file that `ssh-keygen` takes.
pub(crate) fn key_file(person: &Person, name: &str) -> PathBuf {
    let target = person.home().join(".ssh").join(format!("other-{name}"));
    put_key(&target, name);
    target
}

/// The SHA-256 of the raw delta, as the README computes it.
pub(crate) fn delta(person: &Person, base: &str, commit: &str) -> String {
    // The zero oid stands for the empty tree: there is nothing to take from.
    let base =
        if base.bytes().all(|byte| byte == b'0') { empty_tree(person) } else { base.to_owned() };
    let raw = bytes(&mut person.git(&[
        "--no-replace-objects",
        "diff-tree",
        "-r",
        "-z",
        "--no-renames",
        "--no-abbrev",
        "--raw",
        "--ignore-submodules=none",
        &base,
        commit,
    ]));
    hex(&Sha256::digest(raw))
}

/// The place of a statement among the refs.
pub(crate) fn key(reference: &str, delta: &str) -> String {
    hex(&Sha256::digest(format!("{reference}\n{delta}\n")))[..40].to_owned()
}

/// The merge base of two revisions in a clone.
pub(crate) fn merge_base(person: &Person, one: &str, other: &str) -> String {
    person.run(&["merge-base", one, other])
}

fn empty_tree(person: &Person) -> String {
    person.object("tree", b"")
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
