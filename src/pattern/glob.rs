//! One pattern, taken apart and looked over.
//!
//! Made and used by the lists of the room. The matching itself is globset's; what is here keeps out
//! what globset would take to mean something else than its writer did: `**` that is glued to
//! other letters, braces, backslashes, classes that cross a `/`.

/// How long a pattern may be, in bytes.
pub const PATTERN_BYTES_MAX: usize = 1024;

/// How many patterns one list may hold.
pub const PATTERNS_MAX: usize = 1000;

/// What stands between two slashes of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Component {
    /// Letters that stand for themselves.
    Literal(String),
    /// Letters and wildcards.
    Wild(String),
    /// `**`: any number of components, also none.
    Any,
}

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// What is wrong with it.
    pub(crate) what: String,
    /// What to write instead.
    pub(crate) hint: String,
}

impl Component {
    /// As it stands in a pattern.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Literal(text) | Self::Wild(text) => text,
            Self::Any => "**",
        }
    }
}

impl Flaw {
    fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into() }
    }
}

/// Takes a pattern apart at its slashes. `Err` when it can match nothing, or would match something
/// else than it seems to.
pub(crate) fn components(pattern: &str) -> Result<Vec<Component>, Flaw> {
    if pattern.is_empty() {
        return Err(Flaw::new("an empty pattern matches nothing", "`**` matches everything"));
    }
    if pattern.len() > PATTERN_BYTES_MAX {
        let what = format!("a pattern is longer than {PATTERN_BYTES_MAX} bytes");
        return Err(Flaw::new(what, "use `*` and `**`"));
    }
    if let Some(rest) = pattern.strip_prefix('/') {
        let hint = format!("names begin without one: `{rest}`");
        return Err(Flaw::new("nothing begins with `/`, so this can match nothing", hint));
    }
    if let Some(rest) = pattern.strip_suffix('/') {
        let hint = format!("for a folder and all in it: `{}/**`", rest.trim_end_matches('/'));
        return Err(Flaw::new("nothing ends with `/`, so this can match nothing", hint));
    }
    if pattern.contains('\\') {
        let hint =
            "folders are separated by `/`; a wildcard's own letter stands in brackets: `[*]`";
        return Err(Flaw::new("`\\` has no meaning in a pattern", hint));
    }
    if pattern.chars().any(char::is_control) {
        return Err(Flaw::new("a pattern holds a control character", "use `?` for it"));
    }
    pattern.split('/').map(component).collect()
}

fn component(text: &str) -> Result<Component, Flaw> {
    match text {
        "" => {
            let what = "two slashes in a row stand in no name, so this can match nothing";
            return Err(Flaw::new(what, "write one"));
        }
        "." | ".." => {
            let what = format!("no name has a component `{text}`, so this can match nothing");
            return Err(Flaw::new(what, "write the path as `git ls-files` shows it"));
        }
        "**" => return Ok(Component::Any),
        _ => {}
    }
    if text.contains("**") {
        let hint = format!("`**` stands alone between slashes: `**/{}`", text.replace("**", "*"));
        return Err(Flaw::new("`**` beside other letters would not cross a `/`", hint));
    }
    rewrite(text)
}

/// Looks over brackets and braces, and keeps a negated class from matching `/`.
fn rewrite(text: &str) -> Result<Component, Flaw> {
    let mut out = String::with_capacity(text.len());
    let mut wild = false;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '{' | '}' => {
                let hint = "write a pattern for each alternative; a brace itself is `[{]` or `[}]`";
                return Err(Flaw::new("braces are not read in patterns", hint));
            }
            '[' => {
                wild = true;
                let (class, after) = class(rest.as_str())?;
                out.push_str(&class);
                rest = after.chars();
            }
            '*' | '?' => {
                wild = true;
                out.push(c);
            }
            c => out.push(c),
        }
    }
    Ok(if wild { Component::Wild(out) } else { Component::Literal(out) })
}

