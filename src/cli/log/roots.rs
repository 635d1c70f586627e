//! What a log's tree says: seals, checkpoints that somebody kept, and who signed them.
//!
//! Used by `log verify --root`, `--since` and `--trust`.

use serde_json::{Value, json};

use crate::cli::fault::Fault;
use crate::cli::log::place;
use crate::cli::log::words;
use crate::log::disk::Folder;
use crate::log::keeper::last_checkpoint;
use crate::log::mark::Mark;
use crate::log::seal::SealError;
use crate::log::survey::{Sealed, Survey, survey};
use crate::log::tilecheck::{TileCheck, TileReport, WrongTile};
use crate::names::escape::escape;
use crate::names::moment::Moment;
use crate::tlog::checkpoint::{Checkpoint, base64};
use crate::tlog::key::VerifierKey;
use crate::tlog::note::{Note, Signed};
use crate::tlog::tile::{Tile, TileKind};
use crate::tlog::trust::Trust;

/// What the log's own last checkpoint is called in what is told.
const OWN: &str = "the log's own last checkpoint";

/// What the note of it is called, where the checkpoint itself is gone.
const NOTED: &str = "the note of the log's last checkpoint";

/// What is asked.
#[derive(Default)]
pub struct Asked {
    /// Checkpoints from elsewhere, by what they are called.
    pub since: Vec<(String, Checkpoint, Note)>,
    /// Whom to believe.
    pub trust: Option<Trust>,
}

/// What was found.
pub struct Roots {
    survey: Survey,
    checkpoints: Vec<Checked>,
    /// The tiles of the log's own last checkpoint, where it has one.
    tiles: Option<TileReport>,
}

/// One checkpoint, held against the log.
struct Checked {
    name: String,
    size: u64,
    /// What speaks against it.
    wrong: Option<String>,
    /// Who signed it, in words.
    signed: String,
}

/// Holds one checkpoint against a log. `Ok`: who signed it, in words, nobody where that cannot be
/// said; `Err`: what speaks against it.
pub fn held(
    folder: &Folder,
    name: &str,
    (checkpoint, note): (&Checkpoint, &Note),
    trust: Option<&Trust>,
) -> Result<Result<String, String>, Fault> {
    let survey = survey(folder.dir(), &[checkpoint.size], &mut |_, _| {});
    let survey = survey.map_err(|error| place::fault(folder.dir(), &error))?;
    let refused = |sealed: &&Sealed| sealed.wrong.as_ref().is_some_and(|why| !why.began_anew());
    if let Some(sealed) = survey.seals.iter().find(refused) {
        return Ok(Err(format!("the seal in entry {} does not hold", sealed.entry)));
    }
    let checked = check(name, checkpoint, note, &survey, trust);
    Ok(checked.wrong.map_or(Ok(checked.signed), Err))
}

/// Looks at a log that holds together line by line.
pub fn look(folder: &Folder, asked: &Asked) -> Result<Roots, Fault> {
    let fault = |error| place::fault(folder.dir(), &error);
    let mut given: Vec<(String, Checkpoint, Note)> = asked.since.clone();
    if let Some((checkpoint, note)) = last_checkpoint(folder).map_err(fault)? {
        given.push((OWN.to_owned(), checkpoint, note));
    }
    let sizes: Vec<u64> = given.iter().map(|(_, checkpoint, _)| checkpoint.size).collect();
    // The last one is the log's own, where it has one; else a note may say how far it went.
    let own = if given.len() > asked.since.len() { sizes.last().copied() } else { None };
    let noted = Mark::read(folder).map(|mark| mark.size()).filter(|_| own.is_none());
    let own = own.or(noted);
    let mut check_tiles = own.map(|size| TileCheck::new(folder, size));
    let survey = survey(folder.dir(), &sizes, &mut |line, leaf| {
        if let Some(check) = &mut check_tiles {
            check.push(line, leaf);
        }
    });
    let survey = survey.map_err(fault)?;
    let tiles = check_tiles.map(TileCheck::finish).transpose().map_err(fault)?;
    let trusted_before = asked.since.len();
    let mut checkpoints = Vec::new();
    for (at, (name, checkpoint, note)) in given.iter().enumerate() {
        // Witnesses sign what they are shown; the log's own file is asked for their word only where
        // nothing else was given.
        let trust = asked.trust.as_ref().filter(|_| at < trusted_before || trusted_before == 0);
        checkpoints.push(check(name, checkpoint, note, &survey, trust));
    }
    if let Some(size) = noted.filter(|size| *size > survey.checkpoint.size) {
        let wrong = Some(cut_off(size, survey.checkpoint.size));
        let signed = String::new();
        checkpoints.push(Checked { name: NOTED.to_owned(), size, wrong, signed });
    }
    if let (Some(_), true) = (&asked.trust, given.is_empty()) {
        let hint = "sign one: portcullis log checkpoint; or give one with --since";
        return Err(Fault::new("there is no checkpoint that anybody could have signed").hint(hint));
    }
    Ok(Roots { survey, checkpoints, tiles })
}

