//! Who pushes on each platform, and that whatever is missing or does not fit names nobody.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use proptest::prelude::{any, prop_assert, proptest};
use proptest::sample::select;

use crate::identity::PLATFORMS;
use crate::push::env::Env;

fn env(variables: &[(&str, &str)]) -> Env {
    Env::new(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())))
}

fn asked(platform: &str, variables: &[(&str, &str)]) -> Result<String, String> {
    let platform = PLATFORMS.iter().find(|known| known.name == platform).unwrap();
    (platform.login)(&env(variables))
}

/// The variables that each platform sets for a push by Alice.
const BY_ALICE: &[(&str, &[(&str, &str)])] = &[
    ("gitolite", &[("GL_USER", "alice"), ("GL_REPO", "infra")]),
    ("gitea", &[("GITEA_PUSHER_NAME", "alice"), ("GITEA_PUSHER_ID", "7")]),
    ("gitlab", &[("GL_USERNAME", "alice"), ("GL_ID", "user-7"), ("GL_PROTOCOL", "ssh")]),
    ("github", &[("GITHUB_USER_LOGIN", "alice"), ("GITHUB_VIA", "pull request merge button")]),
    ("bitbucket", &[("BB_USER_NAME", "alice"), ("BB_IS_DRY_RUN", "false")]),
    ("soft-serve", &[("SOFT_SERVE_USERNAME", "alice"), ("SOFT_SERVE_PUBLIC_KEY", "ssh-ed25519 A")]),
];

#[test]
fn each_platform_names_who_pushed() {
    assert_eq!(PLATFORMS.len(), BY_ALICE.len());
    for (platform, variables) in BY_ALICE {
        assert_eq!(asked(platform, variables).as_deref(), Ok("alice"), "{platform}");
    }
}

#[test]
fn no_platform_is_content_with_the_variables_of_another() {
    for (platform, _) in BY_ALICE {
        for (other, variables) in BY_ALICE.iter().filter(|(other, _)| other != platform) {
            assert!(asked(platform, variables).is_err(), "{platform} took what {other} sets");
        }
        let usual = [("USER", "alice"), ("LOGNAME", "alice"), ("REMOTE_USER", "alice")];
        assert!(asked(platform, &usual).is_err(), "{platform}");
    }
}

#[test]
fn a_name_that_is_missing_empty_or_there_twice_is_nobodys() {
    for (platform, variables) in BY_ALICE {
        let source = variables[0].0;
        let others = || variables.iter().copied().skip(1);
        let with = |value| others().chain([(source, value)]).collect::<Vec<_>>();
        assert!(asked(platform, &others().collect::<Vec<_>>()).is_err(), "{platform}: missing");
        assert!(asked(platform, &with("")).is_err(), "{platform}: empty");
        let mut twice = with("alice");
        twice.push((source, "bob"));
        assert!(asked(platform, &twice).unwrap_err().contains("twice"), "{platform}");
        let login = PLATFORMS.iter().find(|known| known.name == *platform).unwrap().login;
        let raw = OsString::from_vec(b"al\xffice".to_vec());
        let whole = others().map(|(name, value)| (name.into(), value.into()));
        assert!(login(&Env::new(whole.chain([(source.into(), raw)]))).is_err(), "{platform}");
    }
}

#[test]
fn a_deploy_key_is_not_whom_its_repository_belongs_to() {
    let key = |number| [("GITEA_PUSHER_NAME", "alice"), ("GITEA_DEPLOY_KEY_ID", number)];
    assert_eq!(asked("gitea", &key("12")).as_deref(), Ok("deploy-key-12"));
    assert_eq!(asked("gitea", &key("0")).as_deref(), Ok("alice"));
    let lab = |id: &str| asked("gitlab", &[("GL_USERNAME", "alice"), ("GL_ID", id)]);
    assert_eq!(lab("key-12").as_deref(), Ok("deploy-key-12"));
    for number in ["", "-1", "1 ", "x", "1/../alice"] {
        assert!(asked("gitea", &key(number)).is_err(), "{number:?}");
        assert!(lab(&format!("key-{number}")).is_err(), "{number:?}");
        assert!(lab(&format!("user-{number}")).is_err(), "{number:?}");
    }
}

#[test]
fn what_does_not_fit_the_name_names_nobody() {
    let alice = ("GL_USER", "alice");
    assert!(asked("gitolite", &[alice, ("GL_BYPASS_ACCESS_CHECKS", "1")]).is_err());
    assert!(asked("gitolite", &[alice, ("GL_BYPASS_ACCESS_CHECKS", "")]).is_err());
    for id in ["0", "", "alice", "7 "] {
        let variables = [("GITEA_PUSHER_NAME", "alice"), ("GITEA_PUSHER_ID", id)];
        assert!(asked("gitea", &variables).is_err(), "{id:?}");
    }
    // The platform's own machines have numbers below zero.
    let machine = [("GITEA_PUSHER_NAME", "gitea-actions"), ("GITEA_PUSHER_ID", "-2")];
    assert_eq!(asked("gitea", &machine).as_deref(), Ok("gitea-actions"));
    assert!(asked("gitlab", &[("GL_USERNAME", "alice")]).is_err());
    assert!(asked("gitlab", &[("GL_USERNAME", "alice"), ("GL_ID", "alice")]).is_err());
    for dry in ["true", "", "False"] {
        let variables = [("BB_USER_NAME", "alice"), ("BB_IS_DRY_RUN", dry)];
        assert!(asked("bitbucket", &variables).is_err(), "{dry:?}");
    }
    // Names of before are no second source.
    assert!(asked("bitbucket", &[("STASH_USER_NAME", "alice")]).is_err());
    let author = [("GITHUB_PULL_REQUEST_AUTHOR_LOGIN", "alice")];
    assert!(asked("github", &author).is_err());
}

/// Every variable that any platform looks at, and neighbours that none should.
const VARIABLES: &[&str] = &[
    "GL_USER",
    "GL_BYPASS_ACCESS_CHECKS",
    "GITEA_PUSHER_NAME",
    "GITEA_PUSHER_ID",
    "GITEA_DEPLOY_KEY_ID",
    "GL_USERNAME",
    "GL_ID",
    "GITHUB_USER_LOGIN",
    "BB_USER_NAME",
    "BB_IS_DRY_RUN",
    "SOFT_SERVE_USERNAME",
    "GITEA_PUSHER_EMAIL",
    "GITHUB_PULL_REQUEST_AUTHOR_LOGIN",
    "STASH_USER_NAME",
    "REMOTE_USER",
    "USER",
];

/// Values that could be taken for something.
const VALUES: &[&str] = &["alice", "bob", "", "0", "1", "-2", "user-1", "key-1", "true", "false"];

proptest! {
    #[test]
    fn whatever_is_set_a_platform_names_its_own_variables_value_or_nobody(
        picked in proptest::collection::vec((select(VARIABLES), select(VALUES)), 0..12),
        odd in any::<String>(),
    ) {
        let mut variables = picked;
        variables.push(("GITEA_KEY_ID", &odd));
        for platform in PLATFORMS {
            let Ok(login) = (platform.login)(&env(&variables)) else { continue };
            let own = variables.iter().any(|(name, value)| {
                *name == platform.source && *value == login
            });
            prop_assert!(own || login == "deploy-key-1", "{}: {login:?} of {variables:?}", platform.name);
        }
    }
}
