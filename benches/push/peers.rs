//! A small push beside what other servers run in our place: the usual shell loop, and the `update`
//! hook of gitolite where it is installed. Both are asked for less than we are: which branches take
//! no direct commits, and two patterns of paths.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::ground::{Captured, Ground, Kept, Stream, path};
use crate::timing::{Variant, interleaved};
use crate::{Scale, row};

/// What most hooks that are written by hand come to: a git for each ref, and one for each commit.
const SHELL: &str = "zero=0000000000000000000000000000000000000000
while read -r old new ref; do
  [ \"$new\" != $zero ] || continue
  if [ \"$ref\" = refs/heads/main ] && [ \"$(git rev-list --parents -n 1 \"$new\" | wc -w)\" -lt 3 ]; then
    echo 'merge requests only' >&2; exit 1
  fi
  if [ \"$old\" = $zero ]; then range=$new; else range=$old..$new; fi
  for commit in $(git rev-list \"$range\" --not --all); do
    git diff-tree --no-commit-id --name-only -r \"$commit\" | while read -r name; do
      case $name in secrets/* | *.tfstate) echo \"$name is not for this repository\" >&2; exit 1;; esac
    done || exit 1
  done
done
";

/// The same for gitolite.
const GITOLITE: &str = "repo gitolite-admin
    RW+ = admin
repo bench
    -   refs/heads/main$ = alice
    RW+ = alice
    -   VREF/NAME/secrets/ = alice
    -   VREF/NAME/.*\\.tfstate$ = alice
";

/// Where Debian puts gitolite.
const LIBRARY: &str = "/usr/share/gitolite3";

/// The rows of the table.
pub(crate) fn rows(scale: &Scale) {
    let ground = Ground::new();
    let server = ground.repository("server.git", scale.history, scale.files);
    let tip = ground.git(&server, &["rev-parse", "main"]);
    let mut stream = Stream::default();
    stream.commit("refs/heads/a", Some(&tip), &[path(1)], None);
    stream.commit("refs/heads/x", Some(&tip), &["secrets/key".to_owned()], None);
    let client = ground.client("client.git", &server, &stream);
    fs::write(ground.at("shell"), SHELL).unwrap();
    if has_gitolite() {
        set_up_gitolite(&ground);
    } else {
        println!("| gitolite is not installed here | | | | |");
    }
    ground.install(&server);
    // Who lets everything pass is no peer.
    let refused = ground.capture(&client, &server, &["x:refs/heads/feature"]);
    for peer in peers(&ground, &refused) {
        let mut hook = (peer.command)(0);
        hook.stdin(fs::File::open(&refused.stdin).unwrap()).stderr(Stdio::null());
        assert!(!hook.status().unwrap().success(), "{} looks at no paths", peer.name);
    }
    let captured = ground.capture(&client, &server, &["a:refs/heads/feature"]);
    ground.warm(&captured);
    let kept = Kept::of(&server);
    let ours = Variant {
        name: "ours",
        command: Box::new(|_| ground.ours(&captured)),
        before: Box::new(|_| kept.put_back()),
        stdin: Some(captured.stdin.clone()),
        code: 0,
    };
    let mut variants = peers(&ground, &captured);
    variants.insert(0, ours);
    let found = interleaved(&variants, scale.rounds / 2 + 1);
    for peer in &found[1..] {
        row(&format!("a, beside {}", peer.name), &found[0], peer);
    }
}

fn has_gitolite() -> bool {
    Path::new(LIBRARY).join("lib").is_dir()
}

fn peers<'a>(ground: &'a Ground, captured: &'a Captured) -> Vec<Variant<'a>> {
    let mut peers = vec![("the usual shell loop", shell(ground, captured))];
    if has_gitolite() {
        peers.push(("gitolite's update hook", gitolite(ground, captured)));
    }
    let variant = |(name, command): (&'a str, Hook<'a>)| Variant {
        name,
        command: Box::new(move |_| command()),
        before: Box::new(|_| {}),
        stdin: Some(captured.stdin.clone()),
        code: 0,
    };
    peers.into_iter().map(variant).collect()
}

/// A hook as it is run.
type Hook<'a> = Box<dyn Fn() -> Command + 'a>;

fn shell<'a>(ground: &'a Ground, captured: &'a Captured) -> Hook<'a> {
    let command = || {
        let mut command = ground.in_hook(captured, "/bin/sh");
        command.arg(ground.at("shell"));
        command
    };
    Box::new(command)
}

/// An `update` hook: what the others read, this one gets as arguments.
fn gitolite<'a>(ground: &'a Ground, captured: &'a Captured) -> Hook<'a> {
    let given = fs::read_to_string(&captured.stdin).unwrap();
    let words: Vec<String> = given.split_whitespace().map(str::to_owned).collect();
    let home = ground.at("gitolite");
    let command = move || {
        let hook = home.join(".gitolite/hooks/common/update");
        let mut command = ground.in_hook(captured, hook);
        command.args([&words[2], &words[0], &words[1]]).env("HOME", &home);
        command.envs([("GL_REPO", "bench"), ("GL_USER", "alice"), ("GL_TID", "1")]);
        command.envs(gitolite_folders(&home));
        command
    };
    Box::new(command)
}

fn gitolite_folders(home: &Path) -> [(&'static str, OsString); 5] {
    [
        ("GL_BINDIR", LIBRARY.into()),
        ("GL_LIBDIR", Path::new(LIBRARY).join("lib").into()),
        ("GL_REPO_BASE", home.join("repositories").into()),
        ("GL_ADMIN_BASE", home.join(".gitolite").into()),
        ("GL_LOGFILE", home.join("log").into()),
    ]
}

fn set_up_gitolite(ground: &Ground) {
    let home = ground.at("gitolite");
    fs::create_dir(&home).unwrap();
    let run = |words: &[&str]| {
        let mut command = ground.command("gitolite");
        command.args(words).env("HOME", &home).env("USER", "alice").current_dir(&home);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    run(&["setup", "-a", "admin"]);
    fs::write(home.join(".gitolite/conf/gitolite.conf"), GITOLITE).unwrap();
    run(&["compile"]);
}
