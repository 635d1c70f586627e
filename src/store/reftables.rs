//! Refs in tables (gitformat-reftable(5)), read by git and by us.
//!
//! `git for-each-ref` lists them all, in one state: one process, however many refs a push has. That
//! list alone will not do. It leaves out symbolic refs that lead nowhere, and a push to such a name
//! makes the ref that it leads to; and of tables that are damaged git lists what it can read, and
//! reports success. So `table` reads the same tables, and what the two do not agree on is a fault.
//! What they said holds as long as `reftable/tables.list` reads the same: git gives every state
//! tables of its own.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::names::escape::escape;
use crate::names::oid::{ObjectFormat, Oid};
use crate::names::refname::Refname;
use crate::store::error::StoreError;
use crate::store::objects::{HeadValue, RefValue};
use crate::store::open::{Layout, is_absent, path_from};
use crate::store::plumbing::{Answer, ask, failed};
use crate::store::reflist::{LIST_FORMAT, Listed, parse_broken, parse_list};
use crate::store::refs::{OWN_PREFIXES, Refs};
use crate::store::table::{Row, parse_table};

/// The first git that reads tables, and lists HEAD with the refs.
const GIT_NEEDED: &str = "2.45";

/// How long `tables.list` may be, in bytes; git keeps it at a few dozen lines of 50.
const TABLES_LIST_BYTES_MAX: u64 = 1024 * 1024;

/// How large one table may be, in bytes: ten million refs.
const TABLE_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// How often refs are read again because they moved meanwhile.
const TRIES: usize = 20;

/// The refs of a repository: what all worktrees share and, in a linked one, its own.
pub(super) struct RefTables {
    shared: Tables,
    own: Option<Tables>,
}

impl RefTables {
    pub(super) fn new(layout: &Layout) -> Self {
        let tables = |folder: &Path, linked| Tables {
            folder: folder.to_path_buf(),
            format: layout.format,
            linked,
            state: None,
            asked: Cell::new(0),
        };
        let linked = layout.git_dir != layout.common_dir;
        let own = linked.then(|| tables(&layout.git_dir, true));
        Self { shared: tables(&layout.common_dir, false), own }
    }

    fn tables(&mut self, name: &[u8]) -> &mut Tables {
        match &mut self.own {
            Some(own) if is_own(name) => own,
            Some(_) | None => &mut self.shared,
        }
    }

    /// What stands under a prefix, the refs of this worktree in place of the main one's. No value
    /// where it is broken.
    fn standing(&mut self, prefix: &[u8]) -> Result<Values, StoreError> {
        let mut found = self.shared.standing(prefix)?;
        if let Some(own) = &mut self.own {
            found.retain(|name, _| !is_own(name));
            found.extend(own.standing(prefix)?);
        }
        Ok(found)
    }
}

