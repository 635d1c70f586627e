//! Reading a statement: bytes of a blob or a tag in, a `Statement` or a `StatementProblem` out.
//!
//! An approval may be an annotated tag, signed by `git tag -s`: the same lines are its message, its
//! name says the verdict and the commit, and it names that commit.
//!
//! Strict to the byte: order, no unknown and no repeated keys, LF only, one empty line, then the
//! armour of one signature and nothing behind it. So one text has one reading, and printing the
//! fields gives back the bytes that were signed.

use crate::names::digest::Digest;
use crate::names::escape::escape_short;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::statement::fields::{
    ApprovalVerdict, CheckVerdict, Fields, RepositoryId, Saying, TAG_NAMESPACE, Url,
};
use crate::statement::place::{ApprovalKey, Place};
use crate::statement::problem::{STATEMENT_BYTES_MAX, StatementProblem};

/// How the signature begins, and how it ends and with it the statement (OpenSSH's PROTOCOL.sshsig).
const SSH_ARMOR: Armor =
    Armor { begin: "-----BEGIN SSH SIGNATURE-----\n", end: "\n-----END SSH SIGNATURE-----\n" };

/// The same of OpenPGP (RFC 9580, section 6), which signs tags as well, and no files: it knows no
/// purposes.
const OPENPGP_ARMOR: Armor =
    Armor { begin: "-----BEGIN PGP SIGNATURE-----\n", end: "\n-----END PGP SIGNATURE-----\n" };

/// The lines around a signature.
struct Armor {
    begin: &'static str,
    end: &'static str,
}

/// A well-formed statement. Whether its signature is good is not known here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    fields: Fields,
    signed: Vec<u8>,
    armor: Vec<u8>,
    form: Form,
}

/// What kind of object carries a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// A blob, signed by `ssh-keygen -Y sign`.
    Blob,
    /// An annotated tag, signed by `git tag -s`.
    Tag,
}

impl Statement {
    /// Reads the bytes of either form, as the log keeps them.
    pub fn parse(bytes: &[u8]) -> Result<Self, StatementProblem> {
        let form = if bytes.starts_with(TAG_BEGIN) { Form::Tag } else { Form::Blob };
        Self::parse_as(form, bytes)
    }

    /// Reads the bytes of an object of this kind.
    pub fn parse_as(form: Form, bytes: &[u8]) -> Result<Self, StatementProblem> {
        if bytes.len() > STATEMENT_BYTES_MAX {
            return Err(StatementProblem::TooLong { bytes: bytes.len() });
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|why| StatementProblem::NotUtf8 { at: why.valid_up_to() })?;
        if let Some(at) = text.find('\r') {
            let line = 1 + text[..at].matches('\n').count();
            return Err(StatementProblem::CarriageReturn { line });
        }
        let mut lines = Lines { rest: text, number: 0 };
        let fields = match form {
            Form::Blob => {
                let fields = read_fields(&mut lines)?;
                lines.empty()?;
                fields
            }
            Form::Tag => read_tag(&mut lines)?,
        };
        let armor = lines.rest;
        match form {
            _ if SSH_ARMOR.is_all_of(armor) => {}
            Form::Tag if OPENPGP_ARMOR.is_all_of(armor) => {}
            Form::Tag => return Err(StatementProblem::NoTagSignature),
            Form::Blob => return Err(StatementProblem::NoSignature),
        }
        let signed = bytes[..bytes.len() - armor.len()].to_vec();
        Ok(Self { fields, signed, armor: armor.as_bytes().to_vec(), form })
    }

    /// What kind of object carries it.
    pub fn form(&self) -> Form {
        self.form
    }

    /// What it says.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The bytes that were signed: everything before the armour.
    pub fn signed_bytes(&self) -> &[u8] {
        &self.signed
    }

    /// The armoured signature.
    pub fn armor(&self) -> &[u8] {
        &self.armor
    }

    /// What a statement is known by: the SHA-256 of its signed bytes. A blob's oid would not do,
    /// since a signature can be written in many ways.
    pub fn id(&self) -> Digest {
        Digest::of(&self.signed)
    }

    /// The namespace that its signature must be made in.
    pub fn namespace(&self) -> &'static str {
        match self.form {
            Form::Blob => self.fields.namespace(),
            Form::Tag => TAG_NAMESPACE,
        }
    }

    /// The key of its ref and delta.
    pub fn key(&self) -> ApprovalKey {
        self.fields.key()
    }

    /// The only ref that it may stand at.
    pub fn place(&self) -> Place {
        self.fields.place()
    }

    /// The blob or the tag: signed bytes and armour.
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.signed.as_slice(), &self.armor].concat()
    }
}

impl Armor {
    /// Whether this is one armoured signature from end to end, whatever it holds.
    fn is_all_of(&self, text: &str) -> bool {
        let Some(body) = text.strip_prefix(self.begin) else { return false };
        match body.find(self.end) {
            Some(at) => at + self.end.len() == body.len(),
            None => false,
        }
    }
}

/// Which statement is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Approval,
    Check,
}

