//! Which key a person signs with.
//!
//! Used by `sign` and by `plain`. In Git's own order: `--key`, then `user.signingkey` (a file, or
//! a key as text behind `key::`, its private half in an agent), then what
//! `gpg.ssh.defaultKeyCommand` prints; and at last the files that OpenSSH makes by default.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cli::client::git::CloneGit;
use crate::cli::fault::Fault;
use crate::cli::surroundings::Surroundings;
use crate::names::escape::{escape, escape_short};
use crate::ssh::key::SshKey;

/// The files in `~/.ssh` that are tried, the better ones first.
const DEFAULT_FILES: [&str; 5] =
    ["id_ed25519", "id_ed25519_sk", "id_ecdsa", "id_ecdsa_sk", "id_rsa"];

/// The program that signs unless `gpg.ssh.program` names another.
const SSH_KEYGEN: &str = "ssh-keygen";

/// A key, and the program that signs with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SigningKey {
    /// `ssh-keygen`, or what `gpg.ssh.program` says.
    pub program: OsString,
    /// The key.
    pub source: KeySource,
}

/// Where a key is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeySource {
    /// A private key's file, or a public key's whose private half stands beside it or in an agent.
    File(PathBuf),
    /// A public key as text; its private half is in an agent.
    Agent(Box<SshKey>),
}

impl SigningKey {
    /// Finds the key.
    pub fn find(
        git: &CloneGit,
        around: &Surroundings,
        typed: Option<&Path>,
    ) -> Result<Self, Fault> {
        let program = match git.path_setting("gpg.ssh.program")? {
            Some(program) => program.into(),
            None => OsString::from(SSH_KEYGEN),
        };
        let source = match typed {
            Some(typed) => from_option(around, typed)?,
            None => from_settings(git, around)?,
        };
        Ok(Self { program, source })
    }

    /// Whether the program is OpenSSH's own, whose options are known.
    pub fn is_ssh_keygen(&self) -> bool {
        self.program == SSH_KEYGEN
    }

    /// The key as a person is told of it.
    pub fn shown(&self) -> String {
        match &self.source {
            KeySource::File(path) => escape(path.as_os_str().as_bytes()),
            KeySource::Agent(key) => format!("{} in the agent", key.fingerprint()),
        }
    }
}

fn from_option(around: &Surroundings, typed: &Path) -> Result<KeySource, Fault> {
    if let Some(key) = typed.to_str().and_then(literal) {
        return key;
    }
    let file = around.absolute(typed)?;
    if !file.is_file() {
        let name = escape_short(typed.as_os_str().as_bytes());
        return Err(Fault::mistyped(format!("there is no key file {name}")));
    }
    Ok(KeySource::File(file))
}

fn from_settings(git: &CloneGit, around: &Surroundings) -> Result<KeySource, Fault> {
    let is_ssh = git.setting("gpg.format")?.is_some_and(|format| format == "ssh");
    if let Some(text) = git.setting("user.signingkey")? {
        if let Some(key) = literal(&text) {
            return key;
        }
        let path = git.path_setting("user.signingkey")?.unwrap_or(text);
        let file = around.absolute(Path::new(&path))?;
        if file.is_file() {
            return Ok(KeySource::File(file));
        }
        // With another gpg.format it is the name of an OpenPGP key, which is no use here.
        if is_ssh {
            let name = escape_short(path.as_bytes());
            return Err(Fault::new(format!("user.signingkey names {name}, which is no file"))
                .hint("git config user.signingkey FILE, or say --key FILE"));
        }
    }
    if let Some(command) = git.setting("gpg.ssh.defaultKeyCommand")?
        && let Some(key) = from_command(git, &command)?
    {
        return Ok(key);
    }
    default_file(around).map(KeySource::File).ok_or_else(|| {
        Fault::new("there is no key to sign with")
            .hint("name one: git config --global user.signingkey ~/.ssh/id_ed25519.pub")
            .hint("or make one: ssh-keygen -t ed25519")
    })
}

/// A key that is written out: behind `key::`, or a line of a `.pub` file (git-config(1),
/// `user.signingKey`).
fn literal(text: &str) -> Option<Result<KeySource, Fault>> {
    let line = text.strip_prefix("key::").or_else(|| text.starts_with("ssh-").then_some(text))?;
    let key = SshKey::parse(line).map(|key| KeySource::Agent(Box::new(key)));
    Some(key.map_err(|why| Fault::caused("the signing key cannot be used", &why)))
}

/// The first line of the command that holds a key (git-config(1), `gpg.ssh.defaultKeyCommand`).
/// Git splits the command at blanks as a shell does; so does `sh` here.
fn from_command(git: &CloneGit, command: &str) -> Result<Option<KeySource>, Fault> {
    let output = git.run_program(&mut Command::new("/bin/sh"), &["-c", command], b"")?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().next().and_then(literal) {
        Some(key) if output.status.success() => key.map(Some),
        Some(_) | None => Ok(None),
    }
}

fn default_file(around: &Surroundings) -> Option<PathBuf> {
    let folder = PathBuf::from(around.variable("HOME")?).join(".ssh");
    DEFAULT_FILES
        .iter()
        .flat_map(|name| [folder.join(name), folder.join(format!("{name}.pub"))])
        .find(|file| file.is_file())
}
