//! The repository's own configuration, read once (git-config(1)).
//!
//! libgit2 goes through all of it for each key it is asked for, and looks at the file before.

use git2::Config;

use crate::store::error::StoreError;

/// All keys and values of a configuration, in the order in which they count: the last wins.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    all: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Settings {
    /// Reads what a configuration says now.
    ///
    /// # Errors
    /// `Config` for what libgit2 cannot read.
    pub(super) fn read(config: &Config) -> Result<Self, StoreError> {
        let mut all = Vec::new();
        let mut entries = config.entries(None).map_err(StoreError::Config)?;
        while let Some(entry) = entries.next() {
            let entry = entry.map_err(StoreError::Config)?;
            let value = if entry.has_value() { entry.value_bytes().to_vec() } else { Vec::new() };
            all.push((entry.name_bytes().to_vec(), value));
        }
        Ok(Self { all })
    }

    /// The values of a key; a key that stands without one has an empty one.
    pub(super) fn values(&self, key: &str) -> impl Iterator<Item = &[u8]> {
        let key = normal(key);
        self.all.iter().filter(move |(name, _)| *name == key).map(|(_, value)| value.as_slice())
    }

    /// All keys that begin so, and their values.
    pub(super) fn below(&self, section: &str) -> impl Iterator<Item = (&[u8], &[u8])> {
        let named = self.all.iter().map(|(name, value)| (name.as_slice(), value.as_slice()));
        named.filter(move |(name, _)| name.starts_with(section.as_bytes()))
    }
}

/// A key as libgit2 names it: section and name in small letters, what stands between them as it is.
fn normal(key: &str) -> Vec<u8> {
    let mut bytes = key.as_bytes().to_vec();
    let section = bytes.iter().position(|&byte| byte == b'.').unwrap_or(bytes.len());
    let name = bytes.iter().rposition(|&byte| byte == b'.').unwrap_or(0);
    bytes[..section].make_ascii_lowercase();
    bytes[name..].make_ascii_lowercase();
    bytes
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests make files")]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_a_key_is_found_however_it_is_spelled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        let text = "[Core]\n\tbare\n[hook \"A.b\"]\n\tEnabled = no\n[transfer]\n\thideRefs = refs/a\n\
                    hiderefs = !refs/b\n[remote \"x.y\"]\n\tpromisor = true\n[a.SUB]\nk = 1\n";
        std::fs::write(&path, text).unwrap();
        let settings = Settings::read(&Config::open(&path).unwrap()).unwrap();
        let values =
            |key: &str| -> Vec<Vec<u8>> { settings.values(key).map(<[u8]>::to_vec).collect() };
        assert_eq!(values("core.bare"), [b""]);
        assert_eq!(values("hook.A.b.enabled"), [b"no"]);
        assert_eq!(values("hook.a.b.enabled"), Vec::<Vec<u8>>::new());
        assert_eq!(values("Transfer.hideRefs"), [b"refs/a".as_slice(), b"!refs/b"]);
        assert_eq!(values("a.sub.K"), [b"1"]);
        let remotes: Vec<_> = settings.below("remote.").collect();
        assert_eq!(remotes, [(&b"remote.x.y.promisor"[..], &b"true"[..])]);
        for key in ["", ".", "core", "core.", "bare"] {
            assert_eq!(values(key), Vec::<Vec<u8>>::new(), "{key:?}");
        }
    }
}
