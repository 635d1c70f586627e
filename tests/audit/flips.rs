//! Every byte of a small log, changed: the log room and `verify.py` find each one at the same place.

use std::collections::HashMap;
use std::fs;
use std::process::{Command, Stdio};

use portcullis::log::verify::verify;

use crate::bench::{Bench, copy};
use crate::three::{Question, agreed, interpreter, ready, script};

/// Imports `verify.py`, and asks it about one log with one byte after the other changed.
const DRIVER: &str = r#"
import importlib.util, os, sys
sys.dont_write_bytecode = True
spec = importlib.util.spec_from_file_location("verify", sys.argv[1])
verify = importlib.util.module_from_spec(spec)
spec.loader.exec_module(verify)
segment = os.path.join(sys.argv[2], "00000000000000000000.jsonl")
whole = open(segment, "rb").read()
for at in range(len(whole)):
    with open(segment, "r+b") as file:
        file.seek(at)
        file.write(bytes([whole[at] ^ 1 << at % 8]))
    code, place, said = verify.audit(sys.argv[2])
    print(at, code, *place)
    with open(segment, "r+b") as file:
        file.seek(at)
        file.write(whole[at:at + 1])
"#;

#[test]
fn every_byte_that_changes_is_found_where_it_is() {
    if !ready() {
        return;
    }
    let bench = Bench::small();
    let theirs = bench.at("theirs");
    copy(&bench.dir(), &theirs);
    let mut driver = Command::new(interpreter());
    driver.args(["-c", DRIVER]).arg(script("verify.py")).arg(&theirs).stdin(Stdio::null());
    let output = driver.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let said: HashMap<usize, Vec<u64>> = said
        .lines()
        .map(|line| line.split(' ').map(|word| word.parse().unwrap()).collect::<Vec<u64>>())
        .map(|row| (usize::try_from(row[0]).unwrap(), row[1..].to_vec()))
        .collect();
    let whole = bench.bytes();
    let mut found = 0;
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        fs::write(bench.segment(), &changed).unwrap();
        let line = whole[..at].iter().filter(|&&byte| byte == b'\n').count() as u64;
        let report = verify(&bench.dir(), &mut |_, _| {}).unwrap();
        let ours = match report.broken {
            Some(broken) => vec![1, broken.entry, broken.line, broken.offset],
            None => vec![0],
        };
        assert_eq!(said[&at], ours, "byte {at}");
        // The last line feed makes the last entry one that has not ended, and both say so.
        if at + 1 < whole.len() {
            assert_eq!(ours[1..3], [line, line + 1], "byte {at}");
            found += 1;
        } else {
            assert!(report.torn.is_some(), "byte {at}");
        }
    }
    assert_eq!(found + 1, whole.len());
}

#[test]
fn the_shell_finds_them_too() {
    if !ready() {
        return;
    }
    let bench = Bench::small();
    let whole = bench.bytes();
    for at in (0..whole.len()).step_by(whole.len() / 23) {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        fs::write(bench.segment(), &changed).unwrap();
        assert_eq!(agreed(&bench.dir(), &Question::default()).code, 1, "byte {at}");
    }
}