fn check(
    name: &str,
    checkpoint: &Checkpoint,
    note: &Note,
    survey: &Survey,
    trust: Option<&Trust>,
) -> Checked {
    let (against, signed) = match trust {
        Some(trust) => by_trust(trust, checkpoint, note, survey),
        None => by_seals(survey, note),
    };
    let wrong = differs(checkpoint, survey).or(against);
    Checked { name: name.to_owned(), size: checkpoint.size, wrong, signed }
}

fn cut_off(size: u64, has: u64) -> String {
    format!("it covers {} and the log has {has}: its end was cut off", words::entries(size))
}

fn differs(checkpoint: &Checkpoint, survey: &Survey) -> Option<String> {
    let (size, has) = (checkpoint.size, survey.checkpoint.size);
    if checkpoint.origin != survey.checkpoint.origin {
        return Some(format!("it is of the log {}", escape(checkpoint.origin.as_bytes())));
    }
    if size > has {
        return Some(cut_off(size, has));
    }
    let same = survey.roots.get(&size) == Some(&checkpoint.root);
    (!same).then(|| format!("the first {} are not those it covers", words::entries(size)))
}

/// The word of whom an auditor trusts.
fn by_trust(
    trust: &Trust,
    checkpoint: &Checkpoint,
    note: &Note,
    survey: &Survey,
) -> (Option<String>, String) {
    let standing = trust.standing(&checkpoint.origin, note);
    let mut signed = Vec::new();
    if let Some(log) = &standing.log {
        signed.push(format!("the log {}", words::plain(log)));
    } else if let Some(first) = by_succession(trust, note, survey) {
        let first = words::plain(&first.to_string());
        signed.push(format!("a key that the seals lead to from {first}"));
    }
    let by_log = !signed.is_empty();
    let seen = standing.witnesses.iter();
    signed.extend(seen.map(|(name, at)| {
        let at = i64::try_from(*at).map(|at| Moment::from_seconds(at).rfc3339_seconds());
        format!("witness {} at {}", words::plain(name), at.unwrap_or_default())
    }));
    let wrong = if let Some(name) = &standing.forged {
        Some(format!("the signature of {} on it is forged", words::plain(name)))
    } else if !by_log && !trust.logs().is_empty() {
        Some("no log that is trusted has signed it".to_owned())
    } else if !standing.quorum {
        Some("too few witnesses that are trusted have signed it".to_owned())
    } else {
        None
    };
    (wrong, signed.join(", "))
}

/// The trusted key from which unbroken seals lead to a key that signed. Each seal throws its key
/// away and names the next: an auditor writes down the first, and not a new one each hour.
fn by_succession(trust: &Trust, note: &Note, survey: &Survey) -> Option<VerifierKey> {
    let mut trusted: Option<VerifierKey> = None;
    for sealed in &survey.seals {
        let (key, next) = (
            VerifierKey::parse(&sealed.seal.key).ok()?,
            VerifierKey::parse(&sealed.seal.next).ok()?,
        );
        let anew = sealed.wrong.as_ref().is_some_and(SealError::began_anew);
        let known = trust.logs().contains(&key);
        if sealed.wrong.is_some() && !(anew && known) {
            trusted = None;
            continue;
        }
        if trusted.is_none() && known {
            trusted = Some(key.clone());
        }
        let signs = |key| matches!(note.signed_by(key), Signed::Yes { .. });
        if trusted.is_some() && (signs(&key) || signs(&next)) {
            return trusted;
        }
    }
    None
}

/// The word of the keys that the log's seals name.
fn by_seals(survey: &Survey, note: &Note) -> (Option<String>, String) {
    for key in survey.keys() {
        match note.signed_by(&key) {
            Signed::Yes { .. } => return (None, format!("a key of the log, {key}")),
            Signed::Forged => {
                return (Some(format!("the signature by {key} on it is forged")), String::new());
            }
            Signed::No => {}
        }
    }
    (None, String::new())
}

impl Roots {
    /// Whether nothing speaks against the log.
    pub fn holds(&self) -> bool {
        let seals = self.survey.seals.iter().all(|sealed| sealed.wrong.is_none());
        let tiles = self.tiles.as_ref().is_none_or(|tiles| tiles.wrong.0 == 0);
        seals && tiles && self.checkpoints.iter().all(|checked| checked.wrong.is_none())
    }

