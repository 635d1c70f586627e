//! Authorizations as `gittuf attest authorize` leaves them, made with nothing but `ssh-keygen` and
//! `git`: what of them counts as an approval, and what does not.

use std::path::Path;

use base64ct::{Base64, Encoding as _};

use crate::audit::ok;
use crate::support::ground::{feed, run};
use crate::support::person::Person;
use crate::support::policy;
use crate::support::push::Pushed;
use crate::support::site::{Plan, Site};
use crate::support::statement::{Draft, key_file};

const ATTESTATIONS: &str = "refs/gittuf/attestations";

const TYPE: &str = "application/vnd.gittuf+json";

/// What `docs/review.md` says a policy needs for gittuf's own refs.
pub(crate) const WRITES: &str = "\n[rule.gittuf-is-written-by]\nkind = \"access\"\nrefs = [\"refs/gittuf/**\"]\n\
    create = [\"@platform\"]\nmove = [\"@platform\"]\n";

/// Infrastructure needs this many approvals, which gittuf may have.
fn rules(approvals: u32) -> String {
    let policy = policy::gated(approvals);
    policy.replace("from = [\"@platform\"]\n", "from = [\"@platform\"]\ngittuf = true\n") + WRITES
}

fn site() -> Site {
    Site::new(rules(1))
}

/// A file of gittuf's, free to be changed before it is signed.
#[derive(Clone)]
pub(crate) struct File {
    kind: String,
    payload: String,
    /// Where it lies in the tree of the attestations.
    path: String,
}

impl File {
    /// What gittuf writes for moving `main` from where a clone has it to what a commit holds.
    pub(crate) fn of(person: &Person, commit: &str) -> Self {
        Self::between(&person.oid("origin/main"), &person.oid(&format!("{commit}^{{tree}}")))
    }

    fn between(from: &str, tree: &str) -> Self {
        let payload = format!(
            "{{\"type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{{\"digest\":{{\"gitTree\":\
             \"{tree}\"}}}}],\"predicateType\":\"https://gittuf.dev/reference-authorization/v0.2\",\
             \"predicate\":{{\"fromID\":\"{from}\",\"targetID\":\"{tree}\",\"targetRef\":\
             \"refs/heads/main\"}}}}"
        );
        let path = format!("reference-authorizations/refs/heads/main/{from}-{tree}");
        Self { kind: TYPE.to_owned(), payload, path }
    }

    /// With other words in what is signed.
    fn saying(mut self, old: &str, new: &str) -> Self {
        assert!(self.payload.contains(old), "{}", self.payload);
        self.payload = self.payload.replace(old, new);
        self
    }

    /// What is signed: the protocol's PAE.
    pub(crate) fn signed_bytes(&self) -> String {
        let Self { kind, payload, .. } = self;
        format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len())
    }

    /// The envelope, signed with these keys.
    fn by(&self, person: &Person, keys: &[&Path]) -> String {
        let armors =
            keys.iter().map(|key| sign(person, key, "git", self.signed_bytes().as_bytes()));
        self.with(&armors.map(|armor| signature(&armor)).collect::<Vec<_>>())
    }

    /// The envelope around these signatures.
    pub(crate) fn with(&self, signatures: &[String]) -> String {
        format!(
            "{{\"payloadType\":\"{}\",\"payload\":\"{}\",\"signatures\":[{}]}}",
            self.kind,
            Base64::encode_string(self.payload.as_bytes()),
            signatures.join(",")
        )
    }

    /// Signs it as its person and pushes it to where gittuf keeps it.
    fn push(&self, person: &Person) -> Pushed {
        self.put(person, &self.by(person, &[&person.key()]))
    }

    /// Pushes these bytes to where gittuf keeps the file.
    pub(crate) fn put(&self, person: &Person, text: &str) -> Pushed {
        let blob = person.object("blob", text.as_bytes());
        push(person, &commit(person, &self.path, "100644", &blob))
    }
}

pub(crate) fn signature(armor: &str) -> String {
    format!("{{\"keyid\":\"SHA256:x\",\"sig\":\"{}\"}}", Base64::encode_string(armor.as_bytes()))
}

