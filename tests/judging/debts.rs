//! What broken glasses owe: who can settle it, and what an overdue debt stops.

use portcullis::facts::debt::{Ask, Debt, DebtFacts};
use portcullis::facts::past::Maker;
use portcullis::facts::{Target, UpdateFacts};
use portcullis::judge::debts::{Paid, approve, lacks, paid};
use portcullis::judge::judge;
use portcullis::names::digest::Digest;
use portcullis::names::oid::Oid;
use portcullis::names::principal::PrincipalName;
use portcullis::policy::Policy;
use portcullis::push::update::RefUpdate;
use portcullis::verdict::Verdict;
use portcullis::verdict::finding::Missing;

use crate::made::{alone, branch, change, name, now, oid, policy, push, step, update};

const RULES: &str = "[rule.review]\nkind = \"approval\"\nrefs = [\"main\"]\npaths = [\"infra/**\"]\n\
    from = [\"ada\", \"ben\"]\n\
    [rule.two]\nkind = \"approval\"\nrefs = [\"release\"]\npaths = [\"**\"]\napprovals = 2\n\
    from = [\"ada\", \"ben\", \"cora\"]\n\
    [rule.owned]\nkind = \"code-owners\"\ndialect = \"github\"\nrefs = [\"owned\"]\n\
    [break-glass]\nby = [\"eve\"]\n";

fn names(all: &[&str]) -> Vec<PrincipalName> {
    all.iter().map(|one| name(one)).collect()
}

fn ask(rule: &str, approvals: usize, from: &[&str]) -> Ask {
    Ask { rule: rule.to_owned(), approvals, from: names(from).into_iter().collect() }
}

/// A debt of Eve, for what Dov made, a day old and due in an hour.
fn debt(asks: &[Ask]) -> Debt {
    Debt {
        entry: 7,
        at: now().plus_seconds(-86_400),
        by: Maker { name: Some(name("eve")), login: b"eve".to_vec(), unknown: false },
        reason: b"INC-42: the edge is down".to_vec(),
        refname: branch("main"),
        new: oid(9),
        base: Some(oid(8)),
        commit: oid(9),
        delta: Digest::of(b"delta"),
        entries: 1,
        asks: asks.to_vec(),
        makers: names(&["dov"]).into_iter().collect(),
        unknown_maker: false,
        settle_by: now().plus_seconds(3600),
        applied: true,
    }
}

/// The debt, approved by these.
fn approved(debt: Debt, by: &[&str]) -> DebtFacts {
    let approved =
        names(by).into_iter().map(|who| (who.clone(), Digest::of(who.as_str().as_bytes())));
    DebtFacts { debt, approved: approved.collect(), restored: false }
}

/// What lacks, as how many of whom.
fn lacking(policy: &Policy, facts: &DebtFacts) -> Vec<(usize, Vec<String>)> {
    let told = |Missing { approvals, from }: Missing| {
        (approvals, from.iter().map(|one| one.as_str().to_owned()).collect())
    };
    lacks(policy, facts).into_iter().map(told).collect()
}

fn some(approvals: usize, from: &[&str]) -> (usize, Vec<String>) {
    (approvals, from.iter().map(|&one| one.to_owned()).collect())
}

#[test]
fn neither_who_made_it_nor_who_broke_the_glass_settles_it() {
    let policy = policy(RULES);
    let asks = [ask("gone", 1, &["ada", "dov", "eve"])];
    for by in [&[][..], &["dov"], &["eve"], &["dov", "eve"]] {
        let facts = approved(debt(&asks), by);
        assert_eq!(lacking(&policy, &facts), [some(1, &["ada"])], "{by:?}");
        assert_eq!(paid(&policy, &facts), None);
    }
    let facts = approved(debt(&asks), &["ada", "dov", "eve"]);
    assert!(lacking(&policy, &facts).is_empty());
    // Only what counts is used up.
    let counts = vec![(name("ada"), Digest::of(b"ada"))];
    assert_eq!(paid(&policy, &facts), Some(Paid::Approved(counts)));
}

