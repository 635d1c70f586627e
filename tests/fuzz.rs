//! The functions that fuzz the parsers, driven without a nightly toolchain: known inputs from
//! `fuzz/corpus`, changed by chance from a fixed seed, a moment for each parser.
//!
//! `PORTCULLIS_FUZZ_SECONDS` says for how long (a second each by default),
//! `PORTCULLIS_FUZZ_EXECUTIONS` after how many inputs to stop at the latest, `PORTCULLIS_FUZZ_SEED`
//! where chance begins. What fails is written to the folder of the tests, and its path is told.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::expect_used, reason = "a target that cannot go on has found something")]
#![expect(clippy::disallowed_methods, reason = "a test is the outside: files, clock, environment")]
#![expect(clippy::print_stdout, clippy::disallowed_macros, reason = "says how far it came")]

#[path = "../fuzz/src/lib.rs"]
pub mod targets;

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use targets::{TARGETS, Target, target};

/// How long an input may grow.
const INPUT_BYTES_MAX: usize = 4096;

/// How many inputs that were treated differently are kept beside those of the corpus.
const KEPT_MAX: usize = 500;

/// How many times an input is changed at most before it is tried.
const CHANGES_MAX: usize = 6;

/// Chance that is the same every time.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below this one; 0 where there is none.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from((self.next() >> 16) % (end as u64).max(1)).unwrap()
    }
}

fn changed(pool: &[Vec<u8>], words: &[&[u8]], chance: &mut Chance) -> Vec<u8> {
    let mut input = pool[chance.below(pool.len())].clone();
    for _ in 0..=chance.below(CHANGES_MAX) {
        let (at, end) = (chance.below(input.len() + 1), chance.below(input.len() + 1));
        let (from, to) = (at.min(end), at.max(end).min(at.min(end) + 64));
        match chance.below(8) {
            0 => input.truncate(at),
            1 => drop(input.drain(from..to)),
            2 => drop(input.splice(at..at, input[from..to].to_vec())),
            3 => drop(input.splice(at..at, words[chance.below(words.len())].iter().copied())),
            4 => input.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << chance.below(8)),
            5 => input.iter_mut().skip(at).take(1).for_each(|byte| *byte = chance.next() as u8),
            6 => input.insert(at, [b'0', b'\n', b' ', b'"', 0, 0xff][chance.below(6)]),
            _ => {
                let other = &pool[chance.below(pool.len())];
                let part = chance.below(other.len() + 1);
                drop(input.splice(from..to, other[part..].iter().copied()));
            }
        }
    }
    input.truncate(INPUT_BYTES_MAX);
    input
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "there is nothing to begin with");
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn setting(name: &str) -> Option<f64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

/// Runs one input. What fails is kept for whoever looks into it.
fn run(target: Target, input: &[u8]) -> u64 {
    catch_unwind(AssertUnwindSafe(|| (target.run)(input))).unwrap_or_else(|_| {
        let at = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{}", target.name));
        fs::write(&at, input).unwrap();
        panic!("{} fails over {}: \"{}\"", target.name, at.display(), input.escape_ascii());
    })
}

fn fuzz(name: &str) {
    let target = target(name);
    let seconds = Duration::from_secs_f64(setting("PORTCULLIS_FUZZ_SECONDS").unwrap_or(1.0));
    let most = setting("PORTCULLIS_FUZZ_EXECUTIONS").map_or(u64::MAX, |most| most as u64);
    let seed = setting("PORTCULLIS_FUZZ_SEED").map_or(1, |seed| seed as u64);
    let mut chance = Chance(targets::outcome(&name).wrapping_mul(seed | 1).max(1));
    let mut pool = corpus(name);
    let known = pool.len();
    let mut seen: BTreeSet<u64> = pool.iter().map(|input| run(target, input)).collect();
    let (begun, mut executions) = (Instant::now(), known as u64);
    while executions < most && begun.elapsed() < seconds {
        let input = changed(&pool, target.words, &mut chance);
        if seen.insert(run(target, &input)) && pool.len() < known + KEPT_MAX {
            pool.push(input);
        }
        executions += 1;
    }
    println!(
        "{name}: {executions} executions, {known} inputs known, {} kinds of outcome",
        seen.len()
    );
}

#[test]
fn every_target_is_run_here_and_by_cargo_fuzz() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let names: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    let in_folder = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(fuzz.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    };
    assert_eq!(in_folder("corpus"), names);
    assert_eq!(in_folder("fuzz_targets"), names);
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    let here = include_str!("fuzz.rs");
    for name in names {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
        assert!(here.contains(&format!("    {name},\n")), "{name} is not run here");
    }
}

/// A test for each target, of its name.
macro_rules! fuzz_each {
    ($($name:ident,)*) => {
        $(#[test]
        fn $name() {
            fuzz(stringify!($name));
        })*
    };
}

fuzz_each! {
    stdin,
    options,
    certificate,
    commit,
    tree,
    tag,
    table,
    patterns,
    policy,
    cases,
    statement,
    infra,
    owners,
    answer,
    signers,
    signature,
    openpgp,
    gittuf,
    line,
    note,
    proof,
    trust,
    packed,
    manifest,
}