/// What `ssh-keygen -Y sign` makes of bytes.
fn sign(person: &Person, key: &Path, namespace: &str, bytes: &[u8]) -> String {
    let mut command = person.command("ssh-keygen");
    command.args(["-q", "-Y", "sign", "-n", namespace, "-f"]).arg(key);
    let output = feed(&mut command, bytes);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// One more commit of attestations, with this at this path and nothing else.
fn commit(person: &Person, path: &str, mode: &str, oid: &str) -> String {
    let index = person.home().join("gittuf-index");
    let _ = std::fs::remove_file(&index);
    let run = |args: &[&str]| {
        let output = person.git(args).env("GIT_INDEX_FILE", &index).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    };
    run(&["update-index", "--add", "--cacheinfo", &format!("{mode},{oid},{path}")]);
    let tree = run(&["write-tree"]);
    person.run(&["fetch", "--quiet", "origin", "+refs/gittuf/*:refs/gittuf/*"]);
    let old = person.run(&["for-each-ref", "--format=%(objectname)", ATTESTATIONS]);
    let mut args = vec!["commit-tree", "-m", "Add reference authorization", &tree];
    if !old.is_empty() {
        args.extend(["-p", &old]);
    }
    person.run(&args)
}

fn push(person: &Person, commit: &str) -> Pushed {
    person.push(&[&format!("{commit}:{ATTESTATIONS}")])
}

/// Pushes a merge to `main`.
pub(crate) fn lands(person: &Person, merge: &str) -> Pushed {
    person.push(&[&format!("{merge}:refs/heads/main")])
}

/// A site on which a merge of Alice's that opens a port waits for approval.
fn waiting(site: &Site) -> (Person, Person, String) {
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let tip = alice.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
    let merge = alice.merge(&tip);
    bob.fetch();
    // What is to land is known to whoever authorizes it by its content alone.
    bob.run(&["fetch", "--quiet", alice.clone_path().to_str().unwrap(), &merge]);
    (alice, bob, merge)
}

/// The merge must not land on `main`, which stays where it was.
#[track_caller]
fn waits(site: &Site, alice: &Person, merge: &str) -> Pushed {
    let push = site.main_refuses(alice, merge);
    push.refused_by("infra-review").says("0 of 1 approval");
    push
}

#[test]
fn an_authorization_is_an_approval_and_the_log_keeps_it() {
    for (format, kind) in [("sha1", TYPE), ("sha256", "application/vnd.in-toto+json")] {
        let site = Plan::new(rules(1)).format(format).build();
        let (alice, bob, merge) = waiting(&site);
        waits(&site, &alice, &merge).is_silent_about("gittuf");
        let file = File { kind: kind.to_owned(), ..File::of(&bob, &merge) };
        file.push(&bob).accepted();
        // Whoever asks before they land is told of it.
        let asked = alice.run(&["rev-parse", &format!("{merge}^2")]);
        let asked = alice.push(&["-oask", &format!("{asked}:refs/portcullis/ask/heads/main")]);
        asked.says("rule `infra-review` is satisfied: bob authorized it in gittuf");
        lands(&alice, &merge).accepted();
        let log = site.log();
        let decision = log.last("decision");
        let kept = &decision["refs"][0]["gittuf"];
        assert_eq!(kept["by"][0]["person"], "bob");
        assert!(kept["by"][0]["key"].as_str().unwrap().starts_with("SHA256:"));
        let text = kept["text"].as_str().unwrap();
        assert_eq!(text, file.by(&bob, &[&bob.key()]), "ed25519 signs alike every time");
        assert!(decision["refs"][0]["uses"].is_null(), "{decision}");
        site.log_and_refs_agree();
    }
}

#[test]
fn the_log_tells_of_it_and_an_auditor_checks_it_without_us() {
    let site = site();
    let (alice, bob, merge) = waiting(&site);
    let file = File::of(&bob, &merge);
    let both = file.by(&bob, &[&key_file(&bob, "carol"), &bob.key(), &key_file(&bob, "mallory")]);
    file.put(&bob, &both).accepted();
    lands(&alice, &merge).accepted();
    let entry = site.log().last("decision")["seq"].to_string();
    let by = |name: &str| format!("authorized by {name}, by the key SHA256:");
    for words in [&["log", "show", &entry][..], &["log", "who", &merge]] {
        let told = ok(&site.verb(words));
        assert!(told.contains(&by("bob")) && told.contains(&by("carol")), "{told}");
        assert!(!told.contains("mallory"), "{told}");
    }
    let told = ok(&site.verb(&["log", "show", &entry, "--full"]));
    let (from, tree) = (bob.oid("origin/main"), bob.oid(&format!("{merge}^{{tree}}")));
    assert!(told.contains(&format!("of refs/heads/main from {from}, to tree {tree}")), "{told}");
    assert!(
        told.contains(&format!("over {} bytes fits; it has no date", file.signed_bytes().len()))
    );
    let sheet = site.ground().at("sheet.csv");
    ok(&site.verb(&["log", "report", "--csv", sheet.to_str().unwrap()]));
    let sheet = std::fs::read_to_string(sheet).unwrap();
    assert!(sheet.contains("carol") && sheet.contains("bob"), "{sheet}");
    // In a bundle, with the keys of that day.
    let bundle = site.ground().at("audit.tar");
    ok(&site.verb(&["log", "export", "--bundle", bundle.to_str().unwrap()]));
    ok(&run(site
        .ground()
        .command("tar")
        .arg("-xf")
        .arg(&bundle)
        .arg("-C")
        .arg(site.ground().path())));
    let folder = site.ground().at("portcullis-audit");
    let listed = std::fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path());
    let log = listed.into_iter().find(|path| path.is_dir()).unwrap();
    let check = || {
        let mut script = site.ground().command("sh");
        run(script.arg("statements.sh").arg(log.file_name().unwrap()).current_dir(&folder))
    };
    let said = ok(&check());
    assert_eq!(said, "2 statements are signed by whom they name, 0 are not, 0 were not checked\n");
    let statements =
        std::fs::read_dir(log.join("statements")).unwrap().map(|it| it.unwrap().path());
    let signed = statements.into_iter().find(|path| path.extension().unwrap() == "signed").unwrap();
    assert_eq!(std::fs::read_to_string(&signed).unwrap(), file.signed_bytes());
    std::fs::write(&signed, file.signed_bytes() + " ").unwrap();
    let said = check();
    assert_eq!(said.status.code(), Some(1), "{said:?}");
}

