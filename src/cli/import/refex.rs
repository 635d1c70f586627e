//! A refex as patterns of a policy.
//!
//! A refex is a regular expression that has to match from the beginning of a name, and need not
//! reach its end. Most are written without a thought of that: `master` also means `master-2`. What
//! is made here means exactly the same, or says that it does not.

use crate::pattern::exact::ExactPaths;
use crate::pattern::glob::{components, picks_letters, samples};
use crate::pattern::refs::{OWN_PREFIXES, unmatchable};

/// How many patterns one refex may come to.
const PATTERNS_MAX: usize = 64;

/// What stands for whoever pushes.
pub(super) const USER: &str = "{user}";

/// A pattern of a policy, over full names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Glob {
    /// As a policy has it.
    pub(super) text: String,
    /// What every name that it picks begins with.
    prefix: String,
    reach: Reach,
}

/// How far a pattern reaches behind its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// Nothing follows.
    Exact,
    /// Anything may follow.
    Open,
    /// What follows is wildcards and letters.
    Wild,
}

/// What a refex comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cover {
    /// Exactly what these pick.
    Exact(Vec<Glob>),
    /// Less than what these pick.
    Less(Vec<Glob>),
    /// No pattern says it.
    None,
}

impl Glob {
    /// Whether all that the other picks is picked by this one.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match self.reach {
            Reach::Exact => other.reach == Reach::Exact && other.prefix == self.prefix,
            Reach::Open => other.prefix.starts_with(&self.prefix),
            Reach::Wild => self.picks_all_that(other),
        }
    }

    /// The same as the lint of a policy finds it: by names in which every wildcard is a letter that
    /// only a wildcard matches.
    fn picks_all_that(&self, other: &Self) -> bool {
        if other.text == self.text {
            return true;
        }
        let (Ok(mine), Ok(theirs)) = (components(&self.text), components(&other.text)) else {
            return false;
        };
        let Ok(all) = ExactPaths::read([self.text.as_str()]) else { return false };
        !picks_letters(&mine) && samples(&theirs).all(|name| all.pick(name.as_bytes()))
    }

    /// Whether there is no name that both pick. Errs to no.
    pub(super) fn is_apart_from(&self, other: &Self) -> bool {
        let is_exact = |one: &Self| one.reach == Reach::Exact;
        match (is_exact(self), is_exact(other)) {
            (true, true) => self.prefix != other.prefix,
            (true, false) => !self.prefix.starts_with(&other.prefix),
            (false, true) => !other.prefix.starts_with(&self.prefix),
            (false, false) => {
                !self.prefix.starts_with(&other.prefix) && !other.prefix.starts_with(&self.prefix)
            }
        }
    }

    /// What every name that it picks begins with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The same for one pusher.
    pub(super) fn of(&self, user: &str) -> Self {
        let (text, prefix) = (self.text.replace(USER, user), self.prefix.replace(USER, user));
        Self { text, prefix, reach: self.reach }
    }
}

/// One piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Letter(char),
    /// One letter of a class, as a pattern has it: `[0-9]`.
    Class(String),
    /// Any letters but `/`, also none.
    Star,
    /// Any letters, also none.
    Any,
}

/// The alternatives read so far, and whether they are more than was asked for.
struct Reading {
    all: Vec<Vec<Piece>>,
    wider: bool,
}

