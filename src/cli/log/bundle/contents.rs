//! What of a log goes into a bundle: its files as they are, and what stands in them, to be read.
//!
//! A log grows while it is packed. The checkpoint and the tiles are taken first, then the lines, then
//! the attachments: so everything that something names is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::fault::{Fault, OrFault as _};
use crate::cli::log::bundle::tarball::{Body, Piece};
use crate::cli::log::gittuf;
use crate::cli::log::place::{self, Place};
use crate::cli::log::report::walk::walk;
use crate::cli::log::stood::{label, stood};
use crate::cli::log::words;
use crate::log::decision::{Decision, RefDecision, StatementRecord};
use crate::log::disk::Folder;
use crate::log::entry::{Policy as PolicyRecord, Record};
use crate::log::error::LogError;
use crate::log::line::Entry;
use crate::log::posting::is_yes;
use crate::log::segment::{PACKED, PLAIN, file_name};
use crate::log::summary::Named;
use crate::log::tape::list;
use crate::names::digest::Digest;
use crate::names::escape::escape;
use crate::roster::Roster;
use crate::roster::signers::ids;
use crate::ssh::signature::{GIT_NAMESPACE, SignatureCheck, verify};
use crate::statement::read::Statement;

/// How many digits of a SHA-256 stand in the name of a file.
const DIGITS: usize = 12;

/// What was found of one log.
#[derive(Debug)]
pub struct Packing {
    /// The files.
    pub pieces: Vec<Piece>,
    /// Where the log ends too early, if it does.
    pub end: Option<LogError>,
    /// When its last entry was written, in seconds since 1970.
    pub newest: u64,
}

/// What is read out of the entries.
#[derive(Default)]
struct Readable {
    name: String,
    newest: u64,
    pieces: Vec<Piece>,
    policies: String,
    statements: String,
    rosters: BTreeSet<Digest>,
}

/// The files of one log. `taken`: the names of folders that others have.
pub fn pieces(place: &Place, taken: &mut BTreeSet<String>) -> Result<Packing, Fault> {
    let folder = &place.folder;
    let could_not = || format!("could not read the log in {}", folder.dir().display());
    let mut files = before_lines(folder.dir()).or_fault(could_not)?;
    let mut readable = Readable::default();
    let end = walk(place, &mut |found, record| {
        readable.entry(folder, &found.entry, record);
        Ok(())
    })?;
    files.extend(lines(folder).map_err(|error| place::fault(folder.dir(), &error))?);
    files.extend(attachments(folder).or_fault(could_not)?);
    let name = own_name(&readable.name, taken);
    let Readable { newest, mut pieces, policies, statements, .. } = readable;
    for (index, text) in [("policies.txt", policies), ("statements.txt", statements)] {
        pieces.push(Piece { name: index.to_owned(), body: Body::Bytes(text.into_bytes()) });
    }
    let mut all: BTreeMap<String, Body> = BTreeMap::new();
    for Piece { name: inner, body } in pieces {
        all.insert(format!("{name}/{inner}"), body);
    }
    for Piece { name: inner, body } in files {
        all.insert(format!("{name}/log/{inner}"), body);
    }
    let pieces = all.into_iter().map(|(name, body)| Piece { name, body }).collect();
    Ok(Packing { pieces, end, newest })
}

/// The name of a log's folder: the log's own, of letters that every system takes.
fn own_name(log: &str, taken: &mut BTreeSet<String>) -> String {
    let plain = plain(log);
    let mut name = plain.clone();
    let mut times = 1;
    while !taken.insert(name.clone()) {
        times += 1;
        name = format!("{plain}-{times}");
    }
    name
}

/// A text as the name of a file.
fn plain(text: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = text.chars().map(letter).take(100).collect();
    if name.is_empty() || name.starts_with('.') { format!("log{name}") } else { name }
}

