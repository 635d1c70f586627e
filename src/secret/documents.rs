//! Secrets that only their surroundings give away: the values of a Kubernetes Secret, the login in
//! a kubeconfig, the state and the plans of Terraform.
//!
//! Read line by line, not parsed: what a parser would refuse is looked at too. A value counts
//! unless a template fills it in or it is visibly sealed; that a file says of itself that it is
//! sealed is the word of whoever pushes it.

use memchr::memmem;

use crate::secret::kinds::{KUBECONFIG, KUBERNETES_SECRET, SecretKind, TERRAFORM_STATE};

/// A kind of secret, and from where to where it stands.
pub type Place = (&'static SecretKind, usize, usize);

/// How a zip archive begins, as which Terraform writes its plans.
const ZIP: &[u8] = b"PK\x03\x04";

/// The secrets that surroundings give away, in some bytes.
pub fn look(bytes: &[u8]) -> Vec<Place> {
    let mut places = Vec::new();
    places.extend(is_terraform(bytes).then_some((&TERRAFORM_STATE, 0, bytes.len())));
    if has(bytes, b"Secret") || has(bytes, b"Config") {
        let mut document = Document::default();
        for (at, line) in lines(bytes) {
            if line.starts_with(b"---") {
                std::mem::take(&mut document).close(&mut places);
            }
            document.read(at, line);
        }
        document.close(&mut places);
    }
    places
}

fn has(bytes: &[u8], word: &[u8]) -> bool {
    memmem::find(bytes, word).is_some()
}

fn is_terraform(bytes: &[u8]) -> bool {
    let json = bytes.trim_ascii_start().first() == Some(&b'{');
    let state = || has(bytes, b"\"lineage\"") && has(bytes, b"\"serial\"");
    let plan = || has(bytes, b"\"planned_values\"") || has(bytes, b"\"prior_state\"");
    (json && has(bytes, b"\"terraform_version\"") && (state() || plan()))
        || (bytes.starts_with(ZIP) && has(bytes, b"tfplan") && has(bytes, b"tfstate"))
}

/// Lines and where they begin.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    bytes.split(|&b| b == b'\n').map(move |line| {
        let from = at;
        at += line.len() + 1;
        (from, line)
    })
}

/// What is known of one document so far.
#[derive(Default)]
struct Document {
    is_secret: bool,
    is_config: bool,
    /// How far the key `data` or `stringData` is indented, while its lines are being read.
    data: Option<usize>,
    /// Literal values below it.
    values: Vec<(usize, usize)>,
    /// Logins: `token`, `password`.
    logins: Vec<(usize, usize)>,
}

impl Document {
    fn read(&mut self, at: usize, line: &[u8]) {
        let text = line.trim_ascii();
        if text.is_empty() || text.starts_with(b"#") {
            return;
        }
        let indent = line.len() - line.trim_ascii_start().len();
        if self.data.is_some_and(|data| indent <= data) {
            self.data = None;
        }
        let (key, value) = key_value(text);
        match (key, value) {
            (b"kind", b"Secret") => self.is_secret = true,
            (b"kind", b"Config") => self.is_config = true,
            (b"token" | b"password", value) if is_literal(value) => {
                self.logins.push((at, at + line.len()));
            }
            _ => {}
        }
        if self.data.is_some() {
            // A key that stands alone, or before a block, has its value in the lines below.
            let value = if key.is_empty() { text } else { value };
            if is_literal(value) {
                self.values.push((at, at + line.len()));
            }
        } else if matches!(key, b"data" | b"stringData") {
            self.data = Some(indent);
            if is_literal(value) {
                self.values.push((at, at + line.len()));
            }
        } else if is_compact(text) {
            self.is_secret = true;
            self.values.push((at, at + line.len()));
        }
    }

    fn close(self, places: &mut Vec<Place>) {
        let place = |kind| move |(from, to): (usize, usize)| (kind, from, to);
        if self.is_secret {
            places.extend(self.values.into_iter().map(place(&KUBERNETES_SECRET)));
        } else if self.is_config {
            places.extend(self.logins.into_iter().map(place(&KUBECONFIG)));
        }
    }
}

/// `key: value` of YAML or JSON, quotes and commas taken off; no key where there is none.
fn key_value(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.strip_prefix(b"- ").map_or(text, <[u8]>::trim_ascii_start);
    let Some(colon) = text.iter().position(|&b| b == b':') else { return (&[], text) };
    let (key, value) = (&text[..colon], &text[colon + 1..]);
    let trim = |part: &[u8], braces: bool| {
        let begins =
            |b: &&u8| matches!(b, b' ' | b'\t' | b'"' | b'\'' | b',') || (braces && **b == b'{');
        let ends = |b: &&u8| matches!(b, b' ' | b'\t' | b'"' | b'\'' | b',' | b'\r');
        let from = part.iter().take_while(begins).count();
        let tail = part[from..].iter().rev().take_while(ends).count();
        (from, part.len() - tail)
    };
    let ((from, to), (first, last)) = (trim(key, true), trim(value, false));
    (&key[from..to], &value[first..last])
}

/// Whether this is a value by itself: no template, nothing sealed, no block that begins.
fn is_literal(value: &[u8]) -> bool {
    let empty = matches!(
        value,
        b"" | b"|" | b"|-" | b"|+" | b">" | b">-" | b">+" | b"{" | b"}" | b"{}" | b"null"
    );
    let filled = has(value, b"{{") || has(value, b"${") || has(value, b"<%");
    let sealed = value.starts_with(b"ENC[") || value.starts_with(b"vault:");
    !empty && !filled && !sealed && !value.starts_with(b"}") && !value.starts_with(b"#")
}

/// A Secret on one line of JSON.
fn is_compact(text: &[u8]) -> bool {
    let kind = has(text, b"\"kind\":\"Secret\"") || has(text, b"\"kind\": \"Secret\"");
    kind && (has(text, b"\"data\":{\"")
        || has(text, b"\"data\": {\"")
        || has(text, b"\"stringData\""))
}
