//! The `allowed_signers` file (ssh-keygen(1), ALLOWED SIGNERS), read as `ssh-keygen` reads it.
//!
//! Used by `roster`, by `install --people` and by tests. A line that `ssh-keygen` would pass over is reported
//! with its number and a reason, never dropped in silence; later lines still count. Nothing here
//! knows the time: whether a key is valid now is asked with a moment.

use crate::names::moment::Moment;
use crate::ssh::key::SshKey;
use crate::ssh::options::{self, KeyOption};

/// A whole file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AllowedSigners {
    /// The lines that count, in order.
    pub signers: Vec<Signer>,
    /// The lines that do not.
    pub ignored: Vec<IgnoredLine>,
}

/// One line that counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signer {
    /// Its number, from 1.
    pub line: usize,
    /// The first field as written, without quotes: patterns, separated by commas.
    pub principals: String,
    /// The key signs other keys and is nobody's own.
    pub is_authority: bool,
    /// Patterns of the namespaces it may sign in; absent: all.
    pub namespaces: Option<String>,
    /// From when on it counts.
    pub valid_after: Option<Validity>,
    /// Until when it counts.
    pub valid_before: Option<Validity>,
    /// The key.
    pub key: SshKey,
    /// What follows the key.
    pub comment: String,
}

/// A point in time from an option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Validity {
    /// The time, read as UTC.
    pub moment: Moment,
    /// It ended in `Z` or `UTC`. Otherwise OpenSSH takes it for the local time of the machine that
    /// verifies, which is not known here.
    pub is_utc: bool,
}

/// A line that does not count.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IgnoredLine {
    /// Its number, from 1.
    pub line: usize,
    /// Why, as a sentence.
    pub why: String,
}

impl Signer {
    /// Whether this line names this principal: some pattern matches and no negated one does.
    pub fn names(&self, principal: &str) -> bool {
        matches_list(principal, &self.principals)
    }

    /// Whether a negated pattern of this line matches this principal.
    pub fn excludes(&self, principal: &str) -> bool {
        let negated = self.principals.split(',').filter_map(|pattern| pattern.strip_prefix('!'));
        negated.into_iter().any(|pattern| matches_pattern(principal.as_bytes(), pattern.as_bytes()))
    }

    /// Whether the key may sign in this namespace.
    pub fn signs_in(&self, namespace: &str) -> bool {
        self.namespaces.as_deref().is_none_or(|patterns| matches_list(namespace, patterns))
    }

    /// Whether the key counts at this moment. Times without a zone are taken for UTC.
    pub fn is_valid_at(&self, now: Moment) -> bool {
        self.valid_after.is_none_or(|after| now >= after.moment)
            && self.valid_before.is_none_or(|before| now <= before.moment)
    }

    /// The principal, when the first field is one name and no pattern.
    pub fn only_principal(&self) -> Option<&str> {
        (!self.principals.contains([',', '*', '?', '!'])).then_some(self.principals.as_str())
    }
}

/// Reads a whole file.
pub fn parse(text: &str) -> AllowedSigners {
    let mut file = AllowedSigners::default();
    for (index, line) in text.split('\n').enumerate() {
        let number = index + 1;
        let line = line.trim_matches([' ', '\t', '\r']);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match parse_line(number, line) {
            Ok(signer) => file.signers.push(signer),
            Err(why) => file.ignored.push(IgnoredLine { line: number, why }),
        }
    }
    file
}

fn parse_line(line: usize, text: &str) -> Result<Signer, String> {
    let (principals, rest) = split_principals(text)?;
    let (options, (key, comment)) = match SshKey::parse_with_comment(rest) {
        Ok(found) => (Vec::new(), found),
        // No key there: options stand before it. Is there no key behind them either, the first
        // complaint is the one about what looks like a key.
        Err(first) => {
            let (options, key) = options::split(rest).map_err(|why| why.to_string())?;
            let found = SshKey::parse_with_comment(key)
                .map_err(|why| if key.contains([' ', '\t']) { why } else { first }.to_string())?;
            (options::parse(options).map_err(|why| why.to_string())?, found)
        }
    };
    let mut signer = Signer {
        line,
        principals: principals.to_owned(),
        is_authority: false,
        namespaces: None,
        valid_after: None,
        valid_before: None,
        key,
        comment: comment.to_owned(),
    };
    for option in options {
        take_option(&mut signer, option)?;
    }
    if let (Some(after), Some(before)) = (signer.valid_after, signer.valid_before)
        && before.moment <= after.moment
    {
        return Err("valid-before is not later than valid-after".to_owned());
    }
    Ok(signer)
}

