//! `portcullis log witness`: others say that they have seen this log, and that it has only grown.
//!
//! Speaks C2SP tlog-witness. The network is curl's, run with fixed arguments and without a shell, so
//! that no TLS is in this program; no hook ever comes here.

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;
use serde_json::{Value, json};

use crate::cli::fault::{Exit, Fault, OrFault};
use crate::cli::files;
use crate::cli::git::find_program;
use crate::cli::log::place::{self, Below, Place};
use crate::cli::log::signing::{could_not, key_of, lost};
use crate::cli::log::words;
use crate::cli::quote::shown;
use crate::cli::surroundings::Surroundings;
use crate::cli::verb::Call;
use crate::log::keeper;
use crate::log::proving::{Prover, Unproven};
use crate::names::escape::escape;
use crate::names::moment::Moment;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::key::VerifierKey;
use crate::tlog::note::Note;
use crate::tlog::trust::{TRUST_BYTES_MAX, Trust};
use crate::tlog::witness::{ANSWER_BYTES_MAX, Answer, PROOF_MAX, answer, checked, request};

/// How often one witness is asked: it may learn of a newer checkpoint from somebody else meanwhile.
const TRIES_MAX: usize = 3;

/// How long one request may take, in seconds, as curl is told.
const SECONDS_MAX: &str = "30";

/// How long finding the other end may take, in seconds.
const CONNECT_SECONDS_MAX: &str = "10";

/// How much of curl's complaints is passed on, in bytes.
const COMPLAINT_BYTES_MAX: u64 = 2048;

/// How curl posts: with no settings of its own (`--disable` comes first, or it reads a file of them),
/// to nowhere else than it is told, for so long at most.
const CURL: [&str; 22] = [
    "--disable",
    "--silent",
    "--show-error",
    "--globoff",
    "--proto",
    "=http,https",
    "--max-redirs",
    "0",
    "--max-time",
    SECONDS_MAX,
    "--connect-timeout",
    CONNECT_SECONDS_MAX,
    "--request",
    "POST",
    "--header",
    "Content-Type: text/plain; charset=utf-8",
    "--header",
    "Expect:",
    "--data-binary",
    "@-",
    "--write-out",
    "\n%{http_code}",
];

/// What curl may know of the environment: ways out of the network, and whom to trust for TLS.
const CURL_VARIABLES: [&str; 9] = [
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
];

/// Have witnesses countersign what the log is now
///
/// Signs a checkpoint and shows it to every witness of a tlog-policy file that has an address there
/// (C2SP tlog-witness), with the proof that the log has only grown since that witness last saw it.
/// Their signatures are checked and kept in the log's `checkpoint`; `log verify --trust FILE` counts
/// them. A witness knows a log by one key: where witnesses are used, let an ssh-agent hold it. For a
/// timer; needs curl. The exit code is 1 when the witnesses that signed are fewer than the file asks
/// for, of any of the logs.
#[derive(Args, Debug)]
pub struct Witness {
    /// The file that says which witnesses there are, and how many have to agree
    #[arg(long, value_name = "FILE", required = true)]
    trust: PathBuf,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    below: Below,

    /// Repositories, or the folders of their logs; the repository here when none is named
    #[arg(value_name = "REPO")]
    places: Vec<PathBuf>,
}

/// What became of one witness.
struct Asked {
    name: String,
    /// When it signed, or why it did not.
    said: Result<Moment, String>,
}

impl Witness {
    /// Runs the verb.
    pub fn run(&self, call: &mut Call<'_>) -> Result<Exit, Fault> {
        let trust = self.trusted(call.around)?;
        let curl = Curl::find(call.around)?;
        let (places, mut exit) = place::gather_repositories(call, &self.places, &self.below)?;
        for (at, given) in places.iter().enumerate() {
            if places.len() > 1 && !self.json {
                let gap = if at > 0 { "\n" } else { "" };
                call.console.data_line(&format!("{gap}{}", shown(given)))?;
            }
            let found = place::find(call.around, std::slice::from_ref(given));
            let done = found.and_then(|found| match found.first() {
                Some(place) => self.one(call, (&trust, &curl), place),
                None => Ok(Exit::Yes),
            });
            exit = match done {
                Ok(one) => Exit::worst(exit, one),
                Err(fault) => Exit::worst(exit, place::go_on(call, &places, fault)?),
            };
        }
        Ok(exit)
    }

