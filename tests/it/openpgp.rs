//! OpenPGP keys of `[identity] keyring`: commits, tags, approvals and pushes signed by a real `gpg`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use portcullis::names::moment::Moment;
use portcullis::openpgp::check::{Check, verify};
use portcullis::openpgp::keyring::Keyring;

use crate::gittuf;
use crate::support::ground::{Ground, feed, missing, run, text};
use crate::support::person::{Person, test_key};
use crate::support::policy;
use crate::support::push::Pushed;
use crate::support::site::{Plan, Site};
use crate::support::statement::Statement;

/// A file of `tests/keys/openpgp`.
fn material(name: &str) -> PathBuf {
    test_key("openpgp").join(name)
}

/// The shared policy with OpenPGP keys beside SSH keys, and these rules.
fn site(people: &str, rules: &str, format: &'static str) -> Site {
    let whole = format!("{people}\n{rules}\n")
        .replace("[identity]\n", "[identity]\nkeyring = \"keys/ring.asc\"\n");
    let ring = fs::read_to_string(material("ring.asc")).unwrap();
    let plan = Plan::new(whole).format(format).beside("keys/ring.asc", &ring);
    plan.setting("receive.certNonceSeed", "a seed of the tests").build()
}

const SIGNED: &str = "[rule.signed]\nkind = \"signature\"\nrefs = [\"@default\", \"refs/tags/v*\"]\nby = \"committer\"";

/// Whether gpg is here; says so where it is not.
fn has_gpg() -> bool {
    let found = std::process::Command::new("gpg").arg("--version").output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        missing("there is no gpg");
    }
    found
}

/// A person with a private `gpg` that signs for Git. Its agent ends with the value.
struct Signer {
    person: Person,
}

impl Signer {
    /// `None`: there is no gpg here.
    fn new(site: &Site, name: &str, key: &str) -> Option<Self> {
        if !has_gpg() {
            return None;
        }
        let signer = Self { person: site.person(name) };
        let home = signer.person.home().join(".gnupg");
        fs::create_dir(&home).unwrap();
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
        let mut import = signer.person.command("gpg");
        text(import.args(["--batch", "--quiet", "--import"]).arg(material(&format!("{key}.key"))));
        for (setting, value) in
            [("gpg.format", "openpgp"), ("user.signingKey", &format!("{key}@example.org"))]
        {
            signer.person.run(&["config", setting, value]);
        }
        Some(signer)
    }

    /// One more commit, signed.
    fn signs(&self, path: &str) -> String {
        self.person.commit(path, "new\n");
        self.person.run(&["commit", "--quiet", "--amend", "--no-edit", "-S"]);
        let oid = self.person.oid("HEAD");
        let raw = self.person.run(&["cat-file", "commit", &oid]);
        assert!(raw.contains(" -----BEGIN PGP SIGNATURE-----\n"), "{raw}");
        oid
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        let _ = run(self.person.command("gpgconf").args(["--kill", "all"]));
    }
}

#[test]
fn f12_commits_and_tags_signed_by_gpg_count() {
    for format in ["sha1", "sha256"] {
        let site = site(&policy::people(), SIGNED, format);
        let Some(alice) = Signer::new(&site, "alice", "alice") else { return };
        alice.person.begin("work");
        let first = alice.signs("a");
        alice.person.push(&["HEAD:refs/heads/main"]).accepted();
        alice.person.run(&["tag", "-s", "-m", "release", "v1", &first]);
        alice.person.push(&["refs/tags/v1"]).accepted();
        // SSH keys count beside.
        alice.person.run(&["config", "--unset", "gpg.format"]);
        alice.person.run(&["config", "--unset", "user.signingKey"]);
        alice.person.commit("b", "new\n");
        alice.person.run(&["commit", "--quiet", "--amend", "--no-edit", "-S"]);
        alice.person.push(&["HEAD:refs/heads/main"]).accepted();
        site.log_and_refs_agree();
    }
}

