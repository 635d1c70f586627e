//! How a release is linked: `packaging/order/cc` puts the functions of a list side by side, whatever
//! the compiler called them this time, and the list is of functions that are there.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "tests make files and run programs")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn order() -> PathBuf {
    Path::new(ROOT).join("packaging/order")
}

/// Runs a program that has to succeed; what it said on standard output.
#[track_caller]
fn said(command: &mut Command) -> String {
    command.env_clear().env("LC_ALL", "C");
    // Some machines keep the compiler below the home folder.
    for name in ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} ended with {}\n{out}{err}", output.status);
    out.into_owned()
}

/// A folder with a linker like that of a release, whose list is this one, and an object to link.
fn ground(functions: &str, symbols: &[&str]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for name in ["cc", "named"] {
        fs::copy(order().join(name), folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("functions"), functions).unwrap();
    let mut text = String::from("int main(void) { return 0; }\n");
    for symbol in symbols {
        text += &format!("__attribute__((used)) int {symbol}(void) {{ return 0; }}\n");
    }
    fs::write(folder.path().join("a.c"), text).unwrap();
    let mut cc = Command::new("cc");
    said(cc.args(["-c", "-ffunction-sections", "a.c"]).current_dir(folder.path()));
    folder
}

/// These symbols of a program, as they lie in it.
fn lies(folder: &TempDir, program: &str, symbols: &[&str]) -> Vec<String> {
    let listed = said(Command::new("nm").arg("-n").arg(folder.path().join(program)));
    let names = listed.lines().filter_map(|line| line.split_whitespace().last());
    names.filter(|name| symbols.contains(name)).map(str::to_owned).collect()
}

const COLD: &str = "_ZN3own4cold17h0000000000000001E";
const ONE: &str = "_ZN3own3one17h89abcdef01234567E";
const ANOTHER_ONE: &str = "_ZN3own3one17hffffffffffffffffE";
const NEW: &str = "_RNvNtCs8h2Kq7abcde_3own3hot4call";
const PLAIN: &str = "git_plain";
const ALL: [&str; 5] = [COLD, ONE, PLAIN, ANOTHER_ONE, NEW];
const LIST: &str = "git_plain\ngone_since\nown::hot::call\nown::one\n";

#[test]
fn what_a_list_names_is_put_first_whatever_its_hash() {
    // As from a compiler that says which linker it means, and from one that leaves that to `cc`.
    let folder = ground(LIST, &ALL);
    let gcc_ld = gcc_ld();
    if !Path::new(&gcc_ld).join("ld.lld").exists() {
        // Only where it links with it by itself is it sure to be there.
        let brings = cfg!(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"));
        assert!(!brings, "no linker in {gcc_ld}");
        return;
    }
    for flags in [vec![format!("-B{gcc_ld}"), "-fuse-ld=lld".to_owned()], Vec::new()] {
        let mut cc = Command::new(folder.path().join("cc"));
        said(cc.args(flags).args(["a.o", "-o", "ordered"]).current_dir(folder.path()));
        assert_eq!(lies(&folder, "ordered", &ALL), [PLAIN, NEW, ONE, ANOTHER_ONE, COLD]);
        said(&mut Command::new(folder.path().join("ordered")));
    }
}

#[test]
fn other_linkers_link_as_they_always_do() {
    let folder = ground(LIST, &ALL);
    let mut cc = Command::new(folder.path().join("cc"));
    said(cc.args(["-fuse-ld=bfd", "a.o", "-o", "plain"]).current_dir(folder.path()));
    assert_eq!(lies(&folder, "plain", &ALL), ALL);
    said(&mut Command::new(folder.path().join("plain")));
}

/// Where the compiler keeps LLVM's linker, if it brings it along.
fn gcc_ld() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let about = said(Command::new(&rustc).args(["--print", "target-libdir"]));
    format!("{}/../bin/gcc-ld", about.trim())
}

#[test]
fn the_list_is_of_functions_that_are_there() {
    let list = fs::read_to_string(order().join("functions")).unwrap();
    let names: Vec<&str> = list.lines().collect();
    assert!(names.is_sorted() && names.len() > 1_000, "packaging/order/record writes it");
    assert!(names.iter().all(|name| !name.contains(['\t', '/'])), "no path of a machine");
    // `portcullis::hook::decide`: a room, and perhaps its parts.
    let own = names.iter().filter_map(|name| name.strip_prefix("portcullis::")?.split("::").next());
    let (mut there, mut gone) = (0, Vec::new());
    for name in own.filter(|name| *name != "main") {
        let room = Path::new(ROOT).join("src").join(name);
        if room.is_dir() || room.with_extension("rs").is_file() {
            there += 1;
        } else {
            gone.push(name);
        }
    }
    assert!(there > 150, "{there} functions of ours");
    assert!(gone.len() * 10 < there, "the list has aged: run packaging/order/record; {gone:?}");
}
