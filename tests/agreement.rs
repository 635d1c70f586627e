//! `ssh-keygen -Y verify` and we, over one matrix: kinds of keys, digests, namespaces, what stands
//! in `allowed_signers`, points in time, and every way of damaging a signature.
//!
//! Both are asked the same question about the same bytes and have to give the same answer. Where
//! they differ on purpose, the case is listed in `DIFFERENCES` with the reason; one that is listed
//! and does not differ is a failure too. Skips where there is no `ssh-keygen`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "a test is the outside: files and children")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64ct::{Base64, Encoding as _};
use portcullis::names::moment::Moment;
use portcullis::ssh::allowed_signers;
use portcullis::ssh::key::SshKey;
use portcullis::ssh::signature::{SignatureCheck, verify};
use tempfile::TempDir;

/// Where we say no and `ssh-keygen` says yes: how the case's name begins, and why.
const DIFFERENCES: &[(&str, &str)] = &[
    ("rsa-1024 ", "RSA keys below 2048 bits can be broken"),
    (
        "certificate with a condition",
        "PROTOCOL.certkeys: who does not know a critical option refuses",
    ),
];

const MESSAGE: &[u8] = b"approval v1\nverdict approve\n\n";

/// When most questions are asked, as `ssh-keygen` reads it and as we do.
const NOW: (&str, &str) = ("20260101120000Z", "2026-01-01T12:00:00Z");

/// A folder with keys.
struct Keygen {
    folder: TempDir,
}

impl Keygen {
    /// `None`: there is no `ssh-keygen` here.
    fn new() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        Command::new("ssh-keygen").arg("-?").stderr(Stdio::null()).status().ok()?;
        Some(Self { folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> bool {
        let mut keygen = Command::new("ssh-keygen");
        keygen.current_dir(self.folder.path()).args(arguments).env("TZ", "UTC");
        let quiet = keygen.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        quiet.status().unwrap().success()
    }

    /// Makes a key pair; `None` where this `ssh-keygen` does not make such keys.
    fn key(&self, name: &str, kind: &[&str]) -> Option<String> {
        let made = self.run(&[&["-q", "-N", "", "-C", "test", "-f", name], kind].concat());
        made.then(|| fs::read_to_string(self.path(&format!("{name}.pub"))).unwrap())
    }

    fn sign(&self, key: &str, namespace: &str, digest: &str) -> Vec<u8> {
        fs::write(self.path("message"), MESSAGE).unwrap();
        let _ = fs::remove_file(self.path("message.sig"));
        let digest = format!("hashalg={digest}");
        assert!(
            self.run(&["-q", "-Y", "sign", "-n", namespace, "-O", &digest, "-f", key, "message"])
        );
        fs::read(self.path("message.sig")).unwrap()
    }

    fn verifies(&self, asked: &Asked<'_>) -> bool {
        fs::write(self.path("allowed"), asked.allowed).unwrap();
        fs::write(self.path("signature"), asked.signature).unwrap();
        fs::write(self.path("verified"), asked.message).unwrap();
        let time = format!("verify-time={}", asked.time.0);
        let mut keygen = Command::new("ssh-keygen");
        keygen.current_dir(self.folder.path()).env("TZ", "UTC");
        keygen.args(["-q", "-Y", "verify", "-O", &time, "-f", "allowed", "-s", "signature"]);
        keygen.args(["-I", asked.principal, "-n", asked.namespace]);
        keygen.stdin(fs::File::open(self.path("verified")).unwrap());
        keygen.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    }
}

/// One question.
struct Asked<'a> {
    allowed: &'a str,
    principal: &'a str,
    namespace: &'a str,
    message: &'a [u8],
    signature: &'a [u8],
    time: (&'a str, &'a str),
}

/// Our answer: the signature is good, and some line lets its key speak for this principal.
fn we_verify(asked: &Asked<'_>) -> bool {
    let now = Moment::parse_seconds(asked.time.1).unwrap();
    let signs = |line: &&allowed_signers::Signer| {
        line.names(asked.principal) && line.signs_in(asked.namespace) && line.is_valid_at(now)
    };
    let file = allowed_signers::parse(asked.allowed);
    let mut lines = file.signers.iter().filter(signs);
    match verify(asked.namespace, asked.message, asked.signature) {
        SignatureCheck::Good { key, .. } => {
            lines.any(|line| !line.is_authority && *line.key.bytes() == key)
        }
        SignatureCheck::Certified { certificate, .. } => {
            let vouches = certificate.names(asked.principal) && certificate.doubt(now).is_none();
            let of = |line: &allowed_signers::Signer| *line.key.bytes() == certificate.authority;
            vouches && lines.any(|line| line.is_authority && of(line))
        }
        SignatureCheck::Untouched { .. }
        | SignatureCheck::Bad { .. }
        | SignatureCheck::WrongNamespace { .. }
        | SignatureCheck::Unsupported { .. }
        | SignatureCheck::Malformed { .. } => false,
    }
}

/// The answers so far: by the case's name, theirs and ours.
struct Matrix<'k> {
    keygen: &'k Keygen,
    answers: BTreeMap<String, (bool, bool)>,
}