#[test]
fn f12_what_gpg_signs_for_others_or_over_other_bytes_does_not_count() {
    let site = site(&policy::people(), SIGNED, "sha1");
    let Some(judy) = Signer::new(&site, "alice", "judy") else { return };
    judy.person.begin("work");
    let oid = judy.signs("a");
    site.main_refuses(&judy.person, &oid)
        .refused_by("signed")
        .says(&format!("  {} has a signature that is by the key ", &oid[..7]))
        .tells("which is not in the keyring")
        .says("hint: to enrol a new key read: portcullis explain roster");
    let Some(bob) = Signer::new(&site, "carol", "bob") else { return };
    bob.person.begin("work");
    let good = bob.signs("b");
    site.main_refuses(&bob.person, &good)
        .tells("is signed by bob and committed as \"carol@example.org\", which");
    let raw = bob.person.run(&["cat-file", "commit", &good]) + "\n";
    let forge = |from: &str, to: &str| {
        assert!(raw.contains(from), "{raw}");
        bob.person.object("commit", raw.replace(from, to).as_bytes())
    };
    for (oid, words) in [
        (forge("change b", "change c"), "has a signature that is not over these bytes by "),
        (forge("PGP SIGNATURE", "PGP MESSAGE"), "has a signature that is no OpenPGP signature"),
        (
            forge("-----END PGP SIGNATURE-----", "-----END PGP SIGNATURE-----\n more"),
            "more than one",
        ),
    ] {
        site.main_refuses(&bob.person, &oid).refused_by("signed").tells(words);
    }
    site.log_and_refs_agree();
}

#[test]
fn a_tag_signed_by_gpg_approves_and_a_file_does_not() {
    let site = site(&policy::gated(1), "", "sha1");
    let Some(bob) = Signer::new(&site, "bob", "bob") else { return };
    let alice = site.person("alice");
    let tip = alice.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
    bob.person.fetch();
    let draft = site.draft(&bob.person, &tip);
    let (name, file) = (format!("approve-{tip}"), bob.person.home().join("message"));
    fs::write(&file, draft.text()).unwrap();
    bob.person.run(&["tag", "-s", "-F", file.to_str().unwrap(), &name, &tip]);
    let tag =
        Statement { blob: bob.person.oid(&format!("refs/tags/{name}")), place: draft.place() };
    // The same signature on the same lines in a file: OpenPGP knows no purposes.
    let mut gpg = bob.person.command("gpg");
    gpg.args(["--batch", "--yes", "--armor", "--detach-sign", "--local-user", "bob@example.org"]);
    fs::write(&file, draft.text() + "\n").unwrap();
    text(gpg.arg("--output").arg(file.with_extension("asc")).arg(&file));
    let armor = fs::read(file.with_extension("asc")).unwrap();
    let whole = [draft.text().as_bytes(), b"\n", &armor].concat();
    let blob = Statement { blob: bob.person.object("blob", &whole), ..tag.clone() };
    blob.push(&bob.person).refused_by("statement").tells("no SSH signature");
    site.does_not_land(&alice, &tip).says("0 of 1 approval");
    tag.push(&bob.person).accepted();
    alice.land(&tip).accepted();
    let log = site.log();
    assert_eq!(log.last("decision")["refs"][0]["uses"].as_array().unwrap().len(), 1);
    site.log_and_refs_agree();
}

#[test]
fn f01_a_push_signed_by_gpg_names_the_pusher() {
    let rule = "[rule.pushes-are-signed]\nkind = \"signed-push\"\nrefs = [\"@default\"]";
    let site = site(&policy::people(), rule, "sha1");
    let Some(alice) = Signer::new(&site, "alice", "alice") else { return };
    alice.person.begin("work");
    alice.person.commit("a", "new\n");
    let signed =
        |signer: &Signer| -> Pushed { signer.person.push(&["--signed", "HEAD:refs/heads/main"]) };
    signed(&alice).accepted();
    let log = site.log();
    let cert = &log.last("decision")["cert"];
    assert_eq!((&cert["good"], &cert["by"]), (&true.into(), &"alice".into()));
    assert_eq!(cert["key"].as_str().map(str::len), Some(40), "{cert}");
    let Some(judy) = Signer::new(&site, "carol", "judy") else { return };
    judy.person.begin("work");
    judy.person.commit("b", "new\n");
    signed(&judy)
        .refused_by("pushes-are-signed")
        .tells("the push certificate has a signature that is by the key ")
        .tells("not in the keyring");
    site.log_and_refs_agree();
}

