//! The people of a starter policy, taken from files that servers have anyway.
//!
//! Used by `install --people`. Pure but for `read`, which opens the files. A key is never dropped in
//! silence: what does not become part of a person becomes a note for the operator.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::cli::fault::{Fault, OrFault};
use crate::cli::files;
use crate::cli::quote::shown;
use crate::cli::surroundings::Surroundings;
use crate::names::escape::{escape, escape_short};
use crate::names::moment::Moment;
use crate::names::principal::PrincipalName;
use crate::ssh::key::SshKey;
use crate::ssh::{allowed_signers, authorized_keys};

/// How large a file of keys may be, in bytes: tens of thousands of keys.
const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Somebody for the roster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    /// The name in the policy.
    pub name: PrincipalName,
    /// The addresses that the file gave.
    pub emails: Vec<String>,
    /// The keys, one line each, with their comments.
    pub keys: Vec<String>,
}

/// Everybody found, and what the operator should know about it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Roster {
    /// In the order they were found.
    pub people: Vec<Person>,
    /// Lines that were left out or stand for a decision, with the reason.
    pub notes: Vec<String>,
}

/// Reads every `--people FROM`: `NAME=KEYFILE`, an `allowed_signers` file, or an `authorized_keys`
/// file; which of the two is seen from what stands in it.
pub fn read(around: &Surroundings, sources: &[PathBuf]) -> Result<Roster, Fault> {
    let mut roster = Roster::default();
    for source in sources {
        let path = around.absolute(source)?;
        match named_file(source).filter(|_| !path.exists()) {
            Some((name, file)) => roster.add_file_of(&name, &around.absolute(&file)?)?,
            None => roster.add_file(&path, around.now)?,
        }
    }
    Ok(roster)
}

/// `NAME=KEYFILE` taken apart, when the part before `=` is a name.
fn named_file(source: &Path) -> Option<(PrincipalName, PathBuf)> {
    let bytes = source.as_os_str().as_bytes();
    let at = bytes.iter().position(|&b| b == b'=')?;
    let name = PrincipalName::parse(std::str::from_utf8(&bytes[..at]).ok()?)?;
    Some((name, PathBuf::from(std::ffi::OsStr::from_bytes(&bytes[at + 1..]))))
}

fn read_text(path: &Path) -> Result<String, Fault> {
    let could_not = || format!("could not read the people in {}", shown(path));
    let bytes = files::read_whole(path, FILE_BYTES_MAX).or_fault(could_not)?;
    String::from_utf8(bytes).or_fault(could_not)
}

impl Roster {
    /// Adds all keys of a file to one person.
    fn add_file_of(&mut self, name: &PrincipalName, path: &Path) -> Result<(), Fault> {
        let text = read_text(path)?;
        let lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
        for line in lines {
            let (key, comment) = SshKey::parse_with_comment(line)
                .or_fault(|| format!("{} does not hold public keys", shown(path)))?;
            self.add(name, None, &key, comment);
        }
        if self.people.iter().any(|person| person.name == *name) {
            return Ok(());
        }
        Err(Fault::new(format!("there is no key in {}", shown(path)))
            .hint("name the file that ends in .pub"))
    }

    /// Adds everybody in a file of several people.
    fn add_file(&mut self, path: &Path, now: Moment) -> Result<(), Fault> {
        let text = read_text(path)?;
        let signers = allowed_signers::parse(&text);
        let keys = authorized_keys::parse(&text);
        if signers.signers.is_empty() && keys.keys.is_empty() {
            return Err(Fault::new(format!("there are no people in {}", shown(path)))
                .hint("give an allowed_signers file, an authorized_keys file, or NAME=KEYFILE"));
        }
        let file = shown(path);
        if signers.signers.len() >= keys.keys.len() {
            self.add_signers(&file, signers, now);
        } else {
            self.add_keys(&file, keys);
        }
        Ok(())
    }

    fn add_signers(&mut self, file: &str, list: allowed_signers::AllowedSigners, now: Moment) {
        for line in list.ignored {
            self.notes.push(format!(
                "{file}:{}: left out: {}",
                line.line,
                escape(line.why.as_bytes())
            ));
        }
        for signer in list.signers {
            let line = signer.line;
            let left_out = if signer.is_authority {
                Some("it signs other keys and is nobody's own")
            } else if !signer.is_valid_at(now) {
                Some("the key is not valid today")
            } else {
                None
            };
            if let Some(why) = left_out {
                self.notes.push(format!("{file}:{line}: left out: {why}"));
                continue;
            }
            let mut principals =
                signer.principals.split(',').filter(|p| !p.contains(['*', '?', '!']));
            let Some(name) = principals.clone().find_map(name_from) else {
                let shown = escape_short(signer.principals.as_bytes());
                self.notes.push(format!("{file}:{line}: left out: no name in \"{shown}\""));
                continue;
            };
            if signer.namespaces.is_some() {
                self.notes.push(format!("{file}:{line}: its namespaces do not limit {name} here"));
            }
            let first = principals.next();
            self.add(&name, first.filter(|p| is_email(p)), &signer.key, &signer.comment);
            for other in principals.filter(|p| is_email(p)) {
                self.add(&name, Some(other), &signer.key, &signer.comment);
            }
        }
    }

