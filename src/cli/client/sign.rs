//! Signs a statement with the person's own key, through `ssh-keygen`.
//!
//! Used by `approve` and its like. Passphrases, agents and hardware keys are `ssh-keygen`'s
//! business: it has the terminal. What comes back is verified here before anything is sent, so a
//! key that the server would not count is known at once.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::cli::client::git::CloneGit;
use crate::cli::client::key::{KeySource, SigningKey};
use crate::cli::fault::{Fault, OrFault};
use crate::cli::surroundings::Surroundings;
use crate::names::escape::escape;
use crate::ssh::signature::{SignatureCheck, verify};
use crate::statement::fields::Fields;
use crate::statement::read::Statement;

/// A statement, signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signed {
    /// The blob's bytes.
    pub bytes: Vec<u8>,
    /// The fingerprint of the key that signed.
    pub fingerprint: String,
}

/// Signs these fields.
pub fn sign(
    git: &CloneGit,
    around: &Surroundings,
    key: &SigningKey,
    fields: &Fields,
) -> Result<Signed, Fault> {
    let text = fields.text();
    let folder = private_folder(around)?;
    let file = folder.path().join("statement");
    fs::write(&file, &text).or_fault(|| "could not write the statement to be signed".into())?;
    run_signer(git, key, fields.namespace(), folder.path(), &file)?;
    let armor = fs::read(folder.path().join("statement.sig"))
        .or_fault(|| "could not read the signature that was made".into())?;
    let check = verify(fields.namespace(), &text, &armor);
    let (SignatureCheck::Good { fingerprint, .. } | SignatureCheck::Certified { fingerprint, .. }) =
        &check
    else {
        return Err(useless(&check));
    };
    let bytes = [text, armor].concat();
    // Whatever the signer put around the armour, the server reads it only without.
    Statement::parse(&bytes).or_fault(|| "the signer wrote something else than expected".into())?;
    Ok(Signed { bytes, fingerprint: fingerprint.clone() })
}

fn run_signer(
    git: &CloneGit,
    key: &SigningKey,
    namespace: &str,
    folder: &Path,
    file: &Path,
) -> Result<(), Fault> {
    let program = escape(key.program.as_encoded_bytes());
    let mut command = Command::new(&key.program);
    git.in_clone(&mut command).args(["-Y", "sign", "-n", namespace]);
    if key.is_ssh_keygen() {
        // Silences its progress, not its "Confirm user presence" for hardware keys.
        command.arg("-q");
    }
    match &key.source {
        KeySource::File(path) => command.arg("-f").arg(path),
        KeySource::Agent(key) => {
            let public = folder.join("key.pub");
            fs::write(&public, format!("{}\n", key.line()))
                .or_fault(|| "could not write the public key to sign with".into())?;
            command.arg("-f").arg(public).arg("-U")
        }
    };
    // The signer talks on standard error ("touch your key"), and so do we.
    let status = command
        .arg(file)
        .stdin(Stdio::inherit())
        .stdout(Stdio::null())
        .status()
        .or_fault(|| format!("could not run {program}"))?;
    if status.success() {
        return Ok(());
    }
    Err(Fault::new(format!("{program} did not sign"))
        .hint("is this the right key, and is it in your agent? ssh-add -l")
        .hint("say which key: --key FILE"))
}

/// A folder that only this account reads, gone when it is dropped.
fn private_folder(around: &Surroundings) -> Result<TempDir, Fault> {
    let place = around.variable("TMPDIR").map_or(Path::new("/tmp"), Path::new);
    tempfile::Builder::new()
        .prefix("portcullis-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(place)
        .or_fault(|| "could not make a private temporary folder".into())
}

/// Why a signature that was just made would not count.
fn useless(check: &SignatureCheck) -> Fault {
    let fault = Fault::new("this key's signatures do not count").cause(check.to_string());
    if matches!(check, SignatureCheck::Untouched { .. }) {
        return fault.hint("use a hardware key that asks to be touched");
    }
    fault.hint("say which key: --key FILE")
}