    fn one(
        &self,
        call: &mut Call<'_>,
        (trust, curl): (&Trust, &Curl),
        place: &Place,
    ) -> Result<Exit, Fault> {
        let dir = place.folder.dir();
        let key = key_of(call.around, place)?;
        let note = keeper::checkpoint(dir, &key, lost(false))
            .map_err(|error| could_not("sign", dir, &error))?;
        let (asked, note) = self.collected(trust, curl, place, note)?;
        let checkpoint = Checkpoint::parse(note.text()).or_fault(|| unread(dir))?;
        let quorum = trust.standing(&checkpoint.origin, &note).quorum;
        if self.json {
            let witnesses: Vec<Value> = asked.iter().map(as_json).collect();
            call.console.json(&json!({
                "place": shown(&place.given),
                "size": checkpoint.size,
                "quorum": quorum,
                "witnesses": witnesses,
            }))?;
        } else {
            for one in &asked {
                let said = match &one.said {
                    Ok(at) => format!("signed at {}", at.rfc3339_seconds()),
                    Err(why) => format!("did not sign: {why}"),
                };
                call.console.data_line(&format!("{}: {said}", words::plain(&one.name)))?;
            }
            let covers = words::entries(checkpoint.size);
            let enough = if quorum { "enough" } else { "too few" };
            let signed = asked.iter().filter(|one| one.said.is_ok()).count() as u64;
            let signed = words::counted(signed, "witness").replace("witnesss", "witnesses");
            call.console.data_line(&format!("{covers}, signed by {signed}, {enough}"))?;
        }
        Ok(if quorum { Exit::Yes } else { Exit::No })
    }

    fn trusted(&self, around: &Surroundings) -> Result<Trust, Fault> {
        let path = around.absolute(&self.trust)?;
        let bytes = files::read_whole(&path, TRUST_BYTES_MAX)
            .or_fault(|| format!("could not read {}", shown(&path)))?;
        let trust =
            Trust::parse(&bytes).or_fault(|| format!("{} says not whom to trust", shown(&path)))?;
        if trust.witnesses().all(|(_, _, url)| url.is_none()) {
            let what = format!("{} names no witness with an address", shown(&path));
            return Err(Fault::new(what).hint("a line: witness NAME KEY https://..."));
        }
        Ok(trust)
    }

    /// Asks every witness, and keeps what they signed.
    fn collected(
        &self,
        trust: &Trust,
        curl: &Curl,
        place: &Place,
        mut note: Note,
    ) -> Result<(Vec<Asked>, Note), Fault> {
        let (folder, dir) = (&place.folder, place.folder.dir());
        let checkpoint = Checkpoint::parse(note.text()).or_fault(|| unread(dir))?;
        let prover = Prover::new(folder).map_err(|error| place::fault(dir, &error))?;
        let (mut asked, mut new) = (Vec::new(), Vec::new());
        for (name, key, url) in trust.witnesses() {
            let Some(url) = url else { continue };
            let ask = Ask { curl, url, prover: &prover, checkpoint: &checkpoint };
            let said = match ask.one(&note, key) {
                Ok((at, bytes)) => {
                    note.add(key, bytes.clone());
                    new.push((key.clone(), bytes));
                    Ok(at)
                }
                Err(why) => Err(why),
            };
            asked.push(Asked { name: name.to_owned(), said });
        }
        let kept = new.is_empty()
            || keeper::add_signatures(folder, note.text(), &new)
                .map_err(|error| could_not("sign", dir, &error))?;
        if !kept {
            let what = "another checkpoint was signed while the witnesses were asked";
            return Err(Fault::new(what).hint("ask again"));
        }
        Ok((asked, note))
    }
}

fn unread(dir: &Path) -> String {
    format!("could not read the checkpoint of {}", shown(dir))
}

/// What one witness is asked with.
struct Ask<'a> {
    curl: &'a Curl,
    url: &'a str,
    prover: &'a Prover<'a>,
    checkpoint: &'a Checkpoint,
}

