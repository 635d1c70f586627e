//! `docs/operations.md`, followed by copying: each section on a server of its own, every block run in
//! order, and what the page says was printed was printed.
//!
//! As in `docs.rs`, a remark that no reader sees says who runs a block: `<!-- server -->` the account
//! that owns the repositories, `<!-- alice -->` she, in her clone. `<!-- server, 1 -->` has to end with
//! this code. `<!-- said -->` holds lines that the block before it printed. A block of language
//! `happens` stands inside a remark that begins with who does it: what befalls the server between two
//! blocks, and a reader has no need to see. `/srv/`, `/etc/` and
//! `/var/` of the page lie in the test's folder, and so does `/usr/local/`, with the program in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::docs::{Block, blocks, stands_in};
use crate::support::ground::{PORTCULLIS, run};
use crate::support::person::Person;
use crate::support::policy::{gated, laid_over};
use crate::support::site::{Plan, Site};

/// Folders of a server that stand in the test's folder.
const PLACES: [&str; 4] = ["/srv/", "/etc/", "/var/", "/usr/local/"];

/// A server as the pages have it, and who works on it.
pub(crate) struct Server {
    site: Site,
    people: BTreeMap<String, Person>,
}

impl Server {
    /// `/srv/git/infra.git` behind the gate, with a reviewed landing in its past.
    pub(crate) fn new() -> Self {
        let mut server = Self::with("srv/git/infra.git");
        let Self { site, people } = &mut server;
        let policy = site.ground().at("etc/portcullis/policy.toml");
        fs::copy(site.policy_file(), &policy).unwrap();
        site.git(&["config", "portcullis.policy", policy.to_str().unwrap()]);
        let (alice, bob) = (site.person("alice"), site.person("bob"));
        let tip = alice.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
        site.approve(&bob, &tip).accepted();
        alice.land(&tip).accepted();
        people.extend([alice, bob].map(|person| (person.name().to_owned(), person)));
        server
    }

    /// A server without `/srv/git/infra.git`, which a page is about to make.
    pub(crate) fn bare() -> Self {
        Self::with("other/infra.git")
    }

    fn with(folder: &str) -> Self {
        let site = Plan::new(gated(1)).folder(folder).build();
        for folder in ["etc/portcullis", "srv/backup", "srv/restored", "usr/local/bin"] {
            fs::create_dir_all(site.ground().at(folder)).unwrap();
        }
        let program = site.ground().at("usr/local/bin/portcullis");
        if fs::hard_link(PORTCULLIS, &program).is_err() {
            fs::copy(PORTCULLIS, &program).unwrap();
        }
        Self { site, people: BTreeMap::new() }
    }

    /// Runs a block by whom it says, to the end that it says; returns what was printed.
    #[track_caller]
    pub(crate) fn ran(&mut self, block: &Block, above: usize) -> String {
        let Block { remark, language, text, .. } = block;
        let line = block.line + above;
        self.welcome(remark);
        assert!(["sh", "happens"].contains(&language.as_str()), "line {line}: {language:?}?");
        let (who, code) = remark.split_once(", ").unwrap_or((remark, "0"));
        let person = self.people.get(who);
        assert!(person.is_some() || who == "server", "line {line}: who is {who:?}?");
        let (ended, printed) = self.acted(person, text);
        assert_eq!(ended, code.parse().ok(), "line {line}:\n{text}{printed}");
        printed
    }

    /// Lays a table over the policy, which has to be a good one afterwards.
    #[track_caller]
    fn lay_over_policy(&self, table: &str) {
        let file = self.site.ground().at("etc/portcullis/policy.toml");
        let lines = table.lines().filter(|line| !line.is_empty()).map(str::to_owned);
        let lines: Vec<String> = lines.collect();
        let policy = laid_over(&fs::read_to_string(&file).unwrap(), &lines).unwrap();
        fs::write(&file, policy).unwrap();
        let (ended, said) = self.acted(None, "portcullis lint /etc/portcullis/policy.toml");
        assert_eq!(ended, Some(0), "{table}{said}");
    }

    /// Makes a home and a clone for everybody in a text who has none.
    fn welcome(&mut self, remark: &str) {
        let who = remark.split(", ").next().unwrap_or_default();
        if !who.is_empty()
            && !["server", "said", "policy"].contains(&who)
            && !self.people.contains_key(who)
        {
            let repository = self.site.ground().at("srv/git/infra.git");
            let person = Person::new(self.site.ground(), who, &repository);
            self.people.insert(who.to_owned(), person);
        }
    }

