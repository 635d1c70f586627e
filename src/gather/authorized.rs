//! What gittuf has about a landing: the one file that is about this very move, found by its path.
//!
//! Read from the value that gittuf's ref has before the push. Who may write that ref does not matter:
//! the file counts by its signatures. It has no date, and does not name the repository; so it holds
//! for one move, from this commit to this tree, and only while the branch is at that commit for the first
//! time.

use crate::facts::UpdateFacts;
use crate::facts::authorized::{Authorized, AuthorizedFile, Authorizer};
use crate::facts::change::FileMode;
use crate::facts::landing::Landing;
use crate::facts::past::{RefValue, ValueSource};
use crate::gather::error::GatherError;
use crate::gather::scene::Scene;
use crate::gittuf::authorization::Authorization;
use crate::gittuf::envelope::{Envelope, Signed};
use crate::gittuf::{ATTESTATIONS, FOLDER, file_name};
use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::names::refname::Refname;
use crate::push::update::Change;
use crate::roster::heard::Heard;
use crate::store::tree::{Entry, EntryMode, Tree};
use crate::verdict::line::Line;

/// How many files about other moves are told of.
const NEAR_MAX: usize = 3;

/// The move that a file has to be about.
struct Move<'m> {
    name: &'m Refname,
    from: Oid,
    tree: Oid,
}

/// What gittuf has about a landing on a branch. `None`: it has nothing at all in this repository, or
/// nothing lands.
pub fn look(
    scene: &mut Scene<'_>,
    facts: &UpdateFacts,
    landing: &Landing,
) -> Result<Option<Authorized>, GatherError> {
    let name = &facts.update.name;
    let from = match facts.change {
        Change::Move { old, .. } => old,
        Change::Create { new } => Oid::zero(new.format()),
        Change::Delete { .. } | Change::Nothing => return Ok(None),
    };
    if name.branch().is_none() || scene.repository.is_none() || landing.segments.is_empty() {
        return Ok(None);
    }
    let Some(attestations) = Refname::parse(ATTESTATIONS) else { return Ok(None) };
    let Some(tip) = scene.reader.direct_ref(&attestations)? else { return Ok(None) };
    if !scene.reader.is_commit(&tip)? {
        return Ok(Some(doubtful(Line::new("").refname(&attestations).text(" is no commit"))));
    }
    let tree = scene.reader.commit(&landing.end)?.tree;
    let it = Move { name, from, tree };
    let folder = RepoPath::new([FOLDER.as_bytes(), b"/", name.as_bytes()].concat());
    let Some((_, folder)) = scene.reader.folder(&tip, &folder)? else {
        return Ok(Some(Authorized::default()));
    };
    let Some(entry) = folder.entry(file_name(&from.hex(), &tree.hex()).as_bytes()) else {
        return Ok(Some(Authorized { doubts: near(&folder, &it), ..Authorized::default() }));
    };
    if entry.mode != EntryMode::Leaf(FileMode::File) {
        return Ok(Some(doubtful(Line::new("gittuf has no file where its authorization belongs"))));
    }
    let most = scene.reader.limits.statement_bytes;
    let Some(bytes) = scene.reader.small_blob(&entry.oid, most)? else {
        let line = format!(
            "gittuf's authorization is no file of at most {most} bytes, the limit `statement-bytes`"
        );
        return Ok(Some(doubtful(Line::new(line))));
    };
    match read(scene, &it, &bytes) {
        Err(line) => Ok(Some(doubtful(line))),
        Ok(envelope) => match stood_before(scene, &it)? {
            Some(line) => Ok(Some(doubtful(line))),
            None => Ok(Some(signed(scene, &envelope, bytes))),
        },
    }
}

fn doubtful(line: Line) -> Authorized {
    Authorized { doubts: vec![line], ..Authorized::default() }
}

