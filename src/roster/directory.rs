//! Whom a CODEOWNERS file means: accounts of a forge as people of the policy.
//!
//! Made by the roster for the rule that reads such a file; used by `gather`, which probes for the statements of
//! owners and of nobody else. Only who can approve is an owner: a machine, a shared login or somebody
//! without a key could never give what is asked.

use std::collections::{BTreeSet, HashMap};

use crate::codeowners::dialect::Dialect;
use crate::codeowners::owner::Owner;
use crate::names::principal::PrincipalName;
use crate::roster::principal::Principal;

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
    groups_are_accounts: bool,
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
    /// Nobody yet.
    pub(super) fn of(dialect: Dialect) -> Self {
        Self { groups_are_accounts: dialect == Dialect::Gitlab, ..Self::default() }
    }

    /// Somebody, who can approve or cannot.
    pub(super) fn add_person(&mut self, person: &Principal, able: bool) {
        for login in &person.logins {
            // Whoever cannot approve still has the login, so that nobody else is meant by it.
            let own = able.then(|| person.name.clone());
            let same = |known: &mut Option<PrincipalName>| *known = None;
            self.logins.entry(login.to_lowercase()).and_modify(same).or_insert(own);
        }
        for email in person.emails.iter().filter(|_| able) {
            self.emails.insert(email.to_lowercase(), person.name.clone());
        }
    }

    /// A group, with those of it who can approve.
    pub(super) fn add_group(&mut self, name: &PrincipalName, members: BTreeSet<PrincipalName>) {
        self.groups.insert(name.to_string(), members);
    }

    /// A team or role that a rule translates, with those of it who can approve.
    pub(super) fn add_team(&mut self, name: &str, members: BTreeSet<PrincipalName>) {
        let name = name.trim_start_matches('@').to_lowercase();
        self.teams.insert(singular(&name).to_owned(), members);
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
                // GitLab's groups look like accounts; elsewhere the rule has to say so.
                None if self.groups_are_accounts => self.team(name),
                None => self.teams.get(&name.to_lowercase()),
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::{Directory, Meant};
    use crate::codeowners::dialect::Dialect;
    use crate::codeowners::owner::Owner;
    use crate::names::principal::PrincipalName;

    /// Nobody in here can approve: they have no keys.
    fn directory(dialect: Dialect) -> Directory {
        let name = |text: &str| PrincipalName::parse(text).unwrap();
        let mut directory = Directory::of(dialect);
        directory.logins.insert("alice".to_owned(), Some(name("alice")));
        directory.logins.insert("twice".to_owned(), None);
        directory.emails.insert("a@example.com".to_owned(), name("alice"));
        directory.groups.insert("sre".to_owned(), [name("bob")].into());
        directory.groups.insert("empty".to_owned(), [].into());
        directory.groups.insert("maintainers".to_owned(), [name("carol")].into());
        directory.add_team("@Org/ops", [name("carol")].into());
        directory
    }

    fn meant(dialect: Dialect, owner: Owner) -> String {
        match directory(dialect).meant(&owner) {
            Meant::People(people) => people.iter().map(PrincipalName::as_str).collect(),
            Meant::Nobody(why) => format!("- {why}"),
        }
    }

    #[test]
    fn names_of_a_file_are_people_of_the_policy_or_nobody() {
        let account = |text: &str| Owner::Account(text.to_owned());
        let team = |text: &str| Owner::Team(text.to_owned());
        for (owner, people) in [
            (account("Alice"), "alice"),
            (account("twice"), "- cannot approve, or is two people"),
            (account("nobody"), "- is nobody in the policy"),
            (account("sre"), "- is nobody in the policy"),
            (team("Any/SRE"), "bob"),
            (team("org/ops"), "carol"),
            (team("other/ops"), "- is nobody in the policy"),
            (team("org/empty"), "- has nobody in it who can approve"),
            (Owner::Email("A@example.com".to_owned()), "alice"),
            (Owner::Email("b@example.com".to_owned()), "- is the e-mail of nobody who can approve"),
            (Owner::Role("maintainer".to_owned()), "carol"),
            (Owner::Role("owner".to_owned()), "- is nobody in the policy"),
            (Owner::Malformed("sre".to_owned()), "- is no name of an owner"),
        ] {
            assert_eq!(meant(Dialect::Github, owner.clone()), people, "{owner:?}");
        }
        assert_eq!(meant(Dialect::Gitlab, account("sre")), "bob", "GitLab writes groups so too");
    }
}
