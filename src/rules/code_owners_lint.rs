//! What is wrong with a file of owners, held against the tree that it stands in.

use std::collections::BTreeSet;

use crate::codeowners::book::{Claim, Entry, Pattern, Section};
use crate::codeowners::dialect::Dialect;
use crate::codeowners::owner::Owner;
use crate::facts::owners::{FoundOwners, Named, Owners, OwnersFile};
use crate::names::escape::escape;
use crate::names::path::RepoPath;
use crate::rules::code_owners::{CodeOwners, Unowned};
use crate::rules::remark::{Remark, Seen};

/// How many lines are told of for one reason.
const TOLD_MAX: usize = 50;

/// Everything worth saying about the file that a rule reads.
pub(crate) fn remarks(rule: &CodeOwners, seen: &Seen<'_>) -> Vec<Remark> {
    let Some(file) = seen.owners else { return Vec::new() };
    let mut remarks = Vec::new();
    let on = seen.refname;
    match &file.found {
        FoundOwners::Nothing => {
            let what = format!("there is no file of owners on {on}: looked for {}", places(file));
            let hint = "until there is one, only it can land, approved by one of `from`";
            remarks.push(Remark {
                serious: rule.unowned != Unowned::From,
                ..Remark::serious(what, hint)
            });
        }
        FoundOwners::Unread { path, why } => {
            let what = format!("{path} on {on} {}", why.words());
            remarks.push(Remark::serious(what, "nothing else can land until it is mended"));
        }
        FoundOwners::Read { path, owners } => {
            remarks.extend(looks_otherwise(rule.reads.dialect, path, owners));
            flaws(path, owners, &mut remarks);
            owners_of_lines(path, owners, &mut remarks);
            lines_and_paths(path, owners, seen, &mut remarks);
        }
    }
    unowned(rule, file, seen, &mut remarks);
    let places = file.places.iter();
    if places.clone().any(|place| rule.asked(file, place).is_err()) {
        let what = format!("nobody may change who owns what on {on}");
        let hint = "name somebody in `from`: no line `*` names anybody who can approve";
        remarks.push(Remark::serious(what, hint));
    }
    remarks
}

