//! The kinds a rule asks about.

use crate::infra::kinds::{Kind, TABLE};
use crate::infra::mark::Marks;

/// The name that stands for every kind.
pub const ALL: &str = "all";

/// A set of built-in kinds. Empty matches nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct InfraKinds(u32);

/// A name that is no built-in kind.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{name}` is no kind of infrastructure")]
pub struct UnknownKind {
    /// The name as it was written.
    pub name: String,
    /// Its place among the names given, from 0.
    pub index: usize,
}

impl InfraKinds {
    /// No kind.
    pub const NONE: Self = Self(0);

    /// Every kind.
    pub const EVERY: Self = Self((1 << TABLE_LEN) - 1);

    /// The kinds of these names; `all` stands for every one. The first unknown name is an error.
    pub fn parse<S: AsRef<str>>(names: &[S]) -> Result<Self, UnknownKind> {
        names.iter().enumerate().try_fold(Self::NONE, |set, (index, name)| {
            let name = name.as_ref();
            let one = if name == ALL { Some(Self::EVERY) } else { Self::named(name) };
            one.map(|one| set.union(one))
                .ok_or_else(|| UnknownKind { name: name.to_owned(), index })
        })
    }

    fn named(name: &str) -> Option<Self> {
        TABLE.iter().position(|kind| kind.name == name).map(|at| Self(1 << at))
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this one only.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The most special kind in it, to name a file by.
    pub fn first(self) -> Option<&'static Kind> {
        self.iter().next()
    }

    /// Whether no kind is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The kinds in it, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = &'static Kind> {
        self.rows().map(|row| &TABLE[row])
    }

    /// Their rows in the table.
    fn rows(self) -> impl Iterator<Item = usize> {
        (0..TABLE_LEN).filter(move |row| self.0 >> row & 1 == 1)
    }

    /// Those of its kinds for whose row in the table `keep` says yes.
    pub(crate) fn filter(self, keep: impl Fn(usize) -> bool) -> Self {
        self.rows().filter(|&row| keep(row)).fold(Self::NONE, |set, row| Self(set.0 | 1 << row))
    }

    /// The marks its kinds look for inside files.
    pub(crate) fn marks(self) -> Marks {
        self.iter().filter_map(|kind| kind.content).fold(Marks::NONE, Marks::with)
    }
}

const TABLE_LEN: usize = TABLE.len();
// A row is a bit.
const _: () = assert!(TABLE_LEN < 32);

/// Every name a policy may use, `all` last.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|kind| kind.name).chain([ALL])
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
mod tests {
    use crate::infra::kinds::TABLE;
    use crate::infra::set::{InfraKinds, names};

    #[test]
    fn every_name_is_a_kind_and_all_is_their_union() {
        let each: Vec<&str> = TABLE.iter().map(|kind| kind.name).collect();
        assert_eq!(InfraKinds::parse(&each).unwrap(), InfraKinds::EVERY);
        assert_eq!(InfraKinds::parse(&["all"]).unwrap(), InfraKinds::EVERY);
        assert_eq!(InfraKinds::EVERY.iter().count(), TABLE.len());
        assert_eq!(names().last(), Some("all"));
    }

    #[test]
    fn names_are_unique_and_sentences_have_no_full_stop() {
        let mut seen: Vec<&str> = names().collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), TABLE.len() + 1);
        assert!(TABLE.iter().all(|kind| !kind.covers.ends_with('.') && !kind.paths.is_empty()));
    }

    #[test]
    fn an_unknown_name_is_named_with_its_place() {
        let problem = InfraKinds::parse(&["helm", "teraform"]).unwrap_err();
        assert_eq!((problem.name.as_str(), problem.index), ("teraform", 1));
        assert_eq!(problem.to_string(), "`teraform` is no kind of infrastructure");
    }
}
