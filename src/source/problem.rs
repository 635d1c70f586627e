//! What is wrong with a text, collected, so that nobody has to mend five things in five runs.
//!
//! Made by whoever reads a text; shown by the verbs that read policies. Plain ASCII, colour only
//! when asked for. Outside text is made safe by `annotate-snippets`, which replaces control and
//! bidirectional characters in titles and source lines alike.

use std::fmt;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::source::text::{Place, Spot};

/// How many problems are shown in full; the others are counted.
pub const PROBLEMS_SHOWN_MAX: usize = 100;

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The text cannot be used.
    Error,
    /// The text can be used, but probably does not do what its writer wants.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub what: String,
    /// Where. `None` when there is no text at all.
    pub spot: Option<Spot>,
    /// What to write beside the caret.
    pub label: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// All that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    list: Vec<Problem>,
}

/// Whether a terminal shows the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    Off,
    /// ANSI colours.
    On,
}

impl Problem {
    /// Something that makes the text unusable.
    pub fn error(what: impl Into<String>) -> Self {
        Self { severity: Severity::Error, what: what.into(), spot: None, label: None, hint: None }
    }

    /// Something that is allowed and yet probably not meant.
    pub fn warning(what: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(what) }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, spot: &Spot) -> Self {
        self.spot = Some(spot.clone());
        self
    }

    /// Says something beside the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// As `hint`, where there may be nothing to say.
    #[must_use]
    pub fn hint_opt(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// The file and line. `None` when there is no text at all.
    pub fn place(&self) -> Option<Place> {
        self.spot.as_ref().map(Spot::place)
    }

    /// Shows it with its line, a caret and its hint.
    pub fn render(&self, colour: Colour) -> String {
        let renderer = match colour {
            Colour::Off => Renderer::plain(),
            Colour::On => Renderer::styled(),
        }
        .decor_style(DecorStyle::Ascii);
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let (what, label) = (visible(&self.what), self.label.as_deref().map(visible));
        let hint = self.hint.as_deref().map(visible);
        let mut first = Group::with_title(level.primary_title(what.as_str()));
        if let Some(spot) = &self.spot {
            let mark = AnnotationKind::Primary
                .span(spot.span.start..spot.span.end)
                .label(label.as_deref());
            first = first.element(
                Snippet::source(spot.text.as_str()).path(spot.text.label()).annotation(mark),
            );
        }
        let mut groups = vec![first];
        if let Some(hint) = &hint {
            let title = Level::HELP.with_name("hint").secondary_title(hint.as_str());
            groups.push(Group::with_title(title));
        }
        // Lines without a text end in blanks.
        renderer.render(&groups).lines().map(|line| unsteered(line.trim_end()) + "\n").collect()
    }
}

/// A line as it was rendered, without the control characters that the renderer lets through: those of
/// ISO 6429 beyond ASCII, by which some terminals are steered as by an escape.
fn unsteered(line: &str) -> String {
    line.replace(|c| matches!(c, '\u{80}'..='\u{9f}'), "\u{fffd}")
}

/// Words that quote a text, without what would move a cursor or turn the letters round; of the
/// lines themselves the renderer takes care, and `unsteered`.
fn visible(words: &str) -> String {
    let moves =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown = |c: char| if moves(c) { c.escape_unicode().to_string() } else { c.to_string() };
    words.chars().map(shown).collect()
}

