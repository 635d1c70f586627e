//! `docs/policy.md`, made from the tables that a policy is read with.
//!
//! Printed by `explain --markdown`; a test compares the page in `docs` with it. What stands in the
//! tables is plain text, so what Markdown would take for its own is escaped here.

use std::fmt::Write as _;

use crate::facts::limits::LIMITS;
use crate::infra::kinds::TABLE;
use crate::policy::keys::{RULE, SECTIONS, TOP};
use crate::rules::KINDS;
use crate::rules::rule::{KeyDoc, Kind};
use crate::secret::kinds::KINDS as SECRETS;

const BEGIN: &str = "\
<!-- Made by `portcullis explain --markdown`: change the tables in the sources, not this page. -->

# Policy reference

Every key of a policy: what it takes, what holds without it, what it does. A first policy to copy is
[config/policy.toml](../config/policy.toml), whole ones for real situations are in
[config/examples](../config/examples). `portcullis lint FILE` says what is wrong with a policy and where,
`portcullis replay REPO --policy FILE` what it would have refused, and `portcullis explain KIND` has what
stands here about a kind of rule.

A policy is one TOML file or several. All of them hold; only the first, the site's, may have `[identity]`,
`[log]`, `[limits]`, `[push]`, `[break-glass]`, `[rollback]` and `[notify]`. All rules that match a push have to
be satisfied, none overrides another. An unknown key is a problem, and a policy with a problem refuses every push.
";

const PATTERNS: &str = "
## Patterns and values

In patterns `*` stops at `/`, `**` does not, `dir/**` covers `dir` itself, and `!` in front takes away. They
match bytes; what they protect they match also in other spellings that some file system takes for the
same name. A ref pattern without `refs/` in front is about branches. A length of time is a whole number and
a unit: `30s`, `10m`, `12h`, `14d`, `4w`; a size is one too: `500KiB`, `5MiB`. A day is `2027-01-31`, from 00:00 UTC
on. A list of people holds names of `[people]`, and `@NAME` for a group of `[groups]`.
";

/// The whole page.
pub fn page() -> String {
    let mut page = String::from(BEGIN);
    page.push_str(PATTERNS);
    page.push_str("\n## At the top of a file\n\n");
    settings(&mut page, TOP);
    for section in SECTIONS {
        let _ = write!(page, "\n## `{}`\n\n{}\n\n", section.header, section.about);
        settings(&mut page, section.keys);
        if section.header == "[people.NAME]" {
            page.push_str(
                "\n## `[groups]`\n\nEach key is the name of a group, and its value a list of names and \
                 `@groups`.\n",
            );
        }
        if section.header == "[log]" {
            limits(&mut page);
        }
    }
    page.push_str("\n## `[rule.NAME]`\n\nWhat every rule may hold, whatever its kind.\n\n");
    settings(&mut page, RULE);
    page.push_str("\n## Kinds of rules\n\n| kind | asks that |\n|---|---|\n");
    for kind in KINDS {
        let _ = writeln!(page, "| [`{0}`](#{0}) | {1} |", kind.name, cell(kind.summary));
    }
    for kind in KINDS {
        rule(&mut page, kind);
    }
    infrastructure(&mut page);
    secrets(&mut page);
    page
}

fn settings(page: &mut String, rows: &[KeyDoc]) {
    page.push_str("| key | takes | without it | |\n|---|---|---|---|\n");
    for row in rows {
        let default = match (row.required, row.default) {
            (true, _) => "required".to_owned(),
            (false, Some(default)) => format!("`{}`", default.replace('|', "\\|")),
            (false, None) => String::new(),
        };
        let KeyDoc { name, shape, doc, .. } = row;
        let _ = writeln!(page, "| `{name}` | {} | {default} | {} |", shape.takes(), cell(doc));
    }
}

