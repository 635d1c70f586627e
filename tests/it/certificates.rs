//! Push certificates: made by a real `git push --signed`, verified by us, believed for nothing else.

use std::fs;
use std::process::Output;

use crate::support::ground::{feed, run, text};
use crate::support::person::{Person, WHO, put_key, test_key};
use crate::support::policy;
use crate::support::push::Pushed;
use crate::support::site::{Plan, Site};

/// The server gives out nonces.
const SEED: (&str, &str) = ("receive.certNonceSeed", "a seed of the tests");

/// `main` takes signed pushes only.
fn signed(more: &str) -> String {
    let rule = "[rule.pushes-are-signed]\nkind = \"signed-push\"\nrefs = [\"@default\"]";
    format!("{}\n{rule}\n{more}\n", policy::people())
}

fn site(policy: String, format: &'static str) -> Site {
    Plan::new(policy).format(format).setting(SEED.0, SEED.1).build()
}

/// The people of the tests, known by what they sign.
fn by_certificate() -> String {
    let local = format!("local = \"{WHO}\"");
    policy::gated(1).replace(&local, "local = \"push-certificate\"")
}

/// A push from the person's clone with other settings of Git.
fn push_with(person: &Person, site: &Site, settings: &[&str], args: &[&str]) -> Pushed {
    let mut git = person.command("git");
    git.arg("-C").arg(person.clone_path());
    git.args(settings.iter().flat_map(|setting| ["-c", setting]));
    let (options, refspecs): (Vec<&str>, Vec<&str>) = args.iter().partition(|a| a.starts_with('-'));
    Pushed::of(&run(git.arg("push").args(options).arg(site.path()).args(refspecs)))
}

#[test]
fn the_push_itself_is_signed_and_the_log_keeps_the_proof() {
    for format in ["sha1", "sha256"] {
        let site = site(signed(""), format);
        let alice = site.person("alice");
        alice.begin("work");
        alice.commit("a", "new\n");
        site.main_refuses(&alice, "HEAD")
            .refused_by("pushes-are-signed")
            .says("  the push carries no certificate")
            .says("hint: sign the push: git push --signed")
            .says("hint: for good: git config push.gpgSign if-asked")
            .says("receive.certNonceSeed");
        alice.push(&["--signed", "HEAD:refs/heads/main"]).accepted();
        let log = site.log();
        let decision = log.last("decision");
        let cert = &decision["cert"];
        assert_eq!((&cert["good"], &cert["by"]), (&true.into(), &"alice".into()));
        assert_eq!(decision["actor"]["name"], "alice");
        verifies(&site, cert["text"].as_str().unwrap());
        // What no rule names is free to go unsigned; a deletion is a push like any other.
        alice.push(&["HEAD:refs/heads/free"]).accepted();
        alice.push(&["--signed", ":refs/heads/free"]).accepted();
        site.log_and_refs_agree();
    }
}

