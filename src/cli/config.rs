//! Git's configuration of one repository, as a list of values that know where they stand.
//!
//! Made by `git` from `git config --list`, read by `site`, `install` and `doctor`. Pure. Values are
//! bytes; keys are as Git prints them: section and name in lower case.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

/// The file a value stands in (`git config --show-scope`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    /// The machine's: /etc/gitconfig.
    System,
    /// The account's: ~/.gitconfig.
    Global,
    /// The repository's.
    Local,
    /// A worktree's, a command's, or one that a later Git invented.
    Other(String),
}

/// One value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    /// Where it stands.
    pub scope: Scope,
    /// The file, as Git names it: `file:/etc/gitconfig`.
    pub origin: Vec<u8>,
    /// `core.hookspath`; a subsection in the middle keeps its case.
    pub key: Vec<u8>,
    /// The value; `None` for a key that stands without `=`, which is true as a boolean.
    pub value: Option<Vec<u8>>,
}

/// All values, those that weigh more last.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Config {
    settings: Vec<Setting>,
}

impl Config {
    /// Reads what `git config --list --show-scope --show-origin -z` prints. `None` when that is
    /// not its shape.
    pub fn parse(listing: &[u8]) -> Option<Self> {
        let mut settings = Vec::new();
        let Some(listing) = listing.strip_suffix(b"\0") else {
            return listing.is_empty().then(Self::default);
        };
        let mut fields = listing.split(|&b| b == 0);
        while let Some(scope) = fields.next() {
            let origin = fields.next()?.to_vec();
            let pair = fields.next()?;
            let (key, value) = match pair.iter().position(|&b| b == b'\n') {
                Some(at) => (pair[..at].to_vec(), Some(pair[at + 1..].to_vec())),
                None => (pair.to_vec(), None),
            };
            let scope = match scope {
                b"system" => Scope::System,
                b"global" => Scope::Global,
                b"local" => Scope::Local,
                other => Scope::Other(String::from_utf8_lossy(other).into_owned()),
            };
            settings.push(Setting { scope, origin, key, value });
        }
        Some(Self { settings })
    }

    /// Every value there is.
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// Adds values to the end of the repository's own file. `None` when there is nothing to go by:
    /// the key is there already, or no value of that file is.
    pub fn add_local(&mut self, key: &str, values: &[OsString]) -> Option<()> {
        let key = key.to_ascii_lowercase().into_bytes();
        let local = |one: &&Setting| one.scope == Scope::Local;
        let is_there = self.settings.iter().filter(local).any(|one| one.key == key);
        let at = self.settings.iter().rposition(|one| local(&one))?;
        let origin = self.settings.get(at)?.origin.clone();
        if is_there || values.is_empty() {
            return None;
        }
        let added = values.iter().map(|value| Setting {
            scope: Scope::Local,
            origin: origin.clone(),
            key: key.clone(),
            value: Some(value.as_bytes().to_vec()),
        });
        let _ = self.settings.splice(at + 1..at + 1, added);
        Some(())
    }

    /// The value that counts.
    pub fn last(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().rev().find(|setting| setting.key == key.as_bytes())
    }

    /// All values of a key in the repository's own file, in their order.
    pub fn local(&self, key: &str) -> Vec<&[u8]> {
        self.settings
            .iter()
            .filter(|setting| setting.scope == Scope::Local && setting.key == key.as_bytes())
            .map(|setting| setting.value.as_deref().unwrap_or_default())
            .collect()
    }

    /// The repository's own last value of a key, as text; `None` when it is unset, empty or not
    /// UTF-8.
    pub fn local_text(&self, key: &str) -> Option<&str> {
        let value = self.local(key).pop()?;
        std::str::from_utf8(value).ok().filter(|text| !text.is_empty())
    }

    /// The value that counts as a boolean, by the words Git knows; `None` when it is unset or none
    /// of them.
    pub fn boolean(&self, key: &str) -> Option<bool> {
        let Some(value) = &self.last(key)?.value else { return Some(true) };
        match value.to_ascii_lowercase().as_slice() {
            b"true" | b"yes" | b"on" | b"1" => Some(true),
            b"false" | b"no" | b"off" | b"0" | b"" => Some(false),
            _ => None,
        }
    }

    /// The repository's own values of a key, as paths.
    pub fn local_paths(&self, key: &str) -> Vec<PathBuf> {
        let values = self.local(key).into_iter();
        values.map(|value| PathBuf::from(OsStr::from_bytes(value))).collect()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;

    const LISTING: &[u8] = b"system\0file:/etc/gitconfig\0core.hookspath\n/etc/hooks\0\
        global\0file:/home/git/.gitconfig\0core.bare\0\
        local\0file:config\0portcullis.policy\n/etc/a\nb.toml\0\
        local\0file:config\0core.hookspath\nhooks\0";

    #[test]
    fn the_last_value_counts_and_knows_its_scope() {
        let config = Config::parse(LISTING).unwrap();
        let setting = config.last("core.hookspath").unwrap();
        assert_eq!(
            (&setting.scope, setting.value.as_deref()),
            (&Scope::Local, Some(&b"hooks"[..]))
        );
    }

    #[test]
    fn values_keep_their_line_feeds_and_a_bare_key_is_true() {
        let config = Config::parse(LISTING).unwrap();
        assert_eq!(config.local_paths("portcullis.policy"), [PathBuf::from("/etc/a\nb.toml")]);
        assert_eq!(config.boolean("core.bare"), Some(true));
        assert_eq!(config.boolean("core.hookspath"), None);
    }

    #[test]
    fn half_a_listing_is_no_listing() {
        assert_eq!(Config::parse(b""), Some(Config::default()));
        assert_eq!(Config::parse(b"local\0file:config\0"), None);
        assert_eq!(Config::parse(b"local"), None);
    }
}
