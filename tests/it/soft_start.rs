//! The first weeks: everything is judged, told and logged, and nothing is refused until its day.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::support::policy;
use crate::support::site::Site;

const NETWORK: &str = "infra/prod/network.tf";

/// The usual policy, at level warn until a day that is so many days from today, UTC.
fn soft(days: i64) -> String {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let day = today.saturating_add(days.days());
    policy::gated(1).replacen(
        "version = 1\n",
        &format!("version = 1\nlevel = \"warn\"\nuntil = \"{day}\"\n"),
        1,
    )
}

/// What `log show` prints for these words.
fn show(site: &Site, words: &[&str]) -> String {
    let output = site.verb(&[&["log", "show"], words].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_would_be_refused_is_told_and_logged_until_its_day_and_refused_from_then_on() {
    // A day that is not over while this runs, whatever the hour.
    let site = Site::new(soft(2));
    let alice = site.person("alice");
    alice.begin("main");
    let first = alice.commit(NETWORK, "port 8443\n");
    let push = alice.push(&["main"]);
    push.accepted()
        .says("warning: refs/heads/main is at odds with rule `main-takes-merges`")
        .says("warning: refs/heads/main is at odds with rule `infra-review`")
        .says("(a warning until ")
        .is_silent_about("refused");
    assert_eq!(site.main(), first);
    let decision = site.log();
    let decision = decision.last("decision");
    assert_eq!(
        (&decision["verdict"], &decision["refs"][0]["verdict"]),
        (&"warn".into(), &"warn".into())
    );
    // Beside it, a push that nobody minds.
    alice.topic("quiet", &[("app/y", "x\n")]);

    let warned = show(&site, &["--verdict", "warned"]);
    assert_eq!(warned.lines().count(), 1, "{warned}");
    assert!(warned.contains("warned by main-takes-merges, infra-review"), "{warned}");
    let entry = decision["seq"].to_string();
    assert!(warned.trim_start().starts_with(&entry), "{warned}");
    let whole = show(&site, &["--verdict", "warned", "--full"]);
    assert!(whole.contains("infra/prod/network.tf changed, 0 of 1 approval"), "{whole}");
    assert!(show(&site, &["--verdict", "accepted"]).contains("refs/heads/quiet"));
    assert_eq!(show(&site, &["--verdict", "refused"]), "");

    // The day itself begins at 00:00 UTC: today is a day that has begun.
    site.set_policy(soft(0));
    let before = site.main();
    alice.begin("main");
    alice.commit(NETWORK, "port 1\n");
    alice.push(&["main"]).refused_by("infra-review").refused_by("main-takes-merges");
    assert_eq!(site.main(), before);
    let refused = show(&site, &["--verdict", "refused"]);
    assert!(refused.contains("refused by main-takes-merges, infra-review"), "{refused}");
    assert_eq!(show(&site, &["--verdict", "warned"]).lines().count(), 1);
    site.log_and_refs_agree();
}

#[test]
fn a_rule_that_says_so_itself_refuses_from_the_first_day() {
    let strict = "why = \"production is built from here\"\nlevel = \"refuse\"\n";
    let policy = soft(30).replace("why = \"production is built from here\"\n", strict);
    let site = Site::new(policy);
    let alice = site.person("alice");
    alice.begin("main");
    alice.commit(NETWORK, "port 1\n");
    let push = alice.push(&["main"]);
    push.refused_by("infra-review").says("warning: refs/heads/main is at odds with rule");
    alice.begin("main");
    alice.commit("app/x", "c\n");
    alice.push(&["main"]).accepted().says("at odds with rule `main-takes-merges`");
    site.log_and_refs_agree();
}
