//! `[log] journal`: syslog or journald are told each answer; the pusher never hears of it, nobody
//! waits for it, and it holds no secrets.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use crate::support::policy::{gated, laid_over};
use crate::support::site::Site;

/// More than any event has.
const EVENT_BYTES_MAX: usize = 16 * 1024;

/// A site whose policy tells a journal in this form, and the journal.
fn told(form: &str) -> (Site, UnixDatagram) {
    let site = Site::gated();
    let place = site.ground().at("journal");
    let journal = UnixDatagram::bind(&place).unwrap();
    journal.set_nonblocking(true).unwrap();
    let over = [
        "[log]".to_owned(),
        format!("journal = \"{form}:{}\"", place.display()),
        "[break-glass]".to_owned(),
        "by = [\"alice\"]".to_owned(),
    ];
    site.set_policy(laid_over(&gated(1), &over).unwrap());
    (site, journal)
}

/// What the journal has heard since it was last asked.
fn heard(journal: &UnixDatagram) -> Vec<String> {
    let mut bytes = vec![0; EVENT_BYTES_MAX];
    let mut heard = Vec::new();
    while let Ok(length) = journal.recv(&mut bytes) {
        heard.push(String::from_utf8(bytes[..length].to_vec()).unwrap());
    }
    heard
}

#[test]
fn syslog_hears_every_answer_and_the_pusher_nothing_of_it() {
    let (site, journal) = told("syslog");
    let alice = site.person("alice");
    let tip = alice.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
    let path = site.path().display().to_string();
    let [line] = &heard(&journal)[..] else { panic!("one answer, one event") };
    assert!(line.starts_with("<30>portcullis["), "{line}");
    assert!(line.contains("]: push accepted verdict=accepted entry="), "{line}");
    assert!(
        line.ends_with(&format!(
            " pusher=alice door=local refs=refs/heads/open-port rules=\"\" path={path}"
        )),
        "{line}"
    );

    let merge = alice.merge(&tip);
    let push = alice.push(&["-oticket=hunter2", &format!("{merge}:refs/heads/main")]);
    push.refused_by("infra-review");
    let [line] = &heard(&journal)[..] else { panic!("one answer, one event") };
    assert!(line.contains("]: push refused verdict=refused"), "{line}");
    assert!(line.contains(" rules=infra-review "), "{line}");
    assert!(!line.contains("hunter2"), "{line}");
    for word in ["verdict=", "portcullis["] {
        assert!(!push.said().contains(word), "{}", push.said());
    }

    let glass = "-obreak-glass=INC-42: the secret plan";
    alice.push(&[glass, &format!("{merge}:refs/heads/main")]).accepted();
    let [line] = &heard(&journal)[..] else { panic!("one answer, one event") };
    assert!(line.starts_with("<28>") && line.contains("verdict=\"broken glass\""), "{line}");
    assert!(line.contains(" rules=infra-review ") && !line.contains("INC-42"), "{line}");
    site.log_and_refs_agree();
}

#[test]
fn journald_hears_fields_and_of_faults() {
    let (site, journal) = told("journald");
    let alice = site.person("alice");
    // Then nobody can say what @default protects.
    fs::write(site.path().join("HEAD"), format!("{}\n", site.main())).unwrap();
    alice.begin("words");
    alice.commit("app/words", "hello\n");
    alice.push(&["HEAD:refs/heads/words"]).refused();
    let [event] = &heard(&journal)[..] else { panic!("one answer, one event") };
    let fields: Vec<&str> = event.lines().collect();
    assert!(fields.contains(&"MESSAGE=a push could not be judged"), "{event}");
    for field in ["PRIORITY=3", "SYSLOG_IDENTIFIER=portcullis", "PORTCULLIS_VERDICT=fault"] {
        assert!(fields.contains(&field), "{event}");
    }
    assert!(event.contains("\nPORTCULLIS_REASON=HEAD on this server names no branch"), "{event}");
    assert!(fields.iter().all(|field| field.contains('=')), "{event}");
}

#[test]
fn nobody_waits_for_a_journal_and_without_the_key_nobody_is_told() {
    let (site, journal) = told("syslog");
    let alice = site.person("alice");
    // Full: what nobody reads is lost, and the pushes go on.
    let filler = UnixDatagram::unbound().unwrap();
    filler.set_nonblocking(true).unwrap();
    let place = site.ground().at("journal");
    while filler.send_to(b"x", &place).is_ok() {}
    alice.topic("one", &[("app/one", "1\n")]);
    // Gone.
    drop(journal);
    alice.topic("two", &[("app/two", "2\n")]);
    fs::remove_file(&place).unwrap();
    alice.topic("three", &[("app/three", "3\n")]);
    let journal = UnixDatagram::bind(&place).unwrap();
    journal.set_nonblocking(true).unwrap();
    site.set_policy(gated(1));
    alice.topic("four", &[("app/four", "4\n")]);
    assert!(heard(&journal).is_empty());
    site.log_and_refs_agree();
}

#[test]
fn the_page_names_every_field() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/journal.md");
    let page = fs::read_to_string(page).unwrap();
    let (site, journal) = told("syslog");
    site.person("alice").topic("words", &[("app/words", "hello\n")]);
    let [line] = &heard(&journal)[..] else { panic!("one answer, one event") };
    let (_, fields) = line.split_once("push accepted ").unwrap();
    for name in fields.split(' ').filter_map(|field| Some(field.split_once('=')?.0)) {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}