/// An auditor's check of the kept certificate, with nothing of ours.
#[track_caller]
fn verifies(site: &Site, certificate: &str) {
    let at = certificate.find("-----BEGIN").unwrap();
    let (signed, armour) = certificate.split_at(at);
    let (allowed, file) = (site.ground().at("allowed"), site.ground().at("cert.sig"));
    let key = fs::read_to_string(test_key("alice.pub")).unwrap();
    fs::write(&allowed, format!("alice {key}")).unwrap();
    fs::write(&file, armour).unwrap();
    let mut keygen = site.ground().command("ssh-keygen");
    keygen
        .args(["-Y", "verify", "-n", "git", "-I", "alice", "-f"])
        .arg(&allowed)
        .arg("-s")
        .arg(&file);
    let output = feed(&mut keygen, signed.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn f01_git_s_own_word_for_a_certificate_is_not_asked() {
    let site = site(signed(""), "sha1");
    let alice = site.person("alice");
    // The server's Git takes mallory for alice; the policy does not.
    let allowed = site.ground().at("allowed");
    let mallory = fs::read_to_string(test_key("mallory.pub")).unwrap();
    fs::write(&allowed, format!("alice@example.org {mallory}")).unwrap();
    site.git(&["config", "gpg.format", "ssh"]);
    site.git(&["config", "gpg.ssh.allowedSignersFile", allowed.to_str().unwrap()]);
    put_key(&alice.home().join("other"), "mallory");
    alice.begin("work");
    alice.commit("a", "new\n");
    let before = site.main();
    let key = format!("user.signingKey={}", alice.home().join("other").display());
    let args = ["--signed", "HEAD:refs/heads/main"];
    push_with(&alice, &site, &[&key], &args)
        .refused_by("pushes-are-signed")
        .says("the push certificate is by SHA256:")
        .says("nobody's key");
    assert_eq!(site.main(), before);
    assert_eq!(site.log().last("decision")["cert"]["good"], false);
    // The other way round: Git knows nobody's key here, and we know hers.
    fs::write(&allowed, "").unwrap();
    alice.push(&args).accepted();
}

#[test]
fn from_says_whose_certificates_count() {
    let site = site(signed("from = [\"@sre\"]"), "sha1");
    let (alice, carol) = (site.person("alice"), site.person("carol"));
    let args = ["--signed", "HEAD:refs/heads/main"];
    carol.begin("work");
    carol.commit("a", "new\n");
    carol
        .push(&args)
        .refused_by("pushes-are-signed")
        .says("the push certificate is signed by carol, whose signature does not")
        .says("certificates count from @sre");
    alice.begin("work");
    alice.commit("a", "new\n");
    alice.push(&args).accepted();
}

#[test]
fn a_door_may_know_people_by_what_they_sign() {
    let site = site(by_certificate(), "sha1");
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    alice.begin("topic");
    let tip = alice.commit("infra/prod/network.tf", "port 8443\n");
    let before = site.refs();
    alice
        .push(&["HEAD:refs/heads/topic"])
        .refused()
        .says("refused by rule `identity`")
        .says("the push has to be signed, the push carries no certificate")
        .says("git push --signed");
    put_key(&alice.home().join("other"), "mallory");
    let key = format!("user.signingKey={}", alice.home().join("other").display());
    push_with(&alice, &site, &[&key], &["--signed", "HEAD:refs/heads/topic"])
        .refused()
        .says("nobody's key");
    assert_eq!(site.refs(), before);
    let unknown = site.log().last("decision")["actor"].clone();
    assert_eq!(
        (&unknown["kind"], &unknown["source"]),
        (&"unknown".into(), &"push-certificate".into())
    );

    // Whoever the environment names: alice is whoever holds her key.
    let settings = ["push.gpgSign=if-asked"];
    push_with(&alice, &site, &settings, &["HEAD:refs/heads/topic"]).accepted();
    let actor = site.log().last("decision")["actor"].clone();
    assert_eq!((&actor["name"], &actor["kind"]), (&"alice".into(), &"person".into()));
    let mut keygen = alice.command("ssh-keygen");
    let line = text(keygen.arg("-lf").arg(test_key("alice.pub")));
    assert_eq!(actor["key"].as_str(), line.split(' ').nth(1));
    // She made it, so her approval does not count; bob's does, and a question is signed like a push.
    bob.fetch();
    let draft = site.draft(&bob, &tip);
    let asked = push_with(
        &bob,
        &site,
        &settings,
        &["-oask", &format!("{tip}:refs/portcullis/ask/heads/main")],
    );
    asked.says("you are bob");
    draft.push_with(&bob, &["--signed"]).accepted();
    let merge = alice.merge(&tip);
    push_with(&alice, &site, &settings, &[&format!("{merge}:refs/heads/main")]).accepted();
    site.log_and_refs_agree();
}

#[test]
fn where_only_update_runs_nobody_is_shown_a_certificate() {
    let plan = |policy: String| {
        let plan = Plan::new(policy).setting(SEED.0, SEED.1);
        plan.install("--hooks").install("update,post-receive").build()
    };
    for (policy, words) in [
        (signed(""), "the update hook is shown no push certificate"),
        (by_certificate(), "the push has to be signed, the update hook is shown no push"),
    ] {
        let site = plan(policy);
        let alice = site.person("alice");
        alice.begin("work");
        alice.commit("app/a", "new\n");
        let push = alice.push(&["--signed", "HEAD:refs/heads/main"]);
        push.refused().says(words).is_silent_about("git push --signed");
        push.says("ask the operators to install the pre-receive hook as well");
    }
}

/// A hook called as Git would call it, with a certificate that Git would not have let through.
struct Lie {
    site: Site,
    alice: Person,
    new: String,
    /// Lines of the certificate.
    nonce: &'static str,
    pushee: String,
    options: Vec<&'static str>,
    commands: Vec<String>,
    /// What Git says beside it.
    said_nonce: Option<&'static str>,
    said_status: &'static str,
    said_options: Vec<&'static str>,
    namespace: &'static str,
}

impl Lie {
    fn new() -> Self {
        let site = site(signed(""), "sha1");
        let alice = site.person("alice");
        alice.begin("work");
        let new = alice.commit("a", "new\n");
        alice.push(&["HEAD:refs/heads/topic"]).accepted();
        let command = format!("{} {new} refs/heads/main", site.main());
        Self {
            pushee: site.path().display().to_string(),
            site,
            alice,
            new,
            nonce: "1767225600-abc",
            options: vec!["one"],
            commands: vec![command],
            said_nonce: Some("1767225600-abc"),
            said_status: "OK",
            said_options: vec!["one"],
            namespace: "git",
        }
    }

    fn text(&self) -> String {
        let mut text = format!(
            "certificate version 0.1\npusher alice 1767225600 +0000\npushee {}\nnonce {}\n",
            self.pushee, self.nonce
        );
        self.options.iter().for_each(|option| text += &format!("push-option {option}\n"));
        text += "\n";
        self.commands.iter().for_each(|command| text += &format!("{command}\n"));
        let file = self.alice.home().join("cert");
        fs::write(&file, &text).unwrap();
        let mut sign = self.alice.command("ssh-keygen");
        sign.args(["-q", "-Y", "sign", "-n", self.namespace, "-f"])
            .arg(self.alice.key())
            .arg(&file);
        // An earlier signature would make it ask.
        let _ = fs::remove_file(file.with_extension("sig"));
        crate::support::ground::text(&mut sign);
        text + &fs::read_to_string(file.with_extension("sig")).unwrap()
    }

    fn tell(&self, text: &str) -> Output {
        let mut store = self.site.ground().git(self.site.path());
        let output = feed(store.args(["hash-object", "-w", "--stdin"]), text.as_bytes());
        let oid = String::from_utf8(output.stdout).unwrap();
        self.tell_blob(oid.trim())
    }

    fn tell_blob(&self, oid: &str) -> Output {
        let mut hook = self.site.ground().command(self.site.hook_file("pre-receive"));
        hook.current_dir(self.site.path()).env("GIT_DIR", ".").env(WHO, "alice");
        hook.env("GIT_PUSH_CERT", oid);
        // Git's own verdict says yes throughout; nobody may ask it.
        hook.env("GIT_PUSH_CERT_STATUS", "G").env("GIT_PUSH_CERT_SIGNER", "alice");
        if let Some(nonce) = self.said_nonce {
            hook.env("GIT_PUSH_CERT_NONCE", nonce)
                .env("GIT_PUSH_CERT_NONCE_STATUS", self.said_status);
        }
        hook.env("GIT_PUSH_OPTION_COUNT", self.said_options.len().to_string());
        for (index, option) in self.said_options.iter().enumerate() {
            hook.env(format!("GIT_PUSH_OPTION_{index}"), option);
        }
        let line = format!("{} {} refs/heads/main\n", self.site.main(), self.new);
        feed(&mut hook, line.as_bytes())
    }

    #[track_caller]
    fn is_refused(&self, words: &str) {
        refused(&self.tell(&self.text()), words);
    }

    #[track_caller]
    fn is_accepted(&self) {
        let output = self.tell(&self.text());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[track_caller]
fn refused(output: &Output, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr).replace("\n    ", " ");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(words), "nobody said {words:?}:\n{said}");
}

#[test]
fn f03_f04_a_certificate_is_for_exactly_this_push_and_counts_once() {
    let mut lie = Lie::new();
    let honest = lie.commands.clone();
    let zero = lie.site.zero();
    for commands in [
        vec![honest[0].replace("main", "other")],
        vec![honest[0].replace(&lie.new, &"1".repeat(40))],
        vec![honest[0].replacen(&lie.site.main(), &zero, 1)],
        vec![honest[0].clone(), honest[0].replace("main", "more")],
        vec![honest[0].clone(), honest[0].clone()],
    ] {
        lie.commands = commands;
        lie.is_refused("is for other ref updates than this push");
    }
    lie.commands = honest;
    for options in [vec![], vec!["two"], vec!["one", "one"]] {
        lie.options = options;
        lie.is_refused("is for other push options than this push");
    }
    lie.options = vec!["one"];
    lie.nonce = "1767225600-abd";
    lie.is_refused("carries another nonce than this server gave out");
    lie.nonce = "1767225600-abc";
    for (status, words) in [
        ("SLOP", "carries a nonce older than receive.certNonceSlop allows"),
        ("BAD", "carries a nonce of which Git says BAD"),
        ("UNSOLICITED", "carries a nonce of which Git says UNSOLICITED"),
        ("", "carries a nonce of which Git says"),
    ] {
        lie.said_status = status;
        lie.is_refused(words);
    }
    lie.said_status = "OK";
    lie.said_nonce = None;
    lie.is_refused("this server gives out no nonce");
    lie.said_nonce = Some("1767225600-abc");
    lie.namespace = "approval@portcullis";
    lie.is_refused("made for another purpose");
    lie.namespace = "git";
    lie.site.git(&["config", "portcullis.url", "https://git.example.org/infra.git"]);
    lie.is_refused("which is no address of this repository");
    lie.pushee = "https://git.example.org/infra/".to_owned();
    lie.is_accepted();
    let entry = lie.site.log().last("decision")["seq"].to_string();
    lie.is_refused(&format!("came before, in entry {entry}, and counts once"));
}

#[test]
fn every_byte_of_a_certificate_counts_and_none_is_believed_unread() {
    let lie = Lie::new();
    let text = lie.text();
    for at in (0..text.find("-----BEGIN").unwrap()).step_by(23) {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        refused(&lie.tell(&String::from_utf8(bytes).unwrap()), "the push certificate ");
    }
    refused(
        &lie.tell(&text.replace("SSH SIGNATURE", "PGP SIGNATURE")),
        "of OpenPGP, and the policy names no",
    );
    refused(&lie.tell(&text.replace("SSH SIGNATURE", "SIGNED MESSAGE")), "not supported here");
    refused(&lie.tell(text.split("-----BEGIN").next().unwrap()), "is not signed");
    refused(&lie.tell(""), "is not signed");
    for oid in ["", "nonsense", &"1".repeat(40), &lie.new] {
        refused(&lie.tell_blob(oid), "cannot be read");
    }
    let long = format!("certificate version 0.1\n{}", "x".repeat(6 * 1024 * 1024));
    refused(&lie.tell(&long), "cannot be read, or is larger than any can be");
}

#[test]
fn doctor_says_when_a_policy_asks_for_what_git_does_not_offer() {
    for policy in [signed(""), by_certificate()] {
        let site = site(policy, "sha1");
        let found =
            |site: &Site| String::from_utf8(site.verb(&["doctor", "--json"]).stdout).unwrap();
        site.git(&["config", "--unset", "receive.certNonceSeed"]);
        let told = found(&site);
        assert!(told.contains("\"cert-nonce\""), "{told}");
        site.git(&["config", "receive.certNonceSeed", "seed"]);
        let told = found(&site);
        assert!(!told.contains("\"cert-nonce\"") && told.contains("cert-nonce-slop"), "{told}");
    }
    let site = Site::gated();
    let told = String::from_utf8(site.verb(&["doctor", "--json"]).stdout).unwrap();
    assert!(!told.contains("cert-nonce"), "{told}");
}