impl Matrix<'_> {
    fn ask(&mut self, name: String, asked: &Asked<'_>) {
        let answer = (self.keygen.verifies(asked), we_verify(asked));
        assert!(self.answers.insert(name.clone(), answer).is_none(), "{name} stands twice");
    }

    /// Both sides of every answer agree, but for what is listed; and both answers occur.
    fn settle(self) {
        let (mut differing, mut at_odds) = (BTreeSet::new(), Vec::new());
        for (name, (theirs, ours)) in &self.answers {
            let listed = DIFFERENCES.iter().find(|(start, _)| name.starts_with(start));
            match listed {
                Some((start, why)) if theirs != ours => {
                    assert!(!ours, "{name}: only a no may differ ({why})");
                    differing.insert(*start);
                }
                _ if theirs != ours => {
                    at_odds.push(format!("{name}: ssh-keygen says {theirs}, we say {ours}"));
                }
                _ => {}
            }
        }
        assert!(at_odds.is_empty(), "{}", at_odds.join("\n"));
        let named = self.answers.keys().map(|name| name.split(' ').next().unwrap());
        let asked: BTreeSet<&str> = named.collect();
        for (start, why) in DIFFERENCES.iter().filter(|(start, _)| asked.contains(start.trim_end()))
        {
            assert!(differing.contains(start), "{start}is listed ({why}) and does not differ");
        }
        for answer in [true, false] {
            let said = self.answers.values().filter(|(theirs, _)| *theirs == answer).count();
            assert!(said > 10, "{answer} was said {said} times");
        }
    }
}

#[expect(clippy::print_stdout, clippy::disallowed_macros, reason = "the harness shows it")]
fn skipped() {
    println!("skipped: there is no ssh-keygen");
}