/// The first field, which may stand in double quotes (no escapes), and the rest.
fn split_principals(text: &str) -> Result<(&str, &str), String> {
    let (principals, rest) = match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').ok_or("a quote is not closed")?,
        None => text.split_once([' ', '\t']).ok_or("there is nothing behind the principals")?,
    };
    let rest = rest.trim_start_matches([' ', '\t']);
    if rest.is_empty() {
        return Err("there is nothing behind the principals".to_owned());
    }
    Ok((principals, rest))
}

fn take_option(signer: &mut Signer, option: KeyOption) -> Result<(), String> {
    let KeyOption { name, value } = option;
    let twice = || Err(format!("the option {name} stands twice"));
    match (name.as_str(), value) {
        ("cert-authority", None) => signer.is_authority = true,
        ("namespaces", Some(_)) if signer.namespaces.is_some() => return twice(),
        ("namespaces", Some(patterns)) => signer.namespaces = Some(patterns),
        ("valid-after", Some(_)) if signer.valid_after.is_some() => return twice(),
        ("valid-after", Some(time)) => signer.valid_after = Some(validity(&name, &time)?),
        ("valid-before", Some(_)) if signer.valid_before.is_some() => return twice(),
        ("valid-before", Some(time)) => signer.valid_before = Some(validity(&name, &time)?),
        _ => return Err(format!("the option {name:?} is not known here")),
    }
    Ok(())
}

/// Reads `YYYYMMDD[HHMM[SS]]` with `Z` or `UTC` behind it or not.
fn validity(option: &str, text: &str) -> Result<Validity, String> {
    let wrong = || format!("{option} is not YYYYMMDD[HHMM[SS]][Z]");
    let digits = text.strip_suffix('Z').or_else(|| text.strip_suffix("UTC")).unwrap_or(text);
    if !digits.bytes().all(|b| b.is_ascii_digit()) || !matches!(digits.len(), 8 | 12 | 14) {
        return Err(wrong());
    }
    let full = format!("{digits:0<14}");
    let rfc3339 = format!(
        "{}-{}-{}T{}:{}:{}Z",
        &full[..4],
        &full[4..6],
        &full[6..8],
        &full[8..10],
        &full[10..12],
        &full[12..14]
    );
    let moment = Moment::parse_seconds(&rfc3339).ok_or_else(wrong)?;
    Ok(Validity { moment, is_utc: digits.len() < text.len() })
}

/// OpenSSH's `match_pattern_list`: a negated pattern that matches wins over everything.
fn matches_list(text: &str, patterns: &str) -> bool {
    let mut is_matched = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(negated) if matches_pattern(text.as_bytes(), negated.as_bytes()) => return false,
            Some(_) => {}
            None => is_matched |= matches_pattern(text.as_bytes(), pattern.as_bytes()),
        }
    }
    is_matched
}

/// OpenSSH's `match_pattern`: `*` is any bytes, `?` is one. Goes back only to the last `*`, which is
/// enough, and cannot take long.
fn matches_pattern(text: &[u8], pattern: &[u8]) -> bool {
    let (mut at, mut in_pattern) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(in_pattern) {
            Some(b'*') => {
                last_star = Some((at, in_pattern));
                in_pattern += 1;
            }
            Some(b'?') => (at, in_pattern) = (at + 1, in_pattern + 1),
            Some(byte) if *byte == text[at] => (at, in_pattern) = (at + 1, in_pattern + 1),
            _ => match last_star {
                Some((star_at, star)) => {
                    last_star = Some((star_at + 1, star));
                    (at, in_pattern) = (star_at + 1, star + 1);
                }
                None => return false,
            },
        }
    }
    pattern[in_pattern..].iter().all(|b| *b == b'*')
}

#[cfg(test)]
mod tests;