fn limits(page: &mut String) {
    page.push_str(
        "\n## `[limits]`\n\nHow much one push may hold; past any of these the answer is no. \
         [limits.md](limits.md) tells what each is for.\n\n\
         | key | without it | at most | bounds |\n|---|---|---|---|\n",
    );
    for row in LIMITS {
        let (default, max) = (grouped(row.default), grouped(row.max));
        let _ = writeln!(page, "| `{}` | {default} | {max} | {} |", row.key, cell(row.doc));
    }
}

/// A number as TOML lets people write it.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

fn rule(page: &mut String, kind: &Kind) {
    let _ = write!(page, "\n### `{}`\n\n", kind.name);
    story(page, kind.explain);
    if kind.keys.is_empty() {
        page.push_str("\nIt has no keys of its own.\n");
        return;
    }
    page.push('\n');
    settings(page, kind.keys);
}

/// What a line of an explanation is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Words.
    Prose,
    /// A policy, indented by four blanks.
    Policy,
    /// Something to type or to look at, indented by two.
    Shown,
}

impl Part {
    fn of(line: &str) -> Self {
        match line {
            _ if line.starts_with("    ") => Self::Policy,
            _ if line.starts_with("  ") => Self::Shown,
            _ => Self::Prose,
        }
    }

    const fn fence(self) -> &'static str {
        match self {
            Self::Prose => "",
            Self::Policy => "```toml\n",
            Self::Shown => "```text\n",
        }
    }

    const fn indent(self) -> usize {
        match self {
            Self::Prose => 0,
            Self::Policy => 4,
            Self::Shown => 2,
        }
    }
}

/// An explanation, its indented lines as blocks.
fn story(page: &mut String, text: &str) {
    let mut open = Part::Prose;
    let mut blanks = 0;
    for line in text.trim_end().lines() {
        if line.is_empty() {
            blanks += 1;
            continue;
        }
        // What is indented deeper within a block belongs to it.
        let part = match (open, Part::of(line)) {
            (Part::Shown, Part::Policy) if blanks == 0 => Part::Shown,
            (_, part) => part,
        };
        if part != open {
            page.push_str(if open == Part::Prose { "" } else { "```\n" });
            page.push('\n');
            page.push_str(part.fence());
        } else if blanks > 0 {
            page.push('\n');
        }
        let shown = line.get(part.indent()..).unwrap_or_default();
        page.push_str(&if part == Part::Prose { prose(shown) } else { shown.to_owned() });
        page.push('\n');
        (open, blanks) = (part, 0);
    }
    page.push_str(if open == Part::Prose { "" } else { "```\n" });
}

/// Plain text in which Markdown finds nothing of its own, but for what stands in backticks.
fn prose(text: &str) -> String {
    let mut shown = String::new();
    for (at, part) in text.split('`').enumerate() {
        if at > 0 {
            shown.push('`');
        }
        match at % 2 {
            0 => shown.extend(part.chars().flat_map(|c| {
                let special = matches!(c, '*' | '<' | '[' | '{').then_some('\\');
                special.into_iter().chain([c])
            })),
            _ => shown.push_str(part),
        }
    }
    shown
}

/// The same in a row of a table.
fn cell(text: &str) -> String {
    prose(text).replace('|', "\\|")
}

fn infrastructure(page: &mut String) {
    page.push_str(
        "\n## Kinds of infrastructure\n\nWhat a rule may name in `infra`; `\"all\"` is every kind. Some are also \
         found by what is in a file.\n\n| kind | covers | by content |\n|---|---|---|\n",
    );
    for kind in TABLE {
        let content = if kind.content.is_some() { "yes" } else { "" };
        let _ = writeln!(page, "| `{}` | {} | {content} |", kind.name, cell(kind.covers));
    }
}

fn secrets(page: &mut String) {
    page.push_str(
        "\n## Kinds of secrets\n\nWhat a rule of kind `secrets` finds, and may name in `skip`.\n\n\
         | kind | is |\n|---|---|\n",
    );
    for kind in SECRETS {
        let _ = writeln!(page, "| `{}` | {} |", kind.name, cell(kind.what));
    }
}
