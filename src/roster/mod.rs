//! Who is who, which key is whose, and who is in which group.
//!
//! Made by `policy` from all its files together; asked by `identity` (logins), by `gather` (keys,
//! e-mails) and by the rule kinds (groups). Names are shown, never guessed: a login, key or e-mail
//! belongs to one principal or to none.
//!
//! Invariant: everybody in a group is in `people`, and no group is empty.

pub mod directory;
mod groups;
pub mod heard;
pub mod keyring;
pub mod party;
pub mod principal;
pub mod read;
pub mod signers;
mod unknown;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::codeowners::dialect::Dialect;
use crate::names::escape::escape_short;
use crate::names::moment::Moment;
use crate::names::principal::PrincipalName;
use crate::openpgp::armor::BEGIN_ANY;
use crate::roster::directory::Directory;
use crate::roster::heard::{Heard, Unheard};
use crate::roster::keyring::Owned;
use crate::roster::party::Party;
use crate::roster::principal::Principal;
use crate::roster::read::Draft;
use crate::roster::signers::Grants;
use crate::roster::unknown::unknown;
use crate::source::problem::{Problem, Problems};
use crate::source::text::Located;
use crate::ssh::allowed_signers::Signer as Line;
use crate::ssh::certificate::Certificate;
use crate::ssh::key::SshKey;
use crate::ssh::signature::{GIT_NAMESPACE, SignatureCheck, verify};
use crate::statement::fields::APPROVAL_NAMESPACE;
use crate::statement::read::{Form, Statement};

/// Everybody a policy knows.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    people: BTreeMap<PrincipalName, Principal>,
    groups: BTreeMap<PrincipalName, BTreeSet<PrincipalName>>,
    by_login: HashMap<String, PrincipalName>,
    by_key: HashMap<Vec<u8>, PrincipalName>,
    grants: HashMap<Vec<u8>, Grants>,
    by_email: HashMap<Vec<u8>, PrincipalName>,
    authorities: Vec<Line>,
    openpgp: Owned,
}

impl Roster {
    /// Puts together what the policy's files say. What is wrong is added to the problems; the
    /// roster then lacks it, and is good only for finding more problems.
    pub fn build(draft: Draft, problems: &mut Problems) -> Self {
        let groups = groups::resolve(&draft, problems);
        let grants = draft.granted.into_iter().map(|(key, (_, grants))| (key, grants)).collect();
        let (authorities, openpgp) = (draft.authorities, draft.openpgp);
        let mut roster = Self { groups, grants, authorities, openpgp, ..Self::default() };
        for (name, (principal, _)) in draft.people {
            for login in &principal.logins {
                roster.by_login.insert(login.clone(), name.clone());
            }
            for key in &principal.keys {
                roster.by_key.insert(key.bytes().clone(), name.clone());
            }
            for email in &principal.emails {
                roster.by_email.insert(email.to_ascii_lowercase().into_bytes(), name.clone());
            }
            roster.people.insert(name, principal);
        }
        roster
    }

    /// The principal of this name.
    pub fn get(&self, name: &PrincipalName) -> Option<&Principal> {
        self.people.get(name)
    }

    /// Whose login this is, by exact bytes.
    pub fn by_login(&self, login: &str) -> Option<&PrincipalName> {
        self.by_login.get(login)
    }

    /// Whose key this is: the key as it stands on the wire. Whether a signature by it counts is for
    /// `heard` to say.
    pub fn by_key(&self, key: &[u8]) -> Option<&PrincipalName> {
        self.by_key.get(key)
    }

