//! Witnesses: a small one that really checks what it is shown and remembers it, on the loopback.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use base64ct::{Base64, Encoding as _};
use ed25519_dalek::{Signer as _, SigningKey};
use portcullis::names::digest::Digest;
use portcullis::tlog::checkpoint::{Checkpoint, digest};
use portcullis::tlog::key::VerifierKey;
use portcullis::tlog::note::{NoteSignature, Signed, cosigned, signature_line};
use portcullis::tlog::tree::{consistent, empty_root};

use crate::json::is_told_of;
use crate::seals::{have, no, ok};
use crate::support::ground::run;
use crate::support::site::Site;

/// When the witness says that it signs.
const TIME: u64 = 1_795_000_000;

/// What a witness knows and how it behaves.
struct State {
    log: VerifierKey,
    size: u64,
    root: Digest,
    /// Answer this, whatever is asked.
    status: Option<(u16, &'static str)>,
    /// Sign with a key that is not the one in the file.
    liar: bool,
    asked: Vec<u64>,
}

struct Witness {
    state: Arc<Mutex<State>>,
    name: String,
    url: String,
    vkey: String,
}

fn vkey(name: &str, key: &SigningKey) -> String {
    let bytes = [&[0x04], key.verifying_key().as_bytes().as_slice()].concat();
    let id = Digest::of_parts(&[name.as_bytes(), b"\n", &bytes]).hex();
    format!("{name}+{}+{}", &id[..8], Base64::encode_string(&bytes))
}

impl Witness {
    fn start(n: u8, log: &VerifierKey) -> Self {
        let (name, key) = (format!("w{n}.example"), SigningKey::from_bytes(&[n; 32]));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/w", listener.local_addr().unwrap());
        let state = State {
            log: log.clone(),
            size: 0,
            root: empty_root(),
            status: None,
            liar: false,
            asked: Vec::new(),
        };
        let (state, public) = (Arc::new(Mutex::new(state)), vkey(&name, &key));
        let (shared, served) = (Arc::clone(&state), public.clone());
        // Ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &shared, &key, &VerifierKey::parse(&served).unwrap());
            }
        });
        Self { state, name, url, vkey: public }
    }

    fn line(&self) -> String {
        format!("witness {} {} {}\n", self.name, self.vkey, self.url)
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>, key: &SigningKey, public: &VerifierKey) {
    let mut reader = BufReader::new(stream);
    let (mut length, mut first) = (0, String::new());
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" || line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let (status, text) = match first.trim_end() {
        "POST /w/add-checkpoint HTTP/1.1" => {
            add_checkpoint(&body, &mut state.lock().unwrap(), key, public)
        }
        _ => (404, String::new()),
    };
    let answer = format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    reader.into_inner().write_all(answer.as_bytes()).unwrap();
}

/// C2SP tlog-witness, by its own words.
fn add_checkpoint(
    body: &[u8],
    state: &mut State,
    key: &SigningKey,
    public: &VerifierKey,
) -> (u16, String) {
    let text = std::str::from_utf8(body).unwrap();
    let (head, note) = text.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let old: u64 = lines.next().unwrap().strip_prefix("old ").unwrap().parse().unwrap();
    let proof: Vec<Digest> = lines.map(|line| digest(line).unwrap()).collect();
    state.asked.push(old);
    if let Some((status, text)) = state.status {
        return (status, text.to_owned());
    }
    let (checkpoint, note) = Checkpoint::of_note(note.as_bytes()).unwrap();
    if checkpoint.origin != state.log.name() {
        return (404, String::new());
    }
    if note.signed_by(&state.log) != (Signed::Yes { at: None }) {
        return (403, String::new());
    }
    if old > checkpoint.size {
        return (400, String::new());
    }
    if old != state.size || (old == checkpoint.size && state.root != checkpoint.root) {
        return (409, format!("{}\n", state.size));
    }
    let grown = (checkpoint.size, &checkpoint.root);
    if !consistent((state.size, &state.root), grown, &proof) {
        return (422, String::new());
    }
    (state.size, state.root) = (checkpoint.size, checkpoint.root);
    let message = match state.liar {
        true => "something else".to_owned(),
        false => cosigned(TIME, note.text()),
    };
    let made = key.sign(message.as_bytes()).to_bytes();
    let bytes = [TIME.to_be_bytes().as_slice(), &made].concat();
    let line = NoteSignature { name: public.name().to_owned(), id: public.id(), bytes };
    // A stranger's line comes along: it has to be left out.
    let stranger = "\u{2014} witness.example/w1 CMp+6LWBU0anHGH5aNDTJkH/gj79sG+T6+iP2ThYN5krrDJbR1HDnucjL39QsZTSvVjyQLrdk3DXDqI5G2HgLatVs0pWh6Up69HVOw==\n";
    (200, format!("{stranger}{}", signature_line(&line)))
}

/// A site, two witnesses that know it, and a file that asks for both.
fn scene() -> (Site, Vec<Witness>, String) {
    let site = Site::gated();
    site.person("alice").topic("one", &[("app/words", "one")]);
    let key = ok(&site.verb(&["log", "checkpoint", "--key"]));
    let log = VerifierKey::parse(key.trim()).unwrap();
    let witnesses: Vec<Witness> = (1..=2).map(|n| Witness::start(n, &log)).collect();
    let lines: String = witnesses.iter().map(Witness::line).collect();
    let file = site.ground().at("trust");
    let names = "group both all w1.example w2.example\nquorum both\n";
    fs::write(&file, format!("log {key}{lines}{names}")).unwrap();
    let file = file.to_str().unwrap().to_owned();
    (site, witnesses, file)
}

