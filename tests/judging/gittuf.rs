//! gittuf's authorizations as approvals: only where the rule says so, of the whole landing alone, by
//! people of the rule who made none of it and have said nothing else here.

use portcullis::facts::authorized::{Authorized, Authorizer};
use portcullis::facts::landing::{Landing, Step};
use portcullis::facts::makers::MakerBy;
use portcullis::judge::judge;
use portcullis::statement::fields::{ApprovalVerdict, Saying};
use portcullis::verdict::line::Line;
use portcullis::verdict::{Judgement, Verdict};

use crate::made::{alone, change, name, oid, policy, push, statement, step, update};

const RULE: &str = "[rule.review]\nkind = \"approval\"\nrefs = [\"main\"]\npaths = [\"infra/**\"]\n\
    from = [\"ada\", \"ben\"]\n";

const GITTUF: &str = "gittuf = true\n";

/// Those whose keys gittuf's file is signed with.
fn by(people: &[&str]) -> Authorized {
    let signed = |who: &&str| Authorizer { person: name(who), key: format!("SHA256:{who}") };
    Authorized { by: people.iter().map(signed).collect(), ..Authorized::default() }
}

/// One step that is the whole landing, authorized by these.
fn of(rules: &str, people: &[&str], so: impl FnOnce(&mut Landing)) -> Judgement {
    let step = step(1, &[change("infra/dns.tf", 1, 2), change("infra/network.tf", 1, 2)]);
    let (start, end) = (step.from, step.to);
    let policy = policy(&format!("{RULE}{rules}"));
    let mut update = update(&policy, "main", vec![alone(step)], None);
    let landing = &mut update.landings[0];
    (landing.start, landing.end) = (start, end);
    landing.authorized = Some(by(people));
    so(landing);
    judge(&policy, &push(vec![update]))
}

fn passes(rules: &str, people: &[&str], so: impl FnOnce(&mut Landing)) -> bool {
    of(rules, people, so).verdict() == Verdict::Accept
}

/// What the one refusal says.
fn said(rules: &str, people: &[&str], so: impl FnOnce(&mut Landing)) -> String {
    let judgement = of(rules, people, so);
    assert_eq!(judgement.verdict(), Verdict::Refuse);
    let objection = &judgement.refs[0].findings[0].objection;
    let lines = std::iter::once(&objection.what).chain(&objection.details);
    lines.map(Line::show).collect::<Vec<_>>().join("\n")
}

/// What somebody is told to do.
fn hints(rules: &str, people: &[&str], so: impl FnOnce(&mut Landing)) -> String {
    let judgement = of(rules, people, so);
    let hints = &judgement.refs[0].findings[0].objection.hints;
    hints.iter().map(|hint| hint.text.show()).collect::<Vec<_>>().join("\n")
}

fn whole(landing: &mut Landing) -> &mut Step {
    &mut landing.segments[0].whole
}

#[test]
fn it_counts_where_the_rule_says_so() {
    assert!(passes(GITTUF, &["ada"], |_| {}));
    assert!(!passes("", &["ada"], |_| {}));
    assert!(!passes("gittuf = false\n", &["ada"], |_| {}));
    assert!(!passes(GITTUF, &[], |_| {}));
    assert!(!passes(GITTUF, &["ada"], |it| it.authorized = None));
    assert!(!said("", &["ada"], |_| {}).contains("gittuf"));
}

#[test]
fn it_is_of_the_whole_landing_and_of_no_part() {
    let part = "one step of several";
    assert!(said(GITTUF, &["ada"], |it| it.start = Some(oid(5))).contains(part));
    assert!(said(GITTUF, &["ada"], |it| it.start = None).contains(part));
    assert!(said(GITTUF, &["ada"], |it| it.end = oid(5)).contains(part));
    assert!(!said(GITTUF, &[], |it| it.end = oid(5)).contains(part));
}

#[test]
fn whose_word_does_not_count_is_told_why() {
    let outside = said(GITTUF, &["cora"], |_| {});
    assert!(outside.contains("cora authorized it in gittuf, and is not in `from`"), "{outside}");
    let maker = |it: &mut Landing| whole(it).makers.add(&name("ada"), MakerBy::Author, oid(9));
    let maker = said(GITTUF, &["ada"], maker);
    assert!(maker.contains("ada authorized it in gittuf, but "), "{maker}");
    assert!(maker.contains(": makers do not count"), "{maker}");
    let more = said(GITTUF, &[], |it| {
        it.authorized.as_mut().unwrap().doubts.push(Line::new("the file is torn"));
    });
    assert!(more.contains("the file is torn"), "{more}");
}

#[test]
fn two_people_are_two_however_they_say_it() {
    let two = "approvals = 2\ngittuf = true\n";
    assert!(passes(two, &["ada", "ben"], |_| {}));
    assert!(!passes(two, &["ada"], |_| {}));
    let says = |who: &'static str| {
        move |it: &mut Landing| {
            let step = whole(it);
            let changes = step.delta.changes().to_vec();
            let saying = Saying::Approval { verdict: ApprovalVerdict::Approve };
            let word = statement(who, saying, step, &changes);
            step.candidates.push(word);
        }
    };
    assert!(passes(two, &["ada"], says("ben")));
    assert!(!passes(two, &["ada"], says("ada")));
    // One approval more where a maker is unknown.
    let unknown = |it: &mut Landing| {
        whole(it).makers.unknown = Some((oid(3), "was brought by nobody on record"));
    };
    assert!(!passes(GITTUF, &["ada"], unknown));
    assert!(passes(GITTUF, &["ada", "ben"], unknown));
}

#[test]
fn what_they_said_here_is_above_it_whatever_its_date() {
    for (verdict, words) in [
        (ApprovalVerdict::Revoke, "ada authorized it in gittuf, and took an approval of it back"),
        (ApprovalVerdict::Reject, "ada authorized it in gittuf, and rejected it"),
    ] {
        for who in ["ada", "ben"] {
            let no = |it: &mut Landing| {
                let step = whole(it);
                let changes = step.delta.changes().to_vec();
                let word = statement(who, Saying::Approval { verdict }, step, &changes);
                step.candidates.push(word);
            };
            let rules = "veto = false\ngittuf = true\n";
            match who {
                "ada" => assert!(said(rules, &["ada"], no).contains(words), "{words}"),
                _ => assert!(passes(rules, &["ada"], no), "another's word is not hers"),
            }
        }
    }
}

#[test]
fn gittuf_is_named_as_a_way_where_it_is_in_use_and_somebody_is_left() {
    let way = "or to authorize with gittuf what ";
    assert!(hints(GITTUF, &[], |_| {}).contains(way));
    assert!(!hints(GITTUF, &[], |it| it.authorized = None).contains(way));
    assert!(!hints("", &[], |_| {}).contains(way));
    let nobody = |it: &mut Landing| {
        for who in ["ada", "ben"] {
            whole(it).makers.add(&name(who), MakerBy::Author, oid(9));
        }
    };
    assert!(!hints(GITTUF, &[], nobody).contains(way));
}

#[test]
fn each_rule_says_for_itself_what_it_takes() {
    let rules = "gittuf = true\n[rule.stays]\nkind = \"approval\"\nrefs = [\"main\"]\npaths = [\"infra/dns.tf\"]\nfrom = [\"ada\"]\n";
    assert!(!passes(rules, &["ada"], |_| {}));
}
