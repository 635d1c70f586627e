//! What can be said of a policy's text without compiling it: whether it names files of keys, and
//! what its `[log]` says.
//!
//! Every push pays for reading the policy, so nobody reads a text twice for a word that it does not
//! have.

use crate::policy::settings::{self, LogSettings};
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

/// The files in the form `allowed_signers` that the site's policy takes keys from, as it names them:
/// by a full path, or from its own folder. Whoever reads a policy reads these too. None where the
/// policy cannot be read.
pub fn signers_named(site: &Text<'_>) -> Vec<String> {
    let read =
        |table: &mut Table<'_>, problems: &mut Problems| settings::allowed_signers(table, problems);
    within(site, "identity", "allowed-signers", read).unwrap_or_default()
}

/// What the site's policy says of the log, where it says how often that is to be sealed. `None`: it
/// does not, or it cannot be read.
pub fn sealing(site: &Text<'_>) -> Option<LogSettings> {
    within(site, "log", "seal-every", LogSettings::take)
}

/// Reads one table of a policy that may have this key in it.
fn within<T>(
    site: &Text<'_>,
    table: &str,
    key: &str,
    read: impl FnOnce(&mut Table<'_>, &mut Problems) -> T,
) -> Option<T> {
    if !may_say(site.bytes, key) {
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
            assert_eq!(signers_named(&file(&text)), ["keys"], "{key}");
        }
        let dotted = "identity.allowed-signers = [\"keys\"]\n";
        assert_eq!(signers_named(&file(dotted)), ["keys"]);
        assert!(signers_named(&file("[identity]\nlocal = \"os-user\"\n")).is_empty());
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
