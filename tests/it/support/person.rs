//! One person or machine: a home, a key, a clone, and a name that the server believes.
//!
//! Over a local path the server learns who pushes from the variable [`WHO`], which the policy of
//! these tests names under `[identity] local`; it stands for what a forced command would set.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use crate::support::ground::{Ground, PORTCULLIS, feed, run, text};
use crate::support::push::Pushed;

/// The variable that names the pusher.
pub(crate) const WHO: &str = "PORTCULLIS_TEST_USER";

/// A person with a clone of the server.
#[derive(Debug)]
pub(crate) struct Person {
    ground: Arc<Ground>,
    name: String,
    home: PathBuf,
    clone: PathBuf,
    server: PathBuf,
}

impl Person {
    /// Makes the home, puts the key of that name into it, and clones the server.
    pub(crate) fn new(ground: &Arc<Ground>, name: &str, server: &Path) -> Self {
        let home = ground.at(format!("home-{name}"));
        fs::create_dir_all(home.join(".ssh")).unwrap();
        let key = if test_key(name).exists() { name } else { "mallory" };
        put_key(&home.join(".ssh/id_ed25519"), key);
        fs::write(
            home.join(".gitconfig"),
            format!(
                "[include]\n\tpath = {}\n[user]\n\tname = {name}\n\temail = {name}@example.org\n\
                 \tsigningKey = {}\n[gpg]\n\tformat = ssh\n",
                ground.at("gitconfig").display(),
                home.join(".ssh/id_ed25519").display()
            ),
        )
        .unwrap();
        let clone = home.join("work");
        let person = Self {
            ground: ground.clone(),
            name: name.to_owned(),
            home,
            clone,
            server: server.to_owned(),
        };
        let mut git = person.command("git");
        text(git.args(["clone", "--quiet", "--template="]).arg(server).arg(&person.clone));
        person
    }

    /// The name that the server believes.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The person's working clone.
    pub(crate) fn clone_path(&self) -> &Path {
        &self.clone
    }

    /// The person's home.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// The person's private key.
    pub(crate) fn key(&self) -> PathBuf {
        self.home.join(".ssh/id_ed25519")
    }

    /// A child of this person.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = self.ground.command(program);
        let email = format!("{}@example.org", self.name);
        command
            .env("HOME", &self.home)
            .env("GIT_CONFIG_GLOBAL", self.home.join(".gitconfig"))
            .env("GIT_AUTHOR_NAME", &self.name)
            .env("GIT_AUTHOR_EMAIL", &email)
            .env("GIT_COMMITTER_NAME", &self.name)
            .env("GIT_COMMITTER_EMAIL", &email)
            .env(WHO, &self.name);
        command
    }

    /// A child of this person that finds the program under test by its name.
    pub(crate) fn with_portcullis(&self, program: &str) -> Command {
        let bin = Path::new(PORTCULLIS).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = self.command(program);
        command.env("PATH", format!("{}:{path}", bin.display()));
        command
    }

    /// `git` in the clone.
    pub(crate) fn git(&self, args: &[&str]) -> Command {
        let mut git = self.command("git");
        git.arg("-C").arg(&self.clone).args(args);
        git
    }

    /// Runs `git` in the clone; it has to succeed.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        text(&mut self.git(args))
    }

    /// The program under test, in the clone.
    pub(crate) fn portcullis(&self, args: &[&str]) -> Command {
        let mut command = self.command(PORTCULLIS);
        command.current_dir(&self.clone).args(args);
        command
    }

    /// The oid that a revision names in the clone.
    pub(crate) fn oid(&self, revision: &str) -> String {
        self.run(&["rev-parse", "--verify", "--end-of-options", revision])
    }

    /// Writes an object and returns its oid.
    pub(crate) fn object(&self, kind: &str, content: &[u8]) -> String {
        let output = feed(
            &mut self.git(&["hash-object", "-w", "-t", kind, "--literally", "--stdin"]),
            content,
        );
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Brings the clone's `origin/*` up to date.
    pub(crate) fn fetch(&self) -> &Self {
        self.run(&["fetch", "--quiet", "--prune", "origin"]);
        self
    }

    /// Goes to a branch that begins where the server's `main` stands.
    pub(crate) fn begin(&self, branch: &str) -> &Self {
        self.begin_at(branch, "origin/main")
    }

    /// Goes to a branch that begins at a revision.
    pub(crate) fn begin_at(&self, branch: &str, start: &str) -> &Self {
        self.fetch();
        self.run(&["checkout", "--quiet", "--no-track", "-B", branch, start]);
        self
    }

    /// Writes one file and commits it; returns the commit.
    pub(crate) fn commit(&self, path: &str, content: &str) -> String {
        self.commit_all(&[(path, content)])
    }

    /// Writes files and commits them; returns the commit.
    pub(crate) fn commit_all(&self, files: &[(&str, &str)]) -> String {
        for (path, content) in files {
            let file = self.clone.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, content).unwrap();
        }
        self.commit_tree_as_it_is(&format!("change {}", files[0].0))
    }

    /// Commits the work tree as it stands; returns the commit.
    pub(crate) fn commit_tree_as_it_is(&self, message: &str) -> String {
        self.run(&["add", "--all"]);
        self.run(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.oid("HEAD")
    }

    /// A topic branch with one commit, pushed; returns its tip.
    pub(crate) fn topic(&self, branch: &str, files: &[(&str, &str)]) -> String {
        self.begin(branch);
        let tip = self.commit_all(files);
        self.push(&[&format!("HEAD:refs/heads/{branch}")]).accepted();
        tip
    }

    /// Merges a revision into the server's `main` of now, without fast-forward; returns the merge.
    pub(crate) fn merge(&self, revision: &str) -> String {
        self.merge_into("main", revision)
    }

    /// Merges a revision into a branch of the server, without fast-forward; returns the merge.
    pub(crate) fn merge_into(&self, branch: &str, revision: &str) -> String {
        self.begin_at(&format!("landing-{branch}"), &format!("origin/{branch}"));
        self.run(&["merge", "--quiet", "--no-ff", "--no-edit", revision]);
        self.oid("HEAD")
    }

    /// Merges a revision into the server's `main` and pushes that.
    pub(crate) fn land(&self, revision: &str) -> Pushed {
        let merge = self.merge(revision);
        self.push(&[&format!("{merge}:refs/heads/main")])
    }

    /// Pushes refspecs (and options) to the server.
    pub(crate) fn push(&self, args: &[&str]) -> Pushed {
        let mut git = self.git(&["push"]);
        // Options first, then the server, then the refspecs.
        let (options, refspecs): (Vec<&str>, Vec<&str>) =
            args.iter().partition(|arg| arg.starts_with("--") || arg.starts_with("-o"));
        git.args(options).arg(&self.server).args(refspecs);
        Pushed::of(&run(&mut git))
    }
}

/// Where a key of the tests lies.
pub(crate) fn test_key(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys").join(name)
}

/// The public half of a key of the tests, one line.
pub(crate) fn public_key(name: &str) -> String {
    fs::read_to_string(test_key(&format!("{name}.pub"))).unwrap().trim_end().to_owned()
}

/// Copies a key pair to a place where only its owner reads it, as `ssh-keygen` demands.
pub(crate) fn put_key(target: &Path, name: &str) {
    fs::copy(test_key(name), target).unwrap();
    fs::set_permissions(target, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(target.with_extension("pub"), public_key(name) + "\n").unwrap();
}
