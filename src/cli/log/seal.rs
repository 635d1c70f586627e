//! `portcullis log seal`, `checkpoint` and `prove`: what a log says of itself, signed, for people
//! who are not here.
//!
//! The signing is the log room's; from here come the repository's refs and the words.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::cli::fault::{Exit, Fault, OrFault};
use crate::cli::files;
use crate::cli::git::Git;
use crate::cli::log::place::{self, Below, Place, Words};
use crate::cli::log::words;
use crate::cli::quote::shown;
use crate::cli::site::Site;
use crate::cli::verb::Call;
use crate::hook::host;
use crate::hook::world::World;
use crate::log::disk::Folder;
use crate::log::keeper::{self, LostKey};
use crate::log::listed::refs_bytes;
use crate::log::survey::tree;
use crate::names::digest::Digest;
use crate::store::objects::Objects as _;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::note::NOTE_BYTES_MAX;
use crate::tlog::proof::Proof;
use crate::tlog::tree::{inclusion, root_at};

/// The rights of what is written for others to read.
const PUBLIC_MODE: u32 = 0o644;

/// Sign all that the log holds, and throw the key away
///
/// Writes an entry `seal` with the root of all entries before it, signed by the key of this epoch,
/// and names the key of the next; the old key is destroyed. Who breaks in tomorrow cannot rewrite
/// what a seal of today covers. For a timer: once an hour, whether there was a push or not, so
/// that silence can be told from a missing end.
#[derive(Args, Debug)]
pub struct Seal {
    /// Begin with a new key where the one that the last seal names is lost. `log verify --root`
    /// will show that it was
    #[arg(long)]
    new_key: bool,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    below: Below,

    /// Repositories; the one here when none is named
    #[arg(value_name = "REPO")]
    places: Vec<PathBuf>,
}

impl Seal {
    /// Runs the verb.
    pub fn run(&self, call: &mut Call<'_>) -> Result<Exit, Fault> {
        let git = Git::find(call.around)?;
        let (places, mut exit) = place::gather_repositories(call, &self.places, &self.below)?;
        for given in &places {
            if let Err(fault) = self.seal(call, &git, given) {
                exit = place::worst(exit, place::go_on(call, &places, fault)?);
            }
        }
        Ok(exit)
    }

    fn seal(&self, call: &mut Call<'_>, git: &Git, given: &Path) -> Result<(), Fault> {
        let site = Site::find(call.around, git, given)?;
        let dir = site.log_dir();
        let refs = refs_of(&site.git_dir)?;
        let ctx = host::ctx(call.around.now);
        let done = keeper::seal(&dir, refs, lost(self.new_key), &ctx)
            .map_err(|error| could_not("seal", &dir, &error))?;
        if self.json {
            return call.console.json(&json!({
                "place": shown(given),
                "entry": done.entry,
                "size": done.seal.size,
                "root": done.seal.root.0.hex(),
                "key": done.seal.key,
                "next": done.seal.next,
            }));
        }
        let covers = words::entries(done.seal.size);
        call.console.data_line(&format!(
            "{}: {covers} sealed by entry {}",
            shown(given),
            done.entry
        ))
    }
}

/// Print what the log is now, signed: a checkpoint
///
/// Three lines and a signature: the log's name, how many entries it has, and the root of their
/// tree (C2SP tlog-checkpoint). Whoever keeps one can tell later that nothing before it was
/// changed and that the end was not cut off: `log verify --since FILE`. Give them to people and
/// machines that this server cannot reach.
#[derive(Args, Debug)]
pub struct CheckpointOf {
    /// Write it to this file instead
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Print the public key it is signed with instead; nothing is signed then
    #[arg(long, conflicts_with = "out")]
    key: bool,

    /// Begin with a new key where the one that the last seal names is lost
    #[arg(long)]
    new_key: bool,

    #[command(flatten)]
    below: Below,

    /// A repository, or the folder of its log; the repository here when none is named
    #[arg(value_name = "REPO")]
    place: Option<PathBuf>,
}

impl CheckpointOf {
    /// Runs the verb.
    pub fn run(&self, call: &mut Call<'_>) -> Result<Exit, Fault> {
        if self.below.is_asked() && self.out.is_some() {
            let text = "--out names one file, and --recursive finds many logs";
            return Err(Fault::mistyped(text).hint("leave --out away: each is printed"));
        }
        let named: Vec<PathBuf> = self.place.iter().cloned().collect();
        let (places, mut exit) = place::gather(call, &named, &self.below)?;
        for (at, place) in places.iter().enumerate() {
            if at > 0 && !self.key {
                call.console.data_line("")?;
            }
            exit = match self.one(call, place) {
                Ok(one) => place::worst(exit, one),
                Err(fault) => place::worst(exit, place::go_on(call, &places, fault)?),
            };
        }
        Ok(exit)
    }

