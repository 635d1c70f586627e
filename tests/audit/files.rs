//! The scripts as files: what they say of themselves.

use std::path::Path;
use std::process::Command;

use portcullis::log::kind::Kind;

use crate::three::{interpreter, ready, script};

#[test]
fn the_scripts_know_every_kind_of_record() {
    for name in ["verify.sh", "verify.py"] {
        let text = std::fs::read_to_string(script(name)).unwrap();
        let (_, rest) = text.split_once("KINDS=").or(text.split_once("KINDS = ")).unwrap();
        let list = rest.split(['\'', '"']).find(|part| part.contains("genesis")).unwrap();
        for kind in Kind::ALL {
            assert!(list.split_whitespace().any(|it| it == kind.name()), "{name}: {}", kind.name());
        }
    }
}

#[test]
fn a_wrong_word_is_answered_with_the_usage() {
    if !ready() {
        return;
    }
    for (program, name) in [(Path::new("sh"), "verify.sh"), (interpreter(), "verify.py")] {
        let run = |arguments: &[&str]| {
            let output = Command::new(program).arg(script(name)).args(arguments).output().unwrap();
            let said = [output.stdout.as_slice(), &output.stderr].concat();
            (output.status.code().unwrap(), String::from_utf8_lossy(&said).into_owned())
        };
        for wrong in [&[][..], &["--odd", "log"], &["one", "two"], &["--since"]] {
            let (code, said) = run(wrong);
            assert_eq!(code, 2, "{name} {wrong:?}: {said}");
            assert!(said.contains("[--since CHECKPOINT]... [--key KEY] FOLDER"), "{said}");
        }
        let (code, said) = run(&["--help"]);
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("Exit code: 0 whole, 1 broken"), "{said}");
    }
}