/// Reads what follows a `[`, up to its `]`. Gives back the class as globset wants it, and the rest.
fn class(text: &str) -> Result<(String, &str), Flaw> {
    let negated = text.starts_with(['!', '^']);
    let body = if negated { &text[1..] } else { text };
    // A `]` right after the opening stands for itself, as in a shell.
    let from = body.chars().next().map_or(0, char::len_utf8);
    let Some(end) = body[from..].find(']').map(|at| at + from) else {
        let hint = "close it in the same component; the letter `[` itself is `[[]`";
        return Err(Flaw::new("a bracket is not closed", hint));
    };
    let members = &body[..end];
    if !members.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
        let hint = "matching is on bytes: write a pattern for each letter, or `*`";
        return Err(Flaw::new("brackets hold ASCII letters only", hint));
    }
    let bytes = members.as_bytes();
    // A `-` at either end stands for itself; between two letters it makes a range.
    let odd_range = (1..bytes.len().saturating_sub(1))
        .filter(|&at| bytes[at] == b'-')
        .any(|at| !is_plain_range(bytes[at - 1], bytes[at + 1]));
    if odd_range {
        let hint = "ranges go within `a-z`, `A-Z` or `0-9`";
        return Err(Flaw::new("a range in brackets runs across kinds of letters", hint));
    }
    if let Some((_, name)) = members.split_once("[:")
        && name.ends_with(':')
    {
        let hint = "write the letters: `a-z`, `A-Z`, `0-9`";
        return Err(Flaw::new(format!("`[:{name}]` has no meaning in brackets"), hint));
    }
    let class = match members.strip_suffix('-') {
        _ if !negated => format!("[{members}]"),
        // Before a `-` at the end, which would make a range with what follows it.
        Some(rest) => format!("[!{rest}/-]"),
        None => format!("[!{members}/]"),
    };
    Ok((class, &body[end + 1..]))
}

fn is_plain_range(from: u8, to: u8) -> bool {
    let kind = |b: u8| (b.is_ascii_lowercase(), b.is_ascii_uppercase(), b.is_ascii_digit());
    from <= to && kind(from) == kind(to) && from.is_ascii_alphanumeric()
}

/// The components as one pattern again.
pub(crate) fn join(components: &[Component]) -> String {
    let mut joined = String::with_capacity(components.iter().map(|c| c.as_str().len() + 1).sum());
    for (at, component) in components.iter().enumerate() {
        joined.push_str(if at > 0 { "/" } else { "" });
        joined.push_str(component.as_str());
    }
    joined
}

/// The pattern, and what it covers besides: `dir` for `dir/**`.
pub(crate) fn with_bare_name(components: &[Component]) -> impl Iterator<Item = String> {
    let bare = match components {
        [bare @ .., Component::Any] if !bare.is_empty() => Some(join(bare)),
        _ => None,
    };
    std::iter::once(join(components)).chain(bare)
}

/// The names that stand where this pattern needs a folder, as far as they are spelled out.
pub(crate) fn literal_parents(components: &[Component]) -> Vec<String> {
    let spelled = spelled_folder(components);
    (1..=spelled.len()).map(|length| join(&spelled[..length])).collect()
}

/// The longest of them.
pub(crate) fn literal_folder(components: &[Component]) -> Option<String> {
    let spelled = spelled_folder(components);
    (!spelled.is_empty()).then(|| join(spelled))
}

fn spelled_folder(components: &[Component]) -> &[Component] {
    let spelled = components.iter().take_while(|c| matches!(c, Component::Literal(_))).count();
    &components[..spelled.min(components.len().saturating_sub(1))]
}

/// Patterns for everything that may stand where this pattern needs a folder. Nothing for what
/// begins with `**`: there every folder of the tree would be meant.
pub(crate) fn wild_parents(components: &[Component]) -> Vec<String> {
    let any = components.iter().position(|c| *c == Component::Any);
    let parents = any.unwrap_or(components.len().saturating_sub(1));
    let mut all: Vec<String> = (1..=parents).map(|length| join(&components[..length])).collect();
    if let Some(at @ 1..) = any {
        all.push(join(&components[..=at]));
    }
    all
}

/// A letter that no writer of a pattern uses, to make names that only wildcards match.
const NOBODYS_LETTER: &str = "\u{1}";

/// Names that stand for all the pattern picks: its wildcards replaced by a letter nobody uses,
/// each `**` by none, one and three components.
pub(crate) fn samples(components: &[Component]) -> impl Iterator<Item = String> {
    [0, 1, 3]
        .into_iter()
        .map(move |depth| {
            let parts = components.iter().flat_map(|component| match component {
                Component::Literal(text) => vec![text.clone()],
                Component::Wild(text) => vec![tame(text)],
                Component::Any => vec![NOBODYS_LETTER.to_owned(); depth],
            });
            parts.collect::<Vec<_>>().join("/")
        })
        .filter(|sample| !sample.is_empty())
}

/// The component with each wildcard replaced.
fn tame(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let mut skip = c.len_utf8();
        match c {
            '*' | '?' => out.push_str(NOBODYS_LETTER),
            '[' => {
                out.push_str(NOBODYS_LETTER);
                // The class was looked over: it closes, and not with its first letter.
                let first = if rest[1..].starts_with('!') { 3 } else { 2 };
                skip = rest[first..].find(']').map_or(rest.len(), |at| at + first + 1);
            }
            c => out.push(c),
        }
        rest = &rest[skip..];
    }
    out
}

