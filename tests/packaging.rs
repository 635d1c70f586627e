//! What is given out: the package, the version that the program tells, the notices it comes with.
//!
//! The package is made of the program that Cargo built for the tests, unpacked, and used: nothing here
//! builds a release or needs root. `packaging/release` checks of itself that its program is static.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "tests make files and run programs")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The day that packages of these tests are of.
const EPOCH: &str = "1767225600";

/// A folder that vanishes, and children that see nothing of this machine but its programs.
struct Ground {
    folder: TempDir,
}

impl Ground {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("portcullis-pack-").tempdir().unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        Self { folder }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.at("home"))
            .env("TMPDIR", self.folder.path())
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z")
            .env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z")
            .env("SOURCE_DATE_EPOCH", EPOCH)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Cargo and the compiler, which some machines keep below the home folder.
    fn cargo(&self) -> Command {
        let mut cargo = self.command(env!("CARGO"));
        for name in ["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
            if let Some(value) = std::env::var_os(name) {
                cargo.env(name, value);
            }
        }
        cargo
    }

    fn git(&self, folder: &Path, args: &[&str]) -> Command {
        let mut git = self.command("git");
        git.args(["-c", "user.name=alice", "-c", "user.email=alice@example.org", "-C"]);
        git.arg(folder).args(args);
        git
    }
}

/// Runs a child to its end.
fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?} did not start: {error}"))
}

/// Runs a child that has to succeed; what it said on standard output.
#[track_caller]
fn said(command: &mut Command) -> String {
    let output = run(command);
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n{out}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    out
}

/// The part of a text from one word to the next.
#[track_caller]
fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(begin).unwrap_or_else(|| panic!("no {begin:?} in\n{text}"));
    rest.split(end).next().unwrap()
}

#[expect(clippy::print_stdout, clippy::disallowed_macros, reason = "the harness shows it")]
fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !found {
        println!("skipped: {program} is not installed");
    }
    found
}

/// The same, for what `.ci/run` installs: where that has run, to skip is to fail.
fn has(program: &str) -> bool {
    let found = is_there(program);
    assert!(found || std::env::var_os("PORTCULLIS_TEST_NO_SKIP").is_none(), "no {program}");
    found
}

/// Packs the program of the tests; the package's path.
fn packed(ground: &Ground, out: &str) -> PathBuf {
    let mut pack = ground.command(Path::new(ROOT).join("packaging/pack"));
    pack.args(["--binary", env!("CARGO_BIN_EXE_portcullis"), "--only", "deb", "--uncompressed"]);
    let path = said(pack.arg("--out").arg(ground.at(out)));
    PathBuf::from(path.trim_end())
}

