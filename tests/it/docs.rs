//! Pages of `docs/` that can be followed by copying: every command block is run, in order, by the
//! person it is for, and what the page says was printed was printed.
//!
//! A block is preceded by a remark that no reader sees: `<!-- alice -->` runs it in her clone,
//! `<!-- alice, refused -->` has to fail, `<!-- policy -->` lays a TOML block over the server's
//! policy, `<!-- said -->` holds lines that the block before it printed, one after the other.
//! Commits and hashes in them may be others; `...` stands for any lines.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::ground::run;
use crate::support::person::Person;
use crate::support::policy::{gated, laid_over};
use crate::support::site::Site;

/// A fenced block with the remark above it.
pub(crate) struct Block {
    pub(crate) line: usize,
    pub(crate) remark: String,
    pub(crate) language: String,
    pub(crate) text: String,
}

/// The fenced blocks of a page, in order.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut remark = String::new();
    let mut lines = page.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
            let text: String = text.map(|line| format!("{line}\n")).collect();
            let remark = std::mem::take(&mut remark);
            blocks.push(Block { line: index + 1, remark, language: language.to_owned(), text });
        } else if let Some(words) = line.strip_prefix("<!-- ") {
            words.trim_end_matches(" -->").clone_into(&mut remark);
        }
    }
    blocks
}

/// Hex that differs from run to run, and blanks, made the same.
fn same(line: &str) -> String {
    let mut shown = String::new();
    let mut word = String::new();
    for c in line.chars().chain([' ']) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        let hex = word.len() >= 7 && word.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        shown.push_str(if hex { "0123456" } else { &word });
        word.clear();
        shown.push(c);
    }
    shown.split_whitespace().collect::<Vec<&str>>().join(" ")
}

/// The lines have to stand in what was said, in order and without a gap, but for `...`.
#[track_caller]
pub(crate) fn stands_in(block: &Block, said: &str) {
    let said_lines: Vec<String> =
        said.lines().map(|line| same(line.strip_prefix("remote: ").unwrap_or(line))).collect();
    let mut rest = &said_lines[..];
    for part in block.text.split("...\n") {
        let part: Vec<String> = part.lines().map(same).collect();
        let at = rest.windows(part.len().max(1)).position(|lines| lines == part.as_slice());
        let at = match part.is_empty() {
            true => 0,
            false => {
                at.unwrap_or_else(|| panic!("line {}: nobody said {part:#?}\n{said}", block.line))
            }
        };
        rest = &rest[at + part.len()..];
    }
}

/// Commands as a person types them; nobody is there to be asked.
fn typed(block: &Block) -> String {
    let signs = |line: &str| {
        ["approve", "reject", "revoke"]
            .iter()
            .any(|verb| line.starts_with(&format!("portcullis {verb} ")))
    };
    let line =
        |line: &str| if signs(line) { format!("{line} --yes\n") } else { format!("{line}\n") };
    block.text.lines().map(line).collect()
}

/// Runs a block in a person's clone; returns what it printed.
#[track_caller]
fn acted(person: &Person, block: &Block, refused: bool) -> String {
    let mut shell = person.with_portcullis("bash");
    shell
        .args(["-euo", "pipefail", "-c", &typed(block)])
        .current_dir(person.clone_path())
        .env("GIT_EDITOR", "true");
    let output = run(&mut shell);
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.success(), !refused, "line {}:\n{}{said}", block.line, block.text);
    said
}

/// Follows a page from its first block to its last.
#[track_caller]
fn followed(page: &str) -> Site {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
    let site = Site::new(gated(1));
    let mut policy = gated(1);
    let mut people: BTreeMap<String, Person> = BTreeMap::new();
    let mut said = String::new();
    for block in blocks(&fs::read_to_string(file).unwrap()) {
        match (block.remark.as_str(), block.language.as_str()) {
            ("policy", "toml") => {
                let lines: Vec<String> = block.text.lines().map(str::to_owned).collect();
                policy = laid_over(&policy, &lines).unwrap();
                site.set_policy(&policy);
            }
            ("said", "text") => stands_in(&block, &said),
            (who, "sh") if !who.is_empty() => {
                let (who, how) = who.split_once(", ").unwrap_or((who, ""));
                assert!(["", "refused"].contains(&how), "line {}: {how}?", block.line);
                let person = people.entry(who.to_owned()).or_insert_with(|| site.person(who));
                said = acted(person, &block, how == "refused");
            }
            (remark, language) => {
                panic!("{page}:{}: who runs this? {remark:?} {language:?}", block.line)
            }
        }
    }
    site
}

#[test]
fn review_can_be_followed_by_copying() {
    followed("review.md").log_and_refs_agree();
}
