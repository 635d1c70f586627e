//! A list of rows in which the first that matches decides, as rules that all have to be satisfied.
//!
//! What a row refuses somebody is its patterns without those of earlier rows that let them in. So
//! each row that refuses, and the end of the list, comes to a rule about those names, with
//! everybody in its lists whom it does not refuse. A push is refused by some of these rules where
//! the list would refuse it, and by none where it would not.

use std::collections::BTreeSet;

use crate::cli::import::conf::{Conf, Row};
use crate::cli::import::refex::{Cover, Glob, USER, read};

/// Where the patterns of tags begin: gitolite asks for another right to move one.
pub(super) const TAGS: &str = "refs/tags/";

/// What may be done to a ref, in the order of the lists of a rule.
pub(super) const OPERATIONS: [&str; 4] = ["create", "move", "rewind", "delete"];

/// Which names of a whole are meant, and how rows are read there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Realm {
    /// Tags.
    Tags,
    /// All other refs.
    Others,
    /// Paths, as `VREF/NAME/` sees them.
    Paths,
}

/// Names about which a row says something: some patterns without others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) realm: Realm,
    pub(super) these: Vec<String>,
    pub(super) without: Vec<String>,
    /// Patterns with the pusher's name in them.
    pub(super) own: Vec<String>,
    /// The row that says so; `None`: no row lets anybody in.
    pub(super) row: Option<String>,
}

/// A region, and for each operation who is refused there.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub(super) region: Region,
    pub(super) who: [BTreeSet<String>; 4],
}

/// What a row comes to for one operation.
enum Word {
    Refuses,
    LetsIn,
    Nothing,
}

impl Realm {
    /// What all names of it begin with.
    pub(super) const fn root(self) -> &'static str {
        match self {
            Self::Tags | Self::Others => "",
            Self::Paths => "VREF/NAME/",
        }
    }

    /// All of it, as patterns.
    fn whole(self) -> Vec<String> {
        let words: &[&str] = match self {
            Self::Tags => &["refs/tags/**"],
            Self::Others => &["refs/**", "!refs/tags/**"],
            Self::Paths => &["**"],
        };
        words.iter().map(|&word| word.to_owned()).collect()
    }

    /// Whether a refex is about names of this realm at all.
    pub(super) fn has(self, refex: &str) -> bool {
        match self {
            Self::Tags | Self::Others => !refex.starts_with("VREF/"),
            Self::Paths => refex.starts_with(self.root()),
        }
    }

    /// What of some patterns lies in this realm; `None`: all of it.
    fn part(self, globs: &[Glob]) -> Option<Vec<Glob>> {
        let is_whole = |glob: &Glob| match self {
            Self::Tags => read(TAGS, "") == Cover::Exact(vec![glob.clone()]) || covers(glob, TAGS),
            Self::Others => covers(glob, "refs/"),
            Self::Paths => covers(glob, ""),
        };
        if globs.iter().any(is_whole) {
            return None;
        }
        let is_here = |glob: &&Glob| match self {
            Self::Tags => glob.prefix().starts_with(TAGS),
            Self::Others => !glob.prefix().starts_with(TAGS),
            Self::Paths => true,
        };
        Some(globs.iter().filter(is_here).cloned().collect())
    }
}

/// Whether a pattern picks everything that begins so.
fn covers(glob: &Glob, root: &str) -> bool {
    match read(&format!("{root}.*"), "") {
        Cover::Exact(all) => all.iter().all(|one| glob.covers(one)),
        Cover::Less(_) | Cover::None => false,
    }
}

/// Whether a refex is about some tags and other refs at once, in a pattern that cannot be taken
/// apart; then no rule is about those tags.
pub(super) fn is_about_some_tags_besides(refex: &str) -> bool {
    let (Cover::Exact(globs) | Cover::Less(globs)) = read(refex, "") else { return false };
    let crosses = |glob: &Glob| TAGS.starts_with(glob.prefix()) && !covers(glob, TAGS);
    Realm::Others.has(refex) && globs.iter().any(crosses)
}

/// What a row says of one operation to whom it is about.
fn word(conf: &Conf, perm: &str, realm: Realm, operation: &str) -> Word {
    let needed = match (realm, operation) {
        _ if perm == "-" => return Word::Refuses,
        _ if !perm.starts_with("RW") => return Word::Nothing,
        (Realm::Paths, _) | (Realm::Others, "move") => 'W',
        (_, "create") if conf.has('C') => 'C',
        (_, "create") => 'W',
        (_, "delete") if conf.has('D') => 'D',
        _ => '+',
    };
    if perm.contains(needed) { Word::LetsIn } else { Word::Nothing }
}

