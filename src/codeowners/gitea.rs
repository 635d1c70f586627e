//! The dialect of Gitea and Forgejo.
//!
//! <https://docs.gitea.com/usage/code-owners>: a pattern is a regular expression of Go's that has to
//! match the whole path; `!` in front of it means every path but these. A backslash takes away the
//! meaning of `#`, of a blank and of itself, so that the expression's own are written twice. Every
//! line that matches asks, and each of them needs the approval of one of its owners ("block on
//! pending code owner reviews").
//!
//! Gitea passes over a line that it cannot read, or none of whose owners it knows. Here such a line
//! refuses. Go's look-arounds are not read: what they match cannot be told in bounded time.

use regex_automata::meta::Regex;
use regex_automata::util::syntax;

use crate::codeowners::book::{Book, Entry, Flaw, Pattern, Unfit};
use crate::codeowners::owner::{Owner, Roles, owner};

/// How many lines with an expression one file may have.
pub const EXPRESSIONS_MAX: usize = 1_000;

/// How long an expression may be, in bytes.
pub const EXPRESSION_BYTES_MAX: usize = 1_000;

/// How much memory one expression may take, in bytes.
const EXPRESSION_MEMORY_MAX: usize = 256 * 1024;

/// How much memory all expressions of a file may take, in bytes.
const MEMORY_MAX: usize = 64 * 1024 * 1024;

/// Reads the lines that are neither empty nor a comment.
pub(crate) fn read<'l>(lines: impl Iterator<Item = (u32, &'l [u8])>) -> Result<Book, Unfit> {
    let (mut entries, mut flaws, mut memory) = (Vec::new(), Vec::new(), 0);
    for (line, text) in lines {
        let words = words(text);
        let Some((written, names)) = words.split_first() else { continue };
        if entries.len() == EXPRESSIONS_MAX {
            return Err(Unfit::TooManyLines(EXPRESSIONS_MAX));
        }
        let pattern = pattern(written);
        if let Pattern::Regex { regex, .. } = &pattern {
            memory += regex.memory_usage();
        }
        if memory > MEMORY_MAX {
            return Err(Unfit::TooComplex);
        }
        if let Pattern::Unreadable(why) = pattern {
            flaws.push(Flaw { line, what: why.to_owned() });
        }
        // Gitea knows no e-mails here, and takes a name without `@` as one with it.
        let name = |word: &Vec<u8>| match owner(word, Roles::Unknown) {
            Owner::Email(text) => Owner::Malformed(text),
            Owner::Malformed(text) => {
                match owner(&[b"@", word.as_slice()].concat(), Roles::Unknown) {
                    named @ (Owner::Account(_) | Owner::Team(_)) => named,
                    Owner::Email(_) | Owner::Role(_) | Owner::Malformed(_) => {
                        Owner::Malformed(text)
                    }
                }
            }
            named @ (Owner::Account(_) | Owner::Team(_) | Owner::Role(_)) => named,
        };
        let owners: Vec<Owner> = names.iter().map(name).collect();
        if owners.is_empty() {
            flaws.push(Flaw { line, what: "names no owner".to_owned() });
        }
        flaws.extend(owners.iter().filter_map(|owner| match owner {
            Owner::Malformed(word) => {
                Some(Flaw { line, what: format!("`{word}` is no owner: @user, @org/team") })
            }
            Owner::Account(_) | Owner::Team(_) | Owner::Email(_) | Owner::Role(_) => None,
        }));
        let written = written.clone();
        entries.push(Entry { line, written, pattern, owners, may_name_nobody: false });
    }
    Ok(Book::of_one(entries, flaws, true))
}

/// The words of a line, their backslashes taken away.
fn words(line: &[u8]) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    let (mut word, mut escaped) = (Vec::new(), false);
    for &byte in line {
        match byte {
            byte if escaped => {
                word.push(byte);
                escaped = false;
            }
            b'\\' => escaped = true,
            b'#' => break,
            b' ' | b'\t' => words.push(std::mem::take(&mut word)),
            byte => word.push(byte),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

fn pattern(written: &[u8]) -> Pattern {
    let (negated, bare) = match written.strip_prefix(b"!") {
        Some(bare) => (true, bare),
        None => (false, written),
    };
    let Ok(text) = std::str::from_utf8(bare) else {
        return Pattern::Unreadable("its expression is not UTF-8");
    };
    if text.len() > EXPRESSION_BYTES_MAX {
        return Pattern::Unreadable("its expression is longer than 1000 bytes");
    }
    let everything = !negated && matches!(text, ".*" | ".+");
    // Without brackets, as Gitea does it: of alternatives only the outer ones are anchored.
    match compiled(&format!("^{}$", as_rust_reads_it(text))) {
        Some(regex) => Pattern::Regex { regex: Box::new(regex), negated, everything },
        None => Pattern::Unreadable("its expression cannot be read"),
    }
}

fn compiled(text: &str) -> Option<Regex> {
    let config = Regex::config().nfa_size_limit(Some(EXPRESSION_MEMORY_MAX));
    Regex::builder().configure(config).syntax(syntax::Config::new()).build(text).ok()
}

/// The expression with what only Rust takes for more than letters taken out of its classes: `[`,
/// `&&`, `--` and `~~`.
fn as_rust_reads_it(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text.chars().peekable();
    let mut class = None;
    while let Some(c) = rest.next() {
        match (c, class) {
            ('\\', _) => {
                out.push(c);
                out.extend(rest.next());
                class = class.map(|members| members + 1);
            }
            ('[', None) => {
                out.push(c);
                class = Some(0);
                if rest.peek() == Some(&'^') {
                    out.extend(rest.next());
                }
            }
            (']', Some(1..)) => {
                class = None;
                out.push(c);
            }
            ('[', Some(members)) => {
                class = Some(members + 1);
                if rest.peek() != Some(&':') {
                    out.push('\\');
                    out.push(c);
                    continue;
                }
                // `[:alpha:]` stands as it is, up to its end.
                out.push(c);
                while let Some(c) = rest.next() {
                    out.push(c);
                    if c == ':' && rest.peek() == Some(&']') {
                        out.extend(rest.next());
                        break;
                    }
                }
            }
            (c, Some(members)) => {
                class = Some(members + 1);
                let doubled = matches!(c, '&' | '~' | '-') && rest.peek() == Some(&c);
                // The first member may be a `]` that stands for itself.
                if doubled || c == ']' {
                    out.push('\\');
                }
                out.push(c);
            }
            (c, None) => out.push(c),
        }
    }
    out
}