    /// Whose word a signature over a message is, made for this purpose and looked at now. OpenPGP
    /// knows no purposes, so it counts only for what has a form of Git's own.
    pub fn heard(&self, namespace: &str, message: &[u8], armor: &[u8], now: Moment) -> Heard<'_> {
        if namespace == GIT_NAMESPACE && armor.starts_with(BEGIN_ANY) {
            return self.heard_openpgp(message, armor, now);
        }
        self.heard_for(&[namespace], verify(namespace, message, armor), now)
    }

    /// Whose word a statement is. A tag is signed as Git signs tags, and is an approval all the same:
    /// its key has to count for both.
    pub fn heard_saying(&self, statement: &Statement, now: Moment) -> Heard<'_> {
        let purposes = [statement.namespace(), statement.fields().namespace()];
        let (signed, armor) = (statement.signed_bytes(), statement.armor());
        if statement.form() == Form::Tag && armor.starts_with(BEGIN_ANY) {
            return self.heard_openpgp(signed, armor, now);
        }
        self.heard_for(&purposes, verify(statement.namespace(), signed, armor), now)
    }

    /// Whose word a signature is that approves in one of Git's own forms: over this message, for the
    /// purpose of Git's. The key has to count for approvals as well.
    pub fn heard_approving(&self, message: &[u8], armor: &[u8], now: Moment) -> Heard<'_> {
        if armor.starts_with(BEGIN_ANY) {
            return self.heard_openpgp(message, armor, now);
        }
        let purposes = [GIT_NAMESPACE, APPROVAL_NAMESPACE];
        self.heard_for(&purposes, verify(GIT_NAMESPACE, message, armor), now)
    }

    fn heard_openpgp(&self, message: &[u8], armor: &[u8], now: Moment) -> Heard<'_> {
        let by_email = |email: &str| self.by_email(email.as_bytes());
        self.openpgp.heard(&by_email, message, armor, now)
    }

    /// OpenPGP keys of people that sign nothing at this moment: whose, which, and why, to follow "it".
    pub fn silent_openpgp(&self, now: Moment) -> Vec<(&PrincipalName, String, String)> {
        self.openpgp.silent(&|email| self.by_email(email.as_bytes()), now)
    }

    fn heard_for(&self, purposes: &[&str], check: SignatureCheck, now: Moment) -> Heard<'_> {
        match check {
            SignatureCheck::Good { key, fingerprint } => match self.by_key(&key) {
                None => Heard::Nobody { fingerprint },
                Some(name) => {
                    let mut doubts = purposes.iter().map(|it| self.key_doubt(&key, it, now));
                    match doubts.find_map(|doubt| doubt) {
                        None => Heard::By { name, fingerprint },
                        Some(why) => Heard::NotNow { name, fingerprint, why },
                    }
                }
            },
            SignatureCheck::Certified { certificate, fingerprint } => {
                self.certified(purposes, &certificate, fingerprint, now)
            }
            other @ (SignatureCheck::Untouched { .. }
            | SignatureCheck::Bad { .. }
            | SignatureCheck::WrongNamespace { .. }
            | SignatureCheck::Unsupported { .. }
            | SignatureCheck::Malformed { .. }) => Heard::Not(Unheard::Ssh(other)),
        }
    }

    /// Whose word it is that a certificate vouches for: of the one person whom the certificate names
    /// and whom a line with its authority lets it name.
    fn certified(
        &self,
        purposes: &[&str],
        certificate: &Certificate,
        fingerprint: String,
        now: Moment,
    ) -> Heard<'_> {
        let of = |line: &&Line| *line.key.bytes() == certificate.authority;
        let lines: Vec<&Line> = self.authorities.iter().filter(of).collect();
        let named = |person: &Principal, line: &Line| {
            let by = |id: &str| certificate.names(id) && line.names(id);
            signers::ids(person).any(by) && signers::means(line, person)
        };
        let meant = |person: &&Principal| lines.iter().any(|line| named(person, line));
        let mut people = self.people.values().filter(meant);
        let unfit = |why: &str| {
            let id = escape_short(certificate.key_id.as_bytes());
            let what = format!("the certificate \"{id}\" {why}");
            Heard::Not(Unheard::Ssh(SignatureCheck::Unsupported { what }))
        };
        let name = match (people.next(), people.next()) {
            (Some(person), None) => &person.name,
            (Some(_), Some(_)) => return unfit("names several people"),
            (None, _) if lines.is_empty() => return unfit("is of no authority in the policy"),
            (None, _) => return unfit("names nobody for whom its authority may speak"),
        };
        let Some(person) = self.people.get(name) else { return Heard::Nobody { fingerprint } };
        let grants = Grants::of(lines.into_iter().filter(|line| named(person, line)));
        let doubts = purposes.iter().map(|purpose| grants.doubt(purpose, now));
        match std::iter::once(certificate.doubt(now)).chain(doubts).find_map(|doubt| doubt) {
            None => Heard::By { name, fingerprint },
            Some(why) => Heard::NotNow { name, fingerprint, why },
        }
    }

    /// The lines by which authorities vouch for this principal.
    pub fn authorities_of(&self, principal: &Principal) -> impl Iterator<Item = &Line> {
        let means = |line: &&Line| signers::means(line, principal);
        self.authorities.iter().filter(means).collect::<Vec<_>>().into_iter()
    }

    /// Why a key of somebody's does not count for this purpose at this moment, to follow "a key
    /// that". `None`: nothing stands against it.
    fn key_doubt(&self, key: &[u8], namespace: &str, now: Moment) -> Option<String> {
        self.grants.get(key)?.doubt(namespace, now)
    }

    /// Whether this principal has a key that may ever sign for this purpose.
    pub fn can_sign(&self, name: &PrincipalName, namespace: &str) -> bool {
        let may =
            |key: &SshKey| self.grants.get(key.bytes()).is_none_or(|grants| grants.ever(namespace));
        self.get(name).is_some_and(|principal| {
            principal.keys.iter().any(may)
                || self.authorities_of(principal).any(|line| line.signs_in(namespace))
                // An approval by a tag is one of Git's own forms.
                || ([GIT_NAMESPACE, APPROVAL_NAMESPACE].contains(&namespace) && self.openpgp.has(name))
        })
    }

    /// Whose e-mail this is; ASCII letters match in either case.
    pub fn by_email(&self, email: &[u8]) -> Option<&PrincipalName> {
        self.by_email.get(&email.to_ascii_lowercase())
    }

    /// Everybody in this group, nested groups included. `None` when there is no such group.
    pub fn members(&self, group: &PrincipalName) -> Option<&BTreeSet<PrincipalName>> {
        self.groups.get(group)
    }

    /// Everybody, by name.
    pub fn people(&self) -> impl Iterator<Item = &Principal> {
        self.people.values()
    }

    /// Every group, by name.
    pub fn groups(&self) -> impl Iterator<Item = (&PrincipalName, &BTreeSet<PrincipalName>)> {
        self.groups.iter()
    }

    /// Whether this principal can ever approve: a person, not a machine, not a login that several
    /// share, with a key to sign with.
    pub fn can_approve(&self, name: &PrincipalName) -> bool {
        self.get(name).is_some_and(|p| !p.machine && !p.shared)
            && self.can_sign(name, APPROVAL_NAMESPACE)
    }

    /// Whether this principal can ever give a check: a machine with a key to sign with.
    pub fn can_check(&self, name: &PrincipalName) -> bool {
        let has_key = |p: &Principal| !p.keys.is_empty() || self.authorities_of(p).next().is_some();
        self.get(name).is_some_and(|p| p.machine && has_key(p))
    }

    /// Whom a CODEOWNERS file of this dialect means: everybody who can approve. `teams` are those that
    /// the rule translates.
    pub fn directory(
        &self,
        dialect: Dialect,
        teams: BTreeMap<String, BTreeSet<PrincipalName>>,
    ) -> Directory {
        let able = |members: &BTreeSet<PrincipalName>| {
            members.iter().filter(|name| self.can_approve(name)).cloned().collect()
        };
        let mut directory = Directory::of(dialect);
        for person in self.people.values() {
            directory.add_person(person, self.can_approve(&person.name));
        }
        self.groups.iter().for_each(|(name, members)| directory.add_group(name, able(members)));
        teams.iter().for_each(|(name, members)| directory.add_team(name, able(members)));
        directory
    }

    /// Reads a list of names and `@groups`. Unknown ones are problems; with one there is no party.
    pub fn resolve(&self, list: &[Located<String>], problems: &mut Problems) -> Option<Party> {
        let before = problems.errors();
        let mut names = BTreeSet::new();
        for written in list {
            match written.value.strip_prefix('@') {
                Some(group) => {
                    match PrincipalName::parse(group).and_then(|g| self.groups.get(&g)) {
                        Some(members) => names.extend(members.iter().cloned()),
                        None => problems.push(self.unknown(written)),
                    }
                }
                None => match PrincipalName::parse(&written.value) {
                    Some(name) if self.people.contains_key(&name) => {
                        names.insert(name);
                    }
                    Some(_) | None => problems.push(self.unknown(written)),
                },
            }
        }
        let words = list.iter().map(|written| written.value.clone()).collect();
        (problems.errors() == before).then_some(Party { names, written: words })
    }

    fn unknown(&self, written: &Located<String>) -> Problem {
        unknown(written, self.people.keys(), self.groups.keys())
    }
}

#[cfg(test)]
mod tests;
