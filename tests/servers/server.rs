//! A server with one repository, its operators, and the two people who push to it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use crate::page::block_below;
use crate::support::entries::{Entries, agreement, chain};
use crate::support::ground::{Ground, PORTCULLIS, bytes, feed, run, text};
use crate::support::person::Person;
use crate::support::policy::gated;
use crate::support::push::Pushed;
use crate::support::statement::{Draft, merge_base};

/// What stands on `main` before anybody pushes.
const BASE: &str = "commit refs/heads/main\nmark :1\n\
    committer Founder <founder@example.org> 1764547200 +0000\ndata 10\nbeginning\n\
    M 100644 inline infra/prod/network.tf\ndata 9\nport 443\nM 100644 inline README\ndata 6\nhello\n";

/// What is pushed and not looked at in a photograph of a repository: it is what pushes are for.
const CONTENT: &[&str] = &["objects", "refs", "packed-refs", "logs", "portcullis", "db"];

/// A server.
pub(crate) struct Server {
    ground: Arc<Ground>,
    repository: PathBuf,
    account: Option<&'static str>,
    home: PathBuf,
    url: String,
}

/// Files and folders by their names: mode, and what is in them.
pub(crate) type Photo = BTreeMap<PathBuf, (u32, Vec<u8>)>;

impl Server {
    /// With this `[identity]`, and a repository at `/srv/git/infra.git`.
    pub(crate) fn new(identity: &str) -> Self {
        let server = Self::bare(identity, "srv/git/infra.git");
        let repository = &server.repository;
        fs::create_dir_all(repository.parent().unwrap()).unwrap();
        text(server.ground.command("git").args(["init", "-q", "--bare"]).arg(repository));
        server.fill();
        server
    }

    /// With this `[identity]`, and a repository that somebody else will make at this place.
    pub(crate) fn bare(identity: &str, repository: &str) -> Self {
        let ground = Arc::new(Ground::new());
        let program = ground.at("usr/local/bin/portcullis");
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        if fs::hard_link(PORTCULLIS, &program).is_err() {
            fs::copy(PORTCULLIS, &program).unwrap();
        }
        fs::create_dir_all(ground.at("etc/portcullis")).unwrap();
        let (repository, home) = (ground.at(repository), ground.at("server-home"));
        fs::create_dir(&home).unwrap();
        fs::copy(ground.at("gitconfig"), home.join(".gitconfig")).unwrap();
        let url = repository.display().to_string();
        let server = Self { ground, repository, account: None, home, url };
        server.set_policy(identity);
        server
    }

    /// Writes the policy, with this `[identity]`.
    fn set_policy(&self, identity: &str) {
        let whole = gated(1);
        let (start, rest) = whole.split_once("[identity]\n").unwrap();
        let (_, rest) = rest.split_once("\n\n").unwrap();
        let text = format!("{start}[identity]\n{identity}\n\n{rest}");
        fs::write(self.ground.at("etc/portcullis/policy.toml"), text).unwrap();
    }