/// Reads a refex that stands for names below `root`, which is no part of the patterns.
pub(super) fn read(refex: &str, root: &str) -> Cover {
    let Some(refex) = refex.strip_prefix(root) else { return Cover::None };
    let refex = refex.replacen("/USER/", &format!("/{USER}/"), 1);
    let (refex, ends) = match refex.strip_suffix('$').filter(|rest| !rest.ends_with('\\')) {
        Some(rest) => (rest, true),
        None => (refex.as_str(), false),
    };
    let Some(reading) = pieces(refex, ends) else { return Cover::None };
    let mut globs = Vec::new();
    for mut pieces in reading.all {
        let mut open = !ends;
        while open && pieces.last().is_some_and(|last| matches!(last, Piece::Star | Piece::Any)) {
            pieces.pop();
        }
        if ends && pieces.last() == Some(&Piece::Any) {
            pieces.pop();
            open = true;
        }
        match spelled(&pieces, open) {
            Some(more) => globs.extend(more),
            None => return Cover::None,
        }
        if globs.len() > PATTERNS_MAX {
            return Cover::None;
        }
    }
    globs.retain(|glob| can_be_a_name(glob, root.is_empty()));
    match reading.wider {
        true => Cover::Less(globs),
        false => Cover::Exact(globs),
    }
}

/// Whether anything is called so, of which a rule may be.
fn can_be_a_name(glob: &Glob, is_ref: bool) -> bool {
    let Ok(parts) = components(&glob.of("user").text) else { return false };
    let is_ours = OWN_PREFIXES.iter().any(|own| glob.text.starts_with(own));
    !is_ref || (!is_ours && unmatchable(&parts).is_none())
}

/// Takes a regular expression apart, its alternatives spelled out.
fn pieces(refex: &str, ends: bool) -> Option<Reading> {
    let mut reading = Reading { all: vec![Vec::new()], wider: false };
    let mut rest = refex.strip_prefix('^').unwrap_or(refex);
    while let Some(first) = rest.chars().next() {
        let (choices, after) = atom(first, rest)?;
        rest = after;
        let (choices, after, inexact) = repeated(choices, rest)?;
        // What repeats at the end of a name that may go on anyhow says no more than once.
        reading.wider |= inexact && (ends || !after.is_empty());
        rest = after;
        let longer = reading
            .all
            .iter()
            .flat_map(|one| choices.iter().map(|choice| [one.clone(), choice.clone()].concat()));
        reading.all = longer.take(PATTERNS_MAX + 1).collect();
        if reading.all.len() > PATTERNS_MAX {
            return None;
        }
    }
    Some(reading)
}

type Choices = Vec<Vec<Piece>>;

/// The first thing of an expression, and what follows it.
fn atom(first: char, rest: &str) -> Option<(Choices, &str)> {
    let after = &rest[first.len_utf8()..];
    match first {
        '\\' => {
            let next = after.chars().next()?;
            let piece = match next {
                'd' => Piece::Class("[0-9]".to_owned()),
                'w' => Piece::Class("[a-zA-Z0-9_]".to_owned()),
                next if next.is_ascii_punctuation() => Piece::Letter(next),
                _ => return None,
            };
            Some((vec![vec![piece]], &after[next.len_utf8()..]))
        }
        // Any letter is one that patterns stop at, or another.
        '.' => Some((vec![vec![Piece::Class("?".to_owned())], vec![Piece::Letter('/')]], after)),
        '[' => {
            let end = after.char_indices().skip(1).find(|(_, c)| *c == ']')?.0;
            let class = &after[..end];
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._^/".contains(c);
            let negated = class.starts_with('^');
            if !class.chars().all(is_plain) || class.contains('/') != negated {
                return None;
            }
            let class = class.replace('/', "").replacen('^', "!", 1);
            let is_empty = class.trim_start_matches('!').is_empty();
            let piece = match (negated, is_empty) {
                (_, true) => Piece::Class("?".to_owned()),
                (_, false) => Piece::Class(format!("[{class}]")),
            };
            Some((vec![vec![piece]], &after[end + 1..]))
        }
        '(' => {
            let end = after.find(')')?;
            let body = after[..end].strip_prefix("?:").unwrap_or(&after[..end]);
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_/|".contains(c);
            if !body.chars().all(plain) {
                return None;
            }
            let choices = body.split('|').map(|one| one.chars().map(Piece::Letter).collect());
            Some((choices.collect(), &after[end + 1..]))
        }
        '{' if rest.starts_with(USER) => {
            Some((vec![USER.chars().map(Piece::Letter).collect()], &rest[USER.len()..]))
        }
        '*' | '+' | '?' | '{' | '}' | '|' | '^' | '$' | ')' | ']' => None,
        letter => Some((vec![vec![Piece::Letter(letter)]], after)),
    }
}

