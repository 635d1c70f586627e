//! Whether a repository is a mirror: its branches come from elsewhere by `git fetch`, which runs no
//! hook, so that there is nothing to judge.
//!
//! Used by `install --recursive`, which passes mirrors by and names them. Pure.

use crate::cli::config::Config;
use crate::names::escape::escape_short;

/// The remote whose branches are fetched over the ones here (git-remote(1), `--mirror=fetch`). One
/// that this repository is only pushed to makes no mirror of it.
pub fn fetches_into_branches(config: &Config) -> Option<String> {
    config.settings().iter().find_map(|setting| {
        let remote = setting.key.strip_prefix(b"remote.")?.strip_suffix(b".fetch")?;
        let refspec = setting.value.as_deref()?;
        let at = refspec.iter().position(|&b| b == b':')?;
        let into: &[u8] = &refspec[at + 1..];
        let is_all = [&b"refs/*"[..], b"refs/heads/*"].contains(&into);
        is_all.then(|| escape_short(remote))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(settings: &[(&str, &str)]) -> Option<String> {
        let text: String =
            settings.iter().map(|(k, v)| format!("local\0file:config\0{k}\n{v}\0")).collect();
        fetches_into_branches(&Config::parse(text.as_bytes()).unwrap_or_default())
    }

    #[test]
    fn a_mirror_is_what_is_fetched_into_not_what_is_pushed_from() {
        let mirror = [("remote.origin.fetch", "+refs/*:refs/*"), ("remote.origin.mirror", "true")];
        assert_eq!(of(&mirror).as_deref(), Some("origin"));
        assert!(of(&[("remote.up.stream.fetch", "+refs/heads/*:refs/heads/*")]).is_some());
        assert_eq!(of(&[("remote.backup.mirror", "true")]), None);
        assert_eq!(of(&[("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")]), None);
        assert_eq!(of(&[("remote.origin.fetch", "refs/heads/main")]), None);
    }
}
