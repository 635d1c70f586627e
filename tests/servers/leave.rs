//! Clients that hang up half way, by whatever way they came.

use crate::server::Server;
use crate::support::client::{STEPS, Step, is_free, pack_of, rests};
use crate::support::person::Person;
use crate::support::wire::Request;

/// Alice leaves at each step of a push; `leave` is given her whole request and what she sends of it.
/// Bob's pushes after each of them are taken, and nothing is lost.
#[track_caller]
pub(crate) fn at_every_step(
    server: &Server,
    (alice, bob): (&Person, &Person),
    mut leave: impl FnMut(&[u8], &[u8]),
) {
    for step in STEPS {
        let branch = format!("left-{step:?}").to_lowercase();
        alice.begin(&branch);
        let tip = alice.commit("app/left", &branch);
        let request = Request::new("sha1")
            .command(&"0".repeat(40), &tip, format!("refs/heads/{branch}"))
            .pack(pack_of(alice, &tip))
            .bytes(true);
        let before = server.log().count("decision");
        leave(&request, step.of(&request));
        bob.begin("meanwhile");
        bob.commit("app/meanwhile", &branch);
        bob.push(&["--force", "HEAD:refs/heads/meanwhile"]).accepted();
        rests(server.path());
        is_free(server.ground(), server.path());
        let decided = server.log().count("decision") - before - 1;
        match step {
            Step::Greeting | Step::HalfACommand | Step::Commands | Step::HalfAPack => {
                assert_eq!(decided, 0, "{step:?}: nothing was asked of us");
            }
            // Whether all of it came over is the network's affair.
            Step::Everything => assert!(decided <= 1),
        }
    }
    let (ok, said) = server.portcullis(&["log", "drift"]);
    assert!(ok, "{said}");
    server.log_and_refs_agree();
}