/// Whether the pattern has wildcards that pick by letter, `?` or `[...]`.
pub(crate) fn picks_letters(components: &[Component]) -> bool {
    components.iter().any(|c| matches!(c, Component::Wild(text) if text.contains(['?', '['])))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test says what it expects")]
mod tests {
    use super::*;
    use crate::pattern::layer::LayerBuilder;

    #[test]
    fn what_can_match_nothing_or_something_else_is_a_flaw() {
        for flawed in [
            "",
            "/infra",
            "infra/",
            "./infra",
            "infra/../x",
            "a//b",
            "a\\b",
            "infra/**.tf",
            "a**",
            "{a,b}",
            "[a",
            "[",
            "[!]",
            "[a/b]",
            "[\u{e9}]",
            "[Z-a]",
            "[z-a]",
            "[+-9]",
            "a\nb",
        ] {
            assert!(components(flawed).is_err(), "{flawed:?}");
        }
        for fine in ["infra/**", "**", "*", "a/[!b]/c?", "[]]", "[[]id].ts", "[a-z-]", "\u{e9}/*"] {
            assert!(components(fine).is_ok(), "{fine:?}");
        }
    }

    #[test]
    fn a_negated_class_does_not_cross_a_slash() {
        let mut layer = LayerBuilder::default();
        layer.add(0, join(&components("a[!x]b").unwrap()));
        let layer = layer.build();
        assert_eq!(layer.last_match(b"a-b"), Some(0));
        assert_eq!(layer.last_match(b"a/b"), None);
        assert_eq!(layer.last_match(b"axb"), None);
    }

    #[test]
    fn a_dash_at_the_end_of_a_class_stands_for_itself() {
        let picks = |pattern: &str, name: &str| {
            let mut layer = LayerBuilder::default();
            layer.add(0, join(&components(pattern).unwrap()));
            let layer = layer.build();
            layer.last_match(name.as_bytes()).is_some()
        };
        for (pattern, dashed) in
            [("[+-]", true), ("[!+-]", false), ("[!a-]", false), ("[!-]", false)]
        {
            assert_eq!(picks(pattern, "-"), dashed, "{pattern}");
            assert!(!picks(pattern, "/"), "{pattern}");
        }
        // What lies between `+` and `/` is not meant.
        assert!(picks("[!+-]", ".") && picks("[!+-]", ",") && !picks("[!+-]", "+"));
        assert!(picks("[!]-]", "x") && !picks("[!]-]", "]"));
    }

    #[test]
    fn parents_are_the_names_where_a_folder_is_needed() {
        let parents = |pattern| literal_parents(&components(pattern).unwrap());
        assert_eq!(parents("infra/a/*.tf"), ["infra", "infra/a"]);
        assert_eq!(parents("infra/prod.tf"), ["infra"]);
        assert_eq!(parents("infra/**"), ["infra"]);
        assert!(parents("**/infra").is_empty());
        assert!(parents("*").is_empty());
        let folder = |pattern| literal_folder(&components(pattern).unwrap());
        assert_eq!(folder("infra/a/*.tf"), Some("infra/a".to_owned()));
        assert_eq!(folder("*/infra"), None);
        let parents = |pattern| wild_parents(&components(pattern).unwrap());
        assert_eq!(parents("envs/*/main.tf"), ["envs", "envs/*"]);
        assert_eq!(parents("envs/**/main.tf"), ["envs", "envs/**"]);
        assert!(parents("**/main.tf").is_empty());
    }

    #[test]
    fn samples_are_matched_by_their_pattern() {
        for pattern in ["**", "infra/**", "a/*/b?[ab]c/**/x", "*.tf", "a/[]]b"] {
            let parts = components(pattern).unwrap();
            let mut layer = LayerBuilder::default();
            with_bare_name(&parts).for_each(|p| layer.add(0, p));
            let layer = layer.build();
            for sample in samples(&parts).filter(|_| !picks_letters(&parts)) {
                assert_eq!(layer.last_match(sample.as_bytes()), Some(0), "{pattern} {sample:?}");
            }
        }
        for class in ["[!]]b", "[]]b", "[!x-]b", "?b"] {
            let samples: Vec<String> = samples(&components(class).unwrap()).collect();
            assert_eq!(samples, ["\u{1}b"; 3], "{class}");
        }
    }
}
