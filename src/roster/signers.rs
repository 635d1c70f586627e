//! Keys from `allowed_signers` files (ssh-keygen(1), ALLOWED SIGNERS), for people whom the policy
//! knows.
//!
//! A line's principals are held against the names and e-mails of `[people]`: it has to mean exactly
//! one of them. What a line says beside its key is kept and honoured as `ssh-keygen` honours it, at
//! the server's time. A line with `cert-authority` lets its key vouch for the people it means, and
//! may mean many; a certificate has to mean one of them. A line that counts for nobody is a warning, since lines here only grant.

use std::collections::BTreeMap;

use crate::names::moment::Moment;
use crate::names::principal::PrincipalName;
use crate::roster::principal::Principal;
use crate::roster::read::Draft;
use crate::source::problem::{Problem, Problems};
use crate::source::text::{SourceText, Span, Spot};
use crate::ssh::allowed_signers::{self, Signer as Line};

/// Under what conditions a key counts. A key of `[people]` has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants(Vec<Line>);

impl Grants {
    /// The conditions of these lines; there is one at least.
    pub(super) fn of<'l>(lines: impl Iterator<Item = &'l Line>) -> Self {
        Self(lines.cloned().collect())
    }

    /// Whether the key may ever sign for this purpose.
    pub fn ever(&self, namespace: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|line| line.signs_in(namespace))
    }

    /// Why the key does not count for this purpose at this moment, to follow "a key that". `None`:
    /// it counts.
    pub fn doubt(&self, namespace: &str, now: Moment) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let mut lines = self.0.iter().filter(|line| line.signs_in(namespace)).peekable();
        if lines.peek().is_none() {
            return Some("is not for signatures of this kind".to_owned());
        }
        let mut doubt = None;
        for line in lines {
            if line.is_valid_at(now) {
                return None;
            }
            let early = line.valid_after.filter(|after| now < after.moment);
            doubt = Some(match (early, line.valid_before) {
                (Some(after), _) => format!("counts from {}", after.moment.rfc3339_seconds()),
                (None, Some(before)) => {
                    format!("counted until {}", before.moment.rfc3339_seconds())
                }
                (None, None) => "does not count now".to_owned(),
            });
        }
        doubt
    }
}

impl Draft {
    /// Reads an `allowed_signers` file. Everybody it can mean was read before.
    pub fn allowed_signers(&mut self, text: &std::sync::Arc<SourceText>, problems: &mut Problems) {
        let places = line_spots(text);
        let spot = |line: usize| places.get(&line).cloned().unwrap_or_else(|| text.whole());
        let file = allowed_signers::parse(text.as_str());
        for line in &file.ignored {
            let what = format!("this line counts for nobody: {}", line.why);
            problems.push(Problem::warning(what).at(&spot(line.line)));
        }
        for line in file.signers {
            let spot = spot(line.line);
            let local = [line.valid_after, line.valid_before].into_iter().flatten();
            if local.into_iter().any(|time| !time.is_utc) {
                let what = "a time without a zone is read as UTC here";
                let hint = "ssh-keygen reads it in the zone of the machine: end it in Z";
                problems.push(Problem::warning(what).at(&spot).hint(hint));
            }
            let meant: Vec<PrincipalName> = self
                .people
                .values()
                .filter(|(p, _)| means(&line, p))
                .map(|(p, _)| p.name.clone())
                .collect();
            // An authority may vouch for many: its certificates say whom they are for.
            if line.is_authority && !meant.is_empty() {
                self.authorities.push(line);
                continue;
            }
            match meant.as_slice() {
                [name] => self.grant(name, line, &spot, problems),
                [] => {
                    let what = "this line counts for nobody: its principals are no name and no \
                                e-mail of [people]";
                    let hint = "put the e-mail into `emails` of whoever it is";
                    problems.push(Problem::warning(what).at(&spot).hint(hint));
                }
                several => {
                    let names: Vec<&str> = several.iter().map(PrincipalName::as_str).collect();
                    let names = names.join(", ");
                    let what = format!("this line counts for nobody: it means {names}");
                    let hint = "a signature has to say who signed: one key belongs to one person";
                    problems.push(Problem::warning(what).at(&spot).hint(hint));
                }
            }
        }
    }

    /// Notes a line under its key. The key must not be another's, nor stand in `[people]`.
    fn grant(&mut self, name: &PrincipalName, line: Line, spot: &Spot, problems: &mut Problems) {
        let bytes = line.key.bytes().clone();
        if let Some((owner, grants)) = self.granted.get_mut(&bytes) {
            if owner == name {
                grants.0.push(line);
            } else {
                let what = format!("this key belongs to `{owner}` already");
                problems.error_hint(spot, what, "one key belongs to one person");
            }
            return;
        }
        if let Some((what, hint)) = self.key_owner(&bytes, name) {
            problems.error_hint(spot, what, hint);
            return;
        }
        if let Some((principal, _)) = self.people.get_mut(name) {
            principal.keys.push(line.key.clone());
        }
        self.granted.insert(bytes, (name.clone(), Grants(vec![line])));
    }
}

/// Whether a line's principals mean this person: by name or e-mail, and by none that is negated.
pub(super) fn means(line: &Line, person: &Principal) -> bool {
    ids(person).any(|id| line.names(id)) && !ids(person).any(|id| line.excludes(id))
}

/// What a person is called in such files: the name and the e-mails of `[people]`.
pub fn ids(person: &Principal) -> impl Iterator<Item = &str> {
    std::iter::once(person.name.as_str()).chain(person.emails.iter().map(String::as_str))
}

/// Where each line stands, by its number from 1.
fn line_spots(text: &std::sync::Arc<SourceText>) -> BTreeMap<usize, Spot> {
    let mut start = 0;
    let lines = text.as_str().split_inclusive('\n').enumerate().map(|(index, line)| {
        let end = start + line.trim_end().len();
        let spot = text.spot(Span { start, end: end.min(start + SPOT_BYTES) });
        start += line.len();
        (index + 1, spot)
    });
    lines.collect()
}

/// How much of a line is pointed at: its principals, mostly.
const SPOT_BYTES: usize = 24;
