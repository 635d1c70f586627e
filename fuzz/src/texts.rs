//! What people and machines write: policies, patterns, statements, structured files, answers.

use std::sync::LazyLock;

use portcullis::answer::Answer;
use portcullis::codeowners::book::Pattern;
use portcullis::codeowners::dialect::Dialect;
use portcullis::codeowners::read as read_owners;
use portcullis::infra::content::{by_content, wants_content};
use portcullis::infra::paths::by_path;
use portcullis::infra::set::InfraKinds;
use portcullis::names::path::RepoPath;
use portcullis::names::refname::Refname;
use portcullis::pattern::paths::{Base, EntryShape, PathPatterns};
use portcullis::pattern::refs::RefPatterns;
use portcullis::policy::{Policy, PolicyFile, compile};
use portcullis::source::problem::{Colour, PROBLEMS_SHOWN_MAX, Problems};
use portcullis::source::text::{Located, SourceText};
use portcullis::ssh::signature::verify;
use portcullis::statement::place::Place;
use portcullis::statement::read::{Form, Statement};
use portcullis::trial::tried;

use super::{Target, choice, is_plain, outcome, shape};

/// Policies.
pub const POLICY: Target = Target {
    name: "policy",
    run: policy,
    words: &[
        b"[rule.",
        b"[people.",
        b"[groups]\n",
        b"[identity]\n",
        b"[limits]\n",
        b"[log]\n",
        b"[break-glass]\n",
        b"[rollback]\n",
        b"kind = \"approval\"\n",
        b"kind = \"",
        b"refs = [\"main\"]\n",
        b"paths = [\"**\"]\n",
        b"\"@default\"",
        b"level = \"warn\"\n",
        b"until = \"2030-01-01\"\n",
        b" = []",
        b"\"\"\"",
        b"\x1b[2J",
        b"\xe2\x80\xae",
    ],
};

/// How much longer what is said of a policy may be than the policy: each problem shows its line.
const SAID_BYTES_MAX: usize = 4096;

fn policy(data: &[u8]) -> u64 {
    let read = || compile(&[PolicyFile { label: "policy.toml".to_owned(), bytes: data.to_vec() }]);
    let (first, second) = (read(), read());
    let (number, problems) = match (first, second) {
        (Ok(first), Ok(second)) => {
            assert_eq!(first.digest, second.digest);
            assert!(!first.rules.is_empty(), "a policy that asks for nothing");
            let shape = shape(&[first.rules.len(), usize::from(first.glass.is_some())]);
            (shape, first.warnings)
        }
        (Err(first), Err(second)) => {
            assert_eq!(told(&first), told(&second));
            assert!(first.errors() > 0);
            (outcome(&told(&first).first()), first)
        }
        _ => panic!("one text, two answers"),
    };
    let said = problems.render(Colour::Off);
    moves_nothing(&said);
    assert!(said.len() <= (PROBLEMS_SHOWN_MAX + 1) * (data.len() * 4 + SAID_BYTES_MAX));
    number
}

/// Unit tests of the starter policy.
pub const CASES: Target = Target {
    name: "cases",
    run: cases,
    words: &[
        b"\n== a\n",
        b"\nalice merges into main\n",
        b"\nstranger x commits to ",
        b"\nbob creates refs/tags/",
        b"\n  adds ",
        b" = \"\\xff\\n\"",
        b"\n  links a to ",
        b"\n  made by nobody",
        b"\n  approved by carol 3d ago",
        b"\n  message \"",
        b"\n  author \"a <b>\"",
        b"\n  option \"break-glass=INC-1: x\"",
        b"\n  owners \"* @bob\\n\"",
        b"\n  run manifests fails",
        b"\n=> accepted",
        b"\n=> refused by merge, says \"a\"",
        b"\x1b[2J",
        b"\xe2\x80\xae",
    ],
};

static STARTER: LazyLock<Policy> = LazyLock::new(|| {
    let bytes = include_bytes!("../../config/policy.toml").to_vec();
    let file = PolicyFile { label: "policy.toml".to_owned(), bytes };
    compile(&[file]).unwrap_or_else(|problems| panic!("{problems}"))
});