    /// What is told to people.
    pub fn lines(&self) -> Vec<String> {
        let survey = &self.survey;
        let root = base64(&survey.checkpoint.root);
        let mut lines = vec![format!("root {root} of {}", words::entries(survey.checkpoint.size))];
        let wrong: Vec<_> = survey.seals.iter().filter(|sealed| sealed.wrong.is_some()).collect();
        match (survey.seals.first(), survey.seals.last()) {
            (Some(first), Some(last)) => {
                let n = words::counted(survey.seals.len() as u64, "seal");
                let covered = words::entries(last.seal.size);
                lines.push(format!("{n}, the last in entry {} covers {covered}", last.entry));
                lines.push(format!("first key {}", words::plain(&first.seal.key)));
            }
            _ => lines.push("no seal: nothing here is signed (portcullis log seal)".to_owned()),
        }
        for sealed in wrong {
            let why = sealed.wrong.as_ref().map(ToString::to_string).unwrap_or_default();
            lines.push(format!(
                "broken: the seal in entry {}: {}",
                sealed.entry,
                words::plain(&why)
            ));
        }
        for checked in &self.checkpoints {
            match &checked.wrong {
                Some(wrong) => lines.push(format!("broken: {}: {wrong}", checked.name)),
                None if checked.signed.is_empty() => lines.push(format!(
                    "{}: its {} are those of this log; who signed it cannot be said here",
                    checked.name,
                    words::entries(checked.size)
                )),
                None => lines.push(format!(
                    "{}: its {} are those of this log, signed by {}",
                    checked.name,
                    words::entries(checked.size),
                    checked.signed
                )),
            }
        }
        lines.extend(self.tiles.iter().flat_map(tile_lines));
        lines
    }

    /// The same for scripts.
    pub fn as_json(&self) -> Value {
        let survey = &self.survey;
        let seals = survey.seals.iter().map(|sealed| {
            json!({
                "entry": sealed.entry,
                "size": sealed.seal.size,
                "key": words::plain(&sealed.seal.key),
                "next": words::plain(&sealed.seal.next),
                "wrong": sealed.wrong.as_ref().map(ToString::to_string),
            })
        });
        let checkpoints = self.checkpoints.iter().map(|checked| {
            json!({
                "name": checked.name,
                "size": checked.size,
                "signed": checked.signed,
                "wrong": checked.wrong,
            })
        });
        json!({
            "holds": self.holds(),
            "size": survey.checkpoint.size,
            "root": base64(&survey.checkpoint.root),
            "seals": seals.collect::<Vec<_>>(),
            "checkpoints": checkpoints.collect::<Vec<_>>(),
            "tiles": self.tiles.as_ref().map(tiles_json),
        })
    }
}

/// What is told of tiles.
fn tile_lines(report: &TileReport) -> Vec<String> {
    let (missing, first) = &report.missing;
    let mut lines: Vec<String> = report.wrong.1.iter().map(wrong_tile).collect();
    let more = report.wrong.0 - lines.len() as u64;
    if more > 0 {
        lines.push(format!("broken: {more} more tiles disagree with their lines"));
    }
    if report.wrong.0 > 0 {
        lines.push("tiles are made of the lines: remove `tile` and sign anew".to_owned());
    } else if *missing == report.tiles {
        lines.push("no tiles: portcullis log checkpoint writes them".to_owned());
    } else if *missing > 0 {
        let first = first.first().map(ToString::to_string).unwrap_or_default();
        lines.push(format!(
            "{missing} of {} are missing, {first} the first; the others agree with their lines; \
             to have all, remove `tile` and sign anew",
            words::counted(report.tiles, "tile")
        ));
    } else {
        let tiles = words::counted(report.tiles, "tile");
        lines.push(format!("{tiles} checked against their lines"));
    }
    lines
}

fn wrong_tile(wrong: &WrongTile) -> String {
    let (tile, (from, to)) = (wrong.tile, wrong.entries);
    match tile.kind {
        TileKind::Entries => {
            format!("broken: {tile} disagrees with the line of entry {from}")
        }
        TileKind::Hashes(0) => format!("broken: the hash in {tile} is not that of entry {from}"),
        TileKind::Hashes(_) => {
            format!("broken: a hash in {tile} is not that of entries {from} to {to}")
        }
    }
}

fn tiles_json(report: &TileReport) -> Value {
    let names = |tiles: &[Tile]| tiles.iter().map(ToString::to_string).collect::<Vec<_>>();
    let wrong = report.wrong.1.iter().map(|wrong| {
        let (from, to) = wrong.entries;
        json!({ "tile": wrong.tile.to_string(), "from": from, "to": to })
    });
    json!({
        "tiles": report.tiles,
        "missing": { "n": report.missing.0, "first": names(&report.missing.1) },
        "wrong": { "n": report.wrong.0, "first": wrong.collect::<Vec<_>>() },
    })
}
