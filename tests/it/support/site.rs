//! A server: a bare repository with the hooks that the real `install` wrote.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

use crate::support::entries::{Entries, agreement};
use crate::support::ground::{Ground, bytes, feed, run, text};
use crate::support::person::{Person, WHO};
use crate::support::policy;
use crate::support::push::Pushed;
use crate::support::statement::{Draft, merge_base};
use crate::support::wire::{Reply, Request};

/// What stands on `main` before anybody pushes: one commit with infrastructure and an application.
const BASE: &str = "commit refs/heads/main\nmark :1\n\
    committer Founder <founder@example.org> 1764547200 +0000\ndata 10\nbeginning\nM 100644 inline app/x\n\
    data 2\nb\nM 100644 inline infra/prod/network.tf\ndata 9\nport 443\nM 100644 inline README\n\
    data 6\nhello\n";

/// How a [`Site`] is to be made.
#[derive(Debug)]
pub(crate) struct Plan {
    policy: String,
    format: &'static str,
    folder: PathBuf,
    settings: Vec<(&'static str, &'static str)>,
    install: Vec<String>,
    base: Option<Vec<u8>>,
    before: BTreeMap<&'static str, String>,
    beside: Vec<(&'static str, String)>,
    init: Vec<&'static str>,
    made_by: Option<fn(&Ground, &Path)>,
}

/// A bare repository behind the gate.
#[derive(Debug)]
pub(crate) struct Site {
    ground: Arc<Ground>,
    repository: PathBuf,
    policy: PathBuf,
    format: &'static str,
}

impl Plan {
    /// A site with this policy and one commit on `main`.
    pub(crate) fn new(policy: impl Into<String>) -> Self {
        Self {
            policy: policy.into(),
            format: "sha1",
            folder: PathBuf::from("server/infra.git"),
            settings: Vec::new(),
            install: Vec::new(),
            base: Some(BASE.as_bytes().to_vec()),
            before: BTreeMap::new(),
            beside: Vec::new(),
            init: vec!["--bare"],
            made_by: None,
        }
    }

