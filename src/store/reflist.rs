//! Reads what git prints about refs. Pure and total: bytes in, a value or the wrong line out.
//!
//! Used by `reftables`. A line that is not understood is never passed over.

use std::collections::{BTreeMap, BTreeSet};

use crate::names::oid::{ObjectFormat, Oid};

/// What `git for-each-ref` is told to print: an oid, the end of the chain that a symbolic ref
/// begins, the name. No name holds a NUL or a line feed.
pub(super) const LIST_FORMAT: &str = "--format=%(objectname)%00%(symref)%00%(refname)";

/// One ref as git lists it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Listed {
    /// It names an object.
    Direct(Oid),
    /// It is another name for a ref, which in the end is this one.
    LeadsTo(Vec<u8>),
}

/// Reads the list. The error is the number of the line that is wrong, from 1.
pub(super) fn parse_list(
    format: ObjectFormat,
    stdout: &[u8],
) -> Result<BTreeMap<Vec<u8>, Listed>, usize> {
    let mut refs = BTreeMap::new();
    // What does not end in a line feed was cut off.
    let mut lines = stdout.split(|&b| b == b'\n').enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        if lines.peek().is_none() {
            return if line.is_empty() { Ok(refs) } else { Err(at + 1) };
        }
        let (name, listed) = parse_line(format, line).ok_or(at + 1)?;
        if refs.insert(name, listed).is_some() {
            return Err(at + 1);
        }
    }
    Ok(refs)
}

fn parse_line(format: ObjectFormat, line: &[u8]) -> Option<(Vec<u8>, Listed)> {
    let mut parts = line.split(|&b| b == 0);
    let (oid, leads_to, name) = (parts.next()?, parts.next()?, parts.next()?);
    let oid = Oid::from_hex(oid).filter(|oid| oid.format() == format)?;
    if parts.next().is_some() || name.is_empty() {
        return None;
    }
    let listed = match leads_to {
        b"" => Listed::Direct(oid),
        end => Listed::LeadsTo(end.to_vec()),
    };
    Some((name.to_vec(), listed))
}

/// The refs that git says are broken (ref-filter.c). The error is the line that says something
/// else.
pub(super) fn parse_broken(stderr: &[u8]) -> Result<BTreeSet<Vec<u8>>, Vec<u8>> {
    let mut broken = BTreeSet::new();
    for line in stderr.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
        let rest = line.strip_prefix(b"warning: ignoring ").unwrap_or_default();
        if let Some(name) = rest.strip_prefix(b"broken ref ") {
            broken.insert(name.to_vec());
        } else if ![&b"dangling symref "[..], b"ref with broken name "]
            .iter()
            .any(|other| rest.starts_with(other))
        {
            return Err(line.to_vec());
        }
    }
    Ok(broken)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{Listed, parse_broken, parse_list};
    use crate::names::oid::{ObjectFormat, Oid};

    const FORMAT: ObjectFormat = ObjectFormat::Sha1;

    fn oid(number: u8) -> Oid {
        Oid::from_bytes(&[number; 20]).unwrap()
    }

    fn print(refs: &[(Vec<u8>, Listed)]) -> Vec<u8> {
        let mut text = Vec::new();
        for (name, listed) in refs {
            let (oid, end) = match listed {
                Listed::Direct(oid) => (*oid, &b""[..]),
                Listed::LeadsTo(end) => (oid(7), end.as_slice()),
            };
            text.extend([oid.hex().as_bytes(), b"\0", end, b"\0", name, b"\n"].concat());
        }
        text
    }

    prop_compose! {
        fn a_name()(bytes in prop::collection::vec(any::<u8>(), 1..12)) -> Vec<u8> {
            let rest = bytes.into_iter().filter(|b| !matches!(b, 0 | b'\n'));
            b"refs/".iter().copied().chain(rest).collect()
        }
    }

    fn refs() -> impl Strategy<Value = BTreeMap<Vec<u8>, Listed>> {
        let listed = prop_oneof![
            any::<u8>().prop_map(|number| Listed::Direct(oid(number))),
            a_name().prop_map(Listed::LeadsTo),
        ];
        prop::collection::btree_map(a_name(), listed, 0..8)
    }

    proptest! {
        #[test]
        fn what_git_lists_is_read_in_any_order(refs in refs(), backwards in any::<bool>()) {
            let mut lines: Vec<_> = refs.clone().into_iter().collect();
            if backwards {
                lines.reverse();
            }
            prop_assert_eq!(parse_list(FORMAT, &print(&lines)), Ok(refs));
        }

        #[test]
        fn a_list_that_was_cut_off_is_wrong(refs in refs(), at in any::<prop::sample::Index>()) {
            let whole = print(&refs.clone().into_iter().collect::<Vec<_>>());
            let cut = &whole[..at.index(whole.len() + 1)];
            match parse_list(FORMAT, cut) {
                // Between two lines nothing tells; git's exit code does.
                Ok(read) => prop_assert!(cut.is_empty() || cut.ends_with(b"\n"), "{read:?}"),
                Err(line) => prop_assert_eq!(line, cut.split(|&b| b == b'\n').count()),
            }
        }

        #[test]
        fn no_ref_is_listed_twice(refs in refs().prop_filter("some", |refs| !refs.is_empty())) {
            let mut lines: Vec<_> = refs.clone().into_iter().collect();
            lines.push(lines[0].clone());
            prop_assert_eq!(parse_list(FORMAT, &print(&lines)), Err(lines.len()));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_list(FORMAT, &bytes);
            let _ = parse_broken(&bytes);
        }

        #[test]
        fn a_changed_byte_never_makes_another_ref_silently(
            refs in refs(), at in any::<prop::sample::Index>(), byte in any::<u8>()
        ) {
            let mut text = print(&refs.clone().into_iter().collect::<Vec<_>>());
            if text.is_empty() { return Ok(()); }
            let at = at.index(text.len());
            text[at] = byte;
            if let Ok(read) = parse_list(FORMAT, &text) {
                // As many refs as lines: nothing is passed over.
                prop_assert_eq!(read.len(), text.iter().filter(|&&b| b == b'\n').count());
            }
        }
    }

    #[test]
    fn names_of_another_format_are_wrong() {
        let line = [oid(1).hex().as_bytes(), b"\0\0refs/heads/a\n"].concat();
        assert!(parse_list(FORMAT, &line).is_ok());
        assert_eq!(parse_list(ObjectFormat::Sha256, &line), Err(1));
        assert_eq!(parse_list(FORMAT, b"\n"), Err(1));
    }

    #[test]
    fn remarks_are_told_apart_and_nothing_else_is_taken_for_one() {
        let said = b"warning: ignoring broken ref refs/heads/b\n\
                     warning: ignoring dangling symref refs/heads/c\n\
                     warning: ignoring ref with broken name refs/heads/.b\n";
        let broken: Vec<_> = parse_broken(said).unwrap().into_iter().collect();
        assert_eq!(broken, [b"refs/heads/b"]);
        let other = b"warning: ignoring broken ref refs/heads/b\nerror: disk\n";
        assert_eq!(parse_broken(other), Err(b"error: disk".to_vec()));
        assert_eq!(parse_broken(b"warning: x"), Err(b"warning: x".to_vec()));
    }
}