impl Ask<'_> {
    /// Its signature, and when it signed; or why it did not, in words.
    fn one(&self, note: &Note, key: &VerifierKey) -> Result<(Moment, Vec<u8>), String> {
        let size = self.checkpoint.size;
        // Nothing is remembered about a witness: it says itself what it has seen.
        let mut old = 0;
        for _ in 0..TRIES_MAX {
            let proof = self.proof(old)?;
            let (status, body) = self.curl.post(self.url, &request(old, &proof, note))?;
            let lines = match answer(status, &body).map_err(|why| why.to_string())? {
                Answer::Signed(lines) => lines,
                Answer::Knows(told) if told == old => {
                    return Err(format!(
                        "it has another tree of {} entries: this log has two stories",
                        told
                    ));
                }
                Answer::Knows(told) if told > size => {
                    return Err(format!(
                        "it has seen {told} entries and the log has {size}: the log's end was cut \
                         off, or somebody else signs with its key"
                    ));
                }
                Answer::Knows(told) => {
                    old = told;
                    continue;
                }
            };
            let own = checked(note, &lines, std::slice::from_ref(key));
            let Some((_, at, line)) = own.into_iter().next() else {
                return Err("it answered, and not with a signature by its key".to_owned());
            };
            let at = i64::try_from(at).map_err(|_| "its clock cannot be right".to_owned())?;
            return Ok((Moment::from_seconds(at), line.bytes));
        }
        Err(format!("it knew another size each of {TRIES_MAX} times; ask again"))
    }

    fn proof(&self, old: u64) -> Result<Vec<crate::names::digest::Digest>, String> {
        let found = self.prover.consistency(old, self.checkpoint);
        let proof = found.map_err(|error| error.to_string())?.map_err(|why| match why {
            Unproven::OtherLog | Unproven::OtherTree | Unproven::NotIn => {
                "the log is not the one that signed: portcullis log verify --root".to_owned()
            }
        })?;
        if proof.len() > PROOF_MAX { Err("the proof is too long".to_owned()) } else { Ok(proof) }
    }
}

fn as_json(asked: &Asked) -> Value {
    json!({
        "name": words::plain(&asked.name),
        "signed": asked.said.as_ref().ok().map(|at| at.rfc3339_seconds()),
        "wrong": asked.said.as_ref().err(),
    })
}

/// The program that speaks to the network.
struct Curl {
    program: PathBuf,
    environment: Vec<(String, std::ffi::OsString)>,
}

impl Curl {
    fn find(around: &Surroundings) -> Result<Self, Fault> {
        let path = around.variable("PATH").unwrap_or_default();
        let program = find_program(OsStr::new("curl"), path).ok_or_else(|| {
            Fault::new("curl is not in PATH").hint("install it: apt install curl")
        })?;
        let known = |name: &&str| Some(((*name).to_owned(), around.variable(name)?.to_owned()));
        Ok(Self { program, environment: CURL_VARIABLES.iter().filter_map(known).collect() })
    }

    /// Posts a request to a witness: the status and the body of its answer.
    fn post(&self, url: &str, text: &str) -> Result<(u16, Vec<u8>), String> {
        let web = url.starts_with("https://") || url.starts_with("http://");
        if !web {
            return Err("its address begins neither with https:// nor with http://".to_owned());
        }
        let url = format!("{}/add-checkpoint", url.trim_end_matches('/'));
        let size = ANSWER_BYTES_MAX.to_string();
        let failed = |error: std::io::Error| format!("curl could not be run: {error}");
        let mut child = Command::new(&self.program)
            .args(CURL)
            .args(["--max-filesize", &size, "--url", &url])
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        // curl reads all of it before it says anything; one that stopped early says why below.
        let sent = child.stdin.take().map(|mut input| input.write_all(text.as_bytes()));
        drop(sent);
        let (mut body, mut complaint) = (Vec::new(), Vec::new());
        if let Some(output) = child.stdout.take() {
            let most = ANSWER_BYTES_MAX as u64 + 16;
            output.take(most).read_to_end(&mut body).map_err(failed)?;
        }
        if let Some(output) = child.stderr.take() {
            output.take(COMPLAINT_BYTES_MAX).read_to_end(&mut complaint).map_err(failed)?;
        }
        let ended = child.wait().map_err(failed)?;
        if !ended.success() {
            let words = escape(complaint.trim_ascii());
            return Err(format!("curl could not reach it: {words}"));
        }
        let end = body.iter().rposition(|b| *b == b'\n').unwrap_or(0);
        let status = std::str::from_utf8(body.get(end + 1..).unwrap_or_default());
        let status = status.ok().and_then(|text| text.parse().ok());
        body.truncate(end);
        status.map(|status| (status, body)).ok_or_else(|| "curl told no status".to_owned())
    }
}
