//! `names`: how new branches and tags may be called.

use crate::facts::Motion;
use crate::facts::needs::Needs;
use crate::names::refname::Refname;
use crate::pattern::exact::ExactPaths;
use crate::pattern::text::{self, TextPattern, Wanted};
use crate::rules::rule::{Body, KeyDoc, Kind, Rule, Shape};
use crate::rules::view::View;
use crate::source::problem::Problems;
use crate::source::table::Table;
use crate::verdict::finding::{Objection, Ruling};
use crate::verdict::line::{Hint, Line};

/// What stands for the pusher's name in `only`.
const USER: &str = "{user}";

/// Git itself and its loose refs have no room for longer ones.
const LENGTH_MAX: u64 = 1024;

/// The kind.
pub static KIND: Kind = Kind {
    name: "names",
    summary: "how new branches and tags may be called",
    explain: EXPLAIN,
    keys: &[
        KeyDoc::optional(
            "only",
            Shape::Names,
            "patterns of the only names; {user} is the pusher's own name",
        ),
        KeyDoc::optional("forbid", Shape::Names, "patterns of names that nobody takes"),
        KeyDoc::optional(
            "match",
            Shape::Regexes,
            "regular expressions that a name has to match, all of them",
        ),
        KeyDoc::optional("reject", Shape::Regexes, "regular expressions that no name may match"),
        KeyDoc::optional("max-length", Shape::Count, "how many bytes a name may have"),
    ],
    keys_later: &[],
    compile,
};

/// How new refs may be called. Names are those that people type: without `refs/heads/` and
/// `refs/tags/`.
#[derive(Clone, Debug)]
pub struct Names {
    /// The only names, as they are written; empty: any.
    only: Vec<String>,
    /// What those without a person's name in them pick.
    only_fixed: Option<ExactPaths>,
    /// Names that nobody takes.
    forbid: Vec<String>,
    forbid_paths: Option<ExactPaths>,
    /// What a name has to match.
    wanted: Vec<TextPattern>,
    /// What it must not.
    reject: Vec<TextPattern>,
    /// How long it may be, in bytes.
    max_length: Option<u64>,
}

fn compile(body: &mut Body<'_, '_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let before = problems.errors();
    if !KIND.keys.iter().any(|key| body.table.has(key.name)) {
        let hint = "name at least one of only, forbid, match, reject, max-length";
        problems.error_hint(body.table.header(), "this rule asks for nothing", hint);
        return None;
    }
    let (only, only_fixed) = patterns(body.table, "only", problems);
    let (forbid, forbid_paths) = patterns(body.table, "forbid", problems);
    let wanted = text::read(body.table, "match", Wanted::Match, problems);
    let reject = text::read(body.table, "reject", Wanted::NoMatch, problems);
    let max_length = body.table.count("max-length", problems);
    if let Some(count) = max_length.as_ref().filter(|c| !(1..=LENGTH_MAX).contains(&c.value)) {
        let hint = format!("from 1 to {LENGTH_MAX}");
        problems.error_hint(&count.spot, "no name is so long, or every one is", hint);
    }
    let max_length = max_length.map(|count| count.value);
    let rule = Names { only, only_fixed, forbid, forbid_paths, wanted, reject, max_length };
    (problems.errors() == before).then(|| Box::new(rule) as Box<dyn Rule>)
}

/// The list as it is written, and those of it compiled that name nobody.
fn patterns(
    table: &mut Table<'_>,
    key: &str,
    problems: &mut Problems,
) -> (Vec<String>, Option<ExactPaths>) {
    let Some(list) = table.texts(key, problems) else { return (Vec::new(), None) };
    if list.value.is_empty() {
        let hint = "name some, or take the key out";
        problems.error_hint(&list.spot, format!("`{key}` is empty"), hint);
    }
    for written in &list.value {
        if written.value.contains(USER) && key == "forbid" {
            let hint = "{user} stands in `only`";
            problems.error_hint(&written.spot, "no name is forbidden by who pushes", hint);
        } else if let Err(why) = ExactPaths::read([filled(&written.value, "user").as_str()]) {
            let hint = "patterns are as in `refs`, without `!`: \"feature/*\"";
            problems.error_hint(&written.spot, format!("this cannot be used: {why}"), hint);
        }
    }
    let written: Vec<String> = list.value.into_iter().map(|written| written.value).collect();
    let fixed = written.iter().map(String::as_str).filter(|pattern| !pattern.contains(USER));
    let fixed = ExactPaths::read(fixed);
    if let Err(why) = &fixed
        && problems.errors() == 0
    {
        problems.error(&list.spot, format!("`{key}` cannot be used: {why}"));
    }
    (written, fixed.ok())
}

