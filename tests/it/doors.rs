//! Who pushes: one source for each way in, and nothing else is believed.

use crate::support::ground::run;
use crate::support::person::{Person, WHO};
use crate::support::policy;
use crate::support::push::Pushed;
use crate::support::site::Site;

/// The people and rules of these tests, with another `[identity]`.
fn with_identity(identity: &str) -> String {
    let whole = policy::gated(1);
    let (start, rest) = whole.split_once("[identity]\n").unwrap();
    let (_, people) = rest.split_once("\n\n").unwrap();
    format!("{start}[identity]\n{identity}\n\n{people}")
}

/// Somebody with a new commit, pushed to a new branch with these variables around receive-pack.
struct Door {
    site: Site,
    somebody: Person,
}

impl Door {
    fn new(policy: String) -> Self {
        let site = Site::new(policy);
        let somebody = site.person("somebody");
        somebody.begin("mine");
        somebody.commit("app/x", "new\n");
        Self { site, somebody }
    }

    fn push(&self, branch: &str, variables: &[(&str, &str)]) -> Pushed {
        let mut git = self.somebody.git(&["push"]);
        git.env_remove(WHO).envs(variables.iter().copied());
        git.arg(self.site.path()).arg(format!("HEAD:refs/heads/{branch}"));
        Pushed::of(&run(&mut git))
    }

    /// The push is taken, and the log names this person and this way in.
    #[track_caller]
    fn knows(&self, branch: &str, variables: &[(&str, &str)], name: &str, door: &str) {
        self.push(branch, variables).accepted();
        let log = self.site.log();
        let actor = &log.last("decision")["actor"];
        assert_eq!((&actor["name"], &actor["door"]), (&name.into(), &door.into()));
    }

    /// The push is refused, and nothing has moved.
    #[track_caller]
    fn refuses(&self, variables: &[(&str, &str)]) {
        let before = self.site.refs();
        self.push("refused", variables).refused();
        assert_eq!(self.site.refs(), before);
    }
}

#[test]
fn f13_each_way_in_has_one_source_and_none_falls_back_on_another() {
    let door = Door::new(policy::gated(1));
    let ssh = ("SSH_CONNECTION", "127.0.0.1 1 127.0.0.1 22");
    let http = ("GATEWAY_INTERFACE", "CGI/1.1");
    door.knows("local", &[(WHO, "alice")], "alice", "local");
    door.knows("http", &[http, ("REMOTE_USER", "bob")], "bob", "http");
    door.knows("both", &[http, ("REMOTE_USER", "bob"), (WHO, "alice")], "bob", "http");
    for variables in [
        &[][..],
        &[(WHO, "")],
        &[("REMOTE_USER", "alice")],
        &[http],
        &[http, (WHO, "alice")],
        &[ssh],
        &[ssh, (WHO, "alice")],
        &[ssh, http, ("REMOTE_USER", "alice"), (WHO, "alice")],
        &[ssh, ("SSH_USER_AUTH", "/not-there")],
        &[ssh, ("SSH_USER_AUTH", "/dev/null")],
        &[("GL_USER", "alice"), ("GITEA_PUSHER_NAME", "alice"), ("LOGNAME", "alice")],
    ] {
        door.refuses(variables);
    }
    door.site.log_and_refs_agree();
}

#[test]
fn the_platform_says_who_pushes() {
    let door = Door::new(policy::gated(1));
    let platforms: [(&str, &[(&str, &str)]); 6] = [
        ("gitolite", &[("GL_USER", "alice")]),
        ("gitea", &[("GITEA_PUSHER_NAME", "alice"), ("GITEA_PUSHER_ID", "7")]),
        ("gitlab", &[("GL_ID", "user-7"), ("GL_USERNAME", "alice")]),
        ("github", &[("GITHUB_USER_LOGIN", "alice")]),
        ("bitbucket", &[("BB_USER_NAME", "alice"), ("BB_IS_DRY_RUN", "false")]),
        ("soft-serve", &[("SOFT_SERVE_USERNAME", "alice")]),
    ];
    for (platform, variables) in platforms {
        door.site.set_policy(with_identity(&format!("platform = \"{platform}\"")));
        door.knows(platform, variables, "alice", "local");
        // What tells people apart elsewhere, and on any other platform, names nobody here.
        let others = platforms.iter().filter(|(other, _)| *other != platform);
        let mut all: Vec<(&str, &str)> =
            others.flat_map(|(_, variables)| variables.iter().copied()).collect();
        all.extend([(WHO, "alice"), ("REMOTE_USER", "alice"), ("LOGNAME", "alice")]);
        door.refuses(&all);
    }
    let gitea = &[("GITEA_PUSHER_NAME", "alice"), ("GITEA_DEPLOY_KEY_ID", "12")];
    door.site.set_policy(with_identity("platform = \"gitea\""));
    door.push("by-key", gitea).accepted();
    let log = door.site.log();
    let actor = &log.last("decision")["actor"];
    assert_eq!(
        (&actor["login"], &actor["name"]),
        (&"deploy-key-12".into(), &serde_json::Value::Null)
    );
}

#[test]
fn a_login_is_not_always_a_name() {
    let text = policy::gated(1)
        .replace("[people.alice]", "[people.alice]\nlogins = [\"a.smith\", \"alice\"]");
    let door = Door::new(text);
    door.knows("one", &[(WHO, "a.smith")], "alice", "local");
    door.knows("two", &[(WHO, "alice")], "alice", "local");
}

#[test]
fn somebody_unlisted_may_push_a_branch_and_review_nothing() {
    let site = Site::gated();
    let (alice, zed) = (site.person("alice"), site.person("zed"));
    let tip = alice.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
    zed.topic("zeds", &[("app/z", "hello\n")]);
    assert_eq!(site.log().last("decision")["actor"]["login"], "zed");
    site.approve(&zed, &tip).refused();
    zed.land(&tip).refused_by("infra-review");
    site.log_and_refs_agree();
}

#[test]
fn somebody_unlisted_may_be_refused_altogether() {
    let whole = policy::gated(1).replace("[identity]\n", "[identity]\nunlisted = \"refuse\"\n");
    let door = Door::new(whole);
    door.refuses(&[(WHO, "zed")]);
    door.push("mine", &[(WHO, "alice")]).accepted();
}

#[test]
fn f15_what_an_unlisted_login_brought_needs_one_approval_more() {
    let site = Site::gated();
    let (zed, bob, carol) = (site.person("zed"), site.person("bob"), site.person("carol"));
    let tip = zed.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
    site.approve(&bob, &tip).accepted();
    carol.fetch();
    carol.land(&tip).refused_by("infra-review").says("1 of 2 approvals");
    site.approve(&carol, &tip).accepted();
    carol.land(&tip).accepted();
}

#[test]
fn f13_the_account_of_the_process_names_the_pusher_whatever_the_environment_claims() {
    let door = Door::new(with_identity("local = \"os-user\""));
    door.push("mine", &[("USER", "alice"), ("LOGNAME", "alice")]).accepted();
    let account =
        String::from_utf8(run(door.site.ground().command("id").arg("-un")).stdout).unwrap();
    let log = door.site.log();
    let actor = &log.last("decision")["actor"];
    assert_eq!(actor["login"], account.trim_end());
    assert_ne!(actor["name"], "alice");
}
