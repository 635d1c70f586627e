//! `[people]` and `[groups]`, read from one file after another.
//!
//! Made and filled by `policy`; `Roster::build` takes it. Everything that two principals cannot
//! both have is a problem here: names, logins, keys, e-mails.

use std::collections::BTreeMap;

use crate::names::principal::PrincipalName;
use crate::roster::keyring::Owned;
use crate::roster::principal::Principal;
use crate::roster::signers::Grants;
use crate::source::problem::{Problem, Problems};
use crate::source::table::{Keys, Table};
use crate::source::text::{Located, Spot};
use crate::ssh::allowed_signers::Signer as Line;
use crate::ssh::key::SshKey;

/// What may stand in `[people.NAME]`.
pub const PERSON_KEYS: Keys<'static> =
    Keys { known: &["logins", "emails", "keys", "machine", "shared"], later: &[] };

/// People and groups, as far as they were read.
#[derive(Debug, Default)]
pub struct Draft {
    /// Everybody, and where they stand.
    pub(super) people: BTreeMap<PrincipalName, (Principal, Spot)>,
    /// Every group: where it stands and whom it lists.
    pub(super) groups: BTreeMap<PrincipalName, Located<Vec<Located<String>>>>,
    logins: BTreeMap<String, Owner>,
    keys: BTreeMap<Vec<u8>, Owner>,
    emails: BTreeMap<String, Owner>,
    /// Keys from `allowed_signers` files: whose, and under what conditions.
    pub(super) granted: BTreeMap<Vec<u8>, (PrincipalName, Grants)>,
    /// Lines of such files whose keys vouch for others.
    pub(super) authorities: Vec<Line>,
    /// OpenPGP keys, and whose they are.
    pub(super) openpgp: Owned,
}

/// Whom something belongs to.
#[derive(Debug)]
struct Owner(PrincipalName, Spot);

impl Draft {
    /// Reads the table `[people]` of one file.
    pub fn people(&mut self, mut table: Table<'_>, problems: &mut Problems) {
        for written in table.names() {
            let Some(body) = table.table(&written.value, problems) else { continue };
            let Some(name) = self.free_name(&written, problems) else { continue };
            let principal = self.principal(name.clone(), body, problems);
            self.people.insert(name, (principal, written.spot));
        }
    }

    /// Reads the table `[groups]` of one file.
    pub fn groups(&mut self, mut table: Table<'_>, problems: &mut Problems) {
        for written in table.names() {
            let Some(list) = table.texts(&written.value, problems) else { continue };
            let Some(name) = self.free_name(&written, problems) else { continue };
            if list.value.is_empty() {
                let what = format!("nobody is in the group `{name}`");
                problems.error_hint(&list.spot, what, "name somebody, or take the group out");
            }
            self.groups.insert(name, Located { value: list.value, spot: written.spot });
        }
    }

    /// Whose e-mail this is; ASCII letters match in either case.
    pub(super) fn by_email(&self, email: &str) -> Option<&PrincipalName> {
        self.emails.get(&email.to_ascii_lowercase()).map(|Owner(name, _)| name)
    }

    /// What stands against giving this key to this person: it is in `[people]` already.
    pub(super) fn key_owner(
        &self,
        key: &[u8],
        name: &PrincipalName,
    ) -> Option<(String, &'static str)> {
        let Owner(owner, spot) = self.keys.get(key)?;
        Some(if owner == name {
            let hint = "there it counts without conditions: take it out of one of the two";
            (format!("this key stands in {} too", spot.place()), hint)
        } else {
            let what = format!("this key belongs to `{owner}` already, in {}", spot.place());
            (what, "one key belongs to one person")
        })
    }

