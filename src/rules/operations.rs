//! The key `operations`: what happens to a path, as rules and exemptions name it.

use crate::facts::change::{Operation, PathChange};
use crate::source::nearest::suggestion;
use crate::source::problem::{Problem, Problems};
use crate::source::table::Table;

/// Some of the operations; all of them where a policy does not say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operations(Vec<Operation>);

impl Default for Operations {
    fn default() -> Self {
        Self(Operation::ALL.to_vec())
    }
}

impl Operations {
    /// Whether any of what happened to this path is among them.
    pub fn touch(&self, change: &PathChange) -> bool {
        self.first_of(change).is_some()
    }

    /// The first of what happened to this path that is among them.
    pub fn first_of(&self, change: &PathChange) -> Option<Operation> {
        change.operations().iter().copied().find(|operation| self.0.contains(operation))
    }
}

/// The words, for explanations.
pub fn words() -> Vec<&'static str> {
    Operation::ALL.iter().map(|operation| operation.word()).collect()
}

/// Reads the key; all operations without it. What is wrong is told and left out.
pub fn read(table: &mut Table<'_>, problems: &mut Problems) -> Operations {
    if !table.has("operations") {
        return Operations::default();
    }
    let Some(list) = table.texts("operations", problems) else { return Operations::default() };
    if list.value.is_empty() {
        let hint = "name some of add, modify, delete, mode, type, or take the key out";
        problems.error_hint(&list.spot, "`operations` is empty, so nothing is meant", hint);
    }
    let mut read = Vec::new();
    for written in &list.value {
        match Operation::ALL.iter().find(|operation| operation.word() == written.value) {
            Some(operation) => read.push(*operation),
            None => problems.push(
                Problem::error("nothing of this name can happen to a path")
                    .at(&written.spot)
                    .hint_opt(suggestion(&written.value, "operations", words())),
            ),
        }
    }
    Operations(read)
}