#[test]
fn without_the_key_nothing_of_gittuf_is_read_and_nothing_is_taken() {
    let site = Site::gated();
    let (alice, bob, merge) = waiting(&site);
    let file = File::of(&bob, &merge);
    file.push(&bob).refused().tells("no rule names");
    site.set_policy(policy::gated(1) + WRITES);
    file.push(&bob).accepted();
    waits(&site, &alice, &merge).is_silent_about("gittuf");
    assert!(site.log().last("decision")["refs"][0]["gittuf"].is_null());
    // Whom the rule does not name does not write there.
    let dave = site.person("dave");
    file.push(&dave).refused_by("gittuf-is-written-by");
    site.log_and_refs_agree();
}

#[test]
fn two_people_in_one_file_are_two_and_two_keys_of_one_are_one() {
    let site = Site::new(rules(2));
    let (carol, bob) = (site.person("carol"), site.person("bob"));
    let tip = carol.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
    let merge = carol.merge(&tip);
    bob.run(&["fetch", "--quiet", carol.clone_path().to_str().unwrap(), &merge]);
    let file = File::of(&carol, &merge);
    let key = |name: &str| key_file(&bob, name);
    let twice = file.by(&bob, &[&key("alice"), &key("alice-second")]);
    file.put(&bob, &twice).accepted();
    site.main_refuses(&carol, &merge)
        .says("1 of 2 approvals")
        .says("alice authorized it in gittuf");
    file.put(&bob, &file.by(&bob, &[&key("alice"), &key("bob")])).accepted();
    lands(&carol, &merge).accepted();
    // One of each form are two as well, and the same person in both is one.
    let tip = carol.topic("close-port", &[("infra/prod/network.tf", "port 443, closed\n")]);
    let merge = carol.merge(&tip);
    let file = File::of(&carol, &merge);
    file.push(&bob).accepted();
    bob.fetch();
    site.approve(&bob, &tip).accepted();
    site.main_refuses(&carol, &merge).says("1 of 2 approvals");
    site.approve(site.person("alice").fetch(), &tip).accepted();
    lands(&carol, &merge).accepted();
    site.log_and_refs_agree();
}