fn read_fields(lines: &mut Lines<'_>) -> Result<Fields, StatementProblem> {
    let kind = match lines.next() {
        "approval v1" => Kind::Approval,
        "check v1" => Kind::Check,
        other => return Err(StatementProblem::FirstLine { found: shown(other) }),
    };
    let repository = lines.value("repository", "the repository's id", RepositoryId::parse)?;
    let refname = lines.value("ref", "a full refname such as refs/heads/main", |text| {
        Refname::parse(text.as_bytes())
    })?;
    let base = lines.value("base", FULL_OID, |text| Oid::from_hex(text.as_bytes()))?;
    let commit = lines.value("commit", "a full object name of a commit", |text| {
        Oid::from_hex(text.as_bytes()).filter(|oid| !oid.is_zero())
    })?;
    let delta = lines.value("delta", "sha256: and 64 lower-case hexadecimal digits", |text| {
        Digest::from_hex(text.strip_prefix("sha256:")?.as_bytes())
    })?;
    let check = match kind {
        Kind::Approval => None,
        Kind::Check => Some(lines.value("check", NAME, PrincipalName::parse)?),
    };
    let person = lines.value("person", NAME, PrincipalName::parse)?;
    let date = lines.value("date", TIME, time)?;
    let expires = lines.value("expires", TIME, time)?;
    let saying = match check {
        None => Saying::Approval {
            verdict: lines.value("verdict", "approve, reject or revoke", ApprovalVerdict::parse)?,
        },
        Some(check) => Saying::Check {
            check,
            verdict: lines.value("verdict", "pass or fail", CheckVerdict::parse)?,
            url: lines.optional_value("url", "an http or https address", Url::parse)?,
        },
    };
    if base.format() != commit.format() {
        return Err(StatementProblem::TwoFormats);
    }
    if expires <= date {
        return Err(StatementProblem::ExpiresTooEarly {
            date: date.rfc3339_seconds(),
            expires: expires.rfc3339_seconds(),
        });
    }
    Ok(Fields { repository, refname, base, commit, delta, person, date, expires, saying })
}

/// How a tag begins, and no blob that is a statement.
const TAG_BEGIN: &[u8] = b"object ";

/// An annotated tag of a commit, whose message is an approval and whose name says which.
fn read_tag(lines: &mut Lines<'_>) -> Result<Fields, StatementProblem> {
    let oid = |text: &str| Oid::from_hex(text.as_bytes());
    let object = lines.value("object", FULL_OID, oid)?;
    lines.value("type", "commit", |text| (text == "commit").then_some(()))?;
    let named = lines.value("tag", "the name of a tag", |text| Some(text.to_owned()))?;
    lines.value("tagger", "a name, an e-mail and a time", |_| Some(()))?;
    lines.empty()?;
    if lines.rest.starts_with("check v1\n") {
        return Err(StatementProblem::CheckInTag);
    }
    let fields = read_fields(lines)?;
    let Saying::Approval { verdict } = &fields.saying else {
        return Err(StatementProblem::CheckInTag);
    };
    let name = format!("{}-{}", verdict.as_str(), fields.commit.hex());
    if named != name {
        return Err(StatementProblem::TagName { found: shown(&named), wanted: name });
    }
    if object != fields.commit {
        return Err(StatementProblem::TagObject { found: object.hex() });
    }
    Ok(fields)
}

const FULL_OID: &str = "a full object name, 40 or 64 lower-case hexadecimal digits";
const NAME: &str = "a name of a-z, 0-9, `.`, `_` and `-`";
const TIME: &str = "a time such as 2026-11-22T21:00:00Z";

/// The length of a time in a statement, in bytes. Years beyond 9999 are longer.
const TIME_BYTES: usize = "2026-11-22T21:00:00Z".len();

fn time(text: &str) -> Option<Moment> {
    Moment::parse_seconds(text).filter(|_| text.len() == TIME_BYTES)
}

/// The lines of a statement, one after another.
struct Lines<'a> {
    rest: &'a str,
    /// The number of the line that was read last, from 1.
    number: usize,
}

impl<'a> Lines<'a> {
    /// The next line without its LF; empty at the end.
    fn next(&mut self) -> &'a str {
        self.number += 1;
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        line
    }

    /// The value of the line that must come next.
    fn value<T>(
        &mut self,
        key: &'static str,
        wanted: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, StatementProblem> {
        let found = self.next();
        let Some(value) = found.strip_prefix(key).and_then(|rest| rest.strip_prefix(' ')) else {
            return Err(StatementProblem::WrongLine {
                line: self.number,
                expected: key,
                found: shown(found),
            });
        };
        read(value).ok_or_else(|| StatementProblem::BadValue {
            line: self.number,
            key,
            found: shown(value),
            wanted,
        })
    }

    /// The value of the line that may come next.
    fn optional_value<T>(
        &mut self,
        key: &'static str,
        wanted: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, StatementProblem> {
        if self.rest.starts_with('\n') {
            return Ok(None);
        }
        self.value(key, wanted, read).map(Some)
    }

    /// The empty line that must come next.
    fn empty(&mut self) -> Result<(), StatementProblem> {
        let is_last = self.rest.is_empty();
        let found = self.next();
        if found.is_empty() && !is_last {
            return Ok(());
        }
        Err(StatementProblem::NoEmptyLine { line: self.number, found: shown(found) })
    }
}

fn shown(text: &str) -> String {
    escape_short(text.as_bytes())
}

#[cfg(test)]
mod tests;