/// The regions in which one user is refused one operation.
fn of_user(conf: &Conf, user: &str, realm: Realm, operation: &str) -> Vec<Region> {
    let mut regions = Vec::new();
    let mut let_in: Vec<Glob> = Vec::new();
    let rows = conf.rows.iter().filter(|row| conf.is_meant(user, &row.users));
    for (row, refex) in rows.flat_map(|row| row.refexes.iter().map(move |refex| (row, refex))) {
        let word = word(conf, &row.perm, realm, operation);
        let (globs, is_exact) = match (realm.has(refex), read(refex, realm.root())) {
            (true, Cover::Exact(globs)) => (globs, true),
            (true, Cover::Less(globs)) => (globs, false),
            (true, Cover::None) | (false, _) => continue,
        };
        let part = realm.part(&globs);
        match (word, part) {
            (Word::Refuses, None) => {
                regions.extend(region(realm, None, &let_in, Some(row), user));
                return regions;
            }
            (Word::Refuses, Some(globs)) => {
                regions.extend(region(realm, Some(&globs), &let_in, Some(row), user));
            }
            // To let somebody in by a pattern that says more than the row is no way to be wrong.
            (Word::LetsIn, None) if is_exact => return regions,
            (Word::LetsIn, Some(globs)) if is_exact => let_in.extend(globs),
            (Word::LetsIn | Word::Nothing, _) => {}
        }
    }
    if realm != Realm::Paths {
        regions.extend(region(realm, None, &let_in, None, user));
    }
    regions
}

/// Some patterns, or all of a realm, without what was let in before; `None` where nothing is left.
fn region(
    realm: Realm,
    globs: Option<&[Glob]>,
    let_in: &[Glob],
    row: Option<&Row>,
    user: &str,
) -> Option<Region> {
    let row = row.map(|row| format!("{}: {}", row.line.at, row.line.text));
    let mine: Vec<Glob> = let_in.iter().map(|glob| glob.of(user)).collect();
    // A rule about paths has no names of people in its patterns.
    let let_in = if realm == Realm::Paths { &mine } else { let_in };
    let (these, kept) = match globs {
        None => (realm.whole(), None),
        Some(globs) => {
            // A row that refuses whose name stands in it refuses each their own.
            let globs = globs.iter().map(|glob| glob.of(user));
            let left: Vec<Glob> =
                globs.filter(|glob| !mine.iter().any(|one| one.covers(glob))).collect();
            (left.iter().map(|glob| glob.text.clone()).collect(), Some(left))
        }
    };
    let matters = |glob: &Glob| {
        let glob = glob.of(user);
        kept.as_ref().is_none_or(|kept| kept.iter().any(|one| !glob.is_apart_from(one)))
    };
    let (own, without): (Vec<&Glob>, Vec<&Glob>) =
        let_in.iter().filter(|glob| matters(glob)).partition(|glob| glob.text.contains(USER));
    let texts = |globs: Vec<&Glob>| {
        let mut texts: Vec<String> = Vec::new();
        for glob in globs {
            if !texts.contains(&glob.text) {
                texts.push(glob.text.clone());
            }
        }
        texts
    };
    let region = Region { realm, these, without: texts(without), own: texts(own), row };
    (!region.these.is_empty()).then_some(region)
}

