//! Refs that the server's file system would take for one, since it ignores case (threat B05): to make
//! the second is to write the first. Looked for only where Git says that its refs are kept on such a
//! one (`core.ignoreCase`, git-config(1)), and then all names are read, once a push that makes a ref.

use std::collections::{BTreeMap, BTreeSet};

use crate::gather::error::GatherError;
use crate::names::refname::Refname;
use crate::pattern::fold::folded;
use crate::push::update::RefUpdate;
use crate::store::objects::Objects;

/// What says that the file system ignores case.
const IGNORE_CASE: &str = "core.ignorecase";

/// How a boolean of Git's configuration says yes; a key without a value does too.
const YES: [&[u8]; 5] = [b"true", b"yes", b"on", b"1", b""];

/// Every name there is, by what the file system takes it for.
#[derive(Debug)]
pub struct Twins(BTreeMap<Vec<u8>, BTreeSet<Refname>>);

impl Twins {
    /// Reads the names. `None`: the push makes no ref, or names that differ in case are two here.
    pub fn look(objects: &dyn Objects, updates: &[RefUpdate]) -> Result<Option<Self>, GatherError> {
        let makes = |update: &RefUpdate| update.claimed_old.is_zero() && !update.new.is_zero();
        if !updates.iter().any(makes) {
            return Ok(None);
        }
        let said = objects.config_values(IGNORE_CASE)?;
        let yes = |value: &Vec<u8>| YES.iter().any(|yes| value.eq_ignore_ascii_case(yes));
        if !said.last().is_some_and(yes) {
            return Ok(None);
        }
        let mut twins = Self(BTreeMap::new());
        for (name, _) in objects.refs_under(b"refs/")? {
            twins.0.entry(taken_for(&name)).or_default().insert(name);
        }
        Ok(Some(twins))
    }

    /// Whether a ref of another name is there that this one would be taken for. Of two that one push
    /// makes, `hook::wire` says that they are one.
    pub fn has(&self, name: &Refname) -> bool {
        self.0.get(&taken_for(name)).is_some_and(|names| !names.contains(name))
    }
}

fn taken_for(name: &Refname) -> Vec<u8> {
    folded(name.as_bytes()).letters
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::Twins;
    use crate::names::oid::{ObjectFormat, Oid};
    use crate::names::refname::Refname;
    use crate::push::update::RefUpdate;
    use crate::store::testing::Scratch;

    fn name(text: &str) -> Refname {
        Refname::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn b05_names_are_read_where_the_file_system_ignores_case_and_a_ref_is_made() {
        let scratch = Scratch::new(ObjectFormat::Sha1);
        let (zero, one) = (Oid::zero(ObjectFormat::Sha1), Oid::from_bytes(&[1; 20]).unwrap());
        let update = |claimed_old, new| RefUpdate { name: name("refs/heads/x"), claimed_old, new };
        let looks =
            |updates: &[RefUpdate]| Twins::look(&scratch.store(), updates).unwrap().is_some();
        let makes = [update(one, zero), update(zero, one)];
        assert!(!looks(&makes));
        for (value, ignores) in [("false", false), ("true", true), ("Yes", true), ("0", false)] {
            scratch.git(&["config", "core.ignoreCase", value]);
            assert_eq!(looks(&makes), ignores, "{value}");
            assert!(!looks(&[update(one, zero), update(one, one)]));
        }
    }

    #[test]
    fn b05_a_twin_is_a_ref_of_another_name_that_is_there() {
        let scratch = Scratch::new(ObjectFormat::Sha1);
        scratch.git(&["config", "core.ignoreCase", "true"]);
        let text = |said: Vec<u8>| String::from_utf8(said).unwrap().trim().to_owned();
        let tree = text(scratch.git_with(&["mktree"], b""));
        let commit = text(scratch.git(&["commit-tree", "-m", "x", &tree]));
        for known in ["Topic", "caf\u{e9}", "both", "Both"] {
            scratch.git(&["update-ref", &format!("refs/heads/{known}"), &commit]);
        }
        let (zero, one) = (Oid::zero(ObjectFormat::Sha1), Oid::from_bytes(&[1; 20]).unwrap());
        let made = RefUpdate { name: name("refs/heads/x"), claimed_old: zero, new: one };
        let twins = Twins::look(&scratch.store(), &[made]).unwrap().unwrap();
        for (text, has) in [
            ("refs/heads/Topic", false),
            ("refs/heads/topic", true),
            ("refs/heads/both", false),
            ("refs/heads/Both", false),
            ("refs/tags/topic", false),
            ("refs/heads/cafe\u{301}", true),
            ("refs/heads/new", false),
        ] {
            assert_eq!(twins.has(&name(text)), has, "{text}");
        }
    }
}