/// Every way of damaging a signature or its message: a name, the message, the signature.
fn damages(signature: &[u8]) -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let text = String::from_utf8(signature.to_vec()).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let bytes = Base64::decode_vec(&body).unwrap();
    let armour = |body: &str, width: usize| {
        let lines: Vec<&str> = body
            .as_bytes()
            .chunks(width)
            .map(|chunk| std::str::from_utf8(chunk).unwrap())
            .collect();
        format!(
            "-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n",
            lines.join("\n")
        )
    };
    let mut cases: Vec<(String, Vec<u8>, Vec<u8>)> = Vec::new();
    let mut sign = |name: &str, text: String| {
        cases.push((name.to_owned(), MESSAGE.to_vec(), text.into_bytes()));
    };
    sign("as made", text.clone());
    for width in [1, 64, 70, 76, 10_000] {
        sign(&format!("wrapped at {width}"), armour(&body, width));
    }
    sign("crlf", text.replace('\n', "\r\n"));
    sign("crlf inside only", armour(&body, 70).replacen('\n', "\r\n", 2).replacen("\r\n", "\n", 1));
    sign("text before", format!("hello\n{text}"));
    sign("blank line before", format!("\n{text}"));
    sign("text behind", format!("{text}hello\n"));
    sign("a second one behind", format!("{text}{text}"));
    sign("no end line", text.replace("-----END", "----- END"));
    sign("no begin line", text.replace("-----BEGIN", "----- BEGIN"));
    sign("no line feed at the end", text.trim_end().to_owned());
    sign("another armour", text.replace("SSH SIGNATURE", "PGP SIGNATURE"));
    sign("not base64", text.replacen("U1NI", "U1N!", 1));
    sign("empty body", armour("A", 70).replace("A\n", ""));
    sign("nothing", String::new());
    // Every field of the frame has bytes within one of these.
    let places: BTreeSet<usize> =
        (0..bytes.len()).step_by(bytes.len().div_ceil(48)).chain([bytes.len() - 1]).collect();
    for at in places {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x01;
        sign(&format!("byte {at} flipped"), armour(&Base64::encode_string(&flipped), 70));
    }
    for cut in [0, 1, 6, 10, bytes.len() / 2, bytes.len() - 1] {
        let short = Base64::encode_string(&bytes[..cut]);
        sign(&format!("cut to {cut}"), armour(&short, 70));
    }
    let longer = [bytes.as_slice(), b"\0"].concat();
    sign("one byte more", armour(&Base64::encode_string(&longer), 70));
    for (name, message) in [
        ("empty message", Vec::new()),
        ("message and one byte more", [MESSAGE, b"\n"].concat()),
        ("message cut", MESSAGE[..MESSAGE.len() - 1].to_vec()),
        ("message in crlf", b"approval v1\r\nverdict approve\r\n\r\n".to_vec()),
    ] {
        cases.push((name.to_owned(), message, signature.to_vec()));
    }
    cases
}

#[test]
fn signatures_are_judged_alike_whatever_becomes_of_them() {
    let Some(keygen) = Keygen::new() else { return skipped() };
    let other = keygen.key("other", &["-t", "ed25519"]).unwrap();
    let mut matrix = Matrix { keygen: &keygen, answers: BTreeMap::new() };
    let kinds: [(&str, &[&str]); 7] = [
        ("ed25519", &["-t", "ed25519"]),
        ("ecdsa-256", &["-t", "ecdsa", "-b", "256"]),
        ("ecdsa-384", &["-t", "ecdsa", "-b", "384"]),
        ("ecdsa-521", &["-t", "ecdsa", "-b", "521"]),
        ("rsa-2048", &["-t", "rsa", "-b", "2048"]),
        ("rsa-3072", &["-t", "rsa", "-b", "3072"]),
        ("rsa-1024", &["-t", "rsa", "-b", "1024"]),
    ];
    for (kind, arguments) in kinds {
        let Some(line) = keygen.key(kind, arguments) else { continue };
        let allowed = format!("other {other}alice {line}");
        for digest in ["sha256", "sha512"] {
            let signature = keygen.sign(kind, "git", digest);
            let mut ask = |name: String, principal, namespace, message: &[u8], signature: &[u8]| {
                let allowed = allowed.as_str();
                let asked = Asked { allowed, principal, namespace, message, signature, time: NOW };
                matrix.ask(format!("{kind} {digest} {name}"), &asked);
            };
            for (principal, namespace) in
                [("other", "git"), ("alice", "approval@portcullis"), ("bob", "git")]
            {
                ask(
                    format!("for {principal} in {namespace}"),
                    principal,
                    namespace,
                    MESSAGE,
                    &signature,
                );
            }
            // The digest is one field of the frame: the damage is done once, and each is asked as made.
            let damages = damages(&signature);
            let some = if digest == "sha256" { 1 } else { damages.len() };
            for (name, message, signature) in damages.into_iter().take(some) {
                ask(name, "alice", "git", &message, &signature);
            }
        }
    }
    certificate(&mut matrix);
    matrix.settle();
}