#[test]
fn f06_authorizations_by_others_and_of_other_moves_do_not_count() {
    let site = site();
    let (alice, bob, merge) = waiting(&site);
    let file = File::of(&bob, &merge);
    let told = |why: &str| {
        waits(&site, &alice, &merge).tells(why);
    };
    let signed = |key: &str| file.by(&bob, &[&key_file(&bob, key)]);
    file.put(&bob, &signed("mallory")).accepted();
    told("which is nobody's key");
    file.put(&bob, &signed("alice")).accepted();
    told("alice authorized it in gittuf, but pushed");
    file.put(&bob, &signed("dave")).accepted();
    told("dave authorized it in gittuf, and is not in `from`");
    // A commit's own signature, made for the same purpose, is over the commit.
    bob.begin("work");
    bob.commit("app/x", "signed\n");
    bob.run(&["commit", "--quiet", "--amend", "--no-edit", "-S"]);
    let raw = bob.run(&["cat-file", "commit", "HEAD"]);
    let armor: String = raw
        .lines()
        .skip_while(|line| !line.starts_with("gpgsig"))
        .take_while(|line| !line.is_empty())
        .map(|line| line.trim_start_matches("gpgsig").trim_start().to_owned() + "\n")
        .collect();
    assert!(armor.starts_with("-----BEGIN SSH SIGNATURE-----\n"), "{raw}");
    file.put(&bob, &file.with(&[signature(&armor)])).accepted();
    told("not over these bytes");
    // About another move, at the place of this one and at its own.
    let other = "1".repeat(40);
    file.clone().saying("refs/heads/main", "refs/heads/production").push(&bob).accepted();
    told("it is for refs/heads/production");
    File::between(&bob.oid("origin/main"), &other).push(&bob).accepted();
    told("gittuf has an authorization to tree 1111111, this push brings tree");
    told(&format!(
        "or to authorize with gittuf what {} makes of main, and to push that first",
        &bob.oid(&format!("{merge}^2"))[..7]
    ));
    // And one that is good, for longer than today.
    file.saying("\"fromID\"", "\"expires\":\"9999-01-01T00:00:00Z\",\"fromID\"")
        .push(&bob)
        .accepted();
    lands(&alice, &merge).accepted();
    site.log_and_refs_agree();
}

