//! A policy as it stood: its texts from the attachments of its entry, and what they say.
//!
//! The files on the server are not asked. A policy that this version reads no more is told by its
//! texts alone.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::log::disk::Folder;
use crate::log::entry::Policy as PolicyRecord;
use crate::log::whole;
use crate::log::wire::Text;
use crate::names::escape::escape;
use crate::policy::place;
use crate::policy::{Policy, PolicyFile, compile_with, key_files_named};
use crate::source::problem::Colour;

/// A policy of the past.
#[derive(Debug)]
pub struct Stood {
    /// Its files, in order: where they stood, and what was in them.
    pub files: Vec<(Text, Vec<u8>)>,
    /// What they say, or why that cannot be said by this version.
    pub policy: Result<Policy, String>,
}

/// Reads the policy that an entry put on record.
///
/// # Errors
/// When an attachment is gone or cannot be read.
pub fn stood(folder: &Folder, record: &PolicyRecord) -> io::Result<Stood> {
    let mut files = Vec::new();
    for file in &record.files {
        files.push((file.place.clone(), whole::attachment(folder, &file.att.0)?));
    }
    let mut policies: Vec<PolicyFile> = files
        .iter()
        .map(|(place, bytes)| PolicyFile { label: label(place), bytes: bytes.clone() })
        .collect();
    // The files of keys that the site's policy names stand behind the policies.
    let named = policies.first().map_or(0, |site| key_files_named(site).len());
    let signers = policies.split_off(policies.len().saturating_sub(named));
    let policy = compile_with(&policies, &signers)
        .map_err(|problems| escape(problems.render(Colour::Off).as_bytes()));
    Ok(Stood { files, policy })
}

/// A file's own name, without its folder, escaped.
pub fn label(at: &Text) -> String {
    escape(place::label(Path::new(OsStr::from_bytes(&at.0))).as_bytes())
}
