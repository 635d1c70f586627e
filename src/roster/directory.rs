//! Whom a CODEOWNERS file means: accounts of a forge as people of the policy.
//!
//! Made by the rule that reads such a file; used by `gather`, which probes for the statements of
//! owners and of nobody else. Only who can approve is an owner: a machine, a shared login or somebody
//! without a key could never give what is asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::codeowners::owner::Owner;
use crate::names::principal::PrincipalName;
use crate::roster::Roster;

/// Everybody whom a file may name.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// By login in lower case, as forges compare them. `None`: two people share it in that form.
    logins: HashMap<String, Option<PrincipalName>>,
    emails: HashMap<String, PrincipalName>,
    /// Members by the group's name.
    groups: HashMap<String, BTreeSet<PrincipalName>>,
    /// Members by a team's name in the file, in lower case, without `@`.
    teams: HashMap<String, BTreeSet<PrincipalName>>,
}

/// Whom an owner stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Meant {
    /// These people; never empty.
    People(BTreeSet<PrincipalName>),
    /// Nobody, to follow the owner's name.
    Nobody(&'static str),
}

impl Directory {
    /// Everybody of the roster who can approve; `teams` are those that the rule translates.
    pub fn new(roster: &Roster, teams: &BTreeMap<String, BTreeSet<PrincipalName>>) -> Self {
        let mut directory = Self::default();
        for person in roster.people() {
            let able = roster.can_approve(&person.name);
            for login in &person.logins {
                // Whoever cannot approve still has the login, so that nobody else is meant by it.
                let own = able.then(|| person.name.clone());
                let same = |known: &mut Option<PrincipalName>| *known = None;
                let login = login.to_lowercase();
                directory.logins.entry(login).and_modify(same).or_insert(own);
            }
            for email in person.emails.iter().filter(|_| able) {
                directory.emails.insert(email.to_lowercase(), person.name.clone());
            }
        }
        let able = |members: &BTreeSet<PrincipalName>| -> BTreeSet<PrincipalName> {
            members.iter().filter(|name| roster.can_approve(name)).cloned().collect()
        };
        for (name, members) in roster.groups() {
            directory.groups.insert(name.to_string(), able(members));
        }
        for (name, members) in teams {
            let name = name.trim_start_matches('@').to_lowercase();
            directory.teams.insert(singular(&name).to_owned(), able(members));
        }
        directory
    }

    /// Whom an owner stands for.
    pub fn meant(&self, owner: &Owner) -> Meant {
        let people = match owner {
            Owner::Malformed(_) => return Meant::Nobody("is no name of an owner"),
            Owner::Email(text) => {
                let known = self.emails.get(&text.to_lowercase());
                return known.map_or(Meant::Nobody("is the e-mail of nobody who can approve"), one);
            }
            Owner::Account(name) => match self.logins.get(&name.to_lowercase()) {
                Some(Some(person)) => return one(person),
                Some(None) => return Meant::Nobody("cannot approve, or is two people"),
                // GitLab's groups look like accounts.
                None => self.team(name),
            },
            Owner::Team(name) => self.team(name),
            Owner::Role(role) => self.teams.get(singular(role)).or_else(|| self.role(role)),
        };
        match people {
            Some(people) if !people.is_empty() => Meant::People(people.clone()),
            Some(_) => Meant::Nobody("has nobody in it who can approve"),
            None => Meant::Nobody("is nobody in the policy"),
        }
    }

    /// The team that the rule translates, else the group of the same last name.
    fn team(&self, name: &str) -> Option<&BTreeSet<PrincipalName>> {
        let lower = name.to_lowercase();
        let last = lower.rsplit('/').next().unwrap_or_default();
        self.teams.get(singular(&lower)).or_else(|| self.groups.get(last))
    }

    /// The group of the role's name, in the singular or the plural.
    fn role(&self, role: &str) -> Option<&BTreeSet<PrincipalName>> {
        self.groups.get(&format!("{role}s")).or_else(|| self.groups.get(role))
    }
}

fn one(person: &PrincipalName) -> Meant {
    Meant::People([person.clone()].into())
}

/// A role of GitLab's in the singular; any other name as it is.
fn singular(name: &str) -> &str {
    match name {
        "developers" => "developer",
        "maintainers" => "maintainer",
        "owners" => "owner",
        name => name,
    }
}
