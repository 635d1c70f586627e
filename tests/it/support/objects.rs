//! Objects that no decent Git would make, one by one, and the packs that bring them.

use crate::support::ground::feed;
use crate::support::person::Person;

/// Who makes hostile commits.
const WHO: &str = "a <a@b> 1 +0000";

/// A tree with exactly these entries - mode, name, what it holds - in exactly this order.
pub(crate) fn tree(person: &Person, entries: &[(&str, &[u8], &str)]) -> String {
    let mut raw = Vec::new();
    for (mode, name, oid) in entries {
        raw.extend([mode.as_bytes(), b" ", name, b"\0"].concat());
        let digits = |at: usize| u8::from_str_radix(&oid[at * 2..at * 2 + 2], 16).unwrap();
        raw.extend((0..oid.len() / 2).map(digits));
    }
    person.object("tree", &raw)
}

/// A commit of a tree, below these parents.
pub(crate) fn commit(person: &Person, tree: &str, parents: &[&str]) -> String {
    let parents: String = parents.iter().map(|parent| format!("parent {parent}\n")).collect();
    let text = format!("tree {tree}\n{parents}author {WHO}\ncommitter {WHO}\n\nx\n");
    person.object("commit", text.as_bytes())
}

/// A pack of these objects and no others, however little sense they make together.
pub(crate) fn pack(person: &Person, objects: &[&str]) -> Vec<u8> {
    packed(person, &[], objects)
}

/// A pack of what this commit has and those do not.
pub(crate) fn pack_since(person: &Person, commit: &str, known: &[&str]) -> Vec<u8> {
    let known: Vec<String> = known.iter().map(|oid| format!("^{oid}")).collect();
    let mut revisions = vec![commit];
    revisions.extend(known.iter().map(String::as_str));
    packed(person, &["--revs"], &revisions)
}

/// A pack that `git pack-objects` makes of these lines when it is told these words.
pub(crate) fn packed(person: &Person, words: &[&str], lines: &[&str]) -> Vec<u8> {
    let list = lines.join("\n") + "\n";
    let mut git = person.git(&["pack-objects", "--stdout", "-q"]);
    let output = feed(git.args(words), list.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