/// What the package has besides a manual page for every verb, each with its mode.
const CONTENTS: &[(&str, &str)] = &[
    ("-rwxr-xr-x", "./usr/bin/portcullis"),
    ("-rwxr-xr-x", "./usr/share/portcullis/hooks/pre-receive"),
    ("-rwxr-xr-x", "./usr/share/portcullis/hooks/update"),
    ("-rwxr-xr-x", "./usr/share/portcullis/hooks/post-receive"),
    ("-rwxr-xr-x", "./usr/share/portcullis/audit/verify.sh"),
    ("-rwxr-xr-x", "./usr/share/portcullis/audit/verify.py"),
    ("-rwxr-xr-x", "./usr/share/portcullis/audit/statements.sh"),
    ("-rw-r--r--", "./usr/share/portcullis/config/policy.toml"),
    ("-rw-r--r--", "./usr/share/portcullis/config/timers.conf"),
    ("-rw-r--r--", "./usr/share/portcullis/config/examples/small-team.toml"),
    ("-rw-r--r--", "./usr/lib/systemd/system/portcullis-seal@.service"),
    ("-rw-r--r--", "./usr/lib/systemd/system/portcullis-seal@.timer"),
    ("-rw-r--r--", "./usr/lib/systemd/system/portcullis-tidy@.service"),
    ("-rw-r--r--", "./usr/lib/systemd/system/portcullis-tidy@.timer"),
    ("-rw-r--r--", "./usr/lib/systemd/system/portcullis-prune@.service"),
    ("-rw-r--r--", "./usr/lib/systemd/system/portcullis-prune@.timer"),
    ("-rw-r--r--", "./usr/lib/systemd/system/portcullis-drift@.service"),
    ("-rw-r--r--", "./usr/lib/systemd/system/portcullis-drift@.timer"),
    ("-rw-r--r--", "./usr/lib/systemd/system/portcullis-status@.service"),
    ("-rw-r--r--", "./usr/lib/systemd/system/portcullis-status@.timer"),
    ("-rw-r--r--", "./usr/share/man/man1/portcullis.1.gz"),
    ("-rw-r--r--", "./usr/share/man/man1/portcullis-install.1.gz"),
    ("-rw-r--r--", "./usr/share/man/man1/portcullis-log-seal.1.gz"),
    ("-rw-r--r--", "./usr/share/bash-completion/completions/portcullis"),
    ("-rw-r--r--", "./usr/share/zsh/vendor-completions/_portcullis"),
    ("-rw-r--r--", "./usr/share/fish/vendor_completions.d/portcullis.fish"),
    ("-rw-r--r--", "./usr/share/doc/portcullis/copyright"),
    ("-rw-r--r--", "./usr/share/doc/portcullis/THIRD-PARTY.md"),
    ("-rw-r--r--", "./usr/share/doc/portcullis/changelog.gz"),
    ("-rw-r--r--", "./usr/share/doc/portcullis/changelog.Debian.gz"),
    ("-rw-r--r--", "./usr/share/doc/portcullis/README.md"),
    ("-rw-r--r--", "./usr/share/doc/portcullis/docs/operations.md"),
];

#[test]
fn a_package_is_made_unpacked_and_its_gate_judges() {
    if !["dpkg-deb", "strip", "readelf"].iter().all(|program| has(program)) {
        return;
    }
    let ground = Ground::new();
    let deb = packed(&ground, "out");
    let tree = ground.at("tree");
    lists_what_belongs_to_it(&ground, &deb);
    said(ground.command("dpkg-deb").arg("-x").arg(&deb).arg(&tree));
    said(ground.command("dpkg-deb").arg("-e").arg(&deb).arg(ground.at("control")));
    let sums = ground.at("control/md5sums");
    said(ground.command("md5sum").args(["--check", "--quiet"]).arg(sums).current_dir(&tree));
    texts_are_in_order(&ground, &tree);
    units_can_be_loaded(&ground, &tree);
    hooks_judge(&ground, &tree);
    let again = packed(&ground, "again");
    assert!(fs::read(deb).unwrap() == fs::read(again).unwrap(), "packed again it is another");
}

fn lists_what_belongs_to_it(ground: &Ground, deb: &Path) {
    let field = |name: &str| said(ground.command("dpkg-deb").arg("-f").arg(deb).arg(name));
    assert_eq!(field("Package"), "portcullis\n");
    assert_eq!(field("Version"), format!("{VERSION}-1\n"));
    assert!(field("Depends").starts_with("git (>= "), "{}", field("Depends"));
    assert!(field("Maintainer").contains(" <") && field("Description").lines().count() > 4);
    let arch = field("Architecture");
    if is_there("dpkg") {
        assert_eq!(arch, said(ground.command("dpkg").arg("--print-architecture")));
    }
    let listing = said(ground.command("dpkg-deb").arg("-c").arg(deb));
    let rows: Vec<(&str, &str, &str)> = listing
        .lines()
        .map(|row| {
            let words: Vec<&str> = row.split_whitespace().collect();
            (words[0], words[1], words[5])
        })
        .collect();
    for (mode, path) in CONTENTS {
        assert!(rows.contains(&(mode, "root/root", path)), "no {mode} {path} in\n{listing}");
    }
    for (mode, owner, path) in rows {
        assert_eq!(owner, "root/root", "{path}");
        let is_usual = ["drwxr-xr-x", "-rwxr-xr-x", "-rw-r--r--"].contains(&mode);
        assert!(is_usual, "{mode} {path}");
        // Nothing is an operator's to lose, and nothing is switched on.
        assert!(!path.starts_with("./etc") && !path.contains(".wants/"), "{path}");
    }
}