#[test]
fn a_keyring_may_be_binary_and_is_part_of_the_policy() {
    let site = site(&policy::people(), SIGNED, "sha1");
    let Some(alice) = Signer::new(&site, "alice", "alice") else { return };
    alice.person.begin("work");
    alice.signs("a");
    alice.person.push(&["HEAD:refs/heads/main"]).accepted();
    let ring = site.ground().at("keys/ring.asc");
    fs::copy(material("ring.gpg"), &ring).unwrap();
    alice.signs("b");
    let recorded = site.log().count("policy");
    alice.person.push(&["HEAD:refs/heads/main"]).accepted();
    assert_eq!(site.log().count("policy"), recorded + 1);
    // Nobody's keys: every push is refused, and the pusher learns why only in the log.
    fs::write(&ring, "ssh-ed25519 AAAA alice\n").unwrap();
    alice.signs("c");
    alice.person.push(&["HEAD:refs/heads/main"]).says("the policy on this server has problems");
    fs::copy(material("alice.key"), &ring).unwrap();
    let output = site.portcullis(&["lint", site.policy_file().to_str().unwrap()]);
    let said =
        String::from_utf8(output.stderr).unwrap() + &String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("it holds a private key"), "{said}");
    fs::remove_file(&ring).unwrap();
    alice.person.push(&["HEAD:refs/heads/main"]).says("the policy on this server cannot be read");
}

#[test]
fn what_counts_here_is_good_to_gpg_as_well() {
    if !has_gpg() {
        return;
    }
    let ground = Ground::new();
    let home = ground.at("gnupg");
    fs::create_dir(&home).unwrap();
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
    let gpg = || {
        let mut gpg = ground.command("gpg");
        gpg.env("GNUPGHOME", &home);
        gpg.args(["--batch", "--no-tty", "--no-autostart", "--status-fd", "1"]);
        gpg.args(["--faked-system-time", "20261122T120000!"]);
        gpg
    };
    text(gpg().arg("--import").arg(material("ring.asc")));
    let (ring, _) = Keyring::read(&fs::read(material("ring.asc")).unwrap()).unwrap();
    let message = fs::read(material("signed")).unwrap();
    let now = Moment::parse_seconds("2026-11-22T12:00:00Z").unwrap();
    let (mut both, mut seen) = (Vec::new(), 0);
    for entry in fs::read_dir(material("")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "sig") {
            continue;
        }
        seen += 1;
        let armor = fs::read(&path).unwrap();
        let check = verify(&ring, &message, &armor, &|_, _| true, now);
        let theirs = run(gpg().arg("--verify").arg(&path).arg(material("signed")));
        let theirs = String::from_utf8_lossy(&theirs.stdout).contains("[GNUPG:] GOODSIG ");
        if matches!(check, Check::Made { doubt: None, .. }) {
            assert!(theirs, "{} counts here, and not to gpg", path.display());
            both.push(path);
        }
    }
    assert!(seen > 20 && both.len() == 7, "{seen} {both:?}");
}

#[test]
fn an_authorization_of_gittufs_signed_by_gpg_is_an_approval() {
    let policy = policy::gated(1);
    let policy =
        policy.replace("from = [\"@platform\"]\n", "from = [\"@platform\"]\ngittuf = true\n");
    let site = site(&(policy + gittuf::WRITES), "", "sha1");
    let Some(bob) = Signer::new(&site, "bob", "bob") else { return };
    let alice = site.person("alice");
    let tip = alice.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
    let merge = alice.merge(&tip);
    bob.person.fetch();
    bob.person.run(&["fetch", "--quiet", alice.clone_path().to_str().unwrap(), &merge]);
    let file = gittuf::File::of(&bob.person, &merge);
    let signed = |bytes: &str| {
        let mut gpg = bob.person.command("gpg");
        gpg.args([
            "--batch",
            "--quiet",
            "--detach-sign",
            "--armor",
            "--local-user",
            "bob@example.org",
        ]);
        let output = feed(&mut gpg, bytes.as_bytes());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        file.with(&[gittuf::signature(&String::from_utf8(output.stdout).unwrap())])
    };
    file.put(&bob.person, &signed("other bytes")).accepted();
    let no = site.main_refuses(&alice, &merge);
    no.says("0 of 1 approval").tells("gittuf has a signature that does not count");
    file.put(&bob.person, &signed(&file.signed_bytes())).accepted();
    gittuf::lands(&alice, &merge).accepted();
    let entry = site.log().last("decision")["seq"].to_string();
    let told = String::from_utf8(site.verb(&["log", "show", &entry, "--full"]).stdout).unwrap();
    assert!(told.contains("authorized by bob, by the key ") && told.contains("fits;"), "{told}");
    site.log_and_refs_agree();
}
