//! What a log's tree says: seals, checkpoints that somebody kept, and who signed them.
//!
//! Used by `log verify --root`, `--since` and `--trust`.

use serde_json::{Value, json};

use crate::cli::fault::Fault;
use crate::cli::log::place;
use crate::cli::log::words;
use crate::log::disk::Folder;
use crate::log::keeper::last_checkpoint;
use crate::log::survey::{Survey, survey};
use crate::names::escape::escape;
use crate::tlog::checkpoint::{Checkpoint, base64};
use crate::tlog::note::{Note, Signed};
use crate::tlog::trust::Trust;

/// What the log's own last checkpoint is called in what is told.
const OWN: &str = "the log's own last checkpoint";

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

/// Looks at a log that holds together line by line.
pub fn look(folder: &Folder, asked: &Asked) -> Result<Roots, Fault> {
    let fault = |error| place::fault(folder.dir(), &error);
    let mut given: Vec<(String, Checkpoint, Note)> = asked.since.clone();
    if let Some((checkpoint, note)) = last_checkpoint(folder).map_err(fault)? {
        given.push((OWN.to_owned(), checkpoint, note));
    }
    let sizes: Vec<u64> = given.iter().map(|(_, checkpoint, _)| checkpoint.size).collect();
    let survey = survey(folder.dir(), &sizes, &mut |_| {}).map_err(fault)?;
    let trusted_before = asked.since.len();
    let mut checkpoints = Vec::new();
    for (at, (name, checkpoint, note)) in given.iter().enumerate() {
        // Witnesses sign what they are shown; the log's own file is asked for their word only where
        // nothing else was given.
        let trust = asked.trust.as_ref().filter(|_| at < trusted_before || trusted_before == 0);
        checkpoints.push(check(name, checkpoint, note, &survey, trust));
    }
    if let (Some(_), true) = (&asked.trust, checkpoints.is_empty()) {
        let hint = "sign one: portcullis log checkpoint; or give one with --since";
        return Err(Fault::new("there is no checkpoint that anybody could have signed").hint(hint));
    }
    Ok(Roots { survey, checkpoints })
}

fn check(
    name: &str,
    checkpoint: &Checkpoint,
    note: &Note,
    survey: &Survey,
    trust: Option<&Trust>,
) -> Checked {
    let (against, signed) = match trust {
        Some(trust) => by_trust(trust, checkpoint, note),
        None => by_seals(survey, note),
    };
    let wrong = differs(checkpoint, survey).or(against);
    Checked { name: name.to_owned(), size: checkpoint.size, wrong, signed }
}

fn differs(checkpoint: &Checkpoint, survey: &Survey) -> Option<String> {
    let (size, has) = (checkpoint.size, survey.checkpoint.size);
    if checkpoint.origin != survey.checkpoint.origin {
        return Some(format!("it is of the log {}", escape(checkpoint.origin.as_bytes())));
    }
    if size > has {
        let cut = words::entries(size);
        return Some(format!("it covers {cut} and the log has {has}: its end was cut off"));
    }
    let same = survey.roots.get(&size) == Some(&checkpoint.root);
    (!same).then(|| format!("the first {} are not those it covers", words::entries(size)))
}

/// The word of whom an auditor trusts.
fn by_trust(trust: &Trust, checkpoint: &Checkpoint, note: &Note) -> (Option<String>, String) {
    let standing = trust.standing(&checkpoint.origin, note);
    let who = standing.log.iter().map(|log| format!("the log {}", words::plain(log)));
    let seen = standing.witnesses.iter().map(|(name, _)| format!("witness {}", words::plain(name)));
    let signed: Vec<String> = who.chain(seen).collect();
    let wrong = if let Some(name) = &standing.forged {
        Some(format!("the signature of {} on it is forged", words::plain(name)))
    } else if standing.log.is_none() && !trust.logs().is_empty() {
        Some("no log that is trusted has signed it".to_owned())
    } else if !standing.quorum {
        Some("too few witnesses that are trusted have signed it".to_owned())
    } else {
        None
    };
    (wrong, signed.join(", "))
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
        seals && self.checkpoints.iter().all(|checked| checked.wrong.is_none())
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
        })
    }
}
