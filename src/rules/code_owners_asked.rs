//! Whose approval one path needs, by the file and the rule.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::codeowners::book::{Claim, Entry, Pattern, Section};
use crate::codeowners::owner::Owner;
use crate::facts::owners::{FoundOwners, Named, Owners, OwnersFile};
use crate::names::escape::escape;
use crate::names::path::RepoPath;
use crate::names::principal::PrincipalName;
use crate::rules::code_owners::{CodeOwners, Unowned};
use crate::verdict::finding::Objection;
use crate::verdict::line::{Hint, Line};

/// How many owners of a line a message names.
const OWNERS_TOLD_MAX: usize = 6;

/// So many approvals of these people.
#[derive(Clone, Debug)]
pub(crate) struct Demand<'f> {
    /// Which demand of the file this is.
    pub(crate) of: Source,
    /// How many.
    pub(crate) approvals: usize,
    /// Of whom.
    pub(crate) from: Cow<'f, BTreeSet<PrincipalName>>,
}

/// What asks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Source {
    /// A line.
    Line(Claim),
    /// The file of owners is itself what changes.
    Itself,
    /// Nobody owns the path, and `from` decides.
    From,
}

/// Why nobody's approval would do.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Dead {
    /// There is no file.
    NoFile,
    /// There is one that is not read.
    Unread,
    /// This line decides, and names nobody who can approve.
    Line(Claim),
    /// Nobody owns it.
    Unowned,
    /// The file of owners changes, and neither has a line `*` owners nor the rule a `from`.
    Itself,
}

impl CodeOwners {
    /// What a change of this path needs; an empty list is nothing.
    pub(crate) fn asked<'f>(
        &'f self,
        file: &'f OwnersFile,
        path: &RepoPath,
    ) -> Result<Vec<Demand<'f>>, Dead> {
        if file.is_place(path) {
            return self.asked_of_place(file, path);
        }
        let owners = match &file.found {
            FoundOwners::Read { owners, .. } => owners,
            FoundOwners::Nothing if self.unowned == Unowned::From => {
                return Ok(vec![self.of_from()]);
            }
            FoundOwners::Nothing => return Err(Dead::NoFile),
            FoundOwners::Unread { .. } => return Err(Dead::Unread),
        };
        let mut demands = Vec::new();
        let mut owned = false;
        for claim in owners.book.claims(path.as_bytes()) {
            let Some((section, entry, named)) = owners.line(claim) else { continue };
            if section.optional {
                owned = true;
                continue;
            }
            let names_nobody = entry.owners.is_empty() && entry.may_name_nobody;
            match (&entry.pattern, named.people.is_empty()) {
                (Pattern::Unreadable(_), _) => return Err(Dead::Line(claim)),
                (_, true) if names_nobody => {}
                (_, true) => return Err(Dead::Line(claim)),
                (_, false) => demands.push(of_line(claim, section, named)),
            }
        }
        match self.unowned {
            _ if owned || !demands.is_empty() => Ok(demands),
            Unowned::Accept => Ok(demands),
            Unowned::From => Ok(vec![self.of_from()]),
            Unowned::Refuse => Err(Dead::Unowned),
        }
    }

    /// A file of owners: whoever owns it by a narrower line than `*`, and one of the owners of `*` or
    /// of `from`. What is wrong with its lines does not keep anybody from mending them.
    fn asked_of_place<'f>(
        &'f self,
        file: &'f OwnersFile,
        path: &RepoPath,
    ) -> Result<Vec<Demand<'f>>, Dead> {
        let mut demands = Vec::new();
        let mut own = self.from.names.clone();
        if let Some(owners) = file.owners() {
            for claim in owners.book.claims(path.as_bytes()) {
                let Some((section, entry, named)) = owners.line(claim) else { continue };
                let readable = !matches!(entry.pattern, Pattern::Unreadable(_));
                let narrow = readable && !entry.pattern.is_everything();
                if narrow && !section.optional && !named.people.is_empty() {
                    demands.push(of_line(claim, section, named));
                }
            }
            let of_all = owners.book.of_everything().into_iter();
            let of_all = of_all.filter_map(|claim| owners.line(claim));
            own.extend(of_all.flat_map(|(_, _, named)| named.people.iter().cloned()));
        }
        if own.is_empty() {
            return Err(Dead::Itself);
        }
        demands.push(Demand { of: Source::Itself, approvals: 1, from: Cow::Owned(own) });
        Ok(demands)
    }

    fn of_from(&self) -> Demand<'_> {
        Demand { of: Source::From, approvals: 1, from: Cow::Borrowed(&self.from.names) }
    }

    /// Why a demand is made.
    pub(crate) fn because(&self, file: &OwnersFile, of: Source) -> Line {
        let from = || self.from.written.join(", ");
        match of {
            Source::Itself if self.from.names.is_empty() => {
                Line::new("who owns what is changed only with an owner of `*`")
            }
            Source::Itself => {
                let line =
                    Line::new("who owns what is changed only with an owner of `*`, or one of ");
                line.text(from())
            }
            Source::From => Line::new("nobody owns it, so it takes one of ").text(from()),
            Source::Line(claim) => match file.owners().and_then(|owners| owners.line(claim)) {
                Some((section, entry, _)) => {
                    let line = Line::new("owned by ").text(written(entry));
                    let line = match &section.name {
                        Some(name) => line.text(" in section ").quoted(name.as_bytes()),
                        None => line,
                    };
                    line.text(", ").line(&place(file, entry.line))
                }
                None => Line::new("owned by a line of the file"),
            },
        }
    }

    /// What is said where nobody's approval would do.
    pub(crate) fn dead(&self, file: &OwnersFile, dead: &Dead, what: Line) -> Objection {
        match dead {
            Dead::NoFile => {
                let places: Vec<String> =
                    file.looked_at().iter().map(ToString::to_string).collect();
                let what = what.text(", and there is no file that says who owns it");
                let looked = Line::new("looked for ").text(places.join(", "));
                let objection = Objection::new(what).detail(at(looked, file));
                objection.hint(self.mend("land one first"))
            }
            Dead::Unread => {
                let what = what.text(", and who owns it is not known");
                let mut line = Line::default();
                if let FoundOwners::Unread { path, why } = &file.found {
                    line = line.path(path).text(" ").text(why.words());
                }
                Objection::new(what).detail(at(line, file)).hint(self.mend("mend the file first"))
            }
            Dead::Line(claim) => self.dead_line(file, *claim, what),
            Dead::Unowned => {
                let what = what.text(", and nobody owns it");
                let line = Line::new("`unowned` of the rule lets nobody change what nobody owns");
                let objection = Objection::new(what).detail(line);
                objection.hint(self.mend("give it an owner first"))
            }
            Dead::Itself => {
                let what = what.text(", and nobody may change who owns what");
                let line = "no line `*` names anybody who can approve, and the rule has no `from`";
                let ask = Line::new("ask the operators to name somebody in `from` of this rule");
                Objection::new(what).detail(Line::new(line)).hint(Hint::new(ask))
            }
        }
    }

    fn dead_line(&self, file: &OwnersFile, claim: Claim, what: Line) -> Objection {
        let Some((_, entry, named)) = file.owners().and_then(|owners| owners.line(claim)) else {
            return Objection::new(what.text(", and who owns it is not known"));
        };
        let mend = self.mend("mend that line first");
        let here = place(file, entry.line);
        if let Pattern::Unreadable(why) = entry.pattern {
            let objection = Objection::new(what.text(", and ").line(&here).text(" cannot be read"));
            let line = Line::new("").quoted(&entry.written).text(": ").text(why);
            let whose = Line::new("it may be meant for any path, so it is owned by nobody");
            return objection.detail(line).detail(whose).hint(mend);
        }
        let what = what.text(", and ").line(&here).text(" names nobody who can approve");
        let mut objection = Objection::new(what);
        for (owner, why) in named.nobodies.iter().take(OWNERS_TOLD_MAX) {
            let line = Line::new("").word(owner.as_bytes()).text(" ").text(*why);
            objection = objection.detail(line);
        }
        objection.hint(mend)
    }

    /// How the file is put right, and who can approve that.
    fn mend(&self, first: &'static str) -> Hint {
        let line = Line::new(first).text(", in a change of its own: ");
        Hint::new(match self.from.names.is_empty() {
            true => line.text("it needs an owner of `*`"),
            false => {
                line.text("it needs an owner of `*`, or one of ").text(self.from.written.join(", "))
            }
        })
    }
}

