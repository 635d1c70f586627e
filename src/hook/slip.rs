//! A slip that `pre-receive` leaves for the `update` hooks of the same push: what it accepted.
//!
//! Git starts `update` once for each ref, and all each has to know is whether one move is among
//! those accepted. To open repository and log for that, and to read a decision of a thousand refs,
//! takes a thousand times longer than the answer. So here is the answer: one digest for each
//! accepted move, in order, of fixed length, so that it is found by halving.
//!
//! The slip is no authority. It says yes only where the log would: each digest covers the run of
//! receive-pack it is for, and where the log ended behind the decision; what was appended since may
//! have closed the decision, and then the log is asked, as it is where there is no slip, or
//! somebody else's. One stands for a repository; a push at the same time puts its own in its place.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::facts::Facts;
use crate::facts::past::SessionKey;
use crate::hook::bench::{Bench, Input};
use crate::hook::world::{FOLDER, World};
use crate::hook::{host, wire};
use crate::log::segment::{PLAIN, file_name};
use crate::names::digest::Digest;
use crate::names::oid::{ObjectFormat, Oid};
use crate::push::Door;
use crate::push::update::RefUpdate;
use crate::store::objects::{Objects as _, RefValue};
use crate::store::reffiles::value_in;
use crate::store::refs::RefFormat;
use crate::verdict::{Judgement, Verdict};

/// The slip's name in the folder of ours.
const NAME: &str = "decided";

/// Begins the first line: the form of what follows.
const FORM: &str = "portcullis decided 1";

/// How long the first line may be: it names a file of the log.
const LINE_BYTES_MAX: usize = 8192;

/// How long each move's digest is.
const DIGEST_BYTES: usize = 32;

/// What all moves of one slip are covered by.
struct Cover {
    session: SessionKey,
    end: End,
}

/// Where the log ended when the slip was written.
#[derive(PartialEq, Eq)]
struct End {
    /// The file of the log that is written to.
    file: PathBuf,
    /// How long it was.
    bytes: u64,
    /// The number of the next entry, by which the next file would be called.
    next: u64,
}

impl Cover {
    /// The first line.
    fn line(&self) -> Vec<u8> {
        let SessionKey { boot, pid, start } = &self.session;
        let End { file, bytes, next } = &self.end;
        let mut line = format!("{FORM} {boot} {pid} {start} {bytes} {next} ").into_bytes();
        line.extend_from_slice(file.as_os_str().as_bytes());
        line.push(b'\n');
        line
    }

    /// What stands for one move.
    fn digest(line: &[u8], name: &[u8], old: &Oid, new: &Oid) -> Digest {
        let (old, new) = (old.to_string(), new.to_string());
        Digest::of_parts(&[line, old.as_bytes(), b" ", new.as_bytes(), b" ", name])
    }
}

impl End {
    /// The end of the log, if it is where the last entry written here ends.
    fn behind(bench: &Bench) -> Option<Self> {
        let (file, bytes, next) = bench.log.written_to()?;
        let is_named = !file.as_os_str().as_bytes().contains(&b'\n');
        is_named.then(|| Self { file: file.to_owned(), bytes, next })
    }