    /// A well-formed name that nobody and no group has yet.
    fn free_name(
        &self,
        written: &Located<String>,
        problems: &mut Problems,
    ) -> Option<PrincipalName> {
        let Some(name) = PrincipalName::parse(&written.value) else {
            let what = format!("`{}` cannot be a name here", written.value);
            let hint = "a name is up to 64 of a-z, 0-9, `.`, `_` and `-`, and begins with a \
                        letter or a digit; what a login is called stands in `logins`";
            problems.error_hint(&written.spot, what, hint);
            return None;
        };
        let other = self.people.get(&name).map(|(_, spot)| ("person", spot));
        let other = other.or(self.groups.get(&name).map(|group| ("group", &group.spot)));
        let Some((what, spot)) = other else { return Some(name) };
        let what = format!("there is already a {what} called `{name}`");
        let hint = format!("it stands in {}", spot.place());
        problems.error_hint(&written.spot, what, hint);
        None
    }

    fn principal(
        &mut self,
        name: PrincipalName,
        mut body: Table<'_>,
        problems: &mut Problems,
    ) -> Principal {
        let logins = match body.texts("logins", problems) {
            Some(list) => list.value,
            None => vec![Located { value: name.to_string(), spot: body.header().clone() }],
        };
        let logins = self.logins(&name, logins, problems);
        let emails = body.texts("emails", problems).map_or_else(Vec::new, |list| list.value);
        let emails = self.emails(&name, emails, problems);
        let keys = body.texts("keys", problems).map_or_else(Vec::new, |list| list.value);
        let keys = self.keys(&name, keys, problems);
        let machine = body.flag("machine", problems).is_some_and(|flag| flag.value);
        let shared = body.flag("shared", problems).is_some_and(|flag| flag.value);
        body.finish(PERSON_KEYS, problems);
        Principal { name, logins, emails, keys, machine, shared }
    }

    fn logins(
        &mut self,
        name: &PrincipalName,
        list: Vec<Located<String>>,
        problems: &mut Problems,
    ) -> Vec<String> {
        let mut logins = Vec::new();
        for login in list {
            if login.value.trim().is_empty() {
                problems.error(&login.spot, "a login is empty");
            } else if claim(&mut self.logins, login.value.clone(), name, &login, "login", problems)
            {
                logins.push(login.value);
            }
        }
        logins
    }

    fn emails(
        &mut self,
        name: &PrincipalName,
        list: Vec<Located<String>>,
        problems: &mut Problems,
    ) -> Vec<String> {
        let mut emails = Vec::new();
        for email in list {
            let text = &email.value;
            // Git lets almost anything stand between `<` and `>`; these can never be there.
            if text.is_empty() || text.contains(['<', '>', '\n', '\0']) || text.trim() != text {
                let hint = "write it as commits have it, without `<` and `>`";
                problems.error_hint(&email.spot, "no commit can have this e-mail", hint);
                continue;
            }
            let folded = text.to_ascii_lowercase();
            if claim(&mut self.emails, folded, name, &email, "e-mail", problems) {
                emails.push(email.value);
            }
        }
        emails
    }

    fn keys(
        &mut self,
        name: &PrincipalName,
        list: Vec<Located<String>>,
        problems: &mut Problems,
    ) -> Vec<SshKey> {
        let mut keys = Vec::new();
        for line in list {
            match SshKey::parse(&line.value) {
                Ok(key) => {
                    if claim(&mut self.keys, key.bytes().clone(), name, &line, "key", problems) {
                        keys.push(key);
                    }
                }
                Err(why) => problems.push(
                    Problem::error(why.to_string())
                        .at(&line.spot)
                        .hint("ssh-keygen -t ed25519 makes a key, its .pub file holds the line"),
                ),
            }
        }
        keys
    }
}

/// Notes whose this is. A problem, and false, when it is somebody's already.
fn claim<K: Ord>(
    owners: &mut BTreeMap<K, Owner>,
    what: K,
    name: &PrincipalName,
    written: &Located<String>,
    noun: &str,
    problems: &mut Problems,
) -> bool {
    if let Some(Owner(other, spot)) = owners.get(&what) {
        let said = if other == name {
            format!("this {noun} stands here twice")
        } else {
            format!("this {noun} belongs to `{other}` already")
        };
        problems.error_hint(&written.spot, said, format!("the other one is in {}", spot.place()));
        return false;
    }
    owners.insert(what, Owner(name.clone(), written.spot.clone()));
    true
}