/// How often a thing comes, and what follows; and whether the patterns for it say more than it.
fn repeated(choices: Choices, rest: &str) -> Option<(Choices, &str, bool)> {
    let Some(times) = rest.chars().next().filter(|c| ['*', '+', '?'].contains(c)) else {
        return match rest.starts_with('{') && !rest.starts_with(USER) {
            true => None,
            false => Some((choices, rest, false)),
        };
    };
    let rest = &rest[1..];
    if rest.starts_with(['?', '+']) {
        return None;
    }
    let is_dot = choices.len() == 2 && choices[1] == [Piece::Letter('/')];
    let any_letter = choices == [[Piece::Class("?".to_owned())]];
    let choices = match times {
        '?' => choices.into_iter().chain([Vec::new()]).collect(),
        '*' if is_dot => vec![vec![Piece::Any]],
        '+' if is_dot => choices.into_iter().map(|one| [one, vec![Piece::Any]].concat()).collect(),
        _ if choices.len() != 1 || choices[0].len() != 1 => return None,
        '*' => vec![vec![Piece::Star]],
        _ => choices.into_iter().map(|one| [one, vec![Piece::Star]].concat()).collect(),
    };
    Some((choices, rest, times != '?' && !is_dot && !any_letter))
}

/// The patterns of one alternative; none where no name could be one.
fn spelled(pieces: &[Piece], open: bool) -> Option<Vec<Glob>> {
    let mut texts = vec![String::new()];
    let mut prefix = String::new();
    let mut fixed = true;
    for piece in pieces {
        fixed &= matches!(piece, Piece::Letter(_));
        let ways: &[String] = &match piece {
            Piece::Letter(c) if "*?[]!\\".contains(*c) => return None,
            Piece::Letter(c) => [c.to_string(), String::new()],
            Piece::Class(class) => [class.clone(), String::new()],
            Piece::Star => ["*".to_owned(), String::new()],
            Piece::Any => ["*".to_owned(), "*/**/*".to_owned()],
        };
        if let (true, Piece::Letter(c)) = (fixed, piece) {
            prefix.push(*c);
        }
        let ways: Vec<&String> = ways.iter().filter(|way| !way.is_empty()).collect();
        texts = texts.iter().flat_map(|t| ways.iter().map(move |w| joined(t, w))).collect();
        if texts.len() > PATTERNS_MAX {
            return None;
        }
    }
    let reach = match (fixed, open) {
        (true, true) => Reach::Open,
        (true, false) => Reach::Exact,
        (false, _) => Reach::Wild,
    };
    let globs = texts.into_iter().filter(|text| !text.contains("//")).map(|text| {
        // `dir/**` covers `dir`: `a*/**` is whatever begins with `a`.
        let text = match (open, text.is_empty()) {
            (true, true) => "**".to_owned(),
            (true, false) => joined(&text, "*/**"),
            (false, _) => text,
        };
        Glob { text, prefix: prefix.clone(), reach }
    });
    Some(globs.filter(|glob| !glob.text.is_empty() && !glob.text.ends_with('/')).collect())
}

