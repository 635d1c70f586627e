//! The log as an outsider reads it: lines of JSON, hashed and chained, nothing of ours needed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The entries of one log, oldest first.
#[derive(Debug)]
pub(crate) struct Entries(Vec<Value>);

/// The segment files of a log, oldest first.
pub(crate) fn segments(log: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(log)
        .unwrap_or_else(|error| panic!("{}: {error}", log.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .collect();
    files.sort();
    files
}

/// What stands in each segment, as `gzip` unpacks those that are packed.
fn contents(log: &Path) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> = fs::read_dir(log)
        .unwrap_or_else(|error| panic!("{}: {error}", log.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains(".jsonl"))
        .collect();
    files.sort();
    let unpacked = |file: &PathBuf| match file.extension().is_some_and(|end| end == "gz") {
        true => Command::new("gzip").arg("-dc").arg(file).output().unwrap().stdout,
        false => fs::read(file).unwrap(),
    };
    files.iter().map(unpacked).collect()
}

impl Entries {
    /// Reads every segment, packed ones too; lines that are no JSON (dead ones) are left out.
    pub(crate) fn read(log: &Path) -> Self {
        let mut entries = Vec::new();
        for bytes in contents(log) {
            entries.extend(
                bytes
                    .split(|byte| *byte == b'\n')
                    .filter_map(|line| serde_json::from_slice::<Value>(line).ok()),
            );
        }
        Self(entries)
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[Value] {
        &self.0
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Those of one type.
    pub(crate) fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> + 'a {
        self.0.iter().filter(move |entry| entry["type"] == kind)
    }

    /// The newest of one type.
    #[track_caller]
    pub(crate) fn last(&self, kind: &str) -> &Value {
        let last = self.0.iter().rfind(|entry| entry["type"] == kind);
        last.unwrap_or_else(|| panic!("no entry of type {kind}: {:#?}", self.0))
    }

    /// How many there are of one type.
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.of(kind).count()
    }
}

/// Checks hashes and links with nothing but SHA-256, line by line, as stored; returns the head.
#[track_caller]
pub(crate) fn chain(log: &Path) -> String {
    let mut head = "0".repeat(64);
    for bytes in contents(log) {
        for line in String::from_utf8(bytes).unwrap().lines() {
            let (body, hash) = line.rsplit_once(",\"hash\":\"").unwrap();
            let hash = hash.strip_suffix("\"}").unwrap();
            let sum: String =
                Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(sum, hash, "an entry's own hash: {line}");
            assert!(body.ends_with(&format!(",\"prev\":\"{head}\"")), "the link: {line}");
            hash.clone_into(&mut head);
        }
    }
    head
}

/// The value that the log gives each ref: genesis, then outcomes and drift.
pub(crate) fn implied(entries: &Entries, log: &Path) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let mut set = |name: &str, oid: &str| {
        if oid.bytes().all(|byte| byte == b'0') {
            values.remove(name);
        } else {
            values.insert(name.to_owned(), oid.to_owned());
        }
    };
    let items = |entry: &Value| entry["refs"].as_array().cloned().unwrap_or_default();
    for entry in entries.all() {
        match entry["type"].as_str().unwrap() {
            "genesis" => {
                for (oid, name) in first_refs(entry, log) {
                    set(&name, &oid);
                }
            }
            "outcome" => {
                for item in items(entry) {
                    match item["state"].as_str().unwrap() {
                        "applied" => set(&shown(&item["ref"]), item["new"].as_str().unwrap()),
                        "lost" => set(&shown(&item["ref"]), item["old"].as_str().unwrap()),
                        _ => {}
                    }
                }
            }
            "drift" => set(&shown(&entry["ref"]), entry["found"].as_str().unwrap()),
            _ => {}
        }
    }
    values
}

/// The refs of genesis, which stand in an attachment in the form of `git ls-remote --refs`.
fn first_refs(genesis: &Value, log: &Path) -> Vec<(String, String)> {
    let Some(digest) = genesis["refs"]["att"].as_str() else { return Vec::new() };
    fs::read_to_string(log.join("att").join(digest))
        .unwrap()
        .lines()
        .map(|line| line.split_once('\t').unwrap())
        .map(|(oid, name)| (oid.to_owned(), name.to_owned()))
        .collect()
}

/// A text of the log: itself, or what is shown of it where it is no clean UTF-8.
pub(crate) fn shown(text: &Value) -> String {
    text.as_str().or_else(|| text["show"].as_str()).unwrap().to_owned()
}

/// The refs have to be those that the log gives.
#[track_caller]
pub(crate) fn agreement(entries: &Entries, log: &Path, refs: &BTreeMap<String, String>) {
    assert_eq!(&implied(entries, log), refs, "left: what the log says; right: what the server has");
}