fn texts_are_in_order(ground: &Ground, tree: &Path) {
    let read = |name: &str| fs::read_to_string(tree.join(name)).unwrap();
    let unpacked = |name: &str| said(ground.command("gzip").arg("-dc").arg(tree.join(name)));
    let copyright = read("usr/share/doc/portcullis/copyright");
    assert!(copyright.contains("License: MIT or Apache-2.0"), "{copyright}");
    assert!(copyright.contains("\n .\n THE SOFTWARE IS PROVIDED"), "{copyright}");
    let begin = format!("portcullis ({VERSION}-1) ");
    let changes = unpacked("usr/share/doc/portcullis/changelog.Debian.gz");
    assert!(changes.starts_with(&begin), "{changes}");
    assert!(changes.contains("Thu, 01 Jan 2026 00:00:00 +0000"), "{changes}");
    assert!(unpacked("usr/share/doc/portcullis/changelog.gz").contains("Keep a Changelog"));
    let page = unpacked("usr/share/man/man1/portcullis-log-tidy.1.gz");
    assert!(page.contains(".TH portcullis-log-tidy 1"), "{page}");
    let completions = tree.join("usr/share/bash-completion/completions/portcullis");
    said(ground.command("bash").arg("-n").arg(&completions));
    assert!(fs::read_to_string(completions).unwrap().contains("uninstall"));
    for script in ["postinst", "prerm", "postrm"] {
        let script = ground.at("control").join(script);
        assert_eq!(fs::metadata(&script).unwrap().permissions().mode() & 0o777, 0o755);
        said(ground.command("sh").arg("-n").arg(script));
    }
    let program = said(ground.command(tree.join("usr/bin/portcullis")).arg("-V"));
    assert!(program.starts_with(&format!("portcullis {VERSION} (")), "{program}");
}

fn units_can_be_loaded(ground: &Ground, tree: &Path) {
    let units = tree.join("usr/lib/systemd/system");
    let here = ground.at("units");
    fs::create_dir(&here).unwrap();
    let mut verify = ground.command("systemd-analyze");
    verify.arg("verify");
    let prune = " --before ${PRUNE_BEFORE} --published ${PRUNE_PUBLISHED} --to ${PRUNE_ARCHIVE}";
    for (verb, more) in [("seal", ""), ("tidy", ""), ("drift", ""), ("prune", prune)] {
        let service =
            fs::read_to_string(units.join(format!("portcullis-{verb}@.service"))).unwrap();
        let call = format!(
            "\nExecStart=/usr/bin/portcullis log {verb} --recursive ${{REPOSITORIES}}{more}\n"
        );
        assert!(service.contains(&call), "{service}");
        assert!(service.contains("\nUser=%i\nEnvironmentFile=/etc/portcullis/%i.conf\n"));
        // The program is not at its place here, and the unit is complained of for that.
        let program = tree.join("usr/bin/portcullis");
        let service = service.replace("/usr/bin/portcullis", program.to_str().unwrap());
        fs::write(here.join(format!("portcullis-{verb}@.service")), service).unwrap();
        let timer = format!("portcullis-{verb}@.timer");
        fs::copy(units.join(&timer), here.join(&timer)).unwrap();
        verify.arg(here.join(format!("portcullis-{verb}@root.timer")));
        verify.arg(here.join(format!("portcullis-{verb}@root.service")));
    }
    if is_there("systemd-analyze") {
        let output = run(verify.arg("--man=no"));
        let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
        let ours: Vec<&str> = complaints.lines().filter(|l| l.contains("portcullis")).collect();
        assert!(ours.is_empty(), "{complaints}");
    }
}