#[test]
fn f06_an_authorization_counts_once_and_not_after_a_rewind() {
    let rewind = "\n[rule.main-is-rewound-by]\nkind = \"access\"\nrefs = [\"@default\", \"release/**\"]\n\
        rewind = [\"@sre\"]\ndelete = [\"@sre\"]\n";
    let policy = rules(1).replace("[\"@default\"]\ninfra", "[\"@default\", \"release/**\"]\ninfra");
    let site = Site::new(policy + rewind);
    let (alice, bob, merge) = waiting(&site);
    let before = site.main();
    File::of(&bob, &merge).push(&bob).accepted();
    lands(&alice, &merge).accepted();
    alice.push(&["--force", &format!("{before}:refs/heads/main")]).accepted();
    // The same move of the same branch to the same content, by another commit.
    let (first, topic) = (format!("{merge}^1"), format!("{merge}^2"));
    let tree = format!("{merge}^{{tree}}");
    let again = |message: &str| {
        alice.run(&["commit-tree", "-m", message, "-p", &first, "-p", &topic, &tree])
    };
    let been = format!("from {}, where main has been before", &before[..7]);
    site.main_refuses(&alice, &again("one")).refused_by("infra-review").tells(&been);
    // What has a date can be newer.
    site.draft(&bob, &bob.oid(&topic)).later(2).push(&bob).accepted();
    lands(&alice, &again("two")).accepted();
    // Past the gate it comes back as little.
    site.git(&["update-ref", "refs/heads/main", &before]);
    site.main_refuses(&alice, &again("three")).refused_by("infra-review").tells(&been);
    // A branch that is made is one that never was.
    let zeros = "0".repeat(40);
    let made = File::between(&zeros, &bob.oid(&tree)).saying("heads/main", "heads/release/1");
    let path = made.path.replace("main", "release/1");
    File { path, ..made }.push(&bob).accepted();
    let create = |commit: &str| alice.push(&[&format!("{commit}:refs/heads/release/1")]);
    create(&merge).accepted();
    let back = format!("{before}^{{tree}}");
    let fixed = alice.run(&["commit-tree", "-m", "back", "-p", &merge, &back]);
    alice.push(&[&format!("{fixed}:refs/heads/back")]).accepted();
    bob.fetch();
    let id = site.draft(&bob, &fixed).repository;
    let approval = Draft::new(&bob, &id, "refs/heads/release/1", &merge, &fixed);
    approval.later(3).push(&bob).accepted();
    create(&fixed).accepted();
    alice.push(&["--delete", "refs/heads/release/1"]).accepted();
    create(&again("four"))
        .refused_by("infra-review")
        .tells("for making release/1, which has been there before");
}

#[test]
fn after_a_revert_the_same_change_is_authorized_anew() {
    let site = site();
    let (alice, bob, merge) = waiting(&site);
    let before = site.main();
    let authorized = |merge: &str| {
        bob.fetch();
        bob.run(&["fetch", "--quiet", alice.clone_path().to_str().unwrap(), merge]);
        File::of(&bob, merge).push(&bob).accepted();
    };
    authorized(&merge);
    lands(&alice, &merge).accepted();
    for (message, from, tree) in [("revert", &merge, &before), ("again", &before, &merge)] {
        let tree = format!("{tree}^{{tree}}");
        let tip = alice.run(&["commit-tree", "-m", message, "-p", &site.main(), &tree]);
        alice.push(&[&format!("{tip}:refs/heads/{message}")]).accepted();
        let landing = alice.merge(&tip);
        site.main_refuses(&alice, &landing).refused_by("infra-review");
        authorized(&landing);
        lands(&alice, &landing).accepted();
        assert_ne!(site.main(), *from);
    }
    site.log_and_refs_agree();
}

#[test]
fn what_the_same_push_brings_does_not_count_yet() {
    let site = site();
    let (alice, bob, merge) = waiting(&site);
    let file = File::of(&bob, &merge);
    let blob = alice.object("blob", file.by(&bob, &[&bob.key()]).as_bytes());
    let commit = commit(&alice, &file.path, "100644", &blob);
    let both = [format!("{commit}:{ATTESTATIONS}"), format!("{merge}:refs/heads/main")];
    let both = alice.push(&both.each_ref().map(String::as_str));
    both.refused_by("infra-review").tells("as it was before this push");
    both.tells("push refs/gittuf/attestations first");
    push(&alice, &commit).accepted();
    lands(&alice, &merge).accepted();
    site.log_and_refs_agree();
}

#[test]
fn a_word_of_ours_by_the_same_person_is_above_it() {
    let site = site();
    let (alice, bob, merge) = waiting(&site);
    File::of(&bob, &merge).push(&bob).accepted();
    let topic = bob.oid(&format!("{merge}^2"));
    site.draft(&bob, &topic).verdict("reject").push(&bob).accepted();
    site.main_refuses(&alice, &merge).tells("bob rejected infra/prod/network.tf");
    site.draft(&bob, &topic).later(1).verdict("revoke").push(&bob).accepted();
    waits(&site, &alice, &merge)
        .tells("bob authorized it in gittuf, and took an approval of it back");
    site.draft(&bob, &topic).later(2).push(&bob).accepted();
    lands(&alice, &merge).accepted();
    site.log_and_refs_agree();
}