/// Keys that a certificate authority vouches for: whom it names, until when, and what else it says.
fn certificate(matrix: &mut Matrix<'_>) {
    let authority = matrix.keygen.key("ca", &["-t", "ed25519"]).unwrap();
    let other = matrix.keygen.key("other-ca", &["-t", "ecdsa", "-b", "384"]).unwrap();
    let rsa = matrix.keygen.key("rsa-ca", &["-t", "rsa", "-b", "2048"]).unwrap();
    let line = matrix.keygen.key("vouched", &["-t", "ed25519"]).unwrap();
    let plain = matrix.keygen.sign("vouched", "git", "sha512");
    let certified = |by: &str, key: &str, more: &[&str]| {
        let public = format!("{key}.pub");
        let vouch = [&["-q", "-s", by, "-I", "id"], more, &[public.as_str()]].concat();
        assert!(matrix.keygen.run(&vouch), "{vouch:?}");
        matrix.keygen.sign(&format!("{key}-cert.pub"), "git", "sha512")
    };
    let alice = &["-n", "alice"];
    let good = certified("ca", "vouched", alice);
    let mut bent = good.clone();
    let at = bent.len() / 3;
    bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
    let with = |options: &str| format!("alice cert-authority{options} {authority}");
    let mut cases = vec![
        ("certificate by its authority", with(""), good.clone()),
        ("certificate bent", with(""), bent),
        ("certificate of another authority", with(""), certified("other-ca", "vouched", alice)),
        (
            "certificate by ecdsa",
            format!("alice cert-authority {other}"),
            certified("other-ca", "vouched", alice),
        ),
        (
            "certificate by rsa",
            format!("alice cert-authority {rsa}"),
            certified("rsa-ca", "vouched", alice),
        ),
        ("certificate for bob", with(""), certified("ca", "vouched", &["-n", "bob"])),
        ("certificate for two", with(""), certified("ca", "vouched", &["-n", "bob,alice"])),
        ("certificate for a pattern", with(""), certified("ca", "vouched", &["-n", "al*"])),
        ("certificate for nobody", with(""), certified("ca", "vouched", &[])),
        ("certificate of a host", with(""), certified("ca", "vouched", &["-h", "-n", "alice"])),
        ("certificate where bob is meant", format!("bob cert-authority {authority}"), good.clone()),
        ("certificate where all are meant", format!("* cert-authority {authority}"), good.clone()),
        ("certificate for git", with(",namespaces=\"git\""), good.clone()),
        ("certificate for files", with(",namespaces=\"file\""), good.clone()),
        ("certificate and a line that is over", with(",valid-before=\"20250101Z\""), good.clone()),
        ("certificate for a key in the file", format!("alice {line}"), good.clone()),
        ("authority as a key", format!("alice {authority}"), plain.clone()),
        ("authority for a key without", format!("alice cert-authority {line}"), plain.clone()),
        ("vouched key by itself", format!("alice {line}"), plain),
    ];
    // Noon of the first of January 2026 is asked about; the end is the first second outside.
    for (name, when) in [
        ("certificate of that day", "20260101120000:20260101120001"),
        ("certificate until then", "20250101:20260101120000"),
        ("certificate from then", "20260101120001:20270101"),
        ("certificate for ever", "always:forever"),
    ] {
        cases.push((name, with(""), certified("ca", "vouched", &["-n", "alice", "-V", when])));
    }
    let condition = ["-n", "alice", "-O", "force-command=true"];
    cases.push(("certificate with a condition", with(""), certified("ca", "vouched", &condition)));
    let extended = ["-n", "alice", "-O", "clear", "-O", "extension:a@b=c"];
    cases.push(("certificate with extensions", with(""), certified("ca", "vouched", &extended)));
    for (name, kind) in [
        ("certificate of rsa", &["-t", "rsa", "-b", "2048"]),
        ("certificate of ecdsa", &["-t", "ecdsa", "-b", "256"]),
    ] {
        let file = name.replace(' ', "-");
        matrix.keygen.key(&file, kind).unwrap();
        cases.push((name, with(""), certified("ca", &file, alice)));
    }
    for (name, allowed, signature) in &cases {
        let asked = Asked {
            allowed,
            principal: "alice",
            namespace: "git",
            message: MESSAGE,
            signature,
            time: NOW,
        };
        matrix.ask((*name).to_owned(), &asked);
    }
}