fn places(file: &OwnersFile) -> String {
    file.looked_at().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A line that would be at home in another dialect.
fn looks_otherwise(own: Dialect, path: &RepoPath, owners: &Owners) -> Option<Remark> {
    let looks = |entry: &Entry| {
        let (text, has) =
            (&entry.written, |what: &[u8]| entry.written.windows(what.len()).any(|it| it == what));
        let role = |owner: &Owner| owner.to_string().starts_with("@@");
        let header = text.strip_prefix(b"^").unwrap_or(text);
        let header = header.starts_with(b"[") && header.ends_with(b"]");
        if header || entry.owners.iter().any(role) {
            return Some(Dialect::Gitlab);
        }
        (has(b".*") || has(b"[^/]")).then_some(Dialect::Gitea)
    };
    let mut lines = owners.lines().filter_map(|(_, entry, _)| Some((entry, looks(entry)?)));
    let (entry, other) = lines.find(|(_, other)| *other != own)?;
    let (line, forge) = (entry.line, other.forge());
    let what =
        format!("{path}:{line}: `{}` looks like a line of {forge}'s", escape(&entry.written));
    let hint = format!("is the file read as it was meant? dialect = \"{}\"", other.word());
    Some(Remark::mild(what, &hint))
}

/// Lines that are not as the dialect has them.
fn flaws(path: &RepoPath, owners: &Owners, remarks: &mut Vec<Remark>) {
    let unreadable: BTreeSet<u32> = owners
        .lines()
        .filter(|(_, entry, _)| matches!(entry.pattern, Pattern::Unreadable(_)))
        .map(|(_, entry, _)| entry.line)
        .collect();
    for flaw in owners.book.flaws.iter().take(TOLD_MAX) {
        let what = format!("{path}:{}: {}", flaw.line, escape(flaw.what.as_bytes()));
        remarks.push(match unreadable.contains(&flaw.line) {
            true => {
                Remark::serious(what, "as it stands it owns what no later line does, for nobody")
            }
            false => Remark::mild(what, "mend that line"),
        });
    }
}

/// Lines that name nobody, or too few.
fn owners_of_lines(path: &RepoPath, owners: &Owners, remarks: &mut Vec<Remark>) {
    let mut alone = Vec::new();
    for (section, entry, named) in owners.lines().filter(|(_, entry, _)| is_asked(entry)) {
        let at = format!("{path}:{}", entry.line);
        let nobodies = nobodies(named);
        let able = named.people.len();
        if section.optional || matches!(entry.pattern, Pattern::Unreadable(_)) {
            continue;
        }
        if able == 0 {
            let what = match nobodies.is_empty() {
                true => format!("{at} names no owner"),
                false => format!("{at} names nobody who can approve: {nobodies}"),
            };
            remarks.push(Remark::serious(what, "what it owns cannot change until it does"));
        } else if able < section.approvals {
            let what = format!(
                "{at} asks for {} approvals, and only {able} can be given",
                section.approvals
            );
            remarks.push(Remark::serious(what, "name more owners, or ask for fewer"));
        } else if !nobodies.is_empty() {
            let hint = "the other owners of the line are asked instead";
            remarks.push(Remark::mild(format!("{at}: {nobodies}"), hint));
        }
        if able > 0 && able == section.approvals {
            alone.push(at);
        }
    }
    if let Some(first) = alone.first() {
        let what = match alone.len() {
            1 => format!("{first} has no more owners than have to approve"),
            many => {
                format!("{many} lines have no more owners than have to approve, such as {first}")
            }
        };
        remarks
            .push(Remark::mild(what, "none of these owners can land a change of their own there"));
    }
    remarks.truncate(4 * TOLD_MAX);
}

/// Whether a line asks anybody: that of GitHub which names nobody says that nobody is asked.
fn is_asked(entry: &Entry) -> bool {
    !(entry.owners.is_empty() && entry.may_name_nobody)
}

fn nobodies(named: &Named) -> String {
    let told = named.nobodies.iter().take(4);
    let told = told.map(|(owner, why)| format!("{} {why}", escape(owner.as_bytes())));
    told.collect::<Vec<_>>().join(", ")
}

/// Lines that decide about no path there is.
fn lines_and_paths(path: &RepoPath, owners: &Owners, seen: &Seen<'_>, remarks: &mut Vec<Remark>) {
    let book = &owners.book;
    let deciding: BTreeSet<Claim> =
        seen.paths.iter().flat_map(|path| book.claims(path.as_bytes())).collect();
    let every = |(at, section): (usize, &Section)| {
        (0..section.entries.len()).map(move |entry| Claim { section: at, entry })
    };
    let idle = book.sections.iter().enumerate().flat_map(every);
    let idle = idle.filter(|claim| !deciding.contains(claim));
    for (_, entry) in idle.filter_map(|claim| book.at(claim)).take(TOLD_MAX) {
        let matches = seen.paths.iter().any(|path| entry.pattern.matches(path.as_bytes()));
        let (at, written) = (entry.line, escape(&entry.written));
        remarks.push(match matches {
            true => Remark::mild(
                format!("{path}:{at}: `{written}` decides nothing"),
                "later lines, or an exclusion, have all that it matches",
            ),
            false => Remark::mild(
                format!("{path}:{at}: `{written}` matches nothing on {}", seen.refname),
                "take it out, or mend the pattern",
            ),
        });
    }
}

/// Paths that nobody owns.
fn unowned(rule: &CodeOwners, file: &OwnersFile, seen: &Seen<'_>, remarks: &mut Vec<Remark>) {
    let Some(owners) = file.owners() else { return };
    let nobodys = |path: &&RepoPath| {
        let claims = owners.book.claims(path.as_bytes());
        let mut lines = claims.into_iter().filter_map(|claim| owners.line(claim));
        !file.is_place(path) && !lines.any(|(_, entry, _)| is_asked(entry))
    };
    let nobodys: Vec<&RepoPath> = seen.paths.iter().filter(nobodys).collect();
    let Some(first) = nobodys.first() else { return };
    let all = seen.paths.len();
    let what = format!(
        "nobody owns {} of {all} paths on {}, such as {first}",
        nobodys.len(),
        seen.refname
    );
    remarks.push(Remark::mild(
        what,
        match rule.unowned {
            Unowned::Refuse => "no change of these can land: `unowned` is \"refuse\"",
            Unowned::Accept => "the rule asks nothing of these: `unowned` is \"accept\"",
            Unowned::From => "one of `from` has to approve these",
        },
    ));
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::codeowners::read;
    use crate::facts::needs::OwnersNeeds;
    use crate::names::refname::Refname;
    use crate::roster::directory::Directory;
    use crate::roster::party::Party;
    use crate::rules::approved::Terms;

    fn said(dialect: Dialect, text: &str) -> String {
        let directory = Arc::new(Directory::default());
        let owners = Box::new(Owners::new(read(dialect, text.as_bytes()).unwrap(), &directory));
        let path = RepoPath::new("CODEOWNERS");
        let file = OwnersFile {
            commit: None,
            places: vec![path.clone()],
            only_first: false,
            found: FoundOwners::Read { path: path.clone(), owners },
        };
        let rule = CodeOwners {
            reads: OwnersNeeds { dialect, file: None, directory },
            unowned: Unowned::Accept,
            from: Party::default(),
            terms: Terms { max_age_seconds: None, fresh: false, veto: true, clean_merge: false },
        };
        let name = Refname::parse(b"refs/heads/main").unwrap();
        let paths = [path, RepoPath::new("app/x")];
        let seen = Seen { refname: &name, paths: &paths, owners: Some(&file) };
        remarks(&rule, &seen).iter().map(|it| format!("{} {}\n", it.serious, it.what)).collect()
    }

    #[test]
    fn a_file_of_another_dialect_is_noticed() {
        for (dialect, text, other) in [
            (
                Dialect::Github,
                "* @a\n[Docs] @b\n",
                Some("CODEOWNERS:2: `[Docs]` looks like a line of GitLab's"),
            ),
            (Dialect::Gitea, "app/.* @@owner\n", Some("`app/.*` looks like a line of GitLab's")),
            (Dialect::Github, "app/.*\\\\.tf @a\n", Some("looks like a line of Gitea's")),
            (Dialect::Gitlab, "[A]\napp/.*[.]tf @a\n", Some("looks like a line of Gitea's")),
            (Dialect::Github, "* @a\n/app/ @b\n*.tf\n", None),
            (Dialect::Gitlab, "[Docs][2] @a\n* @@owner\nlib[0-9]/\n", None),
            (Dialect::Gitea, ".* @a\n[^/]*[.]tf @b\n", None),
        ] {
            let said = said(dialect, text);
            match other {
                Some(other) => assert!(said.contains(other), "{text}{said}"),
                None => assert!(!said.contains("looks like"), "{text}{said}"),
            }
        }
    }

    #[test]
    fn what_nobody_can_change_is_serious_and_the_rest_is_not() {
        let said = said(Dialect::Github, "/app/ @ghost\n/gone\n");
        for line in [
            "true CODEOWNERS:1 names nobody who can approve: @ghost is nobody in the policy",
            "true nobody may change who owns what on refs/heads/main",
            "false CODEOWNERS:2: `/gone` matches nothing on refs/heads/main",
        ] {
            assert!(said.contains(line), "{line}\n{said}");
        }
        assert!(!said.contains("nobody owns"), "{said}");
    }
}
