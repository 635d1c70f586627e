//! A gitolite configuration of one repository as a policy.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::cli::import::conf::{ALL, Conf, Row};
use crate::cli::import::refex::{Cover, read};
use crate::cli::import::regions::{
    OPERATIONS, Realm, Refused, is_about_some_tags_besides, refused,
};
use crate::cli::import::vrefs::{Carried, carried, flaw, refuses_others};

/// How long a name of a policy may be.
const NAME_BYTES_MAX: usize = 64;

/// A policy, and how many rows of the configuration are not in it.
pub(super) struct Printed {
    pub(super) policy: String,
    pub(super) left_out: usize,
    /// How many of them refuse something that the policy does not.
    pub(super) open: usize,
}

/// People by their gitolite names, with their keys.
pub(super) type Keys = BTreeMap<String, Vec<String>>;

/// What is printed, as it grows.
struct Page<'c> {
    conf: &'c Conf,
    /// Everybody by their gitolite name, with the one they have in the policy.
    people: BTreeMap<String, String>,
    /// Groups that lists of rules name.
    groups: BTreeMap<String, BTreeSet<String>>,
    rules: String,
    count: usize,
    notes: Vec<(String, String)>,
    open: usize,
}

/// Makes the policy.
pub(super) fn print(conf: &Conf, keys: &Keys, repository: &str) -> Printed {
    let users: BTreeSet<String> = conf.users().into_iter().chain(keys.keys().cloned()).collect();
    let mut page = Page {
        conf,
        people: named(&users),
        groups: BTreeMap::new(),
        rules: String::new(),
        count: 0,
        notes: Vec::new(),
        open: 0,
    };
    for realm in [Realm::Others, Realm::Tags] {
        page.refs(realm, &users);
    }
    page.paths(&users);
    for row in &conf.rows {
        page.row(row);
    }
    let odd = conf.odd.iter().map(|line| (line, "this line is not understood, or is a subconf's"));
    let others = conf.others.iter().map(|line| (line, "this is gitolite's own and stays with it"));
    for (line, why) in odd.chain(others) {
        page.notes.push((format!("{}: {}", line.at, line.text), why.to_owned()));
    }
    let (left_out, open) = (page.notes.len(), page.open);
    Printed { policy: page.whole(keys, repository), left_out, open }
}

/// A name of the policy for each name of gitolite's.
fn named(users: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for user in users {
        let letter = |c: char| match c.to_ascii_lowercase() {
            c if c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c) => c,
            _ => '-',
        };
        let name: String = user.chars().map(letter).take(NAME_BYTES_MAX - 4).collect();
        let name = name.replace("..", "--");
        let name = name.trim_matches(['.', '-', '_']).trim_end_matches(".lock");
        let name = if name.is_empty() { "somebody" } else { name };
        let free = (1..).map(|n: u32| match n {
            1 => name.to_owned(),
            n => format!("{name}-{n}"),
        });
        let name = free.into_iter().find(|name| !taken.contains(name)).unwrap_or_default();
        taken.insert(name.clone());
        names.insert(user.clone(), name);
    }
    names
}

/// A list as TOML.
fn list<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| quoted(item.as_ref())).collect();
    format!("[{}]", items.join(", "))
}

/// A text as TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A pattern as people write it: without the beginning that all branches have.
fn short(pattern: &str) -> String {
    let (not, full) = match pattern.strip_prefix('!') {
        Some(full) => ("!", full),
        None => ("", pattern),
    };
    match full.strip_prefix("refs/heads/") {
        Some(branch) if !branch.starts_with("refs/") => format!("{not}{branch}"),
        _ => pattern.to_owned(),
    }
}