fn cases(data: &[u8]) -> u64 {
    let Ok(text) = SourceText::read(0, "cases.txt", data, 65_536) else { return 0 };
    match (tried(&STARTER, &text), tried(&STARTER, &text)) {
        (Ok(first), Ok(second)) => {
            assert_eq!(first, second);
            first.iter().for_each(|outcome| is_plain(&outcome.message));
            let held = first.iter().filter(|outcome| outcome.holds()).count();
            shape(&[first.len(), held])
        }
        (Err(first), Err(second)) => {
            assert_eq!(told(&first), told(&second));
            assert!(first.errors() > 0);
            moves_nothing(&first.render(Colour::Off));
            outcome(&told(&first).first())
        }
        _ => panic!("one text, two answers"),
    }
}

/// What is wrong with a text, without the lines that show it: drawing those takes most of the time.
fn told(problems: &Problems) -> Vec<&str> {
    problems.sorted().into_iter().map(|problem| problem.what.as_str()).collect()
}

/// A policy is its owners' own text and shown to them as it is, but for what moves a cursor or turns
/// letters round.
fn moves_nothing(said: &str) {
    let moves = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert_eq!(said.chars().find(|&c| moves(c)), None, "{}", said.escape_debug());
}

/// Lists of patterns, a line each, and behind an empty line a name.
pub const PATTERNS: Target = Target {
    name: "patterns",
    run: patterns,
    words: &[b"**", b"/**", b"**/", b"[!a]", b"[a-z]", b"?", b"!", b"\n\n", b"@default", b"refs/"],
};

fn patterns(data: &[u8]) -> u64 {
    let split = data.windows(2).position(|pair| pair == b"\n\n");
    let (list, name) = data.split_at(split.unwrap_or(data.len()));
    let name = name.strip_prefix(b"\n\n").unwrap_or(name);
    let Ok(text) = SourceText::read(0, "patterns", list, 4096) else { return 0 };
    let spot = text.whole();
    let located = |value: &str| Located { value: value.to_owned(), spot: spot.clone() };
    let each: Vec<Located<String>> = text.as_str().split('\n').map(located).collect();
    let mut problems = Problems::new();
    let paths = PathPatterns::read(&each, Base::Nothing, &mut problems);
    let mut number = shape(&[problems.errors().min(4), each.len()]);
    if let Some(paths) = &paths {
        let path = RepoPath::new(name);
        let picks = |shape| paths.picks(&path, shape, false);
        // What is granted is protected too, and a link counts for all that a file counts for.
        assert!(!paths.holds(&path) || picks(EntryShape::File), "held and not picked");
        let written: Vec<&str> = each.iter().map(|one| one.value.as_str()).collect();
        assert_eq!(paths.written(), written);
        number ^=
            shape(&[usize::from(picks(EntryShape::File)), 7, usize::from(picks(EntryShape::Link))]);
    }
    let list = Located { value: each, spot };
    if let (Some(refs), Some(name)) =
        (RefPatterns::read(&list, &mut problems), Refname::parse(name))
    {
        number ^= shape(&[usize::from(refs.matches(&name, None)), 5]);
        refs.folds_onto(&name, Some(&name));
        refs.blocks_folder(&name, Some(&name));
    }
    moves_nothing(&problems.render(Colour::Off));
    number
}

/// Statements.
pub const STATEMENT: Target = Target {
    name: "statement",
    run: statement,
    words: &[
        b"approval v1\n",
        b"check v1\n",
        b"verdict approve\n",
        b"verdict fail\n",
        b"url https://a/\n",
        b"refs/heads/",
        b"-----BEGIN SSH SIGNATURE-----\n",
        b"\n-----END SSH SIGNATURE-----\n",
        b"\r\n",
        b"2026-11-22T21:00:00Z",
    ],
};

fn statement(data: &[u8]) -> u64 {
    let read = match Statement::parse(data) {
        Ok(read) => read,
        Err(problem) => {
            is_plain(&problem.to_string());
            assert!(problem.to_string().len() < 400);
            return outcome(&problem);
        }
    };
    assert_eq!(read.to_bytes(), data);
    // What is signed is what is read, to the byte.
    let text = read.fields().text();
    match read.form() {
        Form::Blob => assert_eq!(text, read.signed_bytes()),
        // A tag's head, then the same lines without the empty one.
        Form::Tag => assert!(read.signed_bytes().ends_with(&text[..text.len() - 1])),
    }
    assert_eq!(Place::parse(&read.place().refname()), Some(read.place()));
    outcome(&verify(read.namespace(), read.signed_bytes(), read.armor()))
}