fn filled(pattern: &str, user: &str) -> String {
    pattern.replace(USER, user)
}

impl Rule for Names {
    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn judge(&self, view: &View<'_>) -> Ruling {
        match view.update.motion {
            Some(Motion::Create) => {}
            Some(Motion::FastForward | Motion::Rewind { .. } | Motion::Delete) | None => {
                return Ruling::default();
            }
        }
        let name = &view.update.update.name;
        let typed = typed(name);
        let whys = self.whys(view, typed);
        let mut whys = whys.into_iter();
        let Some(first) = whys.next() else { return Ruling::default() };
        let what = Line::new("").refname(name).text(" ").line(&first);
        let mut objection = Objection::new(what);
        for why in whys {
            objection = objection.detail(Line::new("it ").line(&why));
        }
        let hint = Line::new("give it another name and push that");
        let command = Line::new("git branch -m ").word(typed).text(" NEW-NAME");
        let hint = match name.branch() {
            Some(_) => Hint::run(hint, command),
            None => Hint::new(hint),
        };
        Ruling { objections: vec![objection.hint(hint)], notes: Vec::new() }
    }
}

impl Names {
    /// What is wrong with a name, each in words that follow it.
    fn whys(&self, view: &View<'_>, typed: &[u8]) -> Vec<Line> {
        let mut whys = Vec::new();
        let length = typed.len() as u64;
        if let Some(most) = self.max_length.filter(|most| length > *most) {
            whys.push(Line::new(format!("has {length} bytes, {most} are the most")));
        }
        if !self.only.is_empty() && !self.is_one_of_only(view, typed) {
            let names = self.only.join(", ");
            whys.push(Line::new("is none of the names allowed here: ").text(names));
        }
        if self.forbid_paths.as_ref().is_some_and(|forbid| is_picked(forbid, typed)) {
            whys.push(Line::new("is one that nobody takes: ").text(self.forbid.join(", ")));
        }
        for pattern in self.wanted.iter().filter(|pattern| !pattern.matches(typed)) {
            whys.push(Line::new("does not match ").text(pattern.written().to_owned()));
        }
        for pattern in self.reject.iter().filter(|pattern| pattern.matches(typed)) {
            whys.push(Line::new("matches ").text(pattern.written().to_owned()));
        }
        whys
    }

    fn is_one_of_only(&self, view: &View<'_>, typed: &[u8]) -> bool {
        if self.only_fixed.as_ref().is_some_and(|only| only.pick(typed)) {
            return true;
        }
        let Some(user) = view.push.push.pusher.name() else { return false };
        let own = self.only.iter().filter(|pattern| pattern.contains(USER));
        let own: Vec<String> = own.map(|pattern| filled(pattern, user.as_str())).collect();
        ExactPaths::read(own.iter().map(String::as_str)).is_ok_and(|own| own.pick(typed))
    }
}

/// A forbidden name is forbidden in every spelling that some file system takes for it.
fn is_picked(forbid: &ExactPaths, typed: &[u8]) -> bool {
    let spellings = crate::pattern::fold::folded(typed);
    forbid.pick(typed)
        || forbid.pick(&spellings.letters)
        || spellings.loose.is_some_and(|loose| forbid.pick(&loose))
}

/// A ref as people type it.
fn typed(name: &Refname) -> &[u8] {
    name.branch().or_else(|| name.tag()).unwrap_or_else(|| name.as_bytes())
}

const EXPLAIN: &str = r#"How new branches and tags may be called.

    [people.alice]

    [rule.branch-names]
    kind       = "names"
    refs       = ["**", "!main"]
    only       = ["feature/*", "fix/*", "release/*", "dev/{user}/**"]
    forbid     = ["feature/tmp*"]
    match      = '\A[a-z0-9/._-]+\z'
    reject     = '--'
    max-length = 60

    [rule.tag-names]
    kind  = "names"
    refs  = ["refs/tags/**"]
    match = '\Av[0-9]+\.[0-9]+\.[0-9]+(-rc[0-9]+)?\z'

    [rule.topics-are-rewritten]
    kind   = "access"
    refs   = ["**", "!main"]
    rewind = ["alice"]
    delete = ["alice"]

Names are those that people type: without refs/heads/ and refs/tags/ in
front. They are judged when a ref is made; what is called otherwise stays.
{user} stands for the pusher's name in [people], so that dev/alice/ is
Alice's; somebody without a name there has none. Patterns are as in `refs`.
In a regular expression ^ and $ are ends of lines and \A and \z of the name;
one that has neither may match in the middle. What is in `forbid` is so in
every spelling that some file system takes for it.
"#;