    fn add_keys(&mut self, file: &str, list: authorized_keys::AuthorizedKeys) {
        for (line, why) in &list.ignored {
            self.notes.push(format!("{file}:{line}: left out: {}", escape(why.as_bytes())));
        }
        for key in list.keys {
            let line = key.line;
            if key.is_authority() {
                self.notes.push(format!("{file}:{line}: left out: it signs other keys"));
                continue;
            }
            let Some(name) = key.comment.split_whitespace().next().and_then(name_from) else {
                let finger = key.key.fingerprint();
                self.notes.push(format!(
                    "{file}:{line}: left out: {finger} has no comment to take a name from, use NAME=KEYFILE"
                ));
                continue;
            };
            self.add(&name, None, &key.key, &key.comment);
        }
    }

    /// Adds a key to the person of this name. Two keys of one name make one person: counted once,
    /// which can only ask for more approvals, never for fewer.
    fn add(&mut self, name: &PrincipalName, email: Option<&str>, key: &SshKey, comment: &str) {
        let at = self.people.iter().position(|person| person.name == *name).unwrap_or_else(|| {
            self.people.push(Person { name: name.clone(), emails: Vec::new(), keys: Vec::new() });
            self.people.len() - 1
        });
        let person = &mut self.people[at];
        if let Some(email) = email.filter(|email| !person.emails.iter().any(|e| e == email)) {
            person.emails.push(email.to_owned());
        }
        let bare = key.line();
        if person.keys.iter().any(|known| known.starts_with(&bare)) {
            return;
        }
        let comment: String = comment.chars().filter(|c| !c.is_control()).collect();
        person.keys.push(format!("{bare} {}", comment.trim()).trim_end().to_owned());
        if person.keys.len() > 1 {
            self.notes.push(format!("{name} has {} keys and is one person", person.keys.len()));
        }
    }
}

fn is_email(principal: &str) -> bool {
    principal
        .split_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
}

/// The name that a principal or a comment gives: what stands before `@`, in the letters of names.
fn name_from(text: &str) -> Option<PrincipalName> {
    let local = text.split('@').next().unwrap_or_default().to_ascii_lowercase();
    let letters = local.chars().map(|c| match c {
        c if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') => c,
        _ => '-',
    });
    let name: String = letters.collect();
    PrincipalName::parse(name.trim_matches(|c: char| !c.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIcTYsbDMnT3pDcKJdMjh5bsFJ7Z5Ux9H4nyZIsNzQGm";
    const B: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAlsb1GQ4mJ0N2bXCBwxzVqIvIHh5rlx0hDcLKyyEF8b";

    fn people(roster: &Roster) -> Vec<(&str, usize, usize)> {
        let row = |p: &Person| (p.emails.len(), p.keys.len());
        roster.people.iter().map(|p| (p.name.as_str(), row(p).0, row(p).1)).collect()
    }

    #[test]
    fn signers_become_people_by_the_name_before_the_at_sign() {
        let text = format!(
            "alice@example.com,a.smith@example.com {A} laptop\n\
             Bob.Jones@example.com namespaces=\"git\" {B}\n\
             *@example.com cert-authority {B}\n\
             carol@example.com valid-before=\"20200101Z\" {B}\n"
        );
        let mut roster = Roster::default();
        roster.add_signers("f", allowed_signers::parse(&text), Moment::from_seconds(1_700_000_000));
        assert_eq!(people(&roster), [("alice", 2, 1), ("bob.jones", 1, 1)]);
        assert_eq!(roster.notes.len(), 3, "{:?}", roster.notes);
    }

    #[test]
    fn two_keys_with_one_name_are_one_person_and_a_key_without_a_name_is_noted() {
        let text = format!("{A} dora@laptop\nrestrict {B} dora@desk\n{B}\n");
        let mut roster = Roster::default();
        roster.add_keys("f", authorized_keys::parse(&text));
        assert_eq!(people(&roster), [("dora", 0, 2)]);
        assert_eq!(roster.notes.len(), 2, "{:?}", roster.notes);
    }

    #[test]
    fn a_pair_is_a_name_and_a_file() {
        let (name, file) = named_file(Path::new("alice=/keys/a=b.pub")).unzip();
        assert_eq!(name.map(|n| n.to_string()).as_deref(), Some("alice"));
        assert_eq!(file, Some(PathBuf::from("/keys/a=b.pub")));
        assert_eq!(named_file(Path::new("./a/=x")), None);
    }
}