/// A repository that the unpacked program installed into, and a push to it that it refuses.
fn hooks_judge(ground: &Ground, tree: &Path) {
    let program = tree.join("usr/bin/portcullis");
    let (repository, work) = (ground.at("infra.git"), ground.at("work"));
    said(ground.command("git").args(["init", "-q", "--bare", "-b", "main"]).arg(&repository));
    said(ground.command("git").args(["init", "-q", "-b", "main"]).arg(&work));
    said(&mut ground.git(&work, &["commit", "-q", "--allow-empty", "-m", "begin"]));
    let server = repository.to_str().unwrap();
    said(&mut ground.git(&work, &["push", "-q", server, "main"]));
    let policy = ground.at("policy.toml");
    let text = "version = 1\n[rule.merges]\nkind = \"merge\"\nrefs = [\"main\"]\n";
    fs::write(&policy, text).unwrap();
    said(ground.command(&program).args(["install", "--policy"]).arg(&policy).arg(&repository));
    for hook in ["pre-receive", "update", "post-receive"] {
        let packaged = fs::read_to_string(tree.join("usr/share/portcullis/hooks").join(hook));
        let packaged = packaged.unwrap().replace("/usr/bin/portcullis", program.to_str().unwrap());
        let installed = fs::read_to_string(repository.join("hooks").join(hook)).unwrap();
        assert_eq!(packaged, installed, "{hook} of the package is what `install` writes");
    }
    said(&mut ground.git(&work, &["commit", "-q", "--allow-empty", "-m", "straight to main"]));
    let refused = run(&mut ground.git(&work, &["push", server, "main"]));
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && words.contains("by rule `merges`"), "{words}");
    said(&mut ground.git(&work, &["push", "-q", server, "main:refs/heads/topic"]));
    // An upgrade puts a file of the same name in its place: the next push is judged by that one.
    let new = tree.join("usr/bin/portcullis.dpkg-new");
    fs::copy(&program, &new).unwrap();
    fs::rename(&new, &program).unwrap();
    let refused = run(&mut ground.git(&work, &["push", server, "main"]));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("by rule `merges`"));
}

#[test]
fn the_commit_is_learnt_where_there_is_one_and_asked_for_once() {
    let ground = Ground::new();
    let (outer, crate_dir) = (ground.at("outer"), ground.at("outer/crate"));
    fs::create_dir_all(crate_dir.join("src")).unwrap();
    fs::create_dir_all(crate_dir.join("packaging")).unwrap();
    fs::copy(Path::new(ROOT).join("build.rs"), crate_dir.join("build.rs")).unwrap();
    fs::copy(Path::new(ROOT).join("packaging/commit"), crate_dir.join("packaging/commit")).unwrap();
    let manifest = "[package]\nname = \"told\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    fs::write(crate_dir.join("Cargo.toml"), manifest).unwrap();
    let main = "fn main() { println!(\"<{}>\", env!(\"PORTCULLIS_BUILT_COMMIT\")); }\n";
    fs::write(crate_dir.join("src/main.rs"), main).unwrap();
    fs::write(crate_dir.join(".gitignore"), "/target\n").unwrap();
    // Cargo takes a change for one only where the clock of the files has gone on.
    let built = |more: &[(&str, &str)], profile: &[&str]| {
        let mut cargo = ground.cargo();
        cargo.current_dir(&crate_dir).args(["run", "--offline"]).args(profile);
        let output = run(cargo.envs(more.iter().copied()));
        let told = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words}");
        (told, words.contains("Compiling"))
    };
    let release = &["--release"][..];
    // Somebody else's repository around an unpacked archive says nothing.
    said(&mut ground.git(ground.folder.path(), &["init", "-q", "outer"]));
    said(&mut ground.git(&outer, &["commit", "-q", "--allow-empty", "-m", "not ours"]));
    assert_eq!(built(&[], release), ("<>".to_owned(), true));
    assert_eq!(built(&[("PORTCULLIS_COMMIT", "given")], release).0, "<given>");
    said(&mut ground.git(&outer, &["init", "-q", "crate"]));
    said(&mut ground.git(&crate_dir, &["add", "."]));
    said(&mut ground.git(&crate_dir, &["commit", "-q", "-m", "one"]));
    let head = || said(&mut ground.git(&crate_dir, &["rev-parse", "--short=12", "HEAD"]));
    assert_eq!(built(&[], release).0, format!("<{}>", head().trim_end()));
    assert_eq!(built(&[], release), (format!("<{}>", head().trim_end()), false), "built again");
    said(&mut ground.git(&crate_dir, &["commit", "-q", "--allow-empty", "-m", "two"]));
    assert_eq!(built(&[], release).0, format!("<{}>", head().trim_end()));
    // A debug build tells none, and so is not built again with every commit.
    assert_eq!(built(&[], &[]).0, "<>");
    said(&mut ground.git(&crate_dir, &["commit", "-q", "--allow-empty", "-m", "three"]));
    assert_eq!(built(&[], &[]), ("<>".to_owned(), false));
    // What `git archive` makes of the file.
    let whole = said(&mut ground.git(&crate_dir, &["rev-parse", "HEAD"]));
    fs::write(crate_dir.join("packaging/commit"), whole).unwrap();
    fs::remove_dir_all(crate_dir.join(".git")).unwrap();
    assert_eq!(built(&[], release).0.len(), "<>".len() + 12);
    let attributes = fs::read_to_string(Path::new(ROOT).join(".gitattributes")).unwrap();
    assert!(attributes.contains("packaging/commit export-subst"), "{attributes}");
}

