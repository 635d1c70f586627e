//! Where the last checkpoint ends, so that the next one need not walk the whole log.
//!
//! ```text
//! portcullis mark 1
//! <the log's name>
//! last <byte> <entries> <hash>      right before the last entry that the checkpoint covers
//! seal <byte> <entries> <hash>      right before the last seal among them; `seal none`
//! sealed <seconds since 1970>       when the newest seal was written; `sealed never`
//! <SHA-256 of the lines above>
//! ```
//!
//! Used by `keeper`. A note for speed and nothing more: what it says is held against the tiles and
//! the entries, and the tiles against the checkpoint that was signed. Where anything does not fit,
//! the log is walked from its first entry.

use std::path::PathBuf;

use crate::log::disk::{Disk, Folder, read_small};
use crate::log::entry::Record;
use crate::log::error::LogError;
use crate::log::file::Head;
use crate::log::scan::Position;
use crate::log::survey::{Start, Survey, entry_at};
use crate::log::tiles::{Tiles, shelf};
use crate::names::digest::Digest;
use crate::names::moment::Moment;
use crate::tlog::checkpoint::{Checkpoint, decimal};
use crate::tlog::edge::TileNodes;
use crate::tlog::key::VerifierKey;
use crate::tlog::tree::{Nodes as _, leaf_hash};

/// The first line.
const HEADER: &str = "portcullis mark 1";

/// How long the file may be, in bytes.
const MARK_BYTES_MAX: u64 = 4096;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    origin: String,
    last: Position,
    seal: Option<Position>,
    /// When the newest seal was written.
    pub sealed_at: Option<Moment>,
}

impl Mark {
    /// Of a walk, and of a seal that was written since.
    pub fn of(survey: &Survey, sealed_at: Option<Moment>) -> Self {
        Self {
            origin: survey.checkpoint.origin.clone(),
            last: survey.last.clone(),
            seal: survey.last_seal.clone(),
            sealed_at: sealed_at.or(survey.sealed_at),
        }
    }

    /// Reads it. `None` when it is not there or was damaged.
    pub fn read(folder: &Folder) -> Option<Self> {
        let bytes = read_small(&path(folder), MARK_BYTES_MAX).ok()??;
        Self::parse(std::str::from_utf8(&bytes).ok()?)
    }

    /// Writes it.
    pub fn write(&self, folder: &Folder) -> Result<(), LogError> {
        folder.write_whole(&Disk, &path(folder), self.text().as_bytes())
    }

    /// How many entries the checkpoint covers.
    pub const fn size(&self) -> u64 {
        self.last.head.size + 1
    }

    fn text(&self) -> String {
        let seal = self.seal.as_ref().map_or_else(|| "none".to_owned(), place);
        let sealed = self.sealed_at.map(|at| at.seconds().to_string());
        let lines = format!(
            "{HEADER}\n{}\nlast {}\nseal {seal}\nsealed {}\n",
            self.origin,
            place(&self.last),
            sealed.as_deref().unwrap_or("never"),
        );
        let digest = Digest::of(lines.as_bytes());
        format!("{lines}{}\n", digest.hex())
    }

    fn parse(text: &str) -> Option<Self> {
        let lines = text.strip_suffix('\n')?;
        let (_, digest) = lines.rsplit_once('\n')?;
        let said = text.get(..lines.len() - digest.len())?;
        if Digest::of(said.as_bytes()).hex() != digest {
            return None;
        }
        let mut lines = said.lines();
        if lines.next()? != HEADER {
            return None;
        }
        let origin = lines.next()?.to_owned();
        let last = position(lines.next()?.strip_prefix("last ")?)?;
        let seal = match lines.next()?.strip_prefix("seal ")? {
            "none" => None,
            place => Some(position(place)?),
        };
        let sealed_at = match lines.next()?.strip_prefix("sealed ")? {
            "never" => None,
            seconds => Some(Moment::from_seconds(seconds.parse().ok()?)),
        };
        Some(Self { origin, last, seal, sealed_at })
    }
}

/// Forgets it: the next walk begins at the first entry.
pub fn forget(folder: &Folder) {
    // Best effort: one that stays is held against tiles and entries before it is believed.
    let _ = std::fs::remove_file(path(folder));
}

/// Where to go on behind a checkpoint, and its tiles. `None` where mark, tiles, entries and
/// checkpoint do not fit together.
pub fn resume(folder: &Folder, checkpoint: &Checkpoint) -> Option<(Start, Tiles)> {
    let mark = Mark::read(folder)?;
    let size = checkpoint.size;
    if mark.origin != checkpoint.origin || mark.size() != size {
        return None;
    }
    // What was signed of entries that are gone now is walked anew, through their summary.
    if mark.last.head.size < folder.tape().ok()?.first() {
        return None;
    }
    let tiles = Tiles::read(folder, size, &checkpoint.root)?;
    let (found, position) = entry_at(folder, mark.last.clone(), &mark.origin)?;
    let shelf = shelf(folder);
    // The tiles' last leaf is in the root that was signed: the entry there is that very entry.
    if TileNodes::new(size, &shelf).node(0, size - 1)? != leaf_hash(&found.line) {
        return None;
    }
    let (mut next, mut last_seal) = (None, None);
    if let Some(seal) = mark.seal {
        let (found, _) = entry_at(folder, seal.clone(), &mark.origin)?;
        let Record::Seal(said) = &found.entry.record else { return None };
        next = Some(VerifierKey::parse(&said.next).ok()?);
        last_seal = Some((seal, found.entry.common.ts.0));
    }
    let tree = tiles.edge().frontier()?;
    let start = Start { position, tree, origin: mark.origin, next, last: mark.last, last_seal };
    Some((start, tiles))
}

fn path(folder: &Folder) -> PathBuf {
    folder.dir().join("mark")
}

fn place(at: &Position) -> String {
    format!("{} {} {}", at.offset, at.head.size, at.head.hash.hex())
}

fn position(text: &str) -> Option<Position> {
    let mut parts = text.split(' ');
    let (offset, size) = (decimal(parts.next()?)?, decimal(parts.next()?)?);
    let hash = Digest::from_hex(parts.next()?.as_bytes())?;
    let whole = parts.next().is_none() && size < u64::MAX;
    whole.then_some(Position { offset, head: Head { size, hash } })
}

#[cfg(test)]
mod tests {
    use super::{Mark, Position};
    use crate::log::file::Head;
    use crate::names::digest::Digest;
    use crate::names::moment::Moment;

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let at = |offset, size| Position { offset, head: Head { size, hash: Digest::of(b"a") } };
        let origin = "git.example.com/infra-5f0c91ab".to_owned();
        for (seal, sealed_at) in
            [(None, None), (Some(at(9, 2)), Some(Moment::from_seconds(1_795_000_000)))]
        {
            let mark = Mark { origin: origin.clone(), last: at(4711, 12), seal, sealed_at };
            let text = mark.text();
            assert_eq!(Mark::parse(&text), Some(mark));
            for at in 0..text.len() {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1;
                let changed = String::from_utf8(bytes);
                assert_eq!(changed.ok().and_then(|text| Mark::parse(&text)), None, "byte {at}");
                assert_eq!(Mark::parse(&text[..at]), None);
            }
        }
    }
}