/// Structured files that may be infrastructure: the name's end by the first byte, then the content.
pub const INFRA: Target = Target {
    name: "infra",
    run: infra,
    words: &[
        b"apiVersion: v1\n",
        b"kind: Deployment\n",
        b"\"AWSTemplateFormatVersion\"",
        b"Resources:\n",
        b"&a ",
        b"*a",
        b"<<: ",
        b"\n---\n",
        b"{{",
        b"}}",
        b"- hosts: all\n",
        b"!!",
        b"\\u0000",
    ],
};

fn infra(data: &[u8]) -> u64 {
    let (first, content) = choice(data);
    let names: [&[u8]; 4] = [b"a/b.yaml", b"x.json", b"t.yml.j2", b"c.template"];
    let path = names[usize::from(first) % names.len()];
    let found = by_content(InfraKinds::EVERY, path, content);
    let mut number = 1;
    for kind in InfraKinds::EVERY.iter() {
        let Ok(alone) = InfraKinds::parse(&[kind.name]) else { continue };
        // To ask for less finds no less of it.
        let has = !by_content(alone, path, content).is_empty();
        assert_eq!(has, !found.intersection(alone).is_empty(), "{}", kind.name);
        assert!(!wants_content(alone, path) || by_path(alone, path).is_empty());
        number = number * 2 + u64::from(has);
    }
    number
}

/// CODEOWNERS files: the dialect by the first byte, the file, and in the last line a path.
pub const OWNERS: Target = Target {
    name: "owners",
    run: owners,
    words: &[
        b"@org/team",
        b" @x\n",
        b"[Section][2] @y\n",
        b"^[Optional]\n",
        b"!",
        b"**",
        b"/",
        b"\\ ",
        b"(a|b)",
        b".*",
        b"a@example.com",
        b"#",
    ],
};

fn owners(data: &[u8]) -> u64 {
    let (first, bytes) = choice(data);
    let dialect = Dialect::ALL[usize::from(first) % Dialect::ALL.len()];
    let end = bytes.iter().rposition(|&byte| byte == b'\n').unwrap_or(bytes.len());
    let (file, path) = bytes.split_at(end);
    let path = path.strip_prefix(b"\n").unwrap_or(path);
    let book = match read_owners(dialect, file) {
        Ok(book) => book,
        Err(unfit) => return outcome(&unfit),
    };
    let lines = file.split(|&byte| byte == b'\n').count();
    assert!(book.entries() <= lines);
    book.flaws.iter().for_each(|flaw| moves_nothing(&flaw.what));
    let claims = book.claims(path);
    for claim in &claims {
        let (_, entry) = book.at(*claim).expect("a claim is a line of the book");
        assert!(entry.pattern.matches(path) && entry.line as usize <= lines);
    }
    for claim in book.of_everything() {
        let (_, entry) = book.at(claim).expect("a claim is a line of the book");
        // No entry of a tree is without a name (Git refuses it), and `.+` does not match one.
        assert!(path.is_empty() || entry.pattern.matches(path), "every path but this one");
    }
    // A line that cannot be read may have been meant for this path: its section says something of it.
    for (at, section) in book.sections.iter().enumerate() {
        let unread = |entry: &_| matches!(entry, Pattern::Unreadable(_));
        let excluded = section.exclusions.iter().any(|(_, pattern)| pattern.matches(path));
        if !excluded && section.entries.iter().any(|entry| unread(&entry.pattern)) {
            assert!(claims.iter().any(|claim| claim.section == at));
        }
    }
    shape(&[claims.len(), book.entries(), book.flaws.len(), usize::from(first) % 3])
}

/// What a server printed, in which a client looks for an answer.
pub const ANSWER: Target = Target {
    name: "answer",
    run: answer,
    words: &[b"remote: portcullis-answer: ", b"\x1b[K", b"\"v\":1", b"{", b"}", b"null", b"\n"],
};

fn answer(data: &[u8]) -> u64 {
    match Answer::find(data) {
        Ok(read) => {
            let line = read.to_line().expect("an answer is JSON");
            let relayed = format!("remote: {line}\n");
            assert!(!line.contains('\n'));
            assert_eq!(Answer::find(relayed.as_bytes()).ok(), Some(read));
            shape(&[line.len()])
        }
        Err(fault) => outcome(&fault),
    }
}
