//! Two policies beside each other: the steps of a history that only one of them would have refused.
//!
//! Used by `replay --policy NEW`, beside the policy in force, and by `install --policy NEW`, before the
//! new one takes the old one's place.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::names::oid::Oid;
use crate::replay::tally::Replayed;

/// How many landings are named.
const NAMED_MAX: usize = 5;

/// What the two policies say of the same landings.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Difference {
    /// How many landings were judged.
    pub landings: usize,
    /// Those that only the new one refuses, oldest first.
    pub newly_refused: Vec<Oid>,
    /// Those that only the old one refuses.
    pub newly_passed: Vec<Oid>,
}

impl Difference {
    /// What the new one says otherwise than the old one of the same history.
    pub fn between(old: &Replayed, new: &Replayed) -> Self {
        let only = |these: &[Oid], those: &[Oid]| {
            let those: BTreeSet<&Oid> = those.iter().collect();
            these.iter().filter(|oid| !those.contains(oid)).copied().collect()
        };
        Self {
            landings: new.shapes.all(),
            newly_refused: only(&new.refusals, &old.refusals),
            newly_passed: only(&old.refusals, &new.refusals),
        }
    }

    /// Whether both say the same.
    pub fn is_none(&self) -> bool {
        self.newly_refused.is_empty() && self.newly_passed.is_empty()
    }

    /// In words.
    pub fn line(&self) -> String {
        let mut parts = Vec::new();
        for (oids, what) in [
            (&self.newly_refused, "would be refused that passed"),
            (&self.newly_passed, "would pass that were refused"),
        ] {
            if let (n @ 1.., named) = (oids.len(), named(oids)) {
                parts.push(format!("{n} {what} ({named})"));
            }
        }
        match (self.landings, parts.is_empty()) {
            (0, _) => "no landings yet".to_owned(),
            (1, true) => "of 1 landing none is judged otherwise".to_owned(),
            (1, false) => format!("of 1 landing {}", parts.join(", ")),
            (n, true) => format!("of {n} landings none is judged otherwise"),
            (n, false) => format!("of {n} landings {}", parts.join(", ")),
        }
    }

    /// For scripts.
    pub fn as_json(&self) -> Value {
        let hex = |oids: &[Oid]| oids.iter().map(Oid::hex).collect::<Vec<_>>();
        json!({
            "landings": self.landings,
            "newly_refused": hex(&self.newly_refused),
            "newly_passed": hex(&self.newly_passed),
        })
    }
}

fn named(oids: &[Oid]) -> String {
    let mut names: Vec<String> = oids.iter().take(NAMED_MAX).map(|oid| oid.short()).collect();
    if oids.len() > NAMED_MAX {
        names.push(format!("and {} more", oids.len() - NAMED_MAX));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "oids in tests are well-formed")]

    use super::*;

    #[test]
    fn a_difference_is_told_in_one_line() {
        let oid = |byte: u8| Oid::from_bytes(&[byte; 20]).unwrap();
        let none = Difference { landings: 7, ..Difference::default() };
        assert_eq!(none.line(), "of 7 landings none is judged otherwise");
        assert_eq!(Difference::default().line(), "no landings yet");
        let one = Difference { landings: 1, newly_refused: vec![oid(7)], ..Difference::default() };
        assert_eq!(one.line(), "of 1 landing 1 would be refused that passed (0707070)");
        let some = Difference {
            landings: 9,
            newly_refused: (0..7).map(oid).collect(),
            newly_passed: vec![oid(0xab)],
        };
        let line = some.line();
        assert!(
            line.starts_with("of 9 landings 7 would be refused that passed (0000000, "),
            "{line}"
        );
        assert!(line.ends_with("and 2 more), 1 would pass that were refused (abababa)"), "{line}");
        assert_eq!(some.as_json()["newly_passed"][0], "ab".repeat(20));
    }
}
