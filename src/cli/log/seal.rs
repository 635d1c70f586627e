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
use crate::cli::log::signing::{could_not, given_out, key_of, key_of_site, lost, refs_of};
use crate::cli::log::words;
use crate::cli::quote::shown;
use crate::cli::site::Site;
use crate::cli::verb::Call;
use crate::hook::host;
use crate::log::disk::Folder;
use crate::log::keeper;
use crate::log::proving::{Prover, Unproven};
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::note::{NOTE_BYTES_MAX, Note};
use crate::tlog::proof::Proof;

/// Sign all that the log holds, and throw the key away
///
/// Writes an entry `seal` with the root of all entries before it, signed by the key of this epoch,
/// and names the key of the next; the old key is destroyed. Who breaks in tomorrow cannot rewrite
/// what a seal of today covers. For a timer: once an hour, whether there was a push or not, so
/// that silence can be told from a missing end. A key that an ssh-agent holds (policy, `[log]
/// key`) cannot be thrown away: it signs and is named as the next one as well.
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
                exit = Exit::worst(exit, place::go_on(call, &places, fault)?);
            }
        }
        Ok(exit)
    }

    fn seal(&self, call: &mut Call<'_>, git: &Git, given: &Path) -> Result<(), Fault> {
        let site = Site::find(call.around, git, given)?;
        let dir = site.log_dir();
        let refs = refs_of(&site.git_dir)?;
        let ctx = host::ctx(call.around.now);
        let folder = Folder::existing(&dir).map_err(|error| place::fault(&dir, &error))?;
        let key = key_of_site(call.around, &site, &folder)?;
        let done = keeper::seal(&dir, refs, &key, lost(self.new_key), &ctx)
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
/// machines that this server cannot reach. It is kept as the file `checkpoint` in the log's folder,
/// with the tree as C2SP tiles below `tile/`, for a web server to give out.
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
                Ok(one) => Exit::worst(exit, one),
                Err(fault) => Exit::worst(exit, place::go_on(call, &places, fault)?),
            };
        }
        Ok(exit)
    }

    fn one(&self, call: &mut Call<'_>, place: &Place) -> Result<Exit, Fault> {
        let dir = place.folder.dir();
        let fault = |error| could_not("sign", dir, &error);
        let held = key_of(call.around, place)?;
        if self.key {
            let key = keeper::public_key(dir, &held, lost(self.new_key)).map_err(fault)?;
            call.console.data_line(&key.to_string())?;
            return Ok(Exit::Yes);
        }
        let note = keeper::checkpoint(dir, &held, lost(self.new_key)).map_err(fault)?;
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
        let fault = |error| place::fault(dir, &error);
        let found = Prover::new(&place.folder).and_then(|it| it.inclusion(index, &checkpoint));
        let path = found.map_err(fault)?.map_err(|why| unproven(why, index, checkpoint.size))?;
        let proof = Proof { index, path, checkpoint, note };
        given_out(call, self.out.as_deref(), &proof.to_string())
    }

    fn signed(&self, call: &Call<'_>, folder: &Folder) -> Result<(Checkpoint, Note), Fault> {
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

fn unproven(why: Unproven, index: u64, size: u64) -> Fault {
    match why {
        Unproven::OtherLog => Fault::new("the checkpoint is of another log"),
        Unproven::OtherTree => {
            Fault::new(format!("the log is not the one that signed {size} entries"))
                .hint("look at it with `portcullis log verify --root`")
        }
        Unproven::NotIn => Fault::new(format!("entry {index} is not among the {size} signed ones"))
            .hint("sign anew first: portcullis log checkpoint"),
    }
}

/// Reads a file with a checkpoint that somebody has kept.
pub fn read_checkpoint(path: &Path) -> Result<(Checkpoint, Note), Fault> {
    let bytes = files::read_whole(path, NOTE_BYTES_MAX)
        .or_fault(|| format!("could not read {}", shown(path)))?;
    Checkpoint::of_note(&bytes).or_fault(|| format!("{} is no checkpoint", shown(path)))
}
