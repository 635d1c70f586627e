//! Texts cut to what a line has room for.

use crate::log::decision::FindingRecord;
use crate::log::wire::Text;

/// Cuts to so many bytes, `...` included, not in the middle of a character.
pub(super) fn cut_text(text: &mut Text, bytes_max: usize) {
    if text.0.len() <= bytes_max {
        return;
    }
    let mut at = bytes_max.saturating_sub(3);
    // A byte 10xxxxxx continues a character of UTF-8.
    while at > 0 && text.0[at] & 0xc0 == 0x80 {
        at -= 1;
    }
    text.0.truncate(at);
    text.0.extend_from_slice(b"...");
}

/// As `cut_text`, for what is UTF-8 anyway.
pub(super) fn cut_string(text: &mut String, bytes_max: usize) {
    if text.len() <= bytes_max {
        return;
    }
    let mut at = bytes_max.saturating_sub(3);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    text.truncate(at);
    text.push_str("...");
}

/// Keeps so many findings, and so many bytes of each of their texts.
pub(super) fn cut_findings(findings: &mut Vec<FindingRecord>, most: usize, bytes_max: usize) {
    findings.truncate(most);
    for finding in findings {
        cut_text(&mut finding.text, bytes_max);
        cut_string(&mut finding.rule, bytes_max);
        cut_string(&mut finding.kind, bytes_max);
        cut_string(&mut finding.level, bytes_max);
        if let Some(place) = &mut finding.place {
            cut_text(place, bytes_max);
        }
    }
}