    /// Whether nothing was appended since.
    fn is_still(&self) -> bool {
        let next = self.file.with_file_name(file_name(self.next, PLAIN));
        let absent = |path: &Path| match fs::symlink_metadata(path) {
            Ok(_) => false,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        fs::symlink_metadata(&self.file).is_ok_and(|meta| meta.len() == self.bytes) && absent(&next)
    }
}

/// Leaves a slip where an `update` hook of ours will look for one. The decision has just been
/// written. Where it cannot be done, the log is there.
pub fn leave(
    world: &World,
    bench: &Bench,
    facts: &Facts,
    (judgement, verdict): (&Judgement, Verdict),
) {
    if bench.door == Door::PreReceive
        && verdict == Verdict::Accept
        && world.hook_runs("update")
        && world.store.ref_format() == RefFormat::Files
        && world.store.common_dir() == world.store.git_dir()
        && let Err(error) = write(world, bench, facts, judgement)
    {
        tracing::debug!(%error, "no slip for the update hooks");
    }
}

fn write(
    world: &World,
    bench: &Bench,
    facts: &Facts,
    judgement: &Judgement,
) -> Result<(), io::Error> {
    let session = host::session_key(&bench.ctx);
    let Some(end) = End::behind(bench).filter(|_| session.start != 0) else { return Ok(()) };
    let line = Cover { session, end }.line();
    let none = Oid::zero(world.store.format());
    let accepted = facts.updates.iter().zip(&judgement.refs);
    let accepted = accepted.filter(|(_, judged)| judged.verdict() == Verdict::Accept);
    let mut digests: Vec<Digest> = accepted
        .map(|(facts, _)| {
            let (real, update) = (facts.real.unwrap_or(none), &facts.update);
            Cover::digest(&line, update.name.as_bytes(), &real, &update.new)
        })
        .collect();
    digests.sort_unstable();
    let mut bytes = line;
    digests.iter().for_each(|digest| bytes.extend_from_slice(digest.as_bytes()));
    let folder = world.git_dir.join(FOLDER);
    let made = folder.join(format!("{NAME}.{}", std::process::id()));
    let _ = fs::remove_file(&made);
    let put = File::options().write(true).create_new(true).mode(0o600).open(&made);
    let put = put.and_then(|mut file| file.write_all(&bytes));
    let put = put.and_then(|()| fs::rename(&made, folder.join(NAME)));
    put.inspect_err(|_| drop(fs::remove_file(&made)))
}

/// Whether this move is among those that `pre-receive` accepted in this very push, by the slip it
/// left. `false`: it cannot be told from that.
pub fn says_yes(input: &Input<'_>) -> bool {
    look(input).unwrap_or(false)
}

fn look(input: &Input<'_>) -> Option<bool> {
    let git_dir = input.directory.join(input.env.get("GIT_DIR")?);
    let file = File::open(git_dir.join(FOLDER).join(NAME)).ok()?;
    let meta = file.metadata().ok()?;
    // Whoever else wrote it, it is not this push's.
    let is_ours = meta.uid() == rustix::process::geteuid().as_raw() && meta.mode() & 0o077 == 0;
    if !is_ours || !meta.is_file() {
        return None;
    }
    let mut start = vec![0; LINE_BYTES_MAX];
    let read = file.read_at(&mut start, 0).ok()?;
    let line = start.get(..=memchr::memchr(b'\n', start.get(..read)?)?)?;
    let cover = Cover { session: host::session_now(), end: end_of(line)? };
    if cover.session.start == 0 || cover.line() != line || !cover.end.is_still() {
        return None;
    }
    let update = wire::argument_update(input.args, format_of(input.args)?).ok()?;
    let real = real(&git_dir, &update)?;
    let wanted = Cover::digest(line, update.name.as_bytes(), &real, &update.new);
    Some(is_among(&file, line.len() as u64, meta.len(), &wanted))
}

/// What a first line says of the log's end.
fn end_of(line: &[u8]) -> Option<End> {
    let rest = line.strip_suffix(b"\n")?.strip_prefix(FORM.as_bytes())?.strip_prefix(b" ")?;
    let mut parts = rest.splitn(6, |&b| b == b' ').skip(3);
    let mut number = || std::str::from_utf8(parts.next()?).ok()?.parse().ok();
    let (bytes, next) = (number()?, number()?);
    let file = PathBuf::from(std::ffi::OsStr::from_bytes(parts.next()?));
    Some(End { file, bytes, next })
}

/// By the length of the names, which are all of one format.
fn format_of(args: &[Vec<u8>]) -> Option<ObjectFormat> {
    Some(Oid::from_hex(args.get(2)?)?.format())
}

/// What the ref holds now. `None`: no value, or another name for a ref.
fn real(git_dir: &Path, update: &RefUpdate) -> Option<Oid> {
    let format = update.new.format();
    match value_in(git_dir, format, &update.name).ok()? {
        RefValue::Absent => Some(Oid::zero(format)),
        RefValue::Direct(oid) => Some(oid),
        RefValue::Symbolic(_) => None,
    }
}

/// Whether a digest is among those from this byte on, which are in order.
fn is_among(file: &File, from: u64, length: u64, wanted: &Digest) -> bool {
    let each = DIGEST_BYTES as u64;
    let (mut low, mut high) = (0, length.saturating_sub(from) / each);
    while low < high {
        let middle = low + (high - low) / 2;
        let mut bytes = [0; DIGEST_BYTES];
        if file.read_exact_at(&mut bytes, from + middle * each).is_err() {
            return false;
        }
        match Digest::from_bytes(bytes).cmp(wanted) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    false
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test says what it expects")]
#[expect(clippy::disallowed_methods, reason = "the repository is made by hand")]
mod tests {
    use std::ffi::OsString;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use tempfile::TempDir;

    use super::*;
    use crate::hook::stdin::Stdin;
    use crate::names::moment::Moment;
    use crate::push::env::Env;

    const OLD: &str = "1111111111111111111111111111111111111111";
    const NEW: &str = "2222222222222222222222222222222222222222";
    const ZERO: &str = "0000000000000000000000000000000000000000";

    /// A repository with a log of two entries, whose last accepted moves of forty refs.
    struct Ground(TempDir);

    impl Ground {
        fn new() -> Self {
            let ground = Self(TempDir::new().unwrap());
            for folder in ["refs/heads", "portcullis/log"] {
                fs::create_dir_all(ground.at(folder)).unwrap();
            }
            fs::write(ground.log(), "one\ntwo\n").unwrap();
            fs::write(ground.at("refs/heads/b07"), format!("{OLD}\n")).unwrap();
            ground.write(&ground.cover());
            ground
        }

        fn at(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn log(&self) -> PathBuf {
            self.at("portcullis/log").join(file_name(0, PLAIN))
        }

        fn cover(&self) -> Cover {
            let end = End { file: self.log(), bytes: 8, next: 2 };
            Cover { session: host::session_now(), end }
        }

        fn write(&self, cover: &Cover) {
            let line = cover.line();
            let oid = |hex: &str| Oid::from_hex(hex.as_bytes()).unwrap();
            let mut digests: Vec<Digest> = (0..40)
                .map(|at| {
                    let old = oid(if at == 7 { OLD } else { ZERO });
                    let name = format!("refs/heads/b{at:02}");
                    Cover::digest(&line, name.as_bytes(), &old, &oid(NEW))
                })
                .collect();
            digests.sort_unstable();
            let digests = digests.iter().flat_map(|digest| *digest.as_bytes());
            let bytes: Vec<u8> = line.iter().copied().chain(digests).collect();
            let slip = self.at("portcullis/decided");
            fs::write(&slip, bytes).unwrap();
            fs::set_permissions(&slip, Permissions::from_mode(0o600)).unwrap();
        }

        fn says_yes(&self, name: &str, old: &str, new: &str) -> bool {
            let env = Env::new([("GIT_DIR".into(), OsString::from("."))]);
            let args = [name, old, new].map(|arg| arg.as_bytes().to_vec());
            says_yes(&Input {
                env: &env,
                directory: self.0.path(),
                args: &args,
                stdin: &Stdin::new(std::io::empty()),
                deadline: None,
                moment: Moment::from_millis(0),
            })
        }

        fn says_yes_to_one(&self) -> bool {
            self.says_yes("refs/heads/b07", OLD, NEW)
        }
    }

    #[test]
    fn each_accepted_move_is_found_and_no_other() {
        let ground = Ground::new();
        assert!(ground.says_yes_to_one());
        for at in (0..40).filter(|at| *at != 7) {
            assert!(ground.says_yes(&format!("refs/heads/b{at:02}"), ZERO, NEW), "{at}");
        }
        assert!(!ground.says_yes("refs/heads/b40", ZERO, NEW));
        assert!(!ground.says_yes("refs/heads/b01", ZERO, OLD));
        assert!(!ground.says_yes("refs/heads/b07", OLD, ZERO));
        assert!(!ground.says_yes("refs/heads/b07", OLD, "2222"));
    }

    #[test]
    fn a_ref_that_has_another_value_meanwhile_is_not_this_move() {
        let ground = Ground::new();
        // What counts is what the ref holds, not what Git was told it holds.
        assert!(ground.says_yes("refs/heads/b07", ZERO, NEW));
        fs::write(ground.at("refs/heads/b07"), format!("{NEW}\n")).unwrap();
        assert!(!ground.says_yes_to_one());
        fs::write(ground.at("refs/heads/b07"), "ref: refs/heads/main\n").unwrap();
        assert!(!ground.says_yes_to_one());
        fs::write(ground.at("packed-refs"), format!("{OLD} refs/heads/b08\n")).unwrap();
        assert!(!ground.says_yes("refs/heads/b08", ZERO, NEW));
    }

    #[test]
    fn a_log_that_went_on_is_asked_itself() {
        let ground = Ground::new();
        fs::write(ground.log(), "one\ntwo\nthree\n").unwrap();
        assert!(!ground.says_yes_to_one());
        fs::write(ground.log(), "one\ntwo\n").unwrap();
        assert!(ground.says_yes_to_one());
        fs::write(ground.at("portcullis/log").join(file_name(2, PLAIN)), "").unwrap();
        assert!(!ground.says_yes_to_one());
    }

    #[test]
    fn another_runs_slip_or_one_that_others_may_have_written_says_nothing() {
        let ground = Ground::new();
        let own = host::session_now();
        for session in [
            SessionKey { pid: own.pid + 1, ..own.clone() },
            SessionKey { start: own.start + 1, ..own.clone() },
            SessionKey { boot: "another".to_owned(), ..own.clone() },
        ] {
            ground.write(&Cover { session, ..ground.cover() });
            assert!(!ground.says_yes_to_one());
        }
        ground.write(&ground.cover());
        assert!(ground.says_yes_to_one());
        let slip = ground.at("portcullis/decided");
        fs::set_permissions(&slip, Permissions::from_mode(0o620)).unwrap();
        assert!(!ground.says_yes_to_one());
        fs::remove_file(&slip).unwrap();
        assert!(!ground.says_yes_to_one());
    }

    #[test]
    fn a_slip_with_one_byte_changed_lets_nothing_else_through() {
        let ground = Ground::new();
        let slip = ground.at("portcullis/decided");
        let whole = fs::read(&slip).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&slip, &bytes).unwrap();
            assert!(!ground.says_yes("refs/heads/b40", ZERO, NEW), "{at}");
            fs::write(&slip, &whole[..at]).unwrap();
            assert!(!ground.says_yes("refs/heads/b40", ZERO, NEW), "{at}");
        }
    }
}