fn is_own(name: &[u8]) -> bool {
    OWN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

impl Refs for RefTables {
    fn read(&mut self, name: &Refname) -> Result<RefValue, StoreError> {
        let bytes = name.as_bytes();
        match self.tables(bytes).state()?.values.get(bytes) {
            None => Ok(RefValue::Absent),
            Some(Some(value)) => Ok(value.clone()),
            Some(None) => Err(StoreError::BrokenRef { name: bytes.to_vec() }),
        }
    }

    fn head(&mut self) -> Result<HeadValue, StoreError> {
        Ok(match self.shared.state()?.values.get(&b"HEAD"[..]) {
            Some(Some(RefValue::Direct(oid))) => HeadValue::Detached(*oid),
            Some(Some(RefValue::Symbolic(target))) => {
                Refname::parse(target).map_or(HeadValue::Unreadable, HeadValue::Branch)
            }
            Some(Some(RefValue::Absent) | None) | None => HeadValue::Unreadable,
        })
    }

    fn under(&mut self, prefix: &[u8]) -> Result<Vec<(Refname, Oid)>, StoreError> {
        let mut refs = Vec::new();
        for (name, value) in self.standing(prefix)? {
            match value {
                Some(RefValue::Direct(oid)) => {
                    refs.extend(Refname::parse(&name).map(|name| (name, oid)));
                }
                Some(RefValue::Absent | RefValue::Symbolic(_)) => {}
                None => return Err(StoreError::BrokenRef { name }),
            }
        }
        Ok(refs)
    }

    fn all(&mut self) -> Result<Vec<(Refname, Oid)>, StoreError> {
        let zero = Oid::zero(self.shared.format);
        let values = self.standing(b"refs/")?.into_iter().filter_map(|(name, value)| {
            let oid = match value {
                Some(RefValue::Direct(oid)) => oid,
                Some(RefValue::Absent | RefValue::Symbolic(_)) | None => zero,
            };
            Some((Refname::parse(&name)?, oid))
        });
        Ok(values.collect())
    }
}

/// Refs by name; no value where it is broken.
type Values = BTreeMap<Vec<u8>, Option<RefValue>>;

/// Refs by name, as git lists them.
type ByGit = BTreeMap<Vec<u8>, Listed>;

/// One stack of tables.
struct Tables {
    folder: PathBuf,
    format: ObjectFormat,
    /// It is that of a linked worktree: git lists what all share as well.
    linked: bool,
    state: Option<State>,
    /// How many processes were started.
    asked: Cell<usize>,
}

/// All refs as they were while `tables.list` read so.
struct State {
    tables: Vec<u8>,
    values: Values,
}

impl Tables {
    fn standing(&mut self, prefix: &[u8]) -> Result<Values, StoreError> {
        let under = self.state()?.values.range(prefix.to_vec()..);
        let under = under.take_while(|(name, _)| name.starts_with(prefix));
        Ok(under.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// All refs as of now.
    fn state(&mut self) -> Result<&State, StoreError> {
        let mut tables = self.tables_list()?;
        let mut current = self.state.take().filter(|state| state.tables == tables);
        for _ in 0..TRIES {
            if let Some(state) = current {
                return Ok(self.state.insert(state));
            }
            let read = self.both_readers(&tables);
            let now = self.tables_list()?;
            // What was read while tables came and went is neither the one state nor the other.
            if now == tables {
                current = Some(State { tables: now, values: read? });
            } else {
                tables = now;
            }
        }
        match current {
            Some(state) => Ok(self.state.insert(state)),
            None => Err(StoreError::Limit {
                what: "looks at refs that never stood still",
                limit: TRIES,
            }),
        }
    }

    /// What git and we read, if it is the same.
    fn both_readers(&self, tables: &[u8]) -> Result<Values, StoreError> {
        let mut values = self.stack(tables)?;
        let (mut listed, broken) = self.list()?;
        if self.linked {
            values.retain(|name, _| is_own(name));
            listed.retain(|name, _| is_own(name));
        }
        for (name, value) in &mut values {
            let by_git = listed.remove(name);
            let agreed = match (&value, by_git) {
                _ if broken.contains(name) => {
                    *value = None;
                    true
                }
                (Some(RefValue::Direct(ours)), Some(Listed::Direct(theirs))) => *ours == theirs,
                (Some(RefValue::Symbolic(_)), Some(Listed::LeadsTo(_)) | None) => true,
                // What is no refname git does not list, and nobody can push to.
                (_, None) => name != b"HEAD" && Refname::parse(name).is_none(),
                (_, Some(_)) => false,
            };
            if !agreed {
                return Err(self.damaged(name));
            }
        }
        // Of what else git lists FETCH_HEAD and the like are files.
        match listed.into_keys().find(|name| name.starts_with(b"refs/")) {
            Some(name) => Err(self.damaged(&name)),
            None => Ok(values),
        }
    }

    fn damaged(&self, name: &[u8]) -> StoreError {
        let why = format!("git and portcullis do not read the same of {}", escape(name));
        StoreError::BrokenTable { path: self.folder.join("reftable"), why }
    }

    /// What we read: each table over those before it.
    fn stack(&self, tables: &[u8]) -> Result<Values, StoreError> {
        let mut values = Values::new();
        for name in tables.split(|&b| b == b'\n').filter(|name| !name.is_empty()) {
            let path = self.folder.join("reftable").join(path_from(name));
            let bytes = read_file(&path, TABLE_BYTES_MAX)
                .map_err(|source| StoreError::File { path: path.clone(), source })?;
            let rows = parse_table(self.format, &bytes)
                .map_err(|why| StoreError::BrokenTable { path, why: why.to_owned() })?;
            for (name, row) in rows {
                match row {
                    Row::Deleted => drop(values.remove(&name)),
                    Row::Direct(oid) => drop(values.insert(name, Some(RefValue::Direct(oid)))),
                    Row::Symbolic(to) => drop(values.insert(name, Some(RefValue::Symbolic(to)))),
                }
            }
        }
        Ok(values)
    }

    /// What git reads, and the refs that it calls broken.
    fn list(&self) -> Result<(ByGit, BTreeSet<Vec<u8>>), StoreError> {
        let verb = "for-each-ref";
        self.asked.set(self.asked.get() + 1);
        let answer = ask(&self.folder, verb, &["--include-root-refs", LIST_FORMAT], b"")?;
        if answer.code != Some(0) {
            return Err(self.refused(verb, &answer));
        }
        let said = |stderr| StoreError::Git { verb, stderr };
        let refs = parse_list(self.format, &answer.stdout)
            .map_err(|line| said(format!("line {line} of what it printed is no ref")))?;
        let broken = parse_broken(&answer.stderr).map_err(|line| said(escape(&line)))?;
        Ok((refs, broken))
    }

    /// The tables that make up the refs, as their list reads.
    fn tables_list(&self) -> Result<Vec<u8>, StoreError> {
        let path = self.folder.join("reftable").join("tables.list");
        match read_file(&path, TABLES_LIST_BYTES_MAX) {
            Ok(bytes) => Ok(bytes),
            // The tables of a worktree that were never written to have none.
            Err(source) if is_absent(&source) && self.linked => Ok(Vec::new()),
            Err(source) => Err(StoreError::File { path, source }),
        }
    }

    /// The error for a no of git's: often it is one that is too old.
    fn refused(&self, verb: &'static str, answer: &Answer) -> StoreError {
        let words = String::from_utf8_lossy(&answer.stderr);
        let old = ["unknown repository extension", "unknown option", "Expected git repo version"];
        if !old.iter().any(|sign| words.contains(sign)) {
            return failed(verb, answer);
        }
        let version = ask(&self.folder, "version", &[""; 0], b"");
        let found = version.map_or_else(
            |_| "one that does not tell its version".to_owned(),
            |answer| escape(answer.stdout.trim_ascii()),
        );
        StoreError::GitTooOld { what: "refs kept as reftable", needs: GIT_NEEDED, found }
    }
}

fn read_file(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 <= bytes_max {
        true => Ok(bytes),
        false => Err(io::Error::other("it is too long")),
    }
}

#[cfg(test)]
#[path = "reftables_tests.rs"]
mod tests;