#[test]
fn a_made_branch_is_authorized_from_nothing_and_each_step_of_many_is_not() {
    let site = Site::new(
        rules(1).replace("[\"@default\"]\ninfra", "[\"@default\", \"release/**\"]\ninfra"),
    );
    let (alice, bob, merge) = waiting(&site);
    let file = File::of(&bob, &merge);
    let from = bob.oid("origin/main");
    let zeros = "0".repeat(40);
    let made = file.clone().saying(&from, &zeros).saying("heads/main", "heads/release/1");
    let path = made.path.replace("main", "release/1").replace(&from, &zeros);
    let create = [format!("{merge}:refs/heads/release/1")];
    let create = || alice.push(&create.each_ref().map(String::as_str));
    create().refused_by("infra-review");
    File { path, ..made }.push(&bob).accepted();
    create().accepted();
    // Two merges at once: the authorization is of both, and neither alone.
    let other = alice.topic("close-port", &[("infra/prod/dns.tf", "zone\n")]);
    alice.run(&["checkout", "--quiet", &merge]);
    alice.run(&["merge", "--quiet", "--no-ff", "--no-edit", &other]);
    let both = alice.oid("HEAD");
    File::of(&alice, &both).put(&bob, &File::of(&alice, &both).by(&bob, &[&bob.key()])).accepted();
    site.main_refuses(&alice, &both).refused_by("infra-review").tells("one step of several");
    site.log_and_refs_agree();
}

/// A script that does what a command would do, once.
fn once(site: &Site, name: &str, mut command: std::process::Command, refspec: &str) -> String {
    let (script, done) = (site.ground().at(name), site.ground().at(format!("{name}.done")));
    let quoted = |text: &std::ffi::OsStr| format!("'{}'", text.to_str().unwrap());
    command.arg("push").arg(site.path()).arg(refspec);
    let envs = command.get_envs().filter_map(|(key, value)| Some((key, value?)));
    let envs: Vec<String> =
        envs.map(|(key, value)| format!("{}={}", key.to_str().unwrap(), quoted(value))).collect();
    let words: Vec<String> = command.get_args().map(quoted).collect();
    let text = format!(
        "#!/bin/sh\n[ -e '{0}' ] && exit 0\n: >'{0}'\nenv -i {1} git {2} >'{0}' 2>&1\n",
        done.display(),
        envs.join(" "),
        words.join(" "),
    );
    std::fs::write(&script, text).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, mode).unwrap();
    script.to_str().unwrap().to_owned()
}

#[test]
fn f09_what_changes_while_a_landing_is_judged_is_judged_again() {
    let site = site();
    let (alice, bob, merge) = waiting(&site);
    let file = File::of(&bob, &merge);
    // A rule's command takes its time, in which the file goes, or Bob takes his word back.
    let nothing = commit(&bob, "README", "100644", &bob.object("blob", b"empty\n"));
    let revoked = site.draft(&bob, &bob.oid(&format!("{merge}^2"))).verdict("revoke").sign(&bob);
    let gone = format!("+{nothing}:{ATTESTATIONS}");
    let rewinds = WRITES.to_owned() + "rewind = [\"@platform\"]\n";
    for (name, refspec, words) in [
        ("gone", gone.as_str(), "0 of 1 approval"),
        ("revoked", &revoked.refspec(), "and took an approval of it back"),
    ] {
        site.set_policy(rules(1).replace(WRITES, &rewinds));
        file.push(&bob).accepted();
        let script = once(&site, name, bob.git(&[]), refspec);
        let run = format!(
            "\n[rule.meanwhile]\nkind = \"run\"\nrefs = [\"@default\"]\ncommand = [\"{script}\"]\n"
        );
        site.set_policy(rules(1).replace(WRITES, &rewinds) + &run);
        site.main_refuses(&alice, &merge).refused_by("infra-review").tells(words);
        let done = std::fs::read_to_string(site.ground().at(format!("{name}.done"))).unwrap();
        assert!(done.contains("accepted"), "{done}");
    }
    site.log_and_refs_agree();
}
