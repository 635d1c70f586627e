//! Many pushes from one who may not: they cost the log little, and nobody else their turn.
//!
//! With the other tests a bounded part runs. The whole, ten thousand refused pushes:
//!
//! ```sh
//! cargo test --test it -- --ignored ten_thousand
//! ```

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::entries::segments;
use crate::support::policy;
use crate::support::site::Site;

/// How many pushes of the flood are under way at once.
const AT_ONCE: usize = 3;

/// How many refused pushes of one person are written whole in a minute.
const WRITTEN_A_MINUTE: u64 = 60;

/// How long the entry of a refused push may be.
const REFUSED_BYTES_MAX: usize = 4096;

/// How long somebody else may have to wait for a turn; without the flood it is a tenth of a second.
const TURN: Duration = Duration::from_secs(20);

/// So many refused pushes of Carol's, and Bob, who pushes meanwhile.
fn flood(pushes: usize) {
    let site = Site::gated();
    let bob = site.person("bob");
    let (main, zero) = (site.main(), site.zero());
    let (begin, next) = (Instant::now(), AtomicUsize::new(0));
    let mut turns = 0;
    std::thread::scope(|scope| {
        let one = || {
            while next.fetch_add(1, Ordering::Relaxed) < pushes {
                // A deletion needs no pack.
                let request = site.request().command(&main, &zero, "refs/heads/main");
                site.raw("carol", request).took_nothing();
            }
        };
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(one)).collect();
        while threads.iter().any(|thread| !thread.is_finished()) {
            bob.begin("bobs");
            bob.commit("app/bobs", &format!("{turns}\n"));
            let turn = Instant::now();
            bob.push(&["--force", "HEAD:refs/heads/bobs"]).accepted();
            assert!(turn.elapsed() < TURN, "bob waited for {:?}", turn.elapsed());
            turns += 1;
        }
    });
    let minutes = begin.elapsed().as_secs() / 60 + 1;
    // The next entry tells what was counted.
    bob.topic("last", &[("app/last", "new\n")]);
    let log = site.log();
    let carols: Vec<_> =
        log.of("decision").filter(|entry| entry["actor"]["name"] == "carol").collect();
    assert!(carols.iter().all(|entry| entry["verdict"] == "refuse"));
    let written = carols.len() as u64;
    assert!(written <= WRITTEN_A_MINUTE * minutes, "{written} in {minutes} minutes");
    let told = log.all().iter().flat_map(|entry| entry["held"].as_array().into_iter().flatten());
    let told: Vec<_> = told.filter(|held| held["who"] == "carol").collect();
    let held: u64 = told.iter().map(|held| held["n"].as_u64().unwrap()).sum();
    assert_eq!(written + held, pushes as u64, "no refusal goes uncounted");
    assert!(told.iter().all(|held| held["first"].as_str() <= held["last"].as_str()));
    for segment in segments(&site.log_dir()) {
        let text = std::fs::read_to_string(segment).unwrap();
        let refusals = text.lines().filter(|line| line.contains("\"verdict\":\"refuse\""));
        assert!(refusals.map(str::len).all(|length| length < REFUSED_BYTES_MAX));
    }
    assert!(turns > 1);
    site.log_and_refs_agree();
}

#[test]
fn a_flood_of_refused_pushes_is_counted_and_others_get_their_turn() {
    flood(90);
}

#[test]
#[ignore = "takes minutes; run by name"]
fn ten_thousand_refused_pushes_are_counted_and_others_get_their_turn() {
    flood(10_000);
}

#[test]
fn who_fills_the_approvals_meets_a_limit() {
    let limited =
        |most: usize| format!("{}\n[limits]\nstatements-a-day = {most}\n", policy::gated(1));
    let site = Site::new(limited(2));
    let (alice, bob, carol) = (site.person("alice"), site.person("bob"), site.person("carol"));
    let tips: Vec<String> = (0..3)
        .map(|at| alice.topic(&format!("t{at}"), &[("infra/prod/network.tf", &format!("{at}\n"))]))
        .collect();
    site.approve(&bob, &tips[0]).accepted();
    // Three at once are one too many, and two of them would be one too many with the one before.
    let drafts: Vec<_> = tips[1..].iter().map(|tip| site.draft(&bob, tip)).collect();
    let refspecs: Vec<String> = drafts.iter().map(|draft| draft.sign(&bob).refspec()).collect();
    let both: Vec<&str> = refspecs.iter().map(String::as_str).collect();
    let push = bob.push(&both);
    push.refused().says("one more than 2 of bob within a day").says("statements-a-day");
    bob.push(&both[..1]).accepted();
    let push = bob.push(&both[1..]);
    push.refused().says("statements-a-day").says("wait until 20");
    assert_eq!(site.log().last("decision")["verdict"], "refuse");
    // Whoever brings it, it is Bob's word; and others have theirs.
    site.draft(&bob, &tips[2]).push(&carol).refused().says("of bob within a day");
    site.approve(&carol, &tips[2]).accepted();
    // What says no is heard for longer, and then not either.
    let no = |tip: &str, later| site.draft(&bob, tip).verdict("reject").later(later);
    no(&tips[0], 1).push(&bob).accepted();
    no(&tips[1], 1).push(&bob).accepted();
    no(&tips[2], 1).push(&bob).refused().says("one more than 4 of bob");
    site.set_policy(limited(3));
    no(&tips[2], 1).push(&bob).accepted();
    site.log_and_refs_agree();
}