impl Page<'_> {
    /// The rules of kind `access` for one realm.
    fn refs(&mut self, realm: Realm, users: &BTreeSet<String>) {
        let all = refused(self.conf, users, realm);
        let named = self.writers(users);
        let whole = match realm {
            Realm::Tags => list(["refs/tags/**"]),
            Realm::Others | Realm::Paths => list(["refs/**", "!refs/tags/**"]),
        };
        let _ = write!(
            self.rules,
            "\n# Only those below rewind and delete at all; the rules that follow say where.\n\
             [rule.rewriting-{}]\nkind   = \"access\"\nrefs   = {whole}\nrewind = {named}\ndelete = {named}\n",
            if realm == Realm::Tags { "tags" } else { "branches" },
        );
        for one in &all {
            self.access(one, users);
        }
    }

    /// Everybody who has some right to write, as a list.
    fn writers(&mut self, users: &BTreeSet<String>) -> String {
        let rows: Vec<&Row> =
            self.conf.rows.iter().filter(|row| row.perm.starts_with("RW")).collect();
        let writes = |user: &&String| rows.iter().any(|row| self.conf.is_meant(user, &row.users));
        let writers = users.iter().filter(writes).cloned().collect();
        self.party(&writers)
    }

    /// One rule of kind `access`.
    fn access(&mut self, refused: &Refused, users: &BTreeSet<String>) {
        let region = &refused.region;
        let without = region.without.iter().map(|pattern| format!("!{}", short(pattern)));
        let these = region.these.iter().map(|pattern| short(pattern)).chain(without);
        self.begin(region.row.as_deref(), "access");
        let _ = writeln!(self.rules, "refs   = {}", list(these));
        if !region.own.is_empty() {
            let own = region.own.iter().map(|pattern| short(pattern));
            let _ = writeln!(self.rules, "own    = {}", list(own));
        }
        for (operation, who) in OPERATIONS.iter().zip(&refused.who) {
            if !who.is_empty() {
                let party = self.party(&users.difference(who).cloned().collect());
                let _ = writeln!(self.rules, "{operation:6} = {party}");
            }
        }
    }

    /// The head of a rule, with the row it comes from.
    fn begin(&mut self, row: Option<&str>, kind: &str) {
        self.count += 1;
        let from = row.unwrap_or("what no row lets in, gitolite refuses");
        let count = self.count;
        let _ = write!(self.rules, "\n# {from}\n[rule.row-{count}]\nkind   = \"{kind}\"\n");
    }

    /// The rules about paths.
    fn paths(&mut self, users: &BTreeSet<String>) {
        for one in refused(self.conf, users, Realm::Paths) {
            let (region, who) = (&one.region, one.who.first().cloned().unwrap_or_default());
            self.begin(region.row.as_deref(), "restrict-paths");
            let without = region.without.iter().map(|pattern| format!("!{pattern}"));
            let these = region.these.iter().cloned().chain(without);
            let party = match refuses_others(self.conf, &who, region.row.as_deref()) {
                true => {
                    format!("by     = {}", self.party(&users.difference(&who).cloned().collect()))
                }
                false => format!("not-by = {}", self.party(&who)),
            };
            let refs = list(["**", "refs/tags/**"]);
            let _ = writeln!(self.rules, "refs   = {refs}\npaths  = {}\n{party}", list(these));
        }
    }

    /// What a row comes to besides, and what of it comes to nothing.
    fn row(&mut self, row: &Row) {
        let told = format!("{}: {}", row.line.at, row.line.text);
        let mut whys: Vec<&str> = Vec::new();
        let mut is_open = false;
        if ["R", "C"].contains(&row.perm.as_str()) {
            whys.push("who may read and who may make repositories gitolite goes on saying");
        }
        if row.perm.contains('M') {
            whys.push("`M`: no rule keeps merges away from some people");
        }
        if row.users.iter().any(|user| self.conf.is_unknown(user)) {
            whys.push("a role, or a group that is not in this file: nobody is let in for it here");
        }
        if row.users.iter().any(|user| user == ALL) && row.perm.starts_with("RW") {
            whys.push("@all is everybody in [people]: whom gitolite knows besides belongs there");
        }
        for refex in &row.refexes {
            let root = if refex.starts_with("VREF/NAME/") { "VREF/NAME/" } else { "" };
            let is_virtual = refex.starts_with("VREF/") && root.is_empty();
            let found = match is_virtual {
                true => match carried(self.conf, row, refex) {
                    Carried::Rule(kind, lines) => {
                        self.begin(Some(&told), kind);
                        let _ = write!(
                            self.rules,
                            "refs   = {}\n{lines}",
                            list(["**", "refs/tags/**"])
                        );
                        None
                    }
                    Carried::Elsewhere => None,
                    Carried::Not(why) => {
                        is_open |= row.perm == "-";
                        Some(why)
                    }
                },
                false => {
                    let is_less = read(refex, root) == Cover::None;
                    is_open |= row.perm == "-" && (is_less || is_about_some_tags_besides(refex));
                    flaw(refex, root, row.perm == "-")
                }
            };
            whys.extend(found);
        }
        whys.dedup();
        self.open += usize::from(is_open);
        if !whys.is_empty() {
            self.notes.push((told, whys.join("; ")));
        }
    }

    /// A list of people: a group where one is exactly those.
    fn party(&mut self, users: &BTreeSet<String>) -> String {
        let group = self.conf.groups.iter().find(|(_, members)| *members == users);
        if let Some((name, _)) = group.filter(|_| users.len() > 1) {
            let name = name.trim_start_matches('@').to_owned();
            if name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) {
                self.groups.insert(name.clone(), users.clone());
                return list([format!("@{name}")]);
            }
        }
        list(users.iter().map(|user| self.name(user)))
    }

    fn name(&self, user: &str) -> String {
        self.people.get(user).cloned().unwrap_or_else(|| user.to_owned())
    }

    /// All of it.
    fn whole(&self, keys: &Keys, repository: &str) -> String {
        let repository = repository.replace(char::is_control, "?");
        let mut text = format!(
            "# What gitolite said about {repository}, as a policy: `portcullis import gitolite`.\n\
             # Rows that are not in it, or not quite, stand at the end. Portcullis looks at each commit\n\
             # where gitolite's VREFs look at the sum of a push, and refuses names that look like others.\n\
             version = 1\n\n[identity]\nplatform = \"gitolite\"\nunlisted = \"login\"\n"
        );
        for (user, name) in &self.people {
            let table = if name.contains('.') { quoted(name) } else { name.clone() };
            let _ = write!(text, "\n[people.{table}]\n");
            if user != name {
                let _ = writeln!(text, "logins = {}", list([user]));
            }
            if let Some(keys) = keys.get(user).filter(|keys| !keys.is_empty()) {
                let _ = writeln!(text, "keys = {}", list(keys));
            }
        }
        if !self.groups.is_empty() {
            text.push_str("\n[groups]\n");
        }
        for (name, members) in &self.groups {
            let members = list(members.iter().map(|user| self.name(user)));
            let _ = writeln!(text, "{name} = {members}");
        }
        text.push_str(&self.rules);
        if !self.notes.is_empty() {
            text.push_str("\n# Not here, or not quite:\n");
        }
        for (row, why) in &self.notes {
            let _ = write!(text, "#   {row}\n#     {why}\n");
        }
        text
    }
}