fn asked(witness: &Witness) -> Vec<u64> {
    std::mem::take(&mut witness.state.lock().unwrap().asked)
}

#[test]
fn witnesses_sign_what_has_only_grown() {
    if !have(&["curl"]) {
        return;
    }
    let (site, witnesses, trust) = scene();
    let verb = ["log", "witness", "--trust", &trust];
    let verify = ["log", "verify", "--trust", &trust];
    ok(&site.verb(&["log", "checkpoint"]));
    let said = no(&site.verb(&verify), 1);
    assert!(said.contains("too few witnesses"), "{said}");
    let said = ok(&site.verb(&verb));
    assert!(said.contains("w1.example: signed at 2026-11-18T"), "{said}");
    assert!(said.contains("signed by 2 witnesses, enough"), "{said}");
    assert_eq!(asked(&witnesses[0]), [0]);
    is_told_of("`log witness`", &ok(&site.verb(&[&verb[..], &["--json"]].concat())));
    witnesses.iter().for_each(|witness| drop(asked(witness)));
    let said = ok(&site.verb(&verify));
    assert!(said.contains("witness w1.example at 2026-11-18T"), "{said}");
    // Only those of the file are kept beside the log's own.
    let kept = fs::read(site.log_dir().join("checkpoint")).unwrap();
    assert_eq!(Checkpoint::of_note(&kept).unwrap().1.signatures().len(), 3);

    // The log grows; a witness that has seen it is shown the proof from there.
    let before = site.log().len() as u64;
    site.person("bob").topic("two", &[("app/words", "two")]);
    ok(&site.verb(&verb));
    assert_eq!(asked(&witnesses[0]), [0, before]);
    assert_eq!(asked(&witnesses[1]), [0, before]);
    ok(&site.verb(&verify));
    // Signing the same again leaves the witnesses' lines where they are.
    ok(&site.verb(&["log", "checkpoint"]));
    ok(&site.verb(&verify));
    // A whole tree at once.
    let mut tree = site.ground().portcullis();
    let said = ok(&run(tree.args(verb).arg("--recursive").arg(site.ground().at(""))));
    assert!(said.contains("signed by 2 witnesses, enough"), "{said}");
}

#[test]
fn each_no_of_a_witness_is_said_plainly() {
    if !have(&["curl"]) {
        return;
    }
    let (site, witnesses, trust) = scene();
    let verb = ["log", "witness", "--trust", &trust];
    let first = &witnesses[0];
    for (status, body, words) in [
        (404, "", "does not know this log (404)"),
        (403, "", "trusts none of the keys that signed this checkpoint (403)"),
        (422, "", "does not accept the proof that the log has only grown (422)"),
        (409, "0\n", "it has another tree of 0 entries: this log has two stories"),
        (409, "99999\n", "it has seen 99999 entries and the log has"),
        (200, "thanks\n", "what is no signature"),
        (302, "", "status 302"),
        (500, "", "status 500"),
    ] {
        first.state.lock().unwrap().status = Some((status, body));
        let said = no(&site.verb(&verb), 1);
        assert!(said.contains(words), "{status}: {said}");
        assert!(said.contains("w2.example: signed"), "{said}");
        assert!(said.contains("signed by 1 witness, too few"), "{said}");
    }
    first.state.lock().unwrap().status = None;
    first.state.lock().unwrap().liar = true;
    let said = no(&site.verb(&verb), 1);
    assert!(said.contains("not with a signature by its key"), "{said}");
}

#[test]
fn a_cut_end_is_what_a_witness_remembers() {
    if !have(&["curl"]) {
        return;
    }
    let (site, _witnesses, trust) = scene();
    let verb = ["log", "witness", "--trust", &trust];
    ok(&site.verb(&verb));
    // Whoever cuts the end takes what the log remembers of it along.
    let folder = site.log_dir();
    let file = crate::support::entries::segments(&folder).remove(0);
    let whole = fs::read(&file).unwrap();
    let lines: Vec<&[u8]> = whole.split_inclusive(|b| *b == b'\n').collect();
    fs::write(&file, lines[..2].concat()).unwrap();
    fs::remove_file(folder.join("checkpoint")).unwrap();
    let said = no(&site.verb(&verb), 1);
    assert!(said.contains("the log's end was cut off"), "{said}");
}

#[test]
fn nobody_to_ask_is_said() {
    let (site, _witnesses, trust) = scene();
    let with = |text: &str| {
        fs::write(&trust, text).unwrap();
        site.verb(&["log", "witness", "--trust", &trust])
    };
    let said = no(&with("quorum none\n"), 3);
    assert!(said.contains("names no witness with an address"), "{said}");
    if have(&["curl"]) {
        let key = vkey("w9.example", &SigningKey::from_bytes(&[9; 32]));
        let said = no(&with(&format!("witness W9 {key} file:///etc/passwd\nquorum W9\n")), 1);
        assert!(said.contains("begins neither with https:// nor with http://"), "{said}");
        let said = no(&with(&format!("witness W9 {key} http://127.0.0.1:1\nquorum W9\n")), 1);
        assert!(said.contains("curl could not reach it"), "{said}");
    }
}