/// The envelope, where it says what its path says and is not over.
fn read(scene: &Scene<'_>, it: &Move<'_>, bytes: &[u8]) -> Result<Envelope, Line> {
    let unfit = |why: String| Line::new("the authorization that gittuf has ").text(why);
    let envelope = Envelope::parse(bytes).map_err(|why| unfit(why.to_string()))?;
    let says = Authorization::parse(envelope.payload()).map_err(|why| unfit(why.to_string()))?;
    if says.refname != *it.name {
        let line = unfit("lies at the place of another: it is for ".to_owned());
        return Err(line.refname(&says.refname));
    }
    if says.from != it.from {
        let line = unfit("lies at the place of another: it is from ".to_owned());
        return Err(line.oid(says.from));
    }
    if says.tree != it.tree {
        let line = unfit("lies at the place of another: it is to tree ".to_owned());
        return Err(line.oid(says.tree));
    }
    match says.expires {
        Some(until) if until <= scene.moment => Err(unfit("held until ".to_owned())
            .text(until.rfc3339_seconds())
            .text(", which is over")),
        Some(_) | None => Ok(envelope),
    }
}

/// An authorization has no date. So it holds while the branch stands where it stood for the first time:
/// nobody can say that one was given after the branch had gone from there and come back.
fn stood_before(scene: &Scene<'_>, it: &Move<'_>) -> Result<Option<Line>, GatherError> {
    let value = scene.past.value(it.name)?;
    let line = Line::new("the authorization that gittuf has is ");
    let (line, before) = if it.from.is_zero() {
        let line =
            line.text("for making ").short_ref(it.name).text(", which has been there before");
        (line, value.is_some())
    } else {
        let times = scene.past.times_had(it.name, &it.from, 2)?;
        // Where no push that was judged has put it here, each is from before.
        let by_a_push = |value: &RefValue| match value.source {
            ValueSource::Genesis | ValueSource::Applied(_) => value.oid == it.from,
            ValueSource::Drift | ValueSource::Lost(_) => false,
        };
        let this_time = usize::from(value.as_ref().is_some_and(by_a_push));
        let line = line.text("from ").oid(it.from).text(", where ").short_ref(it.name);
        (line.text(" has been before"), times > this_time)
    };
    Ok(before.then(|| line.text(", and has no date to be newer by")))
}

/// Who signed it, and why else somebody's signature does not count.
fn signed(scene: &Scene<'_>, envelope: &Envelope, bytes: Vec<u8>) -> Authorized {
    let message = envelope.signed_bytes();
    let mut found = Authorized::default();
    for signature in envelope.signatures() {
        let Signed::Armor(armor) = signature else {
            found.doubts.push(Line::new("gittuf has a signature by sigstore, which is not read"));
            continue;
        };
        let doubt = match scene.roster.heard_approving(&message, armor, scene.moment) {
            Heard::By { name, fingerprint } => {
                if found.by.iter().all(|known| known.person != *name) {
                    found.by.push(Authorizer { person: name.clone(), key: fingerprint });
                }
                continue;
            }
            Heard::NotNow { name, why, .. } => {
                let line = Line::new("").name(name).text(" authorized it in gittuf by a key that ");
                line.text(why)
            }
            Heard::Nobody { fingerprint } => Line::new("it was authorized in gittuf by ")
                .text(fingerprint)
                .text(", which is nobody's key"),
            Heard::Not(why) => {
                Line::new("gittuf has a signature that does not count: ").text(why.to_string())
            }
        };
        found.doubts.push(doubt);
    }
    if !found.by.is_empty() {
        found.file = Some(AuthorizedFile { id: envelope.id(), bytes });
    }
    found
}

/// Files about other moves of this ref: from the same value to another content, or the same content
/// from another value. They are told by their names alone.
fn near(folder: &Tree, it: &Move<'_>) -> Vec<Line> {
    let tell = |entry: Entry<'_>| {
        let (from, tree) = entry.name.split_at_checked(it.from.hex().len())?;
        let (from, tree) = (Oid::from_hex(from)?, Oid::from_hex(tree.strip_prefix(b"-")?)?);
        let line = Line::new("gittuf has an authorization ");
        if from == it.from {
            return Some(
                line.text("to tree ").oid(tree).text(", this push brings tree ").oid(it.tree),
            );
        }
        let here = line.text("from ").oid(from).text(", ").short_ref(it.name);
        (tree == it.tree).then(|| match it.from.is_zero() {
            true => here.text(" is made by this push"),
            false => here.text(" is at ").oid(it.from),
        })
    };
    folder.entries().filter_map(tell).take(NEAR_MAX).collect()
}

#[cfg(test)]
#[path = "authorized_tests.rs"]
mod tests;
