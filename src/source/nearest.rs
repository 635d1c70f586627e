//! The known word that somebody probably meant.

/// How far a word may be from what was written and still be suggested, as `strsim` measures it:
/// 1 is the same word, 0 has nothing in common.
const LIKENESS_MIN: f64 = 0.75;

/// The word of `known` that is most like `written`. `None` when none is near.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|word| (strsim::jaro_winkler(&written.to_lowercase(), word), word))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(a.1)))
        .map(|(_, word)| word)
}

/// A hint: the nearest word, or all of them.
pub fn suggestion<'a>(
    written: &str,
    noun: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    if let Some(word) = nearest(written, known.clone()) {
        return Some(format!("did you mean `{word}`?"));
    }
    let all: Vec<&str> = known.into_iter().collect();
    (!all.is_empty()).then(|| format!("known {noun}: {}", all.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_word() {
        let kinds = ["access", "approval", "merge", "immutable"];
        assert_eq!(nearest("aproval", kinds), Some("approval"));
        assert_eq!(nearest("imutable", kinds), Some("immutable"));
        assert_eq!(nearest("MERGE", kinds), Some("merge"));
        assert_eq!(nearest("xyz", kinds), None);
    }

    #[test]
    fn where_no_word_is_near_all_are_listed() {
        assert_eq!(
            suggestion("xyz", "kinds", ["access", "merge"]).as_deref(),
            Some("known kinds: access, merge")
        );
        assert_eq!(suggestion("xyz", "kinds", []), None);
    }
}
