//! The trailers of a message, found as git-interpret-trailers(1) finds them. Pure.
//!
//! Git's rule (find_trailer_block_start in its trailer.c): the last paragraph, if it is not the
//! title and either consists of trailers only, or holds a line that Git itself writes and at least
//! a quarter of it is trailers. Scissors and lists of conflicts, which only an editor sees, are not
//! looked for. What anyone types there is a claim and never evidence.

/// Lines that Git itself writes.
const WRITTEN_BY_GIT: [&[u8]; 2] = [b"Signed-off-by: ", b"(cherry picked from commit "];

/// The values of the trailers with this name, in order, each on one line. Names are compared
/// without case.
pub fn values(message: &[u8], name: &str) -> Vec<Vec<u8>> {
    let wanted = |(found, _): &(Vec<u8>, Vec<u8>)| found.eq_ignore_ascii_case(name.as_bytes());
    all(message).into_iter().filter(wanted).map(|(_, value)| value).collect()
}

/// Every trailer, name and value, in order, each value on one line.
pub fn all(message: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    // Whether a continuation would belong to the last one found.
    let mut continues = false;
    for line in block(message) {
        if continues && line.first().is_some_and(u8::is_ascii_whitespace) {
            if let Some((_, value)) = found.last_mut() {
                value.push(b' ');
                value.extend_from_slice(line.trim_ascii());
            }
            continue;
        }
        let at = separator(line).filter(|&at| at >= 1);
        continues = at.is_some();
        if let Some(at) = at {
            found.push((line[..at].trim_ascii().to_vec(), line[at + 1..].trim_ascii().to_vec()));
        }
    }
    found
}

/// The lines of the trailer block, maybe none.
fn block(message: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = message.split(|&b| b == b'\n').collect();
    // Blank lines and comments at the end are not part of any paragraph.
    let counts = |line: &&[u8]| !is_blank(line) && !line.starts_with(b"#");
    lines.truncate(lines.iter().rposition(counts).map_or(0, |at| at + 1));
    let title_end = lines
        .iter()
        .position(|line| !line.starts_with(b"#") && is_blank(line))
        .unwrap_or(lines.len());
    let Some(blank) = lines.iter().rposition(|line| !line.starts_with(b"#") && is_blank(line))
    else {
        return Vec::new();
    };
    if blank < title_end || !is_trailer_block(&lines[blank + 1..]) {
        return Vec::new();
    }
    lines.split_off(blank + 1)
}

/// Whether this paragraph counts as trailers.
fn is_trailer_block(lines: &[&[u8]]) -> bool {
    let (mut trailers, mut others, mut continuations) = (0_usize, 0_usize, 0_usize);
    let mut by_git = false;
    for line in lines.iter().rev() {
        if line.starts_with(b"#") {
            others += std::mem::take(&mut continuations);
        } else if WRITTEN_BY_GIT.iter().any(|prefix| line.starts_with(prefix)) {
            trailers += 1;
            continuations = 0;
            by_git = true;
        } else if line.first().is_some_and(u8::is_ascii_whitespace) {
            // Counts with the line above it, which is looked at next.
            continuations += 1;
        } else if separator(line).is_some_and(|at| at >= 1) {
            trailers += 1;
            continuations = 0;
        } else {
            others += 1 + std::mem::take(&mut continuations);
        }
    }
    others += continuations;
    (by_git && trailers * 3 >= others) || (trailers > 0 && others == 0)
}

/// Where the colon stands that ends a trailer's name (find_separator): letters, digits and
/// hyphens, then perhaps blanks.
fn separator(line: &[u8]) -> Option<usize> {
    let mut blank_seen = false;
    for (at, &byte) in line.iter().enumerate() {
        match byte {
            b':' => return Some(at),
            b' ' | b'\t' if at > 0 => blank_seen = true,
            b'-' if !blank_seen => {}
            byte if byte.is_ascii_alphanumeric() && !blank_seen => {}
            _ => return None,
        }
    }
    None
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, ProptestConfig, Strategy, prop, prop_oneof, proptest};

    use super::values;
    use crate::store::testing::git;

    fn of(message: &str, name: &str) -> Vec<String> {
        let values = values(message.as_bytes(), name);
        values.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }

    #[test]
    fn the_last_paragraph_of_trailers_is_read_without_case() {
        let message =
            "title\n\nbody\n\nCo-Authored-By: A <a@x>\nco-authored-by:B <b@x>\nOther: c\n";
        assert_eq!(of(message, "Co-authored-by"), ["A <a@x>", "B <b@x>"]);
    }

    #[test]
    fn a_title_is_never_a_trailer() {
        assert_eq!(of("Source: x", "Source"), Vec::<String>::new());
        assert_eq!(of("Source: x\n", "Source"), Vec::<String>::new());
    }

    #[test]
    fn prose_beside_trailers_spoils_them_unless_git_wrote_one() {
        assert_eq!(of("t\n\nSource: x\nsome prose\n", "Source"), Vec::<String>::new());
        let with_git = "t\n\nsome prose\nSource: x\nSigned-off-by: A <a@x>\n";
        assert_eq!(of(with_git, "Source"), ["x"]);
    }

    #[test]
    fn continuations_are_joined() {
        assert_eq!(of("t\n\nSource: x\n y\n\tz\n", "Source"), ["x y z"]);
    }

    #[test]
    fn an_earlier_paragraph_does_not_count() {
        assert_eq!(of("t\n\nSource: x\n\nthe end\n", "Source"), Vec::<String>::new());
    }

    /// Pieces of which messages are made, each a line.
    fn messages() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            Just("Source: x"),
            Just("source : y:z"),
            Just("Co-authored-by: A <a@x>"),
            Just("Signed-off-by: A <a@x>"),
            Just("(cherry picked from commit 1)"),
            Just(" continued"),
            Just("\tcontinued"),
            Just("some prose"),
            Just("two words: x"),
            Just(": x"),
            Just("# comment"),
            Just(""),
            Just(" "),
        ];
        prop::collection::vec(line, 0..9)
            .prop_map(|lines| format!("title\n\n{}\n", lines.join("\n")))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn git_finds_the_same_trailers(message in messages()) {
            let folder = std::env::temp_dir();
            let args = ["interpret-trailers", "--parse", "--no-divider"];
            let printed = git(&folder, &args, message.as_bytes());
            let printed = String::from_utf8_lossy(&printed).into_owned();
            let theirs: Vec<&str> =
                printed.lines().filter_map(|line| line.split_once(": ")).filter(|(name, _)| name.eq_ignore_ascii_case("source")).map(|(_, value)| value).collect();
            assert_eq!(of(&message, "Source"), theirs, "{message:?}");
        }
    }
}
