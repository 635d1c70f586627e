//! What a gitolite configuration says of one repository: who is in which group, and its rows in
//! their order.

use std::collections::{BTreeMap, BTreeSet};

use regex_automata::meta::Regex;

use crate::cli::import::lines::Line;

/// Everybody whom gitolite lets in.
pub(super) const ALL: &str = "@all";

/// How much memory a pattern for names of repositories may take.
const PATTERN_MEMORY_MAX: usize = 1 << 20;

/// A row that says what somebody may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) line: Line,
    /// `-`, `R`, `RW+CD` and so on.
    pub(super) perm: String,
    /// Full: each begins with `refs/` or `VREF/`.
    pub(super) refexes: Vec<String>,
    /// Names and `@groups`, as written.
    pub(super) users: Vec<String>,
}

/// What is said of one repository.
#[derive(Debug, Default)]
pub(super) struct Conf {
    /// Groups with all who are in them, groups within spelled out.
    pub(super) groups: BTreeMap<String, BTreeSet<String>>,
    pub(super) rows: Vec<Row>,
    /// Lines about it that say nothing of who may push.
    pub(super) others: Vec<Line>,
    /// Lines that were not understood, wherever they stand.
    pub(super) odd: Vec<Line>,
}

/// The repositories that are called by their names, in the order of the file.
pub(super) fn repositories(lines: &[Line]) -> Vec<String> {
    let groups = groups(lines);
    let mut names: Vec<String> = Vec::new();
    for line in lines {
        let Some(list) = line.text.strip_prefix("repo ") else { continue };
        for word in list.split(' ') {
            let members = groups.get(word).into_iter().flatten().map(String::as_str);
            for name in members.chain([word]) {
                let is_name = !name.starts_with('@') && !name.contains(is_of_pattern);
                if is_name && name != "gitolite-admin" && !names.iter().any(|n| n == name) {
                    names.push(name.to_owned());
                }
            }
        }
    }
    names
}

/// Letters that no name of a repository has.
fn is_of_pattern(letter: char) -> bool {
    !letter.is_ascii_alphanumeric() && !"-._@/+".contains(letter)
}

/// Reads what the lines say of one repository.
pub(super) fn read(lines: &[Line], repository: &str) -> Conf {
    let mut conf = Conf { groups: groups(lines), ..Conf::default() };
    let mut is_about = false;
    for line in lines {
        if group(&line.text).is_some() {
            continue;
        }
        if let Some(list) = line.text.strip_prefix("repo ") {
            is_about = list.split(' ').any(|word| names(word, repository, &conf.groups));
        } else if let Some(row) = row(line, &conf.groups) {
            if is_about {
                conf.rows.push(row);
            }
        } else if ["option ", "config ", "desc ", "owner ", "category "]
            .iter()
            .any(|word| line.text.starts_with(word))
        {
            if is_about {
                conf.others.push(line.clone());
            }
        } else {
            conf.odd.push(line.clone());
        }
    }
    conf
}

/// `@NAME = MEMBERS`.
fn group(line: &str) -> Option<(&str, &str)> {
    line.split_once(" = ").filter(|(name, _)| name.starts_with('@') && !name.contains(' '))
}

/// All groups, as gitolite makes them: what a group holds is looked up where it is named.
fn groups(lines: &[Line]) -> BTreeMap<String, BTreeSet<String>> {
    let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, members) in lines.iter().filter_map(|line| group(&line.text)) {
        let mut all = BTreeSet::new();
        for member in members.split(' ') {
            match groups.get(member) {
                Some(within) => all.extend(within.iter().cloned()),
                None => drop(all.insert(member.to_owned())),
            }
        }
        groups.entry(name.to_owned()).or_default().extend(all);
    }
    groups
}

/// Whether a word of a `repo` line names the repository.
fn names(word: &str, repository: &str, groups: &BTreeMap<String, BTreeSet<String>>) -> bool {
    if word == repository || word == ALL {
        return true;
    }
    match groups.get(word) {
        Some(members) => members.iter().any(|one| one == ALL || is_like(one, repository)),
        None => is_like(word, repository),
    }
}

/// Whether a name, which may be a regular expression, is the repository's.
fn is_like(word: &str, repository: &str) -> bool {
    let config = Regex::config().nfa_size_limit(Some(PATTERN_MEMORY_MAX));
    let regex = Regex::builder().configure(config).build(&format!("^(?:{word})$"));
    word == repository || regex.is_ok_and(|regex| regex.is_match(repository))
}

/// `PERM REFEXES = USERS`.
fn row(line: &Line, groups: &BTreeMap<String, BTreeSet<String>>) -> Option<Row> {
    let (left, users) = line.text.split_once(" = ")?;
    let mut words = left.split(' ');
    let perm = words.next().filter(|perm| is_perm(perm))?;
    let mut refexes = Vec::new();
    for word in words {
        match groups.get(word) {
            Some(members) => refexes.extend(members.iter().map(|one| full(one))),
            None => refexes.push(full(word)),
        }
    }
    if refexes.is_empty() {
        refexes.push("refs/.*".to_owned());
    }
    let users = users.split(' ').map(str::to_owned).collect();
    Some(Row { line: line.clone(), perm: perm.to_owned(), refexes, users })
}

fn full(refex: &str) -> String {
    match refex {
        _ if refex.starts_with("refs/") || refex.starts_with("VREF/") => refex.to_owned(),
        _ if refex.starts_with("NAME/") => format!("VREF/{refex}"),
        _ => format!("refs/heads/{refex}"),
    }
}

/// `-|C|R|RW+?(C?D?|D?C?)M?`.
fn is_perm(word: &str) -> bool {
    let Some(rest) = word.strip_prefix("RW") else { return ["-", "C", "R"].contains(&word) };
    let rest = rest.strip_prefix('+').unwrap_or(rest);
    ["", "C", "D", "CD", "DC"].contains(&rest.strip_suffix('M').unwrap_or(rest))
}

impl Conf {
    /// Whether somebody is meant by one of these words.
    pub(super) fn is_meant(&self, user: &str, words: &[String]) -> bool {
        words.iter().any(|word| {
            word == user
                || word == ALL
                || self.groups.get(word).is_some_and(|group| group.contains(user))
        })
    }

    /// Everybody whom a row names, by name or in a group.
    pub(super) fn users(&self) -> BTreeSet<String> {
        let mut users = BTreeSet::new();
        for word in self.rows.iter().flat_map(|row| &row.users) {
            match self.groups.get(word) {
                Some(members) => users.extend(members.iter().filter(|m| is_user(m)).cloned()),
                None if is_user(word) => drop(users.insert(word.clone())),
                None => {}
            }
        }
        users
    }

    /// Whether this word of a row is nobody whom the file tells of: a role, a group from elsewhere.
    pub(super) fn is_unknown(&self, word: &str) -> bool {
        (word.starts_with('@') && word != ALL && !self.groups.contains_key(word)) || is_role(word)
    }

    /// Whether some row has this letter in its right: gitolite then asks for it in all of them.
    pub(super) fn has(&self, letter: char) -> bool {
        self.rows.iter().any(|row| row.perm.starts_with("RW") && row.perm.contains(letter))
    }
}

/// Names that stand for whoever the repository's own file of roles says.
fn is_role(word: &str) -> bool {
    ["CREATOR", "READERS", "WRITERS"].contains(&word)
}

fn is_user(word: &str) -> bool {
    !word.starts_with('@') && !is_role(word)
}
