//! Marks of text that does not parse, or that a parser reads in more than one way.
//!
//! Templates of Helm and Jinja, broken YAML, YAML with aliases and merge keys. Nothing is
//! understood here: words anywhere in the text count, so this finds more than `shape` would.

use crate::infra::mark::{Mark, Marks};

/// How far the text can be trusted to spell its keys as they will be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Spelling {
    /// It was parsed, and no escape hides a word.
    Plain,
    /// It was not: a word in which letters are escaped could be any word.
    Unsure,
}

/// The marks whose words stand somewhere in the text.
pub(crate) fn marks(text: &str, spelling: Spelling) -> Marks {
    if spelling == Spelling::Unsure && hides_words(text) {
        return Mark::ALL.into_iter().fold(Marks::NONE, Marks::with);
    }
    Mark::ALL.into_iter().filter(|mark| shows(text, *mark)).fold(Marks::NONE, Marks::with)
}

fn shows(text: &str, mark: Mark) -> bool {
    let any = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let all = |words: &[&str]| words.iter().all(|word| text.contains(word));
    match mark {
        Mark::Kubernetes => all(&["apiVersion", "kind"]),
        Mark::Helm => {
            text.contains("{{")
                && any(&[
                    ".Values",
                    ".Release",
                    ".Chart",
                    ".Capabilities",
                    "include \"",
                    "template \"",
                    "define \"",
                    "apiVersion",
                ])
        }
        Mark::Kustomize => {
            text.contains("kustomize.config.k8s.io")
                || (any(&["- op:", "\"op\"", "'op'"]) && text.contains("path"))
        }
        Mark::ArgoCd => text.contains("argoproj.io"),
        Mark::Flux => text.contains("fluxcd"),
        Mark::CloudFormation => {
            any(&["AWSTemplateFormatVersion", "heat_template_version"])
                || all(&["Resources", "Type", "AWS::"])
        }
        Mark::Serverless => all(&["service", "provider", "functions"]),
        Mark::Compose => text.contains("services") && any(&["image", "build"]),
        Mark::Ci => {
            text.contains("tekton.dev") || all(&["stage", "script"]) || all(&["runs", "using"])
        }
        Mark::Arm => text.contains("schema.management.azure.com"),
        Mark::Ansible => {
            any(&["import_playbook", "ansible.builtin.", "$ANSIBLE_VAULT"])
                || (text.contains("hosts") && any(&["tasks", "roles", "children", "become"]))
                || (text.contains("when:") && any(&["register:", "notify:", "with_items:"]))
        }
    }
}

/// Whether an ASCII letter is written as an escape (`\u006b`, `\x6b`), or a key in base 64. No
/// program writes such text on its own.
fn hides_words(text: &str) -> bool {
    let digits = |rest: &str, width: usize| {
        let hex = rest.get(..width)?;
        u32::from_str_radix(hex, 16).ok().and_then(char::from_u32)
    };
    let escaped_letter = |rest: &str| {
        let letter = match rest.as_bytes().first()? {
            b'x' => digits(&rest[1..], 2),
            b'u' => digits(&rest[1..], 4),
            b'U' => digits(&rest[1..], 8),
            _ => None,
        };
        letter.filter(char::is_ascii_alphabetic)
    };
    text.match_indices('\\').any(|(at, _)| escaped_letter(&text[at + 1..]).is_some())
        || text.contains("!!binary")
        || text.contains("tag:yaml.org,2002:binary")
}
