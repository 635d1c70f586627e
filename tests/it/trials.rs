//! What `lint --cases` says of a push that nobody has made is what the gate says of it when somebody
//! makes it.

use std::fs;

use crate::support::policy;
use crate::support::site::Site;

/// The words of the cases, in the order in which the test makes the pushes.
const CASES: &str = "\
== a change of infrastructure
alice commits to main
  modifies infra/prod/network.tf
=> refused by infra-review and main-takes-merges
alice merges into main
  modifies infra/prod/network.tf
=> refused by infra-review
alice merges into main
  unseen
  modifies app/x
=> refused by main-takes-merges
alice merges into main
  modifies infra/prod/network.tf
  approved by dave
=> refused by infra-review
alice merges into main
  modifies infra/prod/network.tf
  approved by bob
=> accepted
alice rewinds main
=> refused by protected
alice deletes main
=> refused by protected
alice creates mine
=> accepted
";

#[test]
fn cases_and_pushes_have_the_same_answers() {
    let site = Site::new(policy::gated(1));
    let cases = site.ground().at("cases.txt");
    fs::write(&cases, CASES).unwrap();
    let file = site.policy_file().to_str().unwrap();
    let lint = site.portcullis(&["lint", file, "--cases", cases.to_str().unwrap()]);
    assert!(lint.status.success(), "{}", String::from_utf8_lossy(&lint.stdout));

    let [alice, bob, dave] = ["alice", "bob", "dave"].map(|name| site.person(name));
    let port = [("infra/prod/network.tf", "port 8443\n")];
    let to_main = |commit: &str| alice.push(&["--force", &format!("{commit}:refs/heads/main")]);
    alice.begin("direct");
    to_main(&alice.commit_all(&port)).refused_by("infra-review").refused_by("main-takes-merges");
    alice.begin("unseen");
    let unseen = alice.commit("app/x", "new\n");
    let push = to_main(&alice.merge(&unseen));
    push.refused_by("main-takes-merges").not_by("infra-review");
    let tip = alice.topic("open-port", &port);
    alice.land(&tip).refused_by("infra-review").not_by("main-takes-merges");
    site.approve(&dave, &tip).accepted();
    alice.land(&tip).refused_by("infra-review");
    site.approve(&bob, &tip).accepted();
    let before = site.main();
    alice.land(&tip).accepted();
    to_main(&before).refused_by("protected");
    alice.push(&[":refs/heads/main"]).refused_by("protected");
    alice.push(&[&format!("{before}:refs/heads/mine")]).accepted();
    site.log_and_refs_agree();
}
