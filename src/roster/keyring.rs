//! OpenPGP keys of people whom the policy knows: a file as `gpg --export` writes it.
//!
//! A key belongs to whom its names mean, by the e-mails of `[people]`; those of two people on one key
//! are a problem, since a signature has to say who signed. A key that counts for nobody is a warning,
//! since keys here only grant. Whether a key still holds is looked at when somebody has signed with
//! it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::names::escape::escape_short;
use crate::names::moment::Moment;
use crate::names::principal::PrincipalName;
use crate::openpgp::check::{Check, Unsigned, verify};
use crate::openpgp::keyring::{Holder, Keyring};
use crate::roster::heard::{Heard, Unheard};
use crate::roster::read::Draft;
use crate::source::problem::{Problem, Problems};
use crate::source::text::SourceText;

/// Keys, and whose they are.
#[derive(Clone, Debug, Default)]
pub struct Owned {
    /// `None`: the policy names no file.
    pub(super) ring: Option<Keyring>,
    /// Whose each primary key is, by its place.
    pub(super) owners: Vec<Option<PrincipalName>>,
}

impl Draft {
    /// Reads a file of OpenPGP keys. Everybody they can belong to was read before.
    pub fn keyring(&mut self, text: &Arc<SourceText>, bytes: &[u8], problems: &mut Problems) {
        let spot = text.whole();
        let (ring, flaws) = match Keyring::read(bytes) {
            Ok(read) => read,
            Err(why) => {
                let what = format!("`{}` cannot be used: {why}", text.label());
                let hint = "gpg --export --export-options export-minimal --armor EMAIL... writes \
                            such a file";
                problems.error_hint(&spot, what, hint);
                return;
            }
        };
        for flaw in flaws {
            let what = format!("{} counts for nobody: it {}", flaw.key, flaw.what);
            problems.push(Problem::warning(what).at(&spot));
        }
        let owners: Vec<_> = ring
            .holders()
            .map(|holder| {
                self.owner(holder).unwrap_or_else(|problem| {
                    problems.push(problem.at(&spot));
                    None
                })
            })
            .collect();
        self.openpgp = Owned { ring: Some(ring), owners };
    }

    /// Whose this key is.
    fn owner(&self, holder: &Holder) -> Result<Option<PrincipalName>, Problem> {
        let key = holder.fingerprint();
        let meant: BTreeSet<&PrincipalName> =
            holder.emails().filter_map(|email| self.by_email(email)).collect();
        let mut names = meant.iter();
        let name = match (names.next(), names.next()) {
            (Some(name), None) => *name,
            (Some(one), Some(other)) => {
                let what = format!("the key {key} has e-mails of `{one}` and of `{other}`");
                let hint = "a signature has to say who signed: one key belongs to one person";
                return Err(Problem::error(what).hint(hint));
            }
            (None, _) => {
                let emails: Vec<String> =
                    holder.emails().map(|email| escape_short(email.as_bytes())).take(3).collect();
                let what = match emails.is_empty() {
                    true => format!("the key {key} counts for nobody: it has no e-mail"),
                    false => format!(
                        "the key {key} counts for nobody: {} is no e-mail of [people]",
                        emails.join(", ")
                    ),
                };
                let hint = "put the e-mail into `emails` of whoever it is";
                return Err(Problem::warning(what).hint(hint));
            }
        };
        if !holder.may_sign() {
            let what = format!("the key {key} of `{name}` signs nothing that counts here");
            let hint = "it has to say that it is for signing, and be RSA of 2048 bits or more, \
                        Ed25519, or ECDSA on a NIST curve";
            return Err(Problem::warning(what).hint(hint));
        }
        Ok(Some(name.clone()))
    }
}

impl Owned {
    /// Whose word a signature is. `by_email`: whose an e-mail is.
    pub(super) fn heard<'r>(
        &'r self,
        by_email: &dyn Fn(&str) -> Option<&'r PrincipalName>,
        message: &[u8],
        armor: &[u8],
        now: Moment,
    ) -> Heard<'r> {
        let not = |why| Heard::Not(Unheard::OpenPgp(why));
        let Some(ring) = &self.ring else { return not(Unsigned::NoKeyring) };
        let owner = |at: usize| self.owners.get(at).and_then(Option::as_ref);
        let theirs =
            |at: usize, email: &str| owner(at).is_some_and(|it| by_email(email) == Some(it));
        match verify(ring, message, armor, &theirs, now) {
            Check::Not(why) => not(why),
            Check::Made { holder, fingerprint, doubt } => match (owner(holder), doubt) {
                (None, _) => Heard::Nobody { fingerprint },
                (Some(name), None) => Heard::By { name, fingerprint },
                (Some(name), Some(why)) => Heard::NotNow { name, fingerprint, why },
            },
        }
    }

    /// Keys of people that sign nothing at this moment: whose, which, and why, to follow "it".
    pub(super) fn silent<'r>(
        &'r self,
        by_email: &dyn Fn(&str) -> Option<&'r PrincipalName>,
        now: Moment,
    ) -> Vec<(&'r PrincipalName, String, String)> {
        let owned = self.ring.iter().flat_map(Keyring::holders).zip(&self.owners);
        let silent = owned.filter_map(|(holder, owner)| {
            let owner = owner.as_ref()?;
            let theirs = |email: &str| by_email(email) == Some(owner);
            Some((owner, holder.fingerprint(), holder.silence(&theirs, now)?))
        });
        silent.collect()
    }

    /// Whether this principal has a key that may ever sign.
    pub(super) fn has(&self, name: &PrincipalName) -> bool {
        self.owners.iter().flatten().any(|owner| owner == name)
    }
}