/// Files with one key in them; `K` stands for it, `O` for another's.
const FILES: &[&str] = &[
    "alice K",
    "\talice\tK",
    "alice K\r",
    "# alice K",
    "alice K comment # more",
    "alice  K\nalice O",
    "alice O\nalice K",
    "alice,bob K",
    "\"alice\" K",
    "\"alice K",
    "bob,!alice,* K",
    "*,!alice K",
    "*@example.org K",
    "a?ice,a* K",
    "Alice K",
    "alice namespaces=\"git\" K",
    "alice NAMESPACES=\"git\" K",
    "alice namespaces=\"approval@*,!git\" K",
    "alice namespaces=\"*,!approval@portcullis\" K",
    "alice namespaces=\"\" K",
    "alice namespaces=git K",
    "alice namespaces=\"git\",namespaces=\"*\" K",
    "alice valid-after=\"20260101Z\" K",
    "alice valid-after=\"202601011200Z\" K",
    "alice valid-after=\"20260101120001Z\" K",
    "alice valid-before=\"20260101120000Z\" K",
    "alice valid-before=\"20260101115959Z\" K",
    "alice valid-before=\"20260102\" K",
    "alice valid-after=\"20250101Z\",valid-before=\"20270101Z\" K",
    "alice valid-after=\"20270101Z\",valid-before=\"20250101Z\" K",
    "alice valid-after=\"2026\" K",
    "alice valid-after=\"\" K",
    "alice valid-before=\"20200101Z\" K\nalice K",
    "alice namespaces=\"git\",valid-before=\"20260101Z\" K\nalice valid-after=\"20260101Z\" K",
    "alice no-touch-required K\nbob K",
    "alice cert-authority K",
    "alice cert-authority,namespaces=\"git\" K",
    "alice namespaces=\"git\" K\nalice namespaces=\"approval@portcullis\" K",
    "alice",
    "",
];

#[test]
fn files_of_allowed_signers_are_read_alike() {
    let Some(keygen) = Keygen::new() else { return skipped() };
    let key = keygen.key("key", &["-t", "ed25519"]).unwrap();
    let other = keygen.key("other", &["-t", "ed25519"]).unwrap();
    assert!(SshKey::parse(&key).is_ok());
    let mut matrix = Matrix { keygen: &keygen, answers: BTreeMap::new() };
    let namespaces = ["git", "approval@portcullis"];
    let signatures =
        namespaces.map(|namespace| (namespace, keygen.sign("key", namespace, "sha512")));
    for (number, file) in FILES.iter().enumerate() {
        let bare = |line: &str| line.trim_end().trim_end_matches(" test").to_owned();
        // In one go: a key may have the letter that stands for the other.
        let filled = file.chars().map(|letter| match letter {
            'K' => bare(&key),
            'O' => bare(&other),
            letter => letter.to_string(),
        });
        let allowed = filled.collect::<String>() + "\n";
        for (namespace, signature) in &signatures {
            for principal in ["alice", "bob", "carol@example.org"] {
                for time in [("20251231235959Z", "2025-12-31T23:59:59Z"), NOW] {
                    let allowed = allowed.as_str();
                    let asked =
                        Asked { allowed, principal, namespace, message: MESSAGE, signature, time };
                    matrix.ask(
                        format!("file {number} {file:?} {principal} {namespace} {}", time.1),
                        &asked,
                    );
                }
            }
        }
    }
    matrix.settle();
}
