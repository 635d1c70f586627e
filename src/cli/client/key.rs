//! Which key a person signs with.
//!
//! Used by `sign` and by `plain`. In Git's own order: `--key`, then `user.signingkey` (a file, or
//! a key as text behind `key::`, its private half in an agent), then what
//! `gpg.ssh.defaultKeyCommand` prints. After that the agent and `~/.ssh`: the key that the policy
//! has for them, as far as the server says which; else the files that OpenSSH makes by default.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cli::client::git::CloneGit;
use crate::cli::fault::Fault;
use crate::cli::files;
use crate::cli::git::find_program;
use crate::cli::surroundings::Surroundings;
use crate::names::escape::{escape, escape_short};
use crate::ssh::key::SshKey;

/// The files in `~/.ssh` that are tried, the better ones first.
const DEFAULT_FILES: [&str; 5] =
    ["id_ed25519", "id_ed25519_sk", "id_ecdsa", "id_ecdsa_sk", "id_rsa"];

/// How many files of `~/.ssh` are looked at.
const SSH_FILES_MAX: usize = 200;

/// How long a public key's file may be, in bytes.
const PUBLIC_KEY_BYTES_MAX: usize = 16 * 1024;

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

/// Whose key is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Owner<'a> {
    /// Their name in the policy.
    pub name: &'a str,
    /// The fingerprints of the keys that the policy has for them; empty: not known here.
    pub keys: &'a [String],
}

impl SigningKey {
    /// Finds the key.
    pub fn find(
        git: &CloneGit,
        around: &Surroundings,
        typed: Option<&Path>,
        owner: Owner<'_>,
    ) -> Result<Self, Fault> {
        let program = match git.path_setting("gpg.ssh.program")? {
            Some(program) => program.into(),
            None => OsString::from(SSH_KEYGEN),
        };
        let source = match typed {
            Some(typed) => from_option(around, typed)?,
            None => from_settings(git, around, owner)?,
        };
        demand_known(git, &source, owner)?;
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

fn from_settings(
    git: &CloneGit,
    around: &Surroundings,
    owner: Owner<'_>,
) -> Result<KeySource, Fault> {
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
    let agent = agent_keys(git, around)?;
    if owner.keys.is_empty() {
        let only = <[SshKey; 1]>::try_from(agent.clone()).ok().map(|[key]| agent_key(key));
        if let Some(found) = default_file(around).map(KeySource::File).or(only) {
            return Ok(found);
        }
    } else {
        let is_theirs = |key: &SshKey| owner.keys.contains(&key.fingerprint());
        if let Some(key) = agent.into_iter().find(is_theirs) {
            return Ok(agent_key(key));
        }
        if let Some(file) = public_files(around).into_iter().find(|(_, key)| is_theirs(key)) {
            return Ok(KeySource::File(file.0));
        }
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

fn agent_key(key: SshKey) -> KeySource {
    KeySource::Agent(Box::new(key))
}

/// The keys of the agent that runs for this person, if one does (ssh-add(1), `-L`).
fn agent_keys(git: &CloneGit, around: &Surroundings) -> Result<Vec<SshKey>, Fault> {
    let path = around.variable("PATH").unwrap_or_default();
    let program = find_program(OsStr::new("ssh-add"), path);
    let (Some(program), Some(_)) = (program, around.variable("SSH_AUTH_SOCK")) else {
        return Ok(Vec::new());
    };
    let output = git.run_program(&mut Command::new(program), &["-L"], b"")?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(|line| SshKey::parse(line).ok()).collect())
}

/// The public keys in `~/.ssh`, by name.
fn public_files(around: &Surroundings) -> Vec<(PathBuf, SshKey)> {
    let Some(home) = around.variable("HOME") else { return Vec::new() };
    let Ok(folder) = std::fs::read_dir(PathBuf::from(home).join(".ssh")) else { return Vec::new() };
    let names = folder.take(SSH_FILES_MAX).filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<PathBuf> =
        names.filter(|path| path.extension().is_some_and(|end| end == "pub")).collect();
    files.sort();
    let read = |path: PathBuf| {
        let bytes = files::read_whole(&path, PUBLIC_KEY_BYTES_MAX).ok()?;
        let key = SshKey::parse(std::str::from_utf8(&bytes).ok()?.trim_end()).ok()?;
        Some((path, key))
    };
    files.into_iter().filter_map(read).collect()
}

/// A key that the policy does not have for them would be signed with for nothing.
fn demand_known(git: &CloneGit, source: &KeySource, owner: Owner<'_>) -> Result<(), Fault> {
    if owner.keys.is_empty() {
        return Ok(());
    }
    let found = match source {
        KeySource::Agent(key) => Some(key.fingerprint()),
        KeySource::File(path) => fingerprint_of(git, path)?,
    };
    // What cannot be told here, the server will tell.
    let Some(found) = found.filter(|found| !owner.keys.contains(found)) else { return Ok(()) };
    let name = escape_short(owner.name.as_bytes());
    let known: Vec<String> = owner.keys.iter().map(|key| escape(key.as_bytes())).collect();
    Err(Fault::new(format!("{found} is no key of {name} in the policy of this server"))
        .cause(format!("the policy has {} for {name}", known.join(", ")))
        .hint("say which key: --key FILE")
        .hint(format!("or have it put into the keys of [people.{name}]")))
}

/// What `ssh-keygen -l` says of a key's file: `256 SHA256:... comment (ED25519)`.
fn fingerprint_of(git: &CloneGit, path: &Path) -> Result<Option<String>, Fault> {
    let Some(path) = path.to_str() else { return Ok(None) };
    let arguments = ["-l", "-E", "sha256", "-f", path];
    let output = git.run_program(&mut Command::new(SSH_KEYGEN), &arguments, b"")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let word = text.split(' ').nth(1).filter(|word| word.starts_with("SHA256:"));
    Ok(word.filter(|_| output.status.success()).map(str::to_owned))
}

fn default_file(around: &Surroundings) -> Option<PathBuf> {
    let folder = PathBuf::from(around.variable("HOME")?).join(".ssh");
    DEFAULT_FILES
        .iter()
        .flat_map(|name| [folder.join(name), folder.join(format!("{name}.pub"))])
        .find(|file| file.is_file())
}