/// One piece of a pattern behind another; two stars in a row are one.
fn joined(text: &str, more: &str) -> String {
    let more = if text.ends_with('*') { more.strip_prefix('*').unwrap_or(more) } else { more };
    format!("{text}{more}")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test says what it expects")]
mod tests {
    use super::*;

    /// Names that bring out every difference of the refexes below.
    const NAMES: &str = "\
        refs/heads/master refs/heads/master-2 refs/heads/master/a refs/heads/maste \
        refs/heads/v1 refs/heads/v1.0 refs/heads/v12 refs/heads/v1/x refs/heads/vx \
        refs/heads/dev refs/heads/dev/a refs/heads/dev/a/b refs/heads/dev/alice \
        refs/heads/dev/alice/x refs/heads/a-rc refs/heads/a/b-rc refs/heads/-rc \
        refs/heads/a-rc1 refs/tags/v1 refs/tags/v1/x refs/tags/va refs/notes/x \
        refs/heads/hotfix/1 refs/heads/feature/1 refs/heads/v1x0 refs/heads/v1/0";

    fn picked(globs: &[Glob]) -> Vec<&'static str> {
        let globs = ExactPaths::read(globs.iter().map(|glob| glob.text.as_str())).unwrap();
        NAMES.split(' ').filter(|name| globs.pick(name.as_bytes())).collect()
    }

    #[test]
    fn patterns_pick_what_the_regular_expression_does() {
        let refexes = r"
            refs/heads/master refs/heads/master$ refs/heads/ refs/.*
            refs/tags/v[0-9] refs/heads/dev/ refs/heads/dev/.* refs/heads/dev/[^/]+$
            refs/heads/.*-rc$ refs/heads/.*-rc refs/heads/v1.0 refs/heads/v1\.0
            refs/heads/.+-rc$ refs/heads/(hotfix|feature)/ refs/heads/v\d+ refs/heads/v[0-9]+
            refs/heads/dev(/a)?$ refs/tags/v. refs/heads/dev/[^/]*/b refs/heads/.*$";
        for refex in refexes.split_whitespace() {
            let Cover::Exact(globs) = read(refex, "") else { panic!("{refex}") };
            let regex = regex_automata::meta::Regex::new(&format!("^{refex}")).unwrap();
            let meant: Vec<&str> = NAMES.split(' ').filter(|name| regex.is_match(*name)).collect();
            assert_eq!(picked(&globs), meant, "{refex}: {globs:?}");
        }
    }

    #[test]
    fn what_no_pattern_says_is_known_to_be_so() {
        for refex in ["refs/heads/v[0-9]+\\.[0-9]+$", "refs/heads/[a-z]+$"] {
            let Cover::Less(globs) = read(refex, "") else { panic!("{refex}") };
            let regex = regex_automata::meta::Regex::new(&format!("^{refex}")).unwrap();
            let picked = picked(&globs);
            assert!(NAMES.split(' ').all(|n| !regex.is_match(n) || picked.contains(&n)));
        }
        for refex in ["refs/heads/(a|(b))", "refs/heads/a{2}", "refs/heads/(?!x)", "refs/heads/a|b"]
        {
            assert_eq!(read(refex, ""), Cover::None, "{refex}");
        }
    }

    #[test]
    fn one_pattern_covers_another_or_has_nothing_to_do_with_it() {
        let glob = |refex: &str| match read(refex, "") {
            Cover::Exact(globs) => globs[0].clone(),
            other @ (Cover::Less(_) | Cover::None) => panic!("{other:?}"),
        };
        let (all, dev, own) =
            (glob("refs/heads/"), glob("refs/heads/dev/"), glob("refs/heads/dev/USER/"));
        assert!(all.covers(&dev) && dev.covers(&own) && !own.covers(&dev));
        assert!(dev.is_apart_from(&glob("refs/heads/master")) && !dev.is_apart_from(&all));
        assert!(glob("refs/heads/a$").is_apart_from(&glob("refs/heads/ab")));
        assert!(glob("refs/heads/.*-rc").covers(&glob("refs/heads/.*-rc$")));
        assert!(!glob("refs/heads/.*-rc$").covers(&glob("refs/heads/.*-rc")));
        assert!(!glob("refs/heads/v[0-9]$").covers(&glob("refs/heads/v.$")));
        assert!(!glob("refs/heads/a").is_apart_from(&glob("refs/heads/ab$")));
        assert_eq!(own.text, "refs/heads/dev/{user}/*/**");
        assert_eq!(own.of("bob").text, "refs/heads/dev/bob/*/**");
    }
}
