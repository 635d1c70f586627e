//! What the verbs that sign have in common: which key, whose refs, and where the result goes.

use std::path::{Path, PathBuf};

use crate::cli::fault::{Exit, Fault, OrFault};
use crate::cli::files;
use crate::cli::git::Git;
use crate::cli::log::place::Place;
use crate::cli::policies;
use crate::cli::quote::shown;
use crate::cli::site::Site;
use crate::cli::surroundings::Surroundings;
use crate::cli::verb::Call;
use crate::hook::world::World;
use crate::log::disk::Folder;
use crate::log::error::LogError;
use crate::log::signer::LostKey;
use crate::names::digest::Digest;
use crate::tlog::holder::KeyPlace;

/// The variable that says where an agent listens.
const AGENT_VARIABLE: &str = "SSH_AUTH_SOCK";

/// The rights of what is written for others to read.
const PUBLIC_MODE: u32 = 0o644;

/// The key that a log signs with: as the policy of its repository says, or, where the log's own
/// folder was named, the one in that folder.
pub fn key_of(around: &Surroundings, place: &Place) -> Result<KeyPlace, Fault> {
    if around.absolute(&place.given)? == place.folder.dir() {
        return Ok(KeyPlace::InTheLog);
    }
    key_of_site(around, &Site::find(around, &Git::find(around)?, &place.given)?, &place.folder)
}

/// The same, for a repository.
pub fn key_of_site(around: &Surroundings, site: &Site, folder: &Folder) -> Result<KeyPlace, Fault> {
    let texts = policies::read(&site.policies());
    let place = match texts.map(|texts| policies::compiled(&texts)) {
        Ok(Ok(policy)) => policy.log.key,
        // A log is sealed also while its policy is broken, as long as its key is known without it.
        Ok(Err(_)) | Err(_) if folder.dir().join("key").exists() => KeyPlace::InTheLog,
        Ok(Err(_)) | Err(_) => {
            let what = "the policy says where the key is that signs, and cannot be used";
            let files: Vec<String> = site.policies().iter().map(|path| shown(path)).collect();
            let hint = format!("portcullis lint {}", files.join(" "));
            return Err(Fault::new(what).hint(hint));
        }
    };
    Ok(match place {
        KeyPlace::Agent(mut key) => {
            let named = || around.variable(AGENT_VARIABLE).map(PathBuf::from);
            key.socket = key.socket.or_else(named);
            KeyPlace::Agent(key)
        }
        KeyPlace::InTheLog | KeyPlace::File(_) => place,
    })
}

/// The digest of all refs, as `git ls-remote --refs` shows them, sorted by name.
pub fn refs_of(git_dir: &Path) -> Result<Digest, Fault> {
    let world = World::at_rest(git_dir).map_err(|stop| Fault::new(stop.reason.clone()))?;
    crate::hook::sealing::refs_digest(&world)
        .or_fault(|| format!("could not read the refs of {}", shown(git_dir)))
}

/// What becomes of a key that is lost.
pub const fn lost(new_key: bool) -> LostKey {
    if new_key { LostKey::BeginAnew } else { LostKey::Refuse }
}

/// A log that could not be signed.
pub fn could_not(doing: &str, dir: &Path, error: &LogError) -> Fault {
    Fault::caused(format!("could not {doing} the log in {}", shown(dir)), error).hint(error.hint())
}

/// Writes a text to a file for others to read, or prints it.
pub fn given_out(call: &mut Call<'_>, out: Option<&Path>, text: &str) -> Result<Exit, Fault> {
    match out {
        Some(file) => {
            let path = call.around.absolute(file)?;
            files::write_whole(&path, text.as_bytes(), PUBLIC_MODE)
                .or_fault(|| format!("could not write {}", shown(&path)))?;
        }
        None => {
            for line in text.lines() {
                call.console.data_line(line)?;
            }
        }
    }
    Ok(Exit::Yes)
}
