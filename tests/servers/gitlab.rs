//! GitLab: Gitaly gives Git a hooks folder of its own, and from there runs what it finds in the
//! project's `custom_hooks` and in the server's `custom_hooks_dir`.
//!
//! Its habits: first the project's `HOOK`, then the project's `HOOK.d/*`, then the server's
//! `HOOK.d/*`, each in the order of their names; it stops at the first no; what may not be run, or
//! whose name ends in `~`, is passed over. Hooks run in the repository's folder with a small
//! environment: Git's two object variables are in it, `GIT_QUARANTINE_PATH` is not.

use std::fs;
use std::path::Path;

use crate::door;
use crate::server::{Server, photo, whole_life, whole_life_with};

/// Makes Gitaly's hooks, which run the custom ones.
fn gitaly(server: &Server, global: &Path) {
    let hooks = server.ground().at("gitaly/hooks");
    let script = format!(
        "#!/bin/sh\nhook=$(basename \"$0\")\nrepository=$(pwd)\nlines=/dev/null\n\
         [ \"$hook\" = update ] || {{ lines=$(mktemp); cat >\"$lines\"; }}\n\
         for each in custom_hooks/$hook custom_hooks/$hook.d/* '{}'/$hook.d/*; do\n\
         \tcase $each in *~) continue ;; esac\n\
         \t[ -f \"$each\" ] && [ -x \"$each\" ] || continue\n\
         \tenv -i PATH=\"$PATH\" HOME=\"$HOME\" GIT_DIR=\"$repository\" \\\n\
         \t\t${{GIT_OBJECT_DIRECTORY:+GIT_OBJECT_DIRECTORY=\"$GIT_OBJECT_DIRECTORY\"}} \\\n\
         \t\t${{GIT_ALTERNATE_OBJECT_DIRECTORIES:+GIT_ALTERNATE_OBJECT_DIRECTORIES=\"$GIT_ALTERNATE_OBJECT_DIRECTORIES\"}} \\\n\
         \t\tGL_ID=\"$GL_ID\" GL_USERNAME=\"$GL_USERNAME\" GL_PROTOCOL=\"$GL_PROTOCOL\" \\\n\
         \t\t$(env | grep ^GIT_PUSH_OPTION_) GL_REPOSITORY=project-1 GL_PROJECT_PATH=acme/infra \\\n\
         \t\t\"$each\" \"$@\" <\"$lines\" || exit 1\ndone\n",
        global.display()
    );
    for hook in ["pre-receive", "update", "post-receive"] {
        door::write_script(&hooks.join(hook), &script);
    }
    come_by(server, "ssh");
}

/// The server's doors: `ssh`, `http`, or a button on one of its pages, `web`.
fn come_by(server: &Server, protocol: &str) {
    let hooks = server.ground().at("gitaly/hooks");
    let call = format!("git -c core.hooksPath='{}' \"$command\" \"$path\"", hooks.display());
    let variables = format!("GL_ID=user-7 GL_USERNAME=\"$who\" GL_PROTOCOL={protocol}");
    door::open(server, &variables, &call);
}

/// A project, and the server's folder of hooks, with somebody else's in it.
fn project() -> (Server, std::path::PathBuf) {
    let server = Server::new("platform = \"gitlab\"");
    let global = server.ground().at("var/opt/gitlab/gitaly/custom_hooks");
    door::write_script(&global.join("pre-receive.d/10-theirs"), "#!/bin/sh\ncat >/dev/null\n");
    gitaly(&server, &global);
    let url = door::url(&server);
    (server.reached_by(url), global)
}

#[test]
fn a_project_s_own_hooks() {
    let (server, _) = project();
    // A project that has custom hooks of its own already.
    for hook in ["pre-receive", "update", "post-receive"] {
        let theirs = server.path().join(format!("custom_hooks/{hook}.d/10-theirs"));
        door::write_script(&theirs, "#!/bin/sh\nexit 0\n");
    }
    whole_life_with(&server, "gitlab", |alice, _| {
        // A page shows no other lines than these.
        come_by(&server, "web");
        alice.begin("button");
        alice.commit("app/b", "b\n");
        let push = alice.push(&["HEAD:refs/heads/main"]);
        let said = push.said();
        assert!(said.contains("refused by rule `main-takes-merges`"), "{said}");
        assert!(said.lines().all(|line| line.starts_with("GL-HOOK-ERR:")), "{said}");
        come_by(&server, "ssh");
    });
}

#[test]
fn hooks_for_all_projects() {
    let (server, global) = project();
    let before = photo(&global);
    whole_life(&server, "gitlab-global");
    let mut after = photo(&global);
    // The folders of hooks stay.
    after.retain(|path, _| {
        path.extension().is_none_or(|end| end != "d") || before.contains_key(path)
    });
    assert_eq!(after, before);
    assert!(!server.path().join("custom_hooks").exists());

    // What came in while no hooks were there is somebody's to answer for, before they are again.
    let (answered, said) = server.portcullis(&["log", "drift", "--accept", "the hooks were away"]);
    assert!(answered, "{said}");
    // A project that nobody installed: its pushes cannot be judged, so they are refused.
    server.follow("gitlab-global", "install");
    fs::remove_file(server.path().join("config")).unwrap();
    fs::write(server.path().join("config"), "[core]\n\tbare = true\n").unwrap();
    fs::remove_dir_all(server.path().join("portcullis")).unwrap();
    let bob = server.person("late");
    bob.begin("mine");
    bob.commit("app/x", "x\n");
    bob.push(&["HEAD:refs/heads/mine"]).refused().says("could not be judged");
}
