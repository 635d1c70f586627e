//! Gitea, Forgejo, Soft Serve: the server's own `hooks/HOOK` runs everything in `hooks/HOOK.d`.
//!
//! Its habits: it reads all of its input and hands it on through a pipe; it runs every file, also
//! after a no, and says no at the end with the first no's exit code; with nothing to hand on, it hands
//! on an empty line; `update.d` gets three words. Files that may not be run are passed over.

use std::fs;
use std::path::Path;

use crate::door;
use crate::server::{Server, whole_life};
use crate::support::ground::feed;

/// What the server itself writes into a repository, and writes again whenever it likes.
fn own_hooks(repository: &Path, name: &str) {
    let hooks = repository.join("hooks");
    for hook in ["pre-receive", "update", "post-receive"] {
        let (read, give) = match hook {
            "update" => ("", "\"$each\" $1 $2 $3"),
            _ => ("lines=$(cat)\n", "echo \"$lines\" | \"$each\""),
        };
        let runner = format!(
            "#!/usr/bin/env bash\n{read}codes=\n\
             for each in \"${{GIT_DIR:-$(dirname \"$0\")/..}}\"/hooks/{hook}.d/*; do\n\
             \t[ -f \"$each\" ] && [ -x \"$each\" ] || continue\n\t{give}\n\tcodes=\"$codes $?\"\ndone\n\
             for code in $codes; do [ \"$code\" -eq 0 ] || exit \"$code\"; done\n"
        );
        door::write_script(&hooks.join(hook), &runner);
        door::write_script(
            &hooks.join(format!("{hook}.d")).join(name),
            "#!/bin/sh\ncat >/dev/null\n",
        );
    }
}

/// The server of this name behind its door.
fn server(name: &str, identity: &str, variables: &str) -> Server {
    let server = Server::new(identity);
    own_hooks(server.path(), name);
    door::open(&server, variables, "git shell -c \"git-$command '$path'\"");
    let url = door::url(&server);
    server.reached_by(url)
}

fn life(server: &Server, name: &str) {
    whole_life(server, name);
    let log = server.log();
    assert_eq!(log.last("decision")["actor"]["door"], "ssh");
}

const GITEA: &str = "GITEA_PUSHER_NAME=\"$who\" GITEA_PUSHER_ID=7 GITEA_REPO_NAME=infra \
    GITEA_REPO_USER_NAME=acme GITEA_PUSHER_EMAIL=\"$who@example.org\"";

#[test]
fn gitea() {
    life(&server("gitea", "platform = \"gitea\"", GITEA), "gitea");
}

#[test]
fn forgejo() {
    life(&server("gitea", "platform = \"gitea\"", GITEA), "forgejo");
}

#[test]
fn soft_serve() {
    let variables = "SOFT_SERVE_USERNAME=\"$who\" SOFT_SERVE_REPO_NAME=infra";
    life(&server("soft-serve", "platform = \"soft-serve\"", variables), "soft-serve");
}

#[test]
fn the_runner_s_habits_let_nothing_past_us_and_nothing_of_theirs_past_the_log() {
    let server = server("gitea", "platform = \"gitea\"", GITEA);
    server.follow("gitea", "install");
    let ground = server.ground();
    // Theirs runs after ours and leaves a trace; it is not asked about what ours said.
    let trace = ground.at("trace");
    let theirs = server.path().join("hooks/pre-receive.d/zz-theirs");
    let script = |code| format!("#!/bin/sh\ncat >>'{}'\nexit {code}\n", trace.display());
    door::write_script(&theirs, &script(0));
    let alice = server.person("alice");
    alice.begin("straight");
    let tip = alice.commit("app/x", "x\n");
    alice.push(&["HEAD:refs/heads/main"]).refused_by("main-takes-merges");
    assert!(fs::read_to_string(&trace).unwrap().contains(&tip), "a later hook runs after our no");

    // Theirs may refuse what ours accepted: then nothing was applied, and the log says so.
    door::write_script(&theirs, &script(3));
    let push = alice.push(&["HEAD:refs/heads/straight"]);
    assert!(!push.is_accepted(), "{}", push.whole());
    assert_eq!(server.log().last("decision")["verdict"], "accept");
    fs::remove_file(&theirs).unwrap();
    alice.push(&["HEAD:refs/heads/other"]).accepted();
    assert_eq!(server.ends_of("refs/heads/straight"), ["not-applied"]);

    // The server writes its own files again: ours stay, and doctor is content.
    own_hooks(server.path(), "gitea");
    let said = server.follow("gitea", "check");
    assert!(!said.contains("error"), "{said}");
    alice.push(&["HEAD:refs/heads/main"]).refused_by("main-takes-merges");

    // Handed nothing, it hands on an empty line: that is no push, and no yes to one.
    for (hook, code) in [("pre-receive", false), ("post-receive", true)] {
        let mut runner = ground.command(server.path().join("hooks").join(hook));
        runner.current_dir(server.path()).env("GIT_DIR", ".").env("GITEA_PUSHER_NAME", "alice");
        let output = feed(&mut runner, b"");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), code, "{hook}: {said}");
    }
    assert_eq!(server.log().of("decision").count(), 4);

    // A person that the server does not name is nobody.
    door::open(&server, "GITEA_PUSHER_ID=7", "git shell -c \"git-$command '$path'\"");
    alice.push(&["HEAD:refs/heads/nobodys"]).refused().says("GITEA_PUSHER_NAME");
    server.log_and_refs_agree();
}