#[test]
fn one_person_takes_one_seat_of_an_approval_rule() {
    let seats = "[rule.seats]\nkind = \"approval\"\nrefs = [\"main\"]\npaths = [\"**\"]\n\
        from = [\"ada\", \"ben\"]\nand = [{ from = [\"ada\", \"cora\"], approvals = 1 }]\n";
    let policy = policy(&RULES.replace("[break-glass]", &format!("{seats}[break-glass]")));
    let asks = [ask("seats", 1, &["ada"])];
    assert_eq!(paid(&policy, &approved(debt(&asks), &["ada"])), None);
    assert!(lacking(&policy, &approved(debt(&asks), &["ada", "cora"])).is_empty());
}

#[test]
fn what_stands_no_more_is_paid_whoever_approved() {
    let policy = policy(RULES);
    let facts = DebtFacts { restored: true, ..approved(debt(&[]), &[]) };
    assert_eq!(paid(&policy, &facts), Some(Paid::Reverted));
}

#[test]
fn a_rule_asks_as_it_does_now_and_one_that_is_gone_as_it_did() {
    let policy = policy(RULES);
    // `review` asks for Ada or Ben now, whoever it asked for then.
    let facts = approved(debt(&[ask("review", 2, &["cora"])]), &["cora"]);
    assert_eq!(lacking(&policy, &facts), [some(1, &["ada", "ben"])]);
    assert!(lacking(&policy, &approved(facts.debt.clone(), &["ben"])).is_empty());
    // A rule that has gone, and one that has no seats of its own.
    for rule in ["gone", "owned"] {
        let facts = approved(debt(&[ask(rule, 2, &["ada", "cora"])]), &["cora"]);
        assert_eq!(lacking(&policy, &facts), [some(1, &["ada"])], "{rule}");
    }
    // Both have to be content, and one person's approval may serve both.
    let both = [ask("review", 1, &[]), ask("two", 1, &[])];
    let facts = approved(debt(&both), &["ada"]);
    assert_eq!(lacking(&policy, &facts), [some(1, &["ben", "cora"])]);
    assert!(paid(&policy, &approved(debt(&both), &["ada", "cora"])).is_some());
}

#[test]
fn seats_of_one_rule_want_different_people_unless_they_stand_apart() {
    let policy = policy(RULES);
    let seats = |rule| [ask(rule, 1, &["ada", "ben"]), ask(rule, 1, &["ada", "cora"])];
    let facts = approved(debt(&seats("gone")), &["ada"]);
    assert_eq!(lacking(&policy, &facts), [some(1, &["ben", "cora"])]);
    // Owners: one who owns two files speaks for both.
    assert!(lacking(&policy, &approved(debt(&seats("owned")), &["ada"])).is_empty());
    let facts = approved(debt(&seats("owned")), &["ben"]);
    assert_eq!(lacking(&policy, &facts), [some(1, &["ada", "cora"])]);
}

#[test]
fn where_nothing_was_asked_for_one_of_anybody_is() {
    let policy = policy(RULES);
    let facts = approved(debt(&[]), &["eve", "dov"]);
    // Machines approve nothing.
    assert_eq!(lacking(&policy, &facts), [some(1, &["ada", "ben", "cora"])]);
    assert!(paid(&policy, &approved(debt(&[]), &["cora"])).is_some());
}

#[test]
fn an_unknown_maker_asks_for_one_more() {
    let policy = policy(RULES);
    let unknown = Debt { unknown_maker: true, ..debt(&[ask("review", 1, &[])]) };
    assert_eq!(lacking(&policy, &approved(unknown.clone(), &["ada"])), [some(1, &["ben"])]);
    assert!(paid(&policy, &approved(unknown, &["ada", "ben"])).is_some());
}

#[test]
fn who_can_settle_is_asked_to() {
    let hint = |from: &[&str]| {
        let missing = Missing { approvals: 1, from: names(from) };
        let hint = approve(&debt(&[]), &missing);
        let command = hint.command.as_ref().map(|it| it.show()).unwrap_or_default();
        (hint.text.show(), command)
    };
    let command = "portcullis approve 0000009 --for main".to_owned();
    assert_eq!(hint(&["ada"]), ("ask ada to run".to_owned(), command.clone()));
    assert_eq!(hint(&["ada", "ben"]), ("ask 1 of ada, ben to run".to_owned(), command));
    let nobody = "nobody is left who can approve it: only a revert settles this".to_owned();
    assert_eq!(hint(&[]), (nobody, String::new()));
}

