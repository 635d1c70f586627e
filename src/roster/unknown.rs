//! A name in a list that stands for nobody.

use crate::names::principal::PrincipalName;
use crate::source::nearest::suggestion;
use crate::source::problem::Problem;
use crate::source::text::Located;

/// What is wrong with this name or `@group`, and what was probably meant.
pub(super) fn unknown<'n>(
    written: &Located<String>,
    people: impl Iterator<Item = &'n PrincipalName>,
    groups: impl Iterator<Item = &'n PrincipalName>,
) -> Problem {
    let groups: Vec<String> = groups.map(|group| format!("@{group}")).collect();
    let word = written.value.as_str();
    if let Some(bare) = word.strip_prefix('@') {
        let hint = suggestion(word, "groups", groups.iter().map(String::as_str));
        let what = format!("there is no group `{bare}`");
        return Problem::error(what).at(&written.spot).hint_opt(hint);
    }
    let problem = Problem::error(format!("nobody is called `{word}`")).at(&written.spot);
    if groups.iter().any(|group| group.strip_prefix('@') == Some(word)) {
        return problem.hint(format!("a group is written `@{word}`"));
    }
    let people: Vec<&str> = people.map(PrincipalName::as_str).collect();
    problem.hint_opt(suggestion(word, "names", people.iter().copied()))
}