/// Every region of a realm in which somebody is refused something, in the order of the rows.
pub(super) fn refused(conf: &Conf, users: &BTreeSet<String>, realm: Realm) -> Vec<Refused> {
    let mut all: Vec<Refused> = Vec::new();
    let operations = if realm == Realm::Paths { &OPERATIONS[..1] } else { &OPERATIONS[..] };
    for (index, operation) in operations.iter().enumerate() {
        for user in users {
            for region in of_user(conf, user, realm, operation) {
                let at = all.iter().position(|one| one.region == region).unwrap_or_else(|| {
                    all.push(Refused { region, who: Default::default() });
                    all.len() - 1
                });
                if let Some(one) = all.get_mut(at).and_then(|one| one.who.get_mut(index)) {
                    one.insert(user.clone());
                }
            }
        }
    }
    all
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test says what it expects")]
mod tests {
    use super::*;
    use crate::cli::import::conf;
    use crate::cli::import::lines::Line;
    use crate::pattern::exact::ExactPaths;

    /// Configurations in the manner of gitolite's own documentation.
    const CONFS: &[&str] = &[
        "RW+ = alice\n- master = bob\n- refs/tags/v[0-9] = bob\nRW = bob\nRW refs/tags/v[0-9] = carol\nR = dave",
        "RW+ dev/USER/ = @all\n- dev/ = @all\nRW master$ = bob carol\nRW+CD = alice",
        "@devs = alice bob\n@all-devs = @devs carol\nRWC release/ = @devs\nRW = @all-devs\n- = carol\nRW+ = carol",
        "RW+CD = alice\n- master release/.*-rc$ = @all\nRWD feature/(one|two)$ refs/tags/ = bob\nRW = @all",
        "- v[0-9]+\\.[0-9]+$ = bob\nRW = bob\nRW [a-z]+$ = carol\nRW master = carol\nRW+ = dave",
        "RW+ master = alice\nRW refs/heads/ = alice bob\n-  = @all\nRW+CD = @all",
    ];

    const NAMES: &[&str] = &[
        "refs/heads/master",
        "refs/heads/master2",
        "refs/heads/dev/alice/x",
        "refs/heads/dev/bob/x",
        "refs/heads/dev/x",
        "refs/heads/release/1",
        "refs/heads/release/1-rc",
        "refs/heads/v1.0",
        "refs/heads/release/a/b-rc",
        "refs/heads/feature/one",
        "refs/heads/feature/one2",
        "refs/heads/topic",
        "refs/heads/topic/a",
        "refs/tags/v1",
        "refs/tags/va",
        "refs/notes/x",
    ];

    fn conf(text: &str) -> Conf {
        let groups = text.lines().filter(|line| line.starts_with('@'));
        let rows = text.lines().filter(|line| !line.starts_with('@'));
        let lines: Vec<Line> = groups
            .chain(["repo r"])
            .chain(rows)
            .enumerate()
            .map(|(at, text)| Line {
                at: at.to_string(),
                text: text.split_whitespace().collect::<Vec<_>>().join(" "),
            })
            .collect();
        let conf = conf::read(&lines, "r");
        assert!(conf.odd.is_empty(), "{:?}", conf.odd);
        conf
    }

    /// What gitolite's `access` says, row by row.
    fn lets_in(conf: &Conf, user: &str, name: &str, operation: &str) -> bool {
        let right = match operation {
            "create" if conf.has('C') => "C",
            "move" if name.starts_with(TAGS) => "+",
            "create" | "move" => "W",
            "delete" if conf.has('D') => "D",
            _ => "+",
        };
        for row in conf.rows.iter().filter(|row| conf.is_meant(user, &row.users)) {
            for refex in &row.refexes {
                let refex = refex.replacen("/USER/", &format!("/{user}/"), 1);
                let regex = regex_automata::meta::Regex::new(&format!("^{refex}")).unwrap();
                if !regex.is_match(name) {
                    continue;
                }
                if row.perm == "-" {
                    return false;
                }
                if row.perm.contains(right) {
                    return true;
                }
            }
        }
        false
    }

    /// Whether a list of patterns picks a name; the last that matches decides.
    fn picks(patterns: &[String], name: &str) -> bool {
        let mut is_picked = false;
        for pattern in patterns {
            let (not, pattern) = match pattern.strip_prefix('!') {
                Some(pattern) => (true, pattern),
                None => (false, pattern.as_str()),
            };
            let pattern = ExactPaths::read([pattern]).unwrap();
            if pattern.pick(name.as_bytes()) {
                is_picked = !not;
            }
        }
        is_picked
    }

    fn is_refused(all: &[Refused], user: &str, name: &str, operation: usize) -> bool {
        all.iter().any(|one| {
            let own: Vec<String> =
                one.region.own.iter().map(|own| own.replace(USER, user)).collect();
            one.who[operation].contains(user)
                && picks(&one.region.these, name)
                && !picks(&one.region.without, name)
                && !picks(&own, name)
        })
    }

    #[test]
    fn a_push_is_refused_where_gitolite_refuses_it() {
        let users = ["alice", "bob", "carol", "dave"].map(str::to_owned).into();
        let (mut yes, mut no, mut stricter) = (0, 0, Vec::new());
        for text in CONFS {
            let conf = conf(text);
            let (others, tags) =
                (refused(&conf, &users, Realm::Others), refused(&conf, &users, Realm::Tags));
            for (user, name) in users.iter().flat_map(|u| NAMES.iter().map(move |n| (u, n))) {
                let all = if name.starts_with(TAGS) { &tags } else { &others };
                for (index, operation) in OPERATIONS.iter().enumerate() {
                    let lets_in = lets_in(&conf, user, name, operation);
                    let is_refused = is_refused(all, user, name, index);
                    let told = format!("{operation} {name} by {user}:\n{text}");
                    assert!(lets_in || is_refused, "gitolite refuses it, we do not: {told}");
                    if lets_in && is_refused {
                        stricter.push(told);
                    } else if lets_in {
                        yes += 1;
                    } else {
                        no += 1;
                    }
                }
            }
        }
        assert!(yes > 300 && no > 300, "{yes} {no}");
        // Only where no pattern says what a row lets in.
        let repetition = |told: &String| told.contains("by carol") && told.contains("[a-z]+$");
        assert!(stricter.iter().all(repetition), "{}", stricter.join("\n"));
        assert!(!stricter.is_empty() && stricter.len() < 20, "{}", stricter.join("\n"));
    }

    #[test]
    fn paths_that_a_row_above_lets_in_are_not_refused() {
        let conf = conf("RW = @all\nRW VREF/NAME/conf/site = bob\n- VREF/NAME/conf/ = bob carol");
        let users = ["bob", "carol"].map(str::to_owned).into();
        let all = refused(&conf, &users, Realm::Paths);
        for (user, path, expected) in [
            ("bob", "conf/site", false),
            ("bob", "conf/other", true),
            ("carol", "conf/site", true),
            ("carol", "src/conf/site", false),
        ] {
            assert_eq!(is_refused(&all, user, path, 0), expected, "{user} {path}");
        }
    }
}
