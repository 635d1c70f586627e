//! The CODEOWNERS file that a landing is judged by, and whom it names.
//!
//! Made by `gather`, for the rules that ask for one; read by `code-owners`.

use std::collections::{BTreeSet, HashMap};

use crate::codeowners::book::{Book, Claim, Entry, Section, Unfit};
use crate::codeowners::dialect::Dialect;
use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::names::principal::PrincipalName;
use crate::roster::directory::{Directory, Meant};

/// What a landing is judged by.
#[derive(Clone, Debug)]
pub struct OwnersFile {
    /// Where it was looked for: the ref's value before the push; `None`: there was none.
    pub commit: Option<Oid>,
    /// The places that a file may be in, the first that is there being read.
    pub places: Vec<RepoPath>,
    /// Only the first of them is looked at: the rule names it.
    pub only_first: bool,
    /// What was found.
    pub found: FoundOwners,
}

/// What was found where the file is looked for.
#[derive(Clone, Debug)]
pub enum FoundOwners {
    /// Nothing.
    Nothing,
    /// Something that is not read.
    Unread {
        /// Where.
        path: RepoPath,
        /// Why, to follow the path.
        why: Unread,
    },
    /// The file.
    Read {
        /// Where.
        path: RepoPath,
        /// What it says.
        owners: Box<Owners>,
    },
}

/// Why what lies there is not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unread {
    /// It is a symbolic link or a submodule.
    NoFile,
    /// It is larger than may be looked into.
    TooLarge,
    /// It does not fit.
    Unfit(Unfit),
}

/// A file and whom its lines name.
#[derive(Clone, Debug)]
pub struct Owners {
    /// The file.
    pub book: Book,
    named: HashMap<Claim, Named>,
}

/// Whom a line names.
#[derive(Clone, Default, Debug)]
pub struct Named {
    /// Those who can approve.
    pub people: BTreeSet<PrincipalName>,
    /// Owners that stand for nobody, as written, and why.
    pub nobodies: Vec<(String, &'static str)>,
}

impl Unread {
    /// In words that follow the file's path.
    pub fn words(self) -> String {
        match self {
            Self::NoFile => "is no file, and links are not followed".to_owned(),
            Self::TooLarge => Unfit::TooLarge.to_string(),
            Self::Unfit(why) => why.to_string(),
        }
    }
}

impl OwnersFile {
    /// Whether a file of owners may lie at this path, now or after the push.
    pub fn is_place(&self, path: &RepoPath) -> bool {
        self.places.contains(path)
    }

    /// The places that were looked at.
    pub fn looked_at(&self) -> &[RepoPath] {
        let most = if self.only_first { 1 } else { self.places.len() };
        self.places.get(..most).unwrap_or_default()
    }

    /// The file, where there is one that was read.
    pub fn owners(&self) -> Option<&Owners> {
        match &self.found {
            FoundOwners::Read { owners, .. } => Some(owners),
            FoundOwners::Nothing | FoundOwners::Unread { .. } => None,
        }
    }

    /// Everybody whose approval may count for a change of this path.
    pub fn people(&self, path: &RepoPath) -> impl Iterator<Item = &PrincipalName> {
        let owners = self.owners();
        let of_all = owners.filter(|_| self.is_place(path));
        let claims = owners.map(|it| it.book.claims(path.as_bytes())).unwrap_or_default();
        let of_all = of_all.map(|it| it.book.of_everything()).unwrap_or_default();
        let named = claims.into_iter().chain(of_all).filter_map(move |it| owners?.named.get(&it));
        named.flat_map(|named| &named.people)
    }
}

impl Owners {
    /// Looks up whom each line names.
    pub fn new(book: Book, directory: &Directory) -> Self {
        let mut named = HashMap::with_capacity(book.entries());
        for (section, lines) in book.sections.iter().enumerate() {
            for (entry, line) in lines.entries.iter().enumerate() {
                named.insert(Claim { section, entry }, Named::look(line, directory));
            }
        }
        Self { book, named }
    }

    /// A line that owns a path, its section, and whom it names.
    pub fn line(&self, claim: Claim) -> Option<(&Section, &Entry, &Named)> {
        let (section, entry) = self.book.at(claim)?;
        Some((section, entry, self.named.get(&claim)?))
    }

    /// Every line with whom it names, in their order.
    pub fn lines(&self) -> impl Iterator<Item = (&Section, &Entry, &Named)> {
        let claims = self.book.sections.iter().enumerate().flat_map(|(section, lines)| {
            (0..lines.entries.len()).map(move |entry| Claim { section, entry })
        });
        claims.filter_map(|claim| self.line(claim))
    }
}

impl Named {
    fn look(line: &Entry, directory: &Directory) -> Self {
        let mut named = Self::default();
        for owner in &line.owners {
            match directory.meant(owner) {
                Meant::People(people) => named.people.extend(people),
                Meant::Nobody(why) => named.nobodies.push((owner.to_string(), why)),
            }
        }
        named
    }
}

/// The places where a rule looks for its file: the one it names, else those of the dialect, which
/// are no places to change freely even then.
pub fn places(dialect: Dialect, file: Option<&RepoPath>) -> Vec<RepoPath> {
    let known = dialect.places().iter().map(|place| RepoPath::new(*place));
    file.cloned().into_iter().chain(known).collect()
}
