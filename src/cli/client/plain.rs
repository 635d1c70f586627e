//! The plain commands that make and send a statement, for people without this program.
//!
//! Printed by `approve --print`. A script for `sh` that uses `git` and `ssh-keygen`, runnable as it
//! stands, and it does exactly what the verb does.

use std::os::unix::ffi::OsStrExt as _;

use crate::cli::client::delta::DIFF_TREE;
use crate::cli::client::key::{KeySource, SigningKey};
use crate::cli::quote::quoted_bytes;
use crate::names::oid::Oid;
use crate::statement::fields::Fields;

/// The script.
pub fn script(fields: &Fields, key: &SigningKey, remote: &str) -> Vec<u8> {
    let mut out = Script::default();
    out.line("set -eu");
    out.line("umask 077");
    out.line("# what is signed for is this delta; its digest stands in the statement:");
    out.line(&format!(
        "#   git {} {} {} | sha256sum",
        DIFF_TREE.join(" "),
        tree_of(&fields.base),
        fields.commit
    ));
    out.line("folder=$(mktemp -d)");
    out.line("trap 'rm -rf \"$folder\"' EXIT");
    out.statement(&fields.text());
    out.sign(key, fields.namespace());
    out.line(
        "blob=$(cat \"$folder/statement\" \"$folder/statement.sig\" | git hash-object -w --stdin)",
    );
    out.word("git push ");
    out.quoted(remote.as_bytes());
    // Git has no fast-forward from one statement to the next.
    out.line(&format!(" \"+$blob:{}\"", fields.place()));
    out.bytes
}

fn tree_of(base: &Oid) -> Oid {
    if base.is_zero() { base.format().empty_tree() } else { *base }
}

/// A script being written.
#[derive(Default)]
struct Script {
    bytes: Vec<u8>,
}

impl Script {
    fn word(&mut self, word: &str) {
        self.bytes.extend_from_slice(word.as_bytes());
    }

    fn line(&mut self, line: &str) {
        self.word(line);
        self.word("\n");
    }

    fn quoted(&mut self, word: &[u8]) {
        self.bytes.extend_from_slice(&quoted_bytes(word));
    }

    /// Writes the statement's lines, the empty one at its end included, to a file.
    fn statement(&mut self, text: &[u8]) {
        self.line("printf '%s\\n' \\");
        let lines = text.strip_suffix(b"\n").unwrap_or(text);
        for line in lines.split(|byte| *byte == b'\n') {
            self.word("  ");
            self.quoted(line);
            self.line(" \\");
        }
        self.line("  > \"$folder/statement\"");
    }

    fn sign(&mut self, key: &SigningKey, namespace: &str) {
        if let KeySource::Agent(key) = &key.source {
            self.word("printf '%s\\n' ");
            self.quoted(key.line().as_bytes());
            self.line(" > \"$folder/key.pub\"");
        }
        if key.is_ssh_keygen() {
            self.word("ssh-keygen");
        } else {
            self.quoted(key.program.as_bytes());
        }
        self.word(&format!(" -Y sign -n {namespace} -f "));
        match &key.source {
            KeySource::File(path) => self.quoted(path.as_os_str().as_bytes()),
            KeySource::Agent(_) => self.word("\"$folder/key.pub\" -U"),
        }
        self.line(" \"$folder/statement\"");
    }
}