impl Problems {
    /// Nothing wrong yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, problem: Problem) {
        self.list.push(problem);
    }

    /// Adds an error with a place.
    pub fn error(&mut self, spot: &Spot, what: impl Into<String>) {
        self.push(Problem::error(what).at(spot));
    }

    /// Adds an error with a place and a hint.
    pub fn error_hint(&mut self, spot: &Spot, what: impl Into<String>, hint: impl Into<String>) {
        self.push(Problem::error(what).at(spot).hint(hint));
    }

    /// Whether nothing at all is wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many problems make the text unusable.
    pub fn errors(&self) -> usize {
        self.list.iter().filter(|p| p.severity == Severity::Error).count()
    }

    /// All of them, in the order of the texts.
    pub fn sorted(&self) -> Vec<&Problem> {
        let mut list: Vec<&Problem> = self.list.iter().collect();
        // Problems without a place come first: they are about everything that follows.
        list.sort_by_key(|p| p.spot.as_ref().map(|s| (s.text.number(), s.span.start)));
        list
    }

    /// Shows all of them, and says at the end how many there are.
    pub fn render(&self, colour: Colour) -> String {
        let list = self.sorted();
        let mut out = String::new();
        for problem in list.iter().take(PROBLEMS_SHOWN_MAX) {
            out.push_str(&problem.render(colour));
            out.push('\n');
        }
        let errors = self.errors();
        if errors > 0 {
            out.push_str(&format!("error: {} not usable: {}\n", self.labels(), counted(errors)));
        } else if !list.is_empty() {
            out.push_str(&format!(
                "warning: {} usable, but {}\n",
                self.labels(),
                counted(list.len())
            ));
        }
        if let hidden @ 1.. = list.len().saturating_sub(PROBLEMS_SHOWN_MAX) {
            out.push_str(&format!("  {hidden} of them are not shown\n"));
        }
        out
    }

    /// The texts that have problems, by name.
    fn labels(&self) -> String {
        let mut labels: Vec<&str> = Vec::new();
        for problem in self.sorted() {
            if let Some(spot) = &problem.spot
                && !labels.contains(&spot.text.label())
            {
                labels.push(spot.text.label());
            }
        }
        if labels.is_empty() { "policy".to_owned() } else { labels.join(", ") }
    }
}

fn counted(count: usize) -> String {
    if count == 1 { "1 problem".to_owned() } else { format!("{count} problems") }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self { list: vec![problem] }
    }
}

impl Extend<Problem> for Problems {
    fn extend<I: IntoIterator<Item = Problem>>(&mut self, more: I) {
        self.list.extend(more);
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Colour::Off))
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test says what it expects")]
mod tests {
    use super::*;
    use crate::source::text::{SourceText, Span};

    #[test]
    fn a_problem_is_shown_with_line_caret_label_and_hint() {
        let text =
            SourceText::read(0, "policy.toml", b"a = 1\nrequire   = \"aproval\"\n", 99).unwrap();
        let mut problems = Problems::new();
        problems.push(
            Problem::error("no such rule kind")
                .at(&text.spot(Span { start: 18, end: 27 }))
                .label("here")
                .hint("known kinds: access, approval, merge"),
        );
        assert_eq!(
            problems.to_string(),
            "error: no such rule kind\n \
             --> policy.toml:2:13\n  \
               |\n\
             2 | require   = \"aproval\"\n  \
               |             ^^^^^^^^^ here\n  \
               |\n\
             hint: known kinds: access, approval, merge\n\
             \n\
             error: policy.toml not usable: 1 problem\n"
        );
        assert!(problems.render(Colour::On).contains('\u{1b}'));
    }

    #[test]
    fn problems_are_shown_in_the_order_of_the_texts() {
        let one = SourceText::read(0, "one", b"a\nb\n", 99).unwrap();
        let two = SourceText::read(1, "two", b"c\n", 99).unwrap();
        let mut problems = Problems::new();
        problems.error(&two.whole(), "third");
        problems.error(&one.spot(Span { start: 2, end: 3 }), "second");
        problems.error(&one.whole(), "first");
        let order: Vec<&str> = problems.sorted().iter().map(|p| p.what.as_str()).collect();
        assert_eq!(order, ["first", "second", "third"]);
        assert!(problems.to_string().ends_with("error: one, two not usable: 3 problems\n"));
    }

    #[test]
    fn what_could_move_a_cursor_is_not_shown() {
        let text = "x = '\u{202e}\u{1b}[2J\u{9b}2J\u{80}\u{7f}'";
        let text = SourceText::read(0, "p", text.as_bytes(), 99).unwrap();
        for colour in [Colour::Off, Colour::On] {
            let shown = Problem::error("odd \u{1b}[2J\u{9b}2J").at(&text.whole()).render(colour);
            assert!(!shown.contains(['\u{202e}', '\u{9b}', '\u{80}', '\u{7f}']), "{shown:?}");
            assert!(!shown.contains("\u{1b}[2J"), "{shown:?}");
        }
    }
}