    /// Puts the first commit into the repository.
    pub(crate) fn fill(&self) {
        let mut import = self.ground.git(&self.repository);
        let output = feed(import.args(["fast-import", "--quiet"]), BASE.as_bytes());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Served and kept by this account, when the tests run as root.
    pub(crate) fn kept_by(mut self, account: &'static str) -> Self {
        if text(self.ground.command("id").arg("-u")) != "0" {
            return self;
        }
        self.account = Some(account);
        fs::set_permissions(self.ground.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for folder in ["srv", "server-home", "tmp", "etc"] {
            let owner = format!("{account}:{account}");
            text(self.ground.command("chown").args(["-R", &owner]).arg(self.ground.at(folder)));
        }
        self
    }

    /// Reached by this address.
    pub(crate) fn reached_by(mut self, url: String) -> Self {
        self.url = url;
        self
    }

    pub(crate) fn ground(&self) -> &Arc<Ground> {
        &self.ground
    }

    pub(crate) fn path(&self) -> &Path {
        &self.repository
    }

    /// The address by which people come.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// A person with a clone, who comes by the server's address; `{who}` in it is their name.
    pub(crate) fn person(&self, name: &str) -> Person {
        Person::new(&self.ground, name, Path::new(&self.url.replace("{who}", name)))
    }

    /// A child of the operators, in the account that keeps the repository.
    pub(crate) fn operator(&self, program: &str) -> Command {
        let mut command = match self.account {
            None => self.ground.command(program),
            Some(account) => {
                let mut setpriv = self.ground.command("setpriv");
                let (user, group) = (format!("--reuid={account}"), format!("--regid={account}"));
                setpriv.args([&user, &group, "--clear-groups", "--", program]);
                setpriv
            }
        };
        let path = std::env::var("PATH").unwrap_or_default();
        let own = self.ground.at("usr/local/bin");
        command
            .env("HOME", &self.home)
            .env("GIT_CONFIG_GLOBAL", self.home.join(".gitconfig"))
            .env("PATH", format!("{}:{path}", own.display()))
            .current_dir(&self.home);
        command
    }

    /// The operators do what the page says; returns what they read.
    #[track_caller]
    pub(crate) fn follow(&self, server: &str, step: &str) -> String {
        let script = block_below(self.ground.path(), server, step);
        let output = run(self.operator("bash").args(["-euo", "pipefail", "-c", &script]));
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{server}: {step}: {}\n{script}{said}", output.status);
        said
    }

    /// Runs the program as the operators do; whether it was a yes, and what it said.
    pub(crate) fn portcullis(&self, verb: &[&str]) -> (bool, String) {
        let output = run(self.operator("portcullis").args(verb).arg(&self.repository));
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), said)
    }

    /// The repository as it is, but for what pushes bring.
    pub(crate) fn photo(&self) -> Photo {
        photo(&self.repository)
    }

    /// The log as it stands on the disk.
    pub(crate) fn log(&self) -> Entries {
        Entries::read(&self.log_dir())
    }

    fn log_dir(&self) -> PathBuf {
        self.repository.join("portcullis/log")
    }

    /// Every ref.
    pub(crate) fn refs(&self) -> BTreeMap<String, String> {
        let mut git = self.operator("git");
        git.arg("-C").arg(&self.repository);
        let listing = bytes(git.args(["for-each-ref", "--format=%(refname) %(objectname)"]));
        let listing = String::from_utf8(listing).unwrap();
        let pair = |line: &str| line.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned()));
        listing.lines().filter_map(pair).collect()
    }

    /// The log verifies and gives every ref the value it has.
    #[track_caller]
    pub(crate) fn log_and_refs_agree(&self) {
        agreement(&self.log(), &self.log_dir(), &self.refs());
        chain(&self.log_dir());
        let (ok, said) = self.portcullis(&["log", "verify", "--repo"]);
        assert!(ok, "{said}");
    }

    /// What became of every push to a ref, as the log has it after everything was held against it.
    #[track_caller]
    pub(crate) fn ends_of(&self, name: &str) -> Vec<String> {
        let (ok, said) = self.portcullis(&["log", "drift"]);
        assert!(ok, "{said}");
        let log = self.log();
        let all = log.of("outcome").flat_map(|outcome| outcome["refs"].as_array().unwrap());
        let here = all.filter(|one| one["ref"] == name);
        here.map(|one| one["state"].as_str().unwrap().to_owned()).collect()
    }

    /// Who the log says made the newest decision.
    #[track_caller]
    pub(crate) fn last_by(&self) -> String {
        let log = self.log();
        let actor = &log.last("decision")["actor"];
        actor["name"].as_str().unwrap_or_else(|| panic!("nobody's: {actor}")).to_owned()
    }

    /// Bob approves what a commit brings to `main`, with plain `git` and `ssh-keygen`.
    pub(crate) fn approve(&self, person: &Person, commit: &str) -> Pushed {
        person.fetch();
        let base = merge_base(person, "origin/main", commit);
        let mut git = self.operator("git");
        git.arg("-C").arg(&self.repository).args(["config", "portcullis.repository"]);
        Draft::new(person, &text(&mut git), "refs/heads/main", &base, commit).push(person)
    }
}