/// The checkpoint, and the tiles it had.
fn before_lines(dir: &Path) -> io::Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    match fs::read(dir.join("checkpoint")) {
        Ok(bytes) => {
            pieces.push(Piece { name: "checkpoint".to_owned(), body: Body::Bytes(bytes) });
        }
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => {}
        Err(fault) => return Err(fault),
    }
    let mut folders = vec![PathBuf::from("tile")];
    while let Some(inner) = folders.pop() {
        let listed = match fs::read_dir(dir.join(&inner)) {
            Ok(listed) => listed,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => continue,
            Err(fault) => return Err(fault),
        };
        for entry in listed {
            let entry = entry?;
            let path = inner.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if let Some(name) = path.to_str() {
                pieces.push(Piece { name: name.to_owned(), body: Body::File(entry.path()) });
            }
        }
    }
    Ok(pieces)
}

/// The files of the entries, and what stays of those that were taken away. The newest is taken as
/// far as its last whole line: somebody may be writing the next.
fn lines(folder: &Folder) -> Result<Vec<Piece>, LogError> {
    let dir = folder.dir();
    let unread = |path: &Path, source| crate::log::disk::io_fault("read", path, source);
    let listed = list(dir).map_err(|source| unread(dir, source))?;
    let summaries = Named::list(dir).map_err(|source| unread(dir, source))?;
    let mut pieces = Vec::new();
    for name in summaries.iter().map(|named| named.file_name()) {
        pieces.push(Piece { body: Body::File(dir.join(&name)), name });
    }
    let newest = listed.last().map(|one| one.first);
    for one in listed {
        let name = file_name(one.first, if one.plain { PLAIN } else { PACKED });
        let path = dir.join(&name);
        let body = if Some(one.first) == newest && one.plain {
            let mut bytes = fs::read(&path).map_err(|source| unread(&path, source))?;
            let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            bytes.truncate(end);
            Body::Bytes(bytes)
        } else {
            Body::File(path)
        };
        pieces.push(Piece { name, body });
    }
    Ok(pieces)
}

fn attachments(folder: &Folder) -> io::Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    for entry in fs::read_dir(folder.attachments())? {
        let entry = entry?;
        let name = entry.file_name();
        // What has another name is half written, or none of ours.
        if let Some(hex) = name.to_str().filter(|name| Digest::from_hex(name.as_bytes()).is_some())
        {
            let name = format!("att/{hex}");
            pieces.push(Piece { name, body: Body::File(entry.path()) });
        }
    }
    Ok(pieces)
}

impl Readable {
    fn entry(&mut self, folder: &Folder, entry: &Entry, record: &Record) {
        if self.name.is_empty() {
            self.name.clone_from(&entry.common.log);
        }
        self.newest = u64::try_from(entry.common.ts.0.seconds()).unwrap_or_default();
        if let Record::Policy(it) = record {
            self.policy(folder, entry, it);
        } else if let Record::Decision(it) = record {
            it.statements.iter().for_each(|one| self.statement(entry, it, one));
            it.refs
                .iter()
                .filter(|one| is_yes(it, one))
                .for_each(|one| self.gittuf(entry, it, one));
        }
    }

    fn file(&mut self, name: String, bytes: impl Into<Vec<u8>>) {
        self.pieces.push(Piece { name, body: Body::Bytes(bytes.into()) });
    }

    /// A policy's texts and, where this version can read them, whose keys they name.
    fn policy(&mut self, folder: &Folder, entry: &Entry, record: &PolicyRecord) {
        let (number, hex) = (entry.common.seq, record.sha256.0.hex());
        let since = entry.common.ts.0.rfc3339_seconds();
        // Writing to a String cannot fail.
        let _ = writeln!(self.policies, "entry {number}  {since}  {hex}");
        let Ok(policy) = stood(folder, record) else {
            self.policies.push_str("    its text is not among the attachments any more\n");
            return;
        };
        for (at, (place, bytes)) in policy.files.iter().enumerate() {
            let own = plain(&label(place));
            let name = format!("policies/{number:08}/{}-{own}", at + 1);
            let _ = writeln!(self.policies, "    {name}  {}", escape(&place.0));
            self.file(name, bytes.clone());
        }
        match policy.policy {
            Ok(policy) => {
                let name = roster_name(&record.sha256.0);
                let _ = writeln!(self.policies, "    {name}");
                if self.rosters.insert(record.sha256.0) {
                    self.file(name, allowed_signers(&policy.roster));
                }
            }
            Err(_) => self.policies.push_str("    this version of portcullis cannot read it\n"),
        }
    }

