//! `secrets`: no keys, tokens, passwords and state files.

use crate::facts::needs::{IntakeOf, Needs, Since};
use crate::names::path::RepoPath;
use crate::pattern::paths::{Base, PathPatterns};
use crate::rules::remark::{Remark, Seen};
use crate::rules::rule::{Body, KeyDoc, Kind, Rule, Shape};
use crate::rules::scope::dead;
use crate::rules::secrets_judge;
use crate::rules::since;
use crate::rules::view::View;
use crate::secret::kinds;
use crate::source::nearest::suggestion;
use crate::source::problem::{Problem, Problems};
use crate::source::table::Table;
use crate::source::text::Located;
use crate::verdict::finding::Ruling;

/// The kind.
pub static KIND: Kind = Kind {
    name: "secrets",
    summary: "no keys, tokens, passwords and state files",
    explain: EXPLAIN,
    keys: &[
        KeyDoc::optional("allow", Shape::Paths, "files that are not looked into, by exact names"),
        KeyDoc::optional("also", Shape::Paths, "more files that are secret by their names"),
        KeyDoc::optional(
            "skip",
            Shape::Words(kinds::names),
            "kinds of secrets that are let in, such as jwt, url-password, kubernetes-secret, history",
        ),
        since::KEY,
    ],
    keys_later: &[],
    compile,
};

/// No secrets.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// Files that are let in. `None`: none.
    pub(crate) allow: Option<PathPatterns>,
    /// Files that are secret by the policy's own word.
    pub(crate) also: Option<PathPatterns>,
    /// The names of kinds that are let in.
    pub(crate) skip: Vec<&'static str>,
    /// Which commits are passed over.
    pub(crate) since: Since,
}

fn compile(body: &mut Body<'_, '_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let before = problems.errors();
    let allow = patterns(body.table, "allow", problems);
    let also = patterns(body.table, "also", problems);
    let skip = skip(body.table, problems);
    let since = since::read(body.table, problems);
    let rule = Secrets { allow, also, skip, since };
    (problems.errors() == before).then(|| Box::new(rule) as Box<dyn Rule>)
}

fn patterns(table: &mut Table<'_>, key: &str, problems: &mut Problems) -> Option<PathPatterns> {
    let list = table.texts(key, problems)?;
    if list.value.is_empty() {
        let hint = "name some, or take the key out";
        problems.error_hint(&list.spot, format!("`{key}` is empty"), hint);
        return None;
    }
    let every = |written: &&Located<String>| matches!(written.value.as_str(), "**" | "**/*");
    if let Some(written) = list.value.iter().find(every) {
        let what = format!("`{key}` names every file");
        let what =
            if key == "allow" { what + ", so this rule could never refuse one" } else { what };
        problems.error_hint(&written.spot, what, "name the few that are meant");
    }
    PathPatterns::read(&list.value, Base::Nothing, problems)
}

fn skip(table: &mut Table<'_>, problems: &mut Problems) -> Vec<&'static str> {
    let Some(list) = table.texts("skip", problems) else { return Vec::new() };
    if list.value.is_empty() {
        let hint = "name some, or take the key out";
        problems.error_hint(&list.spot, "`skip` is empty", hint);
    }
    let known = kinds::names();
    let mut skip = Vec::new();
    for written in &list.value {
        match known.iter().find(|name| **name == written.value) {
            Some(name) if skip.contains(name) => {
                problems.error_hint(&written.spot, "it stands here twice", "take one out");
            }
            Some(name) => skip.push(*name),
            None => problems.push(
                Problem::error("no kind of secret has this name").at(&written.spot).hint_opt(
                    suggestion(&written.value, "kinds of secrets", known.iter().copied()),
                ),
            ),
        }
    }
    if skip.len() == known.len() {
        let hint = "take the rule out, if that is meant";
        problems.error_hint(&list.spot, "every kind of secret is let in", hint);
    }
    skip
}

impl Rule for Secrets {
    fn needs(&self) -> Needs {
        let intake = IntakeOf { secrets: true, ..IntakeOf::default() };
        Needs { intake: Some(intake), since: self.since.clone(), ..Needs::default() }
    }

    fn against(&self, seen: &Seen<'_>) -> Vec<Remark> {
        self.allow.iter().flat_map(|allow| dead(allow, seen)).collect()
    }

    fn about(&self, path: &RepoPath) -> Option<bool> {
        Some(!self.allow.as_ref().is_some_and(|allow| allow.holds(path)))
    }

    fn judge(&self, view: &View<'_>) -> Ruling {
        secrets_judge::judge(self, view)
    }
}

const EXPLAIN: &str = r#"No keys, tokens, passwords and state files.

    [rule.no-secrets]
    kind  = "secrets"
    refs  = ["**", "refs/tags/**"]
    allow = ["tests/fixtures/keys/**"]
    also  = ["**/*.secret"]
    skip  = ["jwt"]
    why   = "what is pushed once has to be taken for known"

Told by the name of a file (id_rsa, *.pem and *.key unless all in it is
public, *.p12, *.tfstate, .env, kubeconfig, .aws/credentials, shell histories
and the like) and by what is in it: private keys, tokens of clouds, forges
and services, passwords in URLs, the literal values of a Kubernetes Secret,
the state of Terraform. Messages of commits and tags are looked at too.

Every file of every arriving commit counts: what a later commit takes out
again stays in history. A secret that stood in the file before, or in the
file that was moved here, is an old one and blocks nothing. No mark in a file
excuses it; `allow` does, by exact names, for the whole file.

A file that is too large to be looked into ([limits] blob-bytes,
blob-budget-bytes) is refused, unless its name says that there is no text in
it: a picture, an archive, a program. What is told and logged is the path,
the line and the kind, never any of the secret. No broken glass lifts this.

As a branch that a rule names is neither rewound nor deleted without an
access rule, one that names all branches goes with one that says who may:

    [groups]
    everybody = ["alice"]
    [people.alice]

    [rule.topics-are-rewritten]
    kind   = "access"
    refs   = ["**", "!main"]
    rewind = ["@everybody"]
    delete = ["@everybody"]
"#;