    /// Made by `git init` with these words instead of `--bare`.
    pub(crate) fn init(mut self, words: &[&'static str]) -> Self {
        self.init = words.to_vec();
        self
    }

    /// Made and filled by this, at the path it is given.
    pub(crate) fn made_by(mut self, make: fn(&Ground, &Path)) -> Self {
        self.made_by = Some(make);
        self.base = None;
        self
    }

    /// In this object format.
    pub(crate) fn format(mut self, format: &'static str) -> Self {
        self.format = format;
        self
    }

    /// The repository's path below the test's folder.
    pub(crate) fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    /// One more setting in the repository's own config, made before `install`.
    pub(crate) fn setting(mut self, key: &'static str, value: &'static str) -> Self {
        self.settings.push((key, value));
        self
    }

    /// One more word for `install`.
    pub(crate) fn install(mut self, word: &str) -> Self {
        self.install.push(word.to_owned());
        self
    }

    /// With this stream for `git fast-import` instead of the one commit.
    pub(crate) fn history(mut self, stream: Vec<u8>) -> Self {
        self.base = Some(stream);
        self
    }

    /// With nothing in it.
    pub(crate) fn empty(mut self) -> Self {
        self.base = None;
        self
    }

    /// With a hook that was there before us.
    pub(crate) fn earlier_hook(mut self, name: &'static str, script: &str) -> Self {
        self.before.insert(name, script.to_owned());
        self
    }

    /// With one more file in the policy's folder.
    pub(crate) fn beside(mut self, name: &'static str, text: &str) -> Self {
        self.beside.push((name, text.to_owned()));
        self
    }

    fn git_init(&self, ground: &Ground, repository: &Path) {
        let mut init = ground.command("git");
        init.args(["init", "--quiet", "--template="]).args(&self.init);
        init.arg(format!("--object-format={}", self.format));
        match repository.file_name() == Some(".git".as_ref()) {
            true => init.arg(repository.parent().unwrap()),
            false => init.arg(repository),
        };
        text(&mut init);
    }

    /// Makes the repository, fills it, and installs.
    pub(crate) fn build(self) -> Site {
        let ground = Arc::new(Ground::new());
        let repository = ground.at(&self.folder);
        fs::create_dir_all(repository.parent().unwrap()).unwrap();
        match self.made_by {
            Some(make) => make(&ground, &repository),
            None => self.git_init(&ground, &repository),
        }
        fs::create_dir_all(repository.join("hooks")).unwrap();
        let policy = ground.at("policy.toml");
        fs::write(&policy, &self.policy).unwrap();
        for (name, text) in &self.beside {
            let file = ground.at(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let site = Site { ground, repository, policy, format: self.format };
        for (key, value) in &self.settings {
            site.git(&["config", key, value]);
        }
        if let Some(stream) = &self.base {
            let mut import = site.ground.git(&site.repository);
            let output = feed(import.args(["fast-import", "--quiet"]), stream);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        for (name, script) in &self.before {
            site.write_hook(name, script);
        }
        site.must_install(&self.install);
        site
    }
}

impl Site {
    /// A site with this policy and one commit on `main`.
    pub(crate) fn new(policy: impl Into<String>) -> Self {
        Plan::new(policy).build()
    }

    /// The usual one: `main` takes merges, infrastructure needs one approval.
    pub(crate) fn gated() -> Self {
        Self::new(policy::gated(1))
    }

    /// The usual one with Alice, who makes, and Bob, who reviews.
    pub(crate) fn alice_and_bob() -> (Self, Person, Person) {
        let site = Self::gated();
        let (alice, bob) = (site.person("alice"), site.person("bob"));
        (site, alice, bob)
    }

    /// The usual two and a topic of Alice's that opens a port, pushed and not approved.
    pub(crate) fn topic() -> (Self, Person, Person, String) {
        let (site, alice, bob) = Self::alice_and_bob();
        let tip = alice.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
        bob.fetch();
        (site, alice, bob, tip)
    }

    /// `main` must not take the topic, for want of approval.
    #[track_caller]
    pub(crate) fn does_not_land(&self, person: &Person, tip: &str) -> Pushed {
        let merge = person.merge(tip);
        let push = self.main_refuses(person, &merge);
        push.refused_by("infra-review");
        self.log_and_refs_agree();
        push
    }

    /// Somebody pushes a revision to `main`, which has to stay where it was.
    #[track_caller]
    pub(crate) fn main_refuses(&self, person: &Person, revision: &str) -> Pushed {
        let before = self.main();
        let push = person.push(&["--force", &format!("{revision}:refs/heads/main")]);
        push.refused();
        assert_eq!(self.main(), before, "a refused push moves nothing");
        push
    }

    /// A person with a clone.
    pub(crate) fn person(&self, name: &str) -> Person {
        Person::new(&self.ground, name, &self.repository)
    }

    /// The test's folder.
    pub(crate) fn ground(&self) -> &Arc<Ground> {
        &self.ground
    }

    /// The bare repository.
    pub(crate) fn path(&self) -> &Path {
        &self.repository
    }

    /// The policy file that `install` was given.
    pub(crate) fn policy_file(&self) -> &Path {
        &self.policy
    }

    /// Writes another policy into the file that the server reads.
    pub(crate) fn set_policy(&self, text: impl AsRef<[u8]>) {
        fs::write(&self.policy, text).unwrap();
    }

    /// Runs `git` on the server; it has to succeed.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        text(self.ground.git(&self.repository).args(args))
    }

    /// Runs a verb of the program on the server.
    pub(crate) fn portcullis(&self, args: &[&str]) -> Output {
        run(self.ground.portcullis().args(args))
    }

    /// Runs a verb that takes this repository as its last word.
    pub(crate) fn verb(&self, args: &[&str]) -> Output {
        run(self.ground.portcullis().args(args).arg(&self.repository))
    }

    /// Runs `install` with these words more.
    pub(crate) fn install(&self, words: &[String]) -> Output {
        run(self
            .ground
            .portcullis()
            .arg("install")
            .arg("--policy")
            .arg(&self.policy)
            .args(words)
            .arg(&self.repository))
    }

    fn must_install(&self, words: &[String]) {
        let output = self.install(words);
        assert!(
            output.status.success(),
            "install ended with {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Puts a script in a hook's place, executable.
    pub(crate) fn write_hook(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let file = self.hook_file(name);
        fs::write(&file, script).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Where a hook stands.
    pub(crate) fn hook_file(&self, name: &str) -> PathBuf {
        self.repository.join("hooks").join(name)
    }

    /// Runs a hook as Git would, but with whatever arguments and stdin a test likes.
    pub(crate) fn hook(&self, name: &str, args: &[&str], stdin: &[u8], who: &str) -> Output {
        let mut hook = self.ground.command(self.hook_file(name));
        hook.args(args).current_dir(&self.repository).env("GIT_DIR", ".").env(WHO, who);
        feed(&mut hook, stdin)
    }

    /// `git` for a raw request by this person.
    pub(crate) fn raw(&self, who: &str, request: Request) -> Reply {
        let mut git = self.ground.command("git");
        git.env(WHO, who);
        request.send(git, &self.repository)
    }

    /// A raw request in this repository's object format.
    pub(crate) fn request(&self) -> Request {
        Request::new(self.format)
    }

    /// The zero oid in this repository's object format.
    pub(crate) fn zero(&self) -> String {
        "0".repeat(if self.format == "sha256" { 64 } else { 40 })
    }

    /// The id that `install` gave the repository.
    pub(crate) fn id(&self) -> String {
        self.git(&["config", "portcullis.repository"])
    }

    /// What a ref names on the server, or nothing.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        self.refs().remove(name)
    }

    /// Where `main` stands on the server.
    pub(crate) fn main(&self) -> String {
        self.value("refs/heads/main").unwrap()
    }

    /// Every ref of the server.
    pub(crate) fn refs(&self) -> BTreeMap<String, String> {
        let mut git = self.ground.git(&self.repository);
        // A name need not be text.
        String::from_utf8_lossy(&bytes(
            git.args(["for-each-ref", "--format=%(refname) %(objectname)"]),
        ))
        .lines()
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, oid)| (name.to_owned(), oid.to_owned()))
        .collect()
    }

    /// The log as it stands on the disk.
    pub(crate) fn log(&self) -> Entries {
        Entries::read(&self.log_dir())
    }

    /// Where the log stands.
    pub(crate) fn log_dir(&self) -> PathBuf {
        self.repository.join("portcullis/log")
    }

    /// A person's approval of what a commit brings to `main`: made, not pushed.
    pub(crate) fn draft(&self, person: &Person, commit: &str) -> Draft {
        self.draft_for(person, "refs/heads/main", commit)
    }

    /// A person's approval of what a commit brings to a branch: made, not pushed.
    pub(crate) fn draft_for(&self, person: &Person, reference: &str, commit: &str) -> Draft {
        person.fetch();
        let branch = reference.trim_start_matches("refs/heads/");
        let base = merge_base(person, &format!("origin/{branch}"), commit);
        Draft::new(person, &self.id(), reference, &base, commit)
    }

    /// A person approves, with plain `git` and `ssh-keygen`.
    pub(crate) fn approve(&self, person: &Person, commit: &str) -> Pushed {
        self.draft(person, commit).push(person)
    }

    /// After any test that leaves the gate standing: the refs are those of the log, and the log
    /// verifies.
    #[track_caller]
    pub(crate) fn log_and_refs_agree(&self) {
        agreement(&self.log(), &self.log_dir(), &self.refs());
        let verify = self.verb(&["log", "verify"]);

        assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stderr));
    }
}