/// A folder as it is, but for what pushes bring.
pub(crate) fn photo(folder: &Path) -> Photo {
    let mut photo = Photo::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            let below = path.strip_prefix(folder).unwrap().to_owned();
            if CONTENT.iter().any(|name| below == Path::new(name)) {
                continue;
            }
            let meta = fs::symlink_metadata(&path).unwrap();
            let bytes = if meta.is_symlink() {
                fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
            } else if meta.is_dir() {
                folders.push(path);
                Vec::new()
            } else {
                fs::read(&path).unwrap()
            };
            photo.insert(below, (meta.permissions().mode(), bytes));
        }
    }
    photo
}

/// A server's whole life with the gate: installed, pushed through by two people, upgraded,
/// uninstalled. `named` is the section of the page.
#[track_caller]
pub(crate) fn whole_life(server: &Server, named: &str) {
    whole_life_with(server, named, |_, _| {});
}

/// The same, and something else while the gate stands.
#[track_caller]
pub(crate) fn whole_life_with(
    server: &Server,
    named: &str,
    meanwhile: impl FnOnce(&Person, &Person),
) {
    let before = server.photo();
    server.follow(named, "install");
    let (alice, bob) = two_people_push(server);
    upgraded(server, named, &bob);
    meanwhile(&alice, &bob);
    server.follow(named, "uninstall");
    let (after, missing) =
        (server.photo(), "after `uninstall` (left) and before `install` (right)");
    assert_eq!(after, before, "{missing}");
    // As before: nobody asks, nobody says anything.
    let log = server.log().len();
    alice.begin("straight");
    let tip = alice.commit("infra/prod/network.tf", "port 1\n");
    let push = alice.push(&["HEAD:refs/heads/main"]);
    assert_eq!(push.accepted().said(), "");
    assert_eq!(server.refs().get("refs/heads/main"), Some(&tip));
    assert_eq!(server.log().len(), log);
}

/// Alice's change lands after Bob's approval, and in no other way.
#[track_caller]
pub(crate) fn two_people_push(server: &Server) -> (Person, Person) {
    let (alice, bob) = (server.person("alice"), server.person("bob"));
    alice.begin("open-port");
    let tip = alice.commit("infra/prod/network.tf", "port 8443\n");
    let before = server.refs();
    alice.push(&["HEAD:refs/heads/main"]).refused_by("main-takes-merges");
    assert_eq!(server.refs(), before, "a refused push moves nothing");
    assert_eq!(server.last_by(), "alice");

    alice.push(&["HEAD:refs/heads/open-port"]).accepted().says("alice");
    let merge = alice.merge(&tip);
    let landing = format!("{merge}:refs/heads/main");
    alice.push(&[&landing]).refused_by("infra-review").says("0 of 1 approval");
    // Bob asks what is missing, from his clone, and signs.
    bob.fetch();
    let asked = bob.push(&["-oask", &format!("{tip}:refs/portcullis/ask/heads/main")]);
    assert!(!asked.is_accepted() && asked.said().contains("0 of 1 approval"), "{}", asked.whole());
    server.approve(&bob, &tip).accepted().says("bob");
    assert_eq!(server.last_by(), "bob");
    alice.push(&[&landing]).accepted();
    assert_eq!(server.last_by(), "alice");
    assert_eq!(server.refs().get("refs/heads/main"), Some(&merge));
    server.log_and_refs_agree();
    (alice, bob)
}

/// Another program takes the place of the one that hooks call: nothing else changes, and the gate
/// still stands.
#[track_caller]
fn upgraded(server: &Server, named: &str, bob: &Person) {
    let new = server.home().join("portcullis");
    let mut program = fs::read(PORTCULLIS).unwrap();
    // As good as another build: other bytes, the same program.
    program.extend_from_slice(b"\nnewer\n");
    fs::write(&new, program).unwrap();
    let before = server.photo();
    let mut bash = server.ground().command("bash");
    let script = block_below(server.ground().path(), "all", "upgrade");
    text(bash.args(["-euo", "pipefail", "-c", &script]).current_dir(server.home()));
    let said = server.follow(named, "install");
    assert!(said.contains("nothing to do"), "{said}");
    assert_eq!(server.photo(), before);
    fs::remove_file(new).unwrap();

    bob.begin("bobs");
    bob.commit("app/x", "after the upgrade\n");
    bob.push(&["HEAD:refs/heads/main"]).refused_by("main-takes-merges");
    bob.push(&["HEAD:refs/heads/bobs"]).accepted();
    assert_eq!(server.last_by(), "bob");
}
