//! Look-alike spellings, brought to one form.
//!
//! File systems disagree about which names are the same: APFS and NTFS ignore case, APFS ignores
//! how an accent is composed, HFS+ drops invisible code points, Windows drops trailing dots and
//! blanks and takes `\` for `/`. A name that any of them takes for a protected one is protected.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

use crate::names::escape::is_deceptive;

/// The spellings to try for one name.
///
/// `letters` has case, composition and invisible code points folded; `loose` has besides `\` as
/// `/` and no dots or blanks at the end of a component. Both are needed: where `\` is an ordinary
/// letter, `infra\x` is one name, where it is not, it is two.
#[derive(Debug, PartialEq, Eq)]
pub struct Folded {
    /// For systems that ignore case and composition.
    pub letters: Vec<u8>,
    /// For Windows. `None` when it is the same.
    pub loose: Option<Vec<u8>>,
}

/// Both spellings of a path or a refname.
pub fn folded(name: &[u8]) -> Folded {
    if is_folded(name) {
        return Folded { letters: name.to_vec(), loose: None };
    }
    let letters = fold_letters(name);
    let loose = fold_ends(&letters);
    let loose = (loose != letters).then_some(loose);
    Folded { letters, loose }
}

/// The folded spellings of a pattern: wildcards stay what they are.
pub fn folded_pattern(pattern: &str) -> impl Iterator<Item = String> + use<> {
    // Folding keeps UTF-8 as UTF-8, so nothing is lost here.
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let Folded { letters, loose } = folded(pattern.as_bytes());
    std::iter::once(text(letters)).chain(loose.map(text))
}

/// Whether a name is plainly the only spelling of itself, as most are: a glance, and no allocation.
/// What it says no to is folded, which may change nothing.
fn is_folded(name: &[u8]) -> bool {
    let mut before_end = false;
    for &byte in name {
        let plain = matches!(byte, b' '..=b'~') && !byte.is_ascii_uppercase() && byte != b'\\';
        if !plain || (byte == b'/' && before_end) {
            return false;
        }
        before_end = matches!(byte, b'.' | b' ');
    }
    !before_end
}

/// Case, composition and invisible code points. Bytes that are not UTF-8 stay as they are.
fn fold_letters(name: &[u8]) -> Vec<u8> {
    if name.is_ascii() {
        return name.iter().filter(|b| !b.is_ascii_control()).map(u8::to_ascii_lowercase).collect();
    }
    let mut out = Vec::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        // By way of upper case: the long s has no lower case of its own, and the sharp s becomes
        // two letters. Lower case before that: the capital sharp s is its own upper case.
        let folded: String = chunk
            .valid()
            .nfd()
            .filter(|c| !is_deceptive(*c) && !c.is_ascii_control())
            .flat_map(char::to_lowercase)
            .flat_map(char::to_uppercase)
            .flat_map(char::to_lowercase)
            .nfc()
            .collect();
        out.extend_from_slice(folded.as_bytes());
        out.extend_from_slice(chunk.invalid());
    }
    out
}

/// `\` as `/`, and no dots or blanks at the end of a component that has anything else.
fn fold_ends(name: &[u8]) -> Vec<u8> {
    let slashed: Cow<'_, [u8]> = if name.contains(&b'\\') {
        name.iter().map(|&b| if b == b'\\' { b'/' } else { b }).collect::<Vec<u8>>().into()
    } else {
        name.into()
    };
    let mut out = Vec::with_capacity(slashed.len());
    for (at, component) in slashed.split(|&b| b == b'/').enumerate() {
        if at > 0 {
            out.push(b'/');
        }
        let end = component.iter().rposition(|b| !matches!(b, b'.' | b' ')).map_or(0, |i| i + 1);
        out.extend_from_slice(if end == 0 { component } else { &component[..end] });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spellings(name: &str) -> Vec<String> {
        let folded = folded(name.as_bytes());
        std::iter::once(folded.letters)
            .chain(folded.loose)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .collect()
    }

    #[test]
    fn d10_d11_look_alikes_fold_onto_the_name_they_imitate() {
        let alike = [
            "INFRA/prod.tf",
            "Infra./prod.tf ",
            "infra \\prod.tf",
            "inf\u{200d}ra/prod.tf",
            "\u{feff}infra/prod.tf",
            "infra/prod.tf...",
            "in\u{0}fra/prod.tf",
        ];
        for name in alike {
            assert!(spellings(name).contains(&"infra/prod.tf".to_owned()), "{name:?}");
        }
        // What is plain but for one thing: a glance has to see it.
        for name in ["infra./prod", "infra /prod", "infra\\prod", "infra/prod.", "infra/prod "] {
            assert!(spellings(name).contains(&"infra/prod".to_owned()), "{name:?}");
        }
        // Composed or not, sharp or not, the long s, and the sign for kelvin.
        assert_eq!(spellings("e\u{301}tat"), spellings("\u{c9}TAT"));
        assert_eq!(spellings("Stra\u{df}e"), spellings("STRASSE"));
        assert_eq!(spellings("STRA\u{1e9e}E"), spellings("STRASSE"));
        assert_eq!(spellings("\u{17f}tate/\u{212a}eys"), spellings("state/keys"));
    }

    #[test]
    fn different_names_stay_different() {
        assert_ne!(spellings("infra"), spellings("infras"));
        assert_eq!(spellings(".../x"), [".../x"]);
        assert_eq!(folded(b"\xff\xfe/A").letters, b"\xff\xfe/a");
    }

    #[test]
    fn every_letter_folds_to_something_that_stays() {
        // No letter beyond the first two planes has a case (Unicode, CaseFolding.txt).
        for letter in (0..=0x0001_ffff).filter_map(char::from_u32) {
            let once = folded(letter.to_string().as_bytes()).letters;
            assert_eq!(folded(&once).letters, once, "{letter:?} {:x}", u32::from(letter));
        }
    }

    proptest! {
        #[test]
        fn a_glance_says_of_no_name_that_it_is_folded_and_it_is_not(name in "[a-cA-C./ \\\\\\x00\u{e9}]{0,8}") {
            let letters = fold_letters(name.as_bytes());
            let is = letters == name.as_bytes() && fold_ends(&letters) == letters;
            prop_assert!(is || !is_folded(name.as_bytes()), "{:?}", name);
        }

        #[test]
        fn folding_twice_changes_nothing(name: String) {
            let once = folded(name.as_bytes()).letters;
            prop_assert_eq!(&folded(&once).letters, &once);
        }
    }
}