fn of_line<'f>(claim: Claim, section: &Section, named: &'f Named) -> Demand<'f> {
    let from = Cow::Borrowed(&named.people);
    Demand { of: Source::Line(claim), approvals: section.approvals.max(1), from }
}

/// The owners of a line as they are written, fit to be shown.
fn written(entry: &Entry) -> String {
    let shown = |owner: &Owner| escape(owner.to_string().as_bytes());
    let owners = entry.owners.iter().take(OWNERS_TOLD_MAX).map(shown);
    let mut text = owners.collect::<Vec<_>>().join(", ");
    if let Some(more @ 1..) = entry.owners.len().checked_sub(OWNERS_TOLD_MAX) {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// `CODEOWNERS:12`.
fn place(file: &OwnersFile, line: u32) -> Line {
    let path = match &file.found {
        FoundOwners::Read { path, .. } | FoundOwners::Unread { path, .. } => {
            Line::new("").path(path)
        }
        FoundOwners::Nothing => Line::default(),
    };
    path.text(format!(":{line}"))
}

/// Where the file was looked for.
fn at(line: Line, file: &OwnersFile) -> Line {
    match file.commit {
        Some(commit) => line.text(", as of ").oid(commit),
        None => line.text("; the ref has no value yet"),
    }
}

/// Owners of a line that stand for nobody, beside others who own the path.
pub(crate) fn nobodies(owners: &Owners, of: Source) -> Vec<Line> {
    let Source::Line(claim) = of else { return Vec::new() };
    let named = owners.line(claim).map(|(_, _, named)| named.nobodies.as_slice());
    let nobodies = named.unwrap_or_default().iter().take(OWNERS_TOLD_MAX);
    nobodies.map(|(owner, why)| Line::new("").word(owner.as_bytes()).text(" ").text(*why)).collect()
}
