//! Which kind a file belongs to, by what is in it.
//!
//! Asked only where no path matched, and only for names that end like structured data: reading
//! every blob of a push would cost more than it finds. The caller keeps the budgets below; what it
//! cannot afford to read it treats as a match.

use crate::infra::glob::Folded;
use crate::infra::kinds::TABLE;
use crate::infra::mark::Marks;
use crate::infra::paths::by_path;
use crate::infra::raw::{self, Spelling};
use crate::infra::set::InfraKinds;
use crate::infra::shape;

/// How large a blob is read, in bytes. A larger one with a structured name is a match.
pub const BLOB_BYTES_MAX: usize = 1024 * 1024;

/// How many bytes of blobs are read for one push. Past it every structured name is a match.
pub const PUSH_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How far into a blob a NUL is looked for, as Git does to tell binary files.
const BINARY_PROBE_BYTES: usize = 8 * 1024;

/// What structured data ends in.
const STRUCTURED: [&[u8]; 5] = [b"yaml", b"yml", b"json", b"jsonc", b"json5"];

/// What templates of structured data end in, after that.
const TEMPLATES: [&[u8]; 9] =
    [b"template", b"tmpl", b"tpl", b"tftpl", b"gotmpl", b"j2", b"jinja", b"jinja2", b"erb"];

/// What the first line of a Git LFS pointer begins with; the file itself is elsewhere.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// Whether a file's name ends like structured data, or a template of it: `.yaml`, `.json.tpl`,
/// `.template`. Case does not matter.
pub fn looks_structured(path: &[u8]) -> bool {
    let folded = Folded::new(path);
    let name = folded.file_name();
    let mut ends = name.rsplit(|&b| b == b'.');
    let Some(last) = ends.next().filter(|last| last.len() < name.len()) else { return false };
    if !TEMPLATES.contains(&last) {
        return STRUCTURED.contains(&last);
    }
    // CloudFormation's old ending stands alone; others follow that of what they make.
    last == b"template" || ends.next().is_some_and(|end| STRUCTURED.contains(&end))
}

/// Whether the content of this file is to be looked at: its name is structured, and one of the
/// kinds looks inside files and does not have it by its path already.
pub fn wants_content(kinds: InfraKinds, path: &[u8]) -> bool {
    looks_structured(path) && !kinds.without(by_path(kinds, path)).marks().is_empty()
}

/// Those of these kinds that the content of this file shows. Of the path only the name is looked
/// at: what cannot be read counts as every kind that looks inside files, if the name is structured.
pub fn by_content(kinds: InfraKinds, path: &[u8], bytes: &[u8]) -> InfraKinds {
    let wanted = kinds.marks();
    let found = match readable(bytes) {
        Some(text) => marks(text, wanted),
        None if looks_structured(path) => wanted,
        None => Marks::NONE,
    };
    kinds.filter(|row| TABLE[row].content.is_some_and(|mark| found.has(mark)))
}

/// The text of a blob; `None` when it is too large, binary, not UTF-8, or kept elsewhere.
fn readable(bytes: &[u8]) -> Option<&str> {
    let probe = &bytes[..bytes.len().min(BINARY_PROBE_BYTES)];
    if bytes.len() > BLOB_BYTES_MAX || probe.contains(&0) || bytes.starts_with(LFS_POINTER) {
        return None;
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).ok()
}

fn marks(text: &str, wanted: Marks) -> Marks {
    let shape = shape::read(text, wanted);
    if shape.marks.and(wanted) == wanted {
        return wanted;
    }
    // A template that happens to parse says little by its shape.
    let template = || ["{{", "{%", "<%"].iter().any(|open| text.contains(open));
    if !shape.certain || reads_two_ways(text) {
        shape.marks.or(raw::marks(text, Spelling::Unsure))
    } else if template() {
        shape.marks.or(raw::marks(text, Spelling::Plain))
    } else {
        shape.marks
    }
}

/// Whether readers of YAML 1.1, or those that cut documents apart before they parse, find other
/// lines here than YAML 1.2 does. Both are in use by the tools that will read these files: libyaml
/// ends a line at U+0085, U+2028 and U+2029, and kubectl cuts wherever a line begins with `---`.
fn reads_two_ways(text: &str) -> bool {
    let glued = |(at, _): (usize, &str)| {
        let next = text.as_bytes().get(at + 4);
        next.is_some_and(|b| !matches!(b, b' ' | b'\t' | b'\r' | b'\n'))
    };
    text.contains(['\u{85}', '\u{2028}', '\u{2029}']) || text.match_indices("\n---").any(glued)
}