    fn one(&self, call: &mut Call<'_>, place: &Place) -> Result<Exit, Fault> {
        let dir = place.folder.dir();
        let fault = |error| could_not("sign", dir, &error);
        if self.key {
            let key = keeper::public_key(dir, lost(self.new_key)).map_err(fault)?;
            call.console.data_line(&key.to_string())?;
            return Ok(Exit::Yes);
        }
        let note = keeper::checkpoint(dir, lost(self.new_key)).map_err(fault)?;
        given_out(call, self.out.as_deref(), &note.to_string())
    }
}

/// Prove that an entry is in the log, to somebody who does not have it
///
/// Writes a proof file (C2SP tlog-proof): the path from the entry to the root, and the signed
/// checkpoint. With it and the entry's line (`log show --json N`) anybody can check, offline, that
/// this entry stands in the log that signed.
#[derive(Args, Debug)]
pub struct Prove {
    /// Prove it against this checkpoint instead of the one that was signed last
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,

    /// Write it to this file instead
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// The number of the entry, and the repository or the folder of its log; the repository here
    /// when none is named
    #[arg(value_name = "N [REPO]", required = true)]
    words: Vec<OsString>,
}

impl Prove {
    /// Runs the verb.
    pub fn run(&self, call: &mut Call<'_>) -> Result<Exit, Fault> {
        let words = Words::read(call.around, &self.words)?;
        let named = words.places_or_here();
        let (&[index], [_]) = (words.numbers.as_slice(), named.as_slice()) else {
            return Err(Fault::mistyped("one number of an entry and one log are needed"));
        };
        let places = place::find(call.around, &named)?;
        let Some(place) = places.first() else { return Ok(Exit::Yes) };
        let (checkpoint, note) = self.signed(call, &place.folder)?;
        let dir = place.folder.dir();
        let (survey, whole) = tree(dir).map_err(|error| place::fault(dir, &error))?;
        if checkpoint.origin != survey.checkpoint.origin {
            return Err(Fault::new("the checkpoint is of another log"));
        }
        if root_at(&whole, checkpoint.size) != Some(checkpoint.root) {
            let line = format!("the log is not the one that signed {} entries", checkpoint.size);
            return Err(Fault::new(line).hint("look at it with `portcullis log verify --root`"));
        }
        let Some(path) = inclusion(&whole, index, checkpoint.size) else {
            let line = format!("entry {index} is not among the {} signed ones", checkpoint.size);
            return Err(Fault::new(line).hint("sign anew first: portcullis log checkpoint"));
        };
        let proof = Proof { index, path, checkpoint, note };
        given_out(call, self.out.as_deref(), &proof.to_string())
    }

    fn signed(
        &self,
        call: &Call<'_>,
        folder: &Folder,
    ) -> Result<(Checkpoint, crate::tlog::note::Note), Fault> {
        match &self.checkpoint {
            Some(file) => read_checkpoint(&call.around.absolute(file)?),
            None => keeper::last_checkpoint(folder)
                .map_err(|error| place::fault(folder.dir(), &error))?
                .ok_or_else(|| {
                    Fault::new("this log has signed no checkpoint yet")
                        .hint("sign one first: portcullis log checkpoint")
                }),
        }
    }
}

/// Reads a file with a checkpoint that somebody has kept.
pub fn read_checkpoint(path: &Path) -> Result<(Checkpoint, crate::tlog::note::Note), Fault> {
    let bytes = files::read_whole(path, NOTE_BYTES_MAX)
        .or_fault(|| format!("could not read {}", shown(path)))?;
    Checkpoint::of_note(&bytes).or_fault(|| format!("{} is no checkpoint", shown(path)))
}

/// The digest of all refs, as `git ls-remote --refs` shows them, sorted by name.
fn refs_of(git_dir: &Path) -> Result<Digest, Fault> {
    let look = || format!("could not read the refs of {}", shown(git_dir));
    let world = World::at_rest(git_dir).map_err(|stop| Fault::new(stop.reason.clone()))?;
    let mut refs = world.store.refs_under(b"refs/").or_fault(look)?;
    refs.sort();
    Ok(Digest::of(&refs_bytes(refs.iter().map(|(name, oid)| (name.as_bytes(), *oid)))))
}

const fn lost(new_key: bool) -> LostKey {
    if new_key { LostKey::BeginAnew } else { LostKey::Refuse }
}

fn could_not(doing: &str, dir: &Path, error: &crate::log::error::LogError) -> Fault {
    Fault::caused(format!("could not {doing} the log in {}", shown(dir)), error).hint(error.hint())
}

fn given_out(call: &mut Call<'_>, out: Option<&Path>, text: &str) -> Result<Exit, Fault> {
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
