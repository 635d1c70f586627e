//! Which commands are run before a push is judged: none for what is refused whatever they say.

use portcullis::facts::Facts;
use portcullis::judge::runs;
use portcullis::names::oid::Oid;
use portcullis::names::refname::Refname;
use portcullis::push::pusher::Who;
use portcullis::push::update::RefUpdate;

use crate::made::{alone, branch, change, oid, policy, push, step, update};

const RULES: &str = "[rule.other]\nkind = \"approval\"\nrefs = [\"main\"]\npaths = [\"**\"]\n\
    from = [\"ada\", \"ben\"]\n\
    [rule.lint]\nkind = \"run\"\nrefs = [\"main\"]\ncommand = [\"/bin/lint\", \"-x\"]\n\
    paths = [\"infra/**\"]\ntimeout = \"7s\"\nmemory-mib = 64\ntree = false\n";

/// The names of the rules whose commands are run, each with the index of its update.
fn ordered(rules: &str, so: impl FnOnce(&mut Facts)) -> Vec<(usize, String)> {
    let policy = policy(rules);
    let lands = || vec![alone(step(1, &[change("app/x", 1, 2), change("infra/a.tf", 1, 2)]))];
    let topic = update(&policy, "topic", lands(), None);
    let mut facts = push(vec![topic, update(&policy, "main", lands(), None)]);
    so(&mut facts);
    let orders = runs(&policy, &facts).into_iter();
    orders.map(|order| (order.at, order.name.to_owned())).collect()
}

#[test]
fn a_command_is_run_for_the_refs_of_its_rule() {
    assert_eq!(ordered(RULES, |_| {}), [(1, "lint".to_owned())]);
    let policy = policy(RULES);
    let lands = vec![alone(step(1, &[change("app/x", 1, 2), change("infra/a.tf", 1, 2)]))];
    let facts = push(vec![update(&policy, "main", lands, None)]);
    let orders = runs(&policy, &facts);
    let [order] = orders.as_slice() else { panic!("one is run") };
    assert_eq!((order.rule, order.update.update.name.clone()), (1, branch("main")));
    assert_eq!(order.ask.command, ["/bin/lint", "-x"]);
    assert_eq!((order.ask.timeout_seconds, order.ask.memory_mib, order.ask.tree), (7, 64, false));
    let paths: Vec<&[u8]> = order.ask.paths.iter().map(|path| path.as_bytes()).collect();
    assert_eq!(paths, [b"infra/a.tf"]);
}

#[test]
fn nothing_is_run_for_what_is_refused_whatever_it_says() {
    let none: [(usize, String); 0] = [];
    assert_eq!(ordered(RULES, |it| it.push.push.namespace = Some(b"mine".to_vec())), none);
    let nobody = Who::Unnamed { why: "SSH_USER_AUTH is not set".to_owned() };
    assert_eq!(ordered(RULES, |it| it.push.push.pusher.who = nobody), none);
    // Moved in between: what would be looked at is not what would land.
    assert_eq!(ordered(RULES, |it| it.updates[1].real = Some(oid(9))), none);
    let alias = Some(b"refs/heads/release".to_vec());
    assert_eq!(ordered(RULES, |it| it.updates[1].alias_of = alias), none);
    // The push that makes the repository is asked for by `access` alone.
    let none_yet = |it: &mut Facts| {
        it.push.birth = true;
        let update =
            RefUpdate { claimed_old: Oid::zero(oid(1).format()), ..it.updates[1].update.clone() };
        it.updates[1].change = update.change(None);
        (it.updates[1].real, it.updates[1].update) = (None, update);
    };
    assert_eq!(ordered(RULES, none_yet), none);
}

#[test]
fn what_is_refused_by_another_finding_is_still_looked_at() {
    let policy = RULES.replace("[\"main\"]", "[\"main\", \"-f\"]");
    let misleading = |it: &mut Facts| {
        it.updates[1].update.name = Refname::parse(b"refs/heads/-f").unwrap();
    };
    assert_eq!(ordered(&policy, misleading), [(1, "lint".to_owned())]);
}

#[test]
fn nothing_is_run_for_whom_the_rule_passes_over() {
    let exempt = |who: &str| format!("{RULES}exempt = [{{ who = \"{who}\", paths = [\"**\"] }}]\n");
    assert_eq!(ordered(&exempt("eve"), |_| {}), []);
    assert_eq!(ordered(&exempt("dov"), |_| {}), [(1, "lint".to_owned())]);
}