#[test]
fn every_package_that_is_linked_is_in_the_notice() {
    let ground = Ground::new();
    let notice = fs::read_to_string(Path::new(ROOT).join("THIRD-PARTY.md")).unwrap();
    let rows = between(&notice, "|---|---|---|\n", "\n\n");
    let mut cargo = ground.cargo();
    cargo.current_dir(ROOT).args(["tree", "--locked", "--offline", "--edges", "normal"]);
    let tree = said(cargo.args(["--edges", "no-proc-macro", "--prefix", "none"]));
    let mut packages: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split_once(" (").map_or(Some(line), |(line, _)| Some(line)))
        .filter(|line| !line.is_empty() && !line.starts_with("portcullis "))
        .collect();
    packages.sort_unstable();
    packages.dedup();
    assert!(packages.len() > 50, "{tree}");
    for package in packages {
        let row = package.replacen(" v", " ", 1);
        assert!(rows.contains(&format!("| {row} |")), "no {row}, run packaging/third-party");
        assert!(
            notice.matches(&row).count() > 1,
            "{row} without a text, run packaging/third-party"
        );
    }
    for words in ["LINKING EXCEPTION", "Jean-loup Gailly", "Rich Felker", "UNICODE LICENSE"] {
        assert!(notice.contains(words), "{words}");
    }
}

#[test]
fn licences_and_changelog_are_those_of_this_version() {
    let read = |name: &str| fs::read_to_string(Path::new(ROOT).join(name)).unwrap();
    assert!(read("Cargo.toml").contains("\nlicense = \"MIT OR Apache-2.0\"\n"));
    assert!(read("LICENSE-MIT").contains("Permission is hereby granted, free of charge"));
    assert!(read("LICENSE-APACHE").contains("END OF TERMS AND CONDITIONS"));
    assert!(read("CHANGELOG.md").contains(&format!("\n## [{VERSION}] - ")), "no {VERSION}");
}

#[test]
fn scripts_are_scripts() {
    let ground = Ground::new();
    let folder = Path::new(ROOT).join("packaging");
    let order = ["order/cc", "order/named", "order/record"];
    let scripts = ["pack", "release", "debian/prerm", "debian/postinst", "debian/postrm"];
    for script in scripts.iter().chain(&order).map(|name| folder.join(name)) {
        assert_eq!(fs::metadata(&script).unwrap().permissions().mode() & 0o111, 0o111);
        said(ground.command("bash").arg("-n").arg(&script));
        if is_there("shellcheck") {
            said(ground.command("shellcheck").arg(&script));
        }
    }
    for wrong in [&["--bogus"][..], &["--out"], &[]] {
        let output = run(ground.command(folder.join("pack")).args(wrong));
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("usage: packaging/pack"));
    }
}