    /// A statement as two files: what was signed, and the signature.
    fn statement(&mut self, entry: &Entry, decision: &Decision, one: &StatementRecord) {
        let check = one.check.as_deref().map(|name| format!("{name}-")).unwrap_or_default();
        let (number, verdict, person) = (entry.common.seq, &one.verdict, one.person.0.as_str());
        let id = one.id.0.hex();
        let short = id.get(..DIGITS).unwrap_or(&id);
        let name = plain(&format!("{number:08}-{check}{verdict}-{person}-{short}"));
        let Ok(statement) = Statement::parse(&one.text.0) else {
            let _ = writeln!(self.statements, "# entry {number}: a statement that cannot be read");
            return;
        };
        let space = statement.namespace();
        let called = called(space, (statement.signed_bytes(), statement.armor()), person);
        let roster = roster_name(&decision.policy.sha256.0);
        // For people and for statements.sh: no field holds a blank.
        let fields = [
            name.as_str(),
            &called,
            space,
            &roster,
            &one.commit.0.hex(),
            &words::refname(&one.for_ref),
        ];
        self.statements.push_str(&fields.map(|field| field.replace(' ', "\\x20")).join(" "));
        self.statements.push('\n');
        self.file(format!("statements/{name}.signed"), statement.signed_bytes());
        self.file(format!("statements/{name}.sig"), statement.armor());
    }

    /// An authorization of gittuf's in the same form, once for each who signed it. It has no date, so
    /// the push's stands beside it.
    fn gittuf(&mut self, entry: &Entry, decision: &Decision, one: &RefDecision) {
        let number = entry.common.seq;
        for (record, by) in one.gittuf.iter().flat_map(|it| it.by.iter().map(move |by| (it, by))) {
            let person = by.person.0.as_str();
            let Some(kept) = gittuf::kept(record, by) else {
                let text = "an authorization of gittuf's whose signature does not fit";
                let _ = writeln!(self.statements, "# entry {number}: {text}");
                continue;
            };
            let id = record.id.0.hex();
            let short = id.get(..DIGITS).unwrap_or(&id);
            let name = plain(&format!("{number:08}-gittuf-{person}-{short}"));
            let time = entry.common.ts.0.rfc3339_seconds();
            let fields = [
                name.as_str(),
                &called(GIT_NAMESPACE, (&kept.signed, &kept.armor), person),
                GIT_NAMESPACE,
                &roster_name(&decision.policy.sha256.0),
                &one.new.0.hex(),
                &words::refname(&one.refname),
                &time.replace(|c: char| !c.is_ascii_digit(), ""),
            ];
            self.statements.push_str(&fields.map(|field| field.replace(' ', "\\x20")).join(" "));
            self.statements.push('\n');
            self.file(format!("statements/{name}.signed"), kept.signed);
            self.file(format!("statements/{name}.sig"), kept.armor);
        }
    }
}

/// What the signer of a statement is called where its key is looked up: by name, else as the
/// certificate has it.
fn called(space: &str, (signed, armor): (&[u8], &[u8]), person: &str) -> String {
    if let SignatureCheck::Certified { certificate, .. } = verify(space, signed, armor)
        && !certificate.names(person)
        && let Some(id) = certificate.principals.first()
    {
        return escape(id.as_bytes());
    }
    person.to_owned()
}

/// Where the keys of a policy stand.
fn roster_name(policy: &Digest) -> String {
    let hex = policy.hex();
    format!("rosters/{}", hex.get(..DIGITS).unwrap_or(&hex))
}

/// Everybody's keys, as `ssh-keygen -Y verify` takes them.
fn allowed_signers(roster: &Roster) -> String {
    let mut text = String::new();
    for principal in roster.people() {
        for key in &principal.keys {
            let _ = writeln!(text, "{} {}", principal.name.as_str(), key.line());
        }
        // What a certificate calls somebody is what `ssh-keygen` has to be asked about.
        for authority in roster.authorities_of(principal) {
            let plain = |id: &&str| !id.contains(['"', ',', '*', '?', '!']);
            for id in ids(principal).filter(|id| authority.names(id)).filter(plain) {
                let _ = writeln!(text, "\"{id}\" cert-authority {}", authority.key.line());
            }
        }
    }
    text
}
