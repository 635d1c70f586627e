//! What can be said of a policy's text without compiling it: whether it names files of keys, and
//! what its `[log]` says.
//!
//! Every push pays for reading the policy, so nobody reads a text twice for a word that it does not
//! have.

use crate::policy::keyfiles;
use crate::policy::settings::LogSettings;
use crate::source::problem::Problems;
use crate::source::table::{Table, parse};
use crate::source::text::SourceText;

/// The text of a policy, as far as it was read.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// The name by which messages call its file.
    pub label: &'a str,
    /// What is in it.
    pub bytes: &'a [u8],
    /// How long it may be, in bytes.
    pub bytes_max: usize,
}

/// The files that the site's policy takes keys from, as it names them: by a full path, or from its
/// own folder. Whoever reads a policy reads these too.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeyFiles {
    /// Those in the form `allowed_signers`.
    pub signers: Vec<String>,
    /// The one of OpenPGP keys.
    pub keyring: Option<String>,
}

impl KeyFiles {
    /// All of them, in the order in which they are read.
    pub fn all(self) -> Vec<String> {
        self.signers.into_iter().chain(self.keyring).collect()
    }
}

/// The files of keys that the site's policy names. None where the policy cannot be read.
pub fn key_files(site: &Text<'_>) -> KeyFiles {
    let read = |table: &mut Table<'_>, problems: &mut Problems| KeyFiles {
        signers: keyfiles::allowed_signers(table, problems),
        keyring: keyfiles::keyring(table, problems),
    };
    within(site, "identity", &keyfiles::KEY_FILES, read).unwrap_or_default()
}

/// What the site's policy says of the log, where it says how often that is to be sealed. `None`: it
/// does not, or it cannot be read.
pub fn sealing(site: &Text<'_>) -> Option<LogSettings> {
    within(site, "log", &["seal-every"], LogSettings::take)
}

/// Reads one table of a policy that may have one of these keys in it.
fn within<T>(
    site: &Text<'_>,
    table: &str,
    keys: &[&str],
    read: impl FnOnce(&mut Table<'_>, &mut Problems) -> T,
) -> Option<T> {
    if !keys.iter().any(|key| may_say(site.bytes, key)) {
        return None;
    }
    let mut problems = Problems::new();
    let text = SourceText::read(0, site.label, site.bytes, site.bytes_max).ok()?;
    let parsed = parse(&text, &mut problems)?;
    let mut whole = Table::new(&text, text.whole(), parsed.get_ref());
    let found = whole.table(table, &mut problems).map(|mut table| read(&mut table, &mut problems));
    found.filter(|_| problems.errors() == 0)
}

/// Whether a text may have this key: spelled out, or in letters that TOML writes with a `\`.
fn may_say(text: &[u8], key: &str) -> bool {
    memchr::memchr(b'\\', text).is_some() || memchr::memmem::find(text, key.as_bytes()).is_some()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    fn file(text: &str) -> Text<'_> {
        Text { label: "policy.toml", bytes: text.as_bytes(), bytes_max: 1000 }
    }

    #[test]
    fn a_key_is_found_however_it_is_written() {
        for key in ["allowed-signers", "\"allowed-signers\"", "\"allowed\\u002dsigners\""] {
            let text = format!("version = 1\n[identity]\n{key} = [\"keys\"]\n");
            assert_eq!(key_files(&file(&text)).all(), ["keys"], "{key}");
        }
        let dotted = "identity.allowed-signers = [\"keys\"]\n";
        assert_eq!(key_files(&file(dotted)).all(), ["keys"]);
        assert!(key_files(&file("[identity]\nlocal = \"os-user\"\n")).all().is_empty());
    }

    #[test]
    fn both_kinds_of_files_of_keys_are_found() {
        let text = "[identity]\nkeyring = \"ring\"\n";
        assert_eq!(key_files(&file(text)).keyring.as_deref(), Some("ring"));
        let both = "[identity]\nkeyring = \"ring\"\nallowed-signers = [\"a\", \"b\"]\n";
        assert_eq!(key_files(&file(both)).all(), ["a", "b", "ring"]);
    }

    #[test]
    fn only_a_log_that_is_to_be_sealed_is_looked_at() {
        let sealed = sealing(&file("[log]\nkey = \"/srv/keys/a\"\nseal-every = \"1h\"\n")).unwrap();
        assert_eq!(sealed.seal_every, Some(3600));
        for text in
            ["", "[log]\nkey = \"/srv/keys/a\"\n", "# seal-every\n", "[log]\nseal-every = 1\n"]
        {
            assert_eq!(sealing(&file(text)).and_then(|log| log.seal_every), None, "{text}");
        }
    }
}