const BLOCK: &str = "debt = \"block\"\n";

/// A push that adds what one may add, to a branch with these debts.
fn landing(policy: &Policy, debts: Vec<DebtFacts>) -> UpdateFacts {
    let mut update = update(policy, "main", vec![alone(step(1, &[change("app/x", 1, 2)]))], None);
    update.debts = debts;
    update
}

/// What is said of the debts on it; nothing: they stop nothing.
fn said(policy: &Policy, update: UpdateFacts) -> Option<String> {
    let judgement = judge(policy, &push(vec![update]));
    let findings = &judgement.refs[0].findings;
    let finding = findings.iter().find(|finding| finding.rule.name() == "debt")?;
    assert_eq!(judgement.verdict(), Verdict::Refuse);
    let objection = &finding.objection;
    let mut lines = vec![objection.what.show()];
    lines.extend(objection.details.iter().map(|line| line.show()));
    lines.extend(objection.hints.iter().map(|hint| hint.text.show()));
    Some(lines.join("\n"))
}

fn late(asks: &[Ask], seconds: i64) -> Debt {
    Debt { settle_by: now().plus_seconds(-seconds), ..debt(asks) }
}

#[test]
fn an_overdue_debt_stops_what_lands_where_the_policy_says_so() {
    let (report, block) = (policy(RULES), policy(&format!("{RULES}{BLOCK}")));
    let owed = |seconds| approved(late(&[ask("review", 1, &[])], seconds), &[]);
    assert_eq!(
        said(&block, landing(&block, vec![owed(1)])).unwrap(),
        "the debt of entry 7 is overdue since 2026-11-22T20:59:59Z\n\
         eve broke the glass on 2026-11-21: \"INC-42: the edge is down\"\n\
         ask 1 of ada, ben to run\n\
         or land a revert of it: what settles a debt is let through"
    );
    assert_eq!(said(&report, landing(&report, vec![owed(1)])), None);
    // To the second: what is due now is not overdue.
    assert_eq!(said(&block, landing(&block, vec![owed(0)])), None);
    assert_eq!(said(&block, landing(&block, Vec::new())), None);
    // Two are told as one and one more; who was in no policy is told as they logged in.
    let mut unlisted = owed(5);
    unlisted.debt.by.name = None;
    let two = said(&block, landing(&block, vec![unlisted, owed(1)])).unwrap();
    assert!(two.contains("\"eve\" broke the glass on"), "{two}");
    assert!(two.contains("1 debt more on this ref is overdue too"), "{two}");
    // One of them in time is not counted.
    let one = said(&block, landing(&block, vec![owed(5), owed(-5)])).unwrap();
    assert!(!one.contains("more"), "{one}");
    // A landing that settles one is let through.
    let settled = vec![owed(5), DebtFacts { restored: true, ..owed(5) }];
    assert_eq!(said(&block, landing(&block, settled)), None);
    // Unless that one is not overdue: it does not pay what is.
    let other = vec![owed(5), DebtFacts { restored: true, ..owed(-5) }];
    assert!(said(&block, landing(&block, other)).is_some());
}

#[test]
fn a_debt_does_not_stop_what_lands_nothing() {
    let policy = policy(&format!("{RULES}{BLOCK}"));
    let main = || branch("main");
    let stops = |old: Option<Oid>, new: Oid, target: Target| {
        let zero = Oid::zero(new.format());
        let update = RefUpdate { name: main(), claimed_old: old.unwrap_or(zero), new };
        let debts = vec![approved(late(&[], 9), &[])];
        said(&policy, UpdateFacts { debts, ..UpdateFacts::unasked(update, old, target) }).is_some()
    };
    assert!(stops(Some(oid(1)), oid(2), Target::Commit(oid(2))));
    assert!(stops(None, oid(2), Target::Commit(oid(2))));
    assert!(!stops(Some(oid(1)), Oid::zero(oid(1).format()), Target::Nothing));
}