    /// Runs commands as they stand on the page; returns the exit code and what was printed.
    fn acted(&self, person: Option<&Person>, commands: &str) -> (Option<i32>, String) {
        let here = self.site.ground().path().to_str().unwrap();
        // In the order in which a person sees it.
        let mut commands = format!("exec 2>&1\n{commands}");
        for place in PLACES {
            commands = commands.replace(place, &format!("{here}{place}"));
        }
        let mut shell = match person {
            Some(person) => person.command("bash"),
            None => self.site.ground().command("bash"),
        };
        let path = std::env::var("PATH").unwrap_or_default();
        shell
            .args(["-euo", "pipefail", "-c", &commands])
            .current_dir(person.map_or(Path::new(here), Person::clone_path))
            .env("GIT_EDITOR", "true")
            .env("KEYS", Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys"))
            .env("PATH", format!("{here}/usr/local/bin:{path}"));
        let output = run(&mut shell);
        let said = String::from_utf8_lossy(&output.stdout).replace(here, "");
        (output.status.code(), said)
    }
}

/// Numbers are those of the day: of entries, of room on a disk.
fn without_numbers(text: &str) -> String {
    let parts = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    let number = |word: &str| !word.is_empty() && word.bytes().all(|c| c.is_ascii_digit());
    let part = |part: &str| {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        if number(word) { part.replacen(word, "0", 1) } else { part.to_owned() }
    };
    parts.map(part).collect()
}

/// Follows one section of the page on a server of its own, from its heading to the next.
#[track_caller]
fn followed(heading: &str) -> Server {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let page = fs::read_to_string(page).unwrap();
    let begin = page.find(&format!("\n## {heading}\n")).unwrap();
    let above = page[..begin].lines().count();
    let section = page[begin + 1..].split("\n## ").next().unwrap();
    let mut server = Server::new();
    follow(&mut server, section, above);
    server
}

/// Runs every block of a text that says who does it; `above`: how many lines stand above it. Which
/// blocks of a page say nothing is counted in `pages.rs`.
#[track_caller]
pub(crate) fn follow(server: &mut Server, section: &str, above: usize) {
    let mut said = String::new();
    for block in blocks(section).into_iter().filter(|block| !block.remark.is_empty()) {
        let line = block.line + above;
        let Block { remark, language, text, .. } = block;
        if (remark.as_str(), language.as_str()) == ("said", "text") {
            let text = without_numbers(&text);
            stands_in(&Block { line, remark, language, text }, &without_numbers(&said));
            continue;
        }
        if (remark.as_str(), language.as_str()) == ("policy", "toml") {
            server.lay_over_policy(&text);
            continue;
        }
        said = server.ran(&Block { line: line - above, remark, language, text }, above);
    }
}

/// `docs/audit.md`, from its first block to its last on one server.
#[test]
fn an_audit_can_be_followed() {
    let mut server = Server::new();
    if !crate::audit::ready(&server.site) {
        return;
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/audit.md");
    follow(&mut server, &fs::read_to_string(page).unwrap(), 0);
}

/// The sections with commands, each followed by a test below.
const FOLLOWED: [&str; 6] = [
    "Backup and restore",
    "Moving a repository",
    "Upgrading",
    "A lost log key",
    "A full disk",
    "A repository restored from an old snapshot",
];

#[test]
fn every_section_is_followed_by_a_test() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let page = fs::read_to_string(page).unwrap();
    let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(headings, FOLLOWED);
}

#[test]
fn backup_and_restore_can_be_followed() {
    followed(FOLLOWED[0]);
}

#[test]
fn moving_can_be_followed() {
    followed(FOLLOWED[1]);
}

#[test]
fn upgrading_can_be_followed() {
    followed(FOLLOWED[2]);
}

#[test]
fn a_lost_key_can_be_followed() {
    followed(FOLLOWED[3]);
}

#[test]
fn a_full_disk_can_be_followed() {
    followed(FOLLOWED[4]);
}

#[test]
fn an_old_snapshot_can_be_followed() {
    followed(FOLLOWED[5]);
}
