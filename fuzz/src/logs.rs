//! What a log and its proofs are made of.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use flate2::{Compression, Crc, write::DeflateEncoder};
use portcullis::log::glance::{Glance, glance};
use portcullis::log::keys::keys_of;
use portcullis::log::line::{body, read, write};
use portcullis::log::manifest::Manifest;
use portcullis::log::packed::{Packed, pack};
use portcullis::names::digest::Digest;
use portcullis::tlog::checkpoint::Checkpoint;
use portcullis::tlog::note::Note;
use portcullis::tlog::proof::Proof;
use portcullis::tlog::tile::{entries, hashes, hashes_bytes};
use portcullis::tlog::trust::Trust;
use portcullis::tlog::witness::{self, answer};

use super::{Target, choice, is_plain, outcome, shape};

/// Lines of a log, without their seal.
pub const LINE: Target = Target {
    name: "line",
    run: line,
    words: &[
        b"{\"v\":1,",
        b"\"seq\":",
        b",\"type\":\"decision\"",
        b",\"type\":\"segment\"",
        b",\"sess\":{",
        b",\"held\":[",
        b"\"short\":{",
        b",\"prev\":\"",
        b"\"of\":1,",
        b"\\u0041",
        b"\\\"",
        b"null",
        b"18446744073709551616",
        b"1e3",
    ],
};

/// The line of these fields, sealed as its writer would.
fn sealed(fields: &[u8]) -> Vec<u8> {
    let open = [fields, b",\"prev\":\"", "0".repeat(64).as_bytes(), b"\""].concat();
    let hash = Digest::of(&open).hex();
    [open.as_slice(), b",\"hash\":\"", hash.as_bytes(), b"\"}"].concat()
}

/// Whether an escape stands here that is half of a pair (RFC 8259, section 7).
fn may_halve(json: &[u8]) -> bool {
    json.windows(3).any(|three| three.eq_ignore_ascii_case(b"\\ud"))
}

fn line(data: &[u8]) -> u64 {
    assert!(read(data).is_err() && glance(data).is_err(), "its hash is no accident");
    let line = sealed(data);
    let (whole, quick) = (read(&line), glance(&line));
    let json = std::str::from_utf8(&line).ok();
    let is_json =
        json.is_some_and(|json| serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok());
    let is_walked = keys_of(&line).is_some();
    assert!(is_json || !is_walked);
    assert!(is_walked || !is_json || may_halve(data), "half a surrogate pair is no text");
    match (whole, quick) {
        (Ok(entry), Ok(quick)) => {
            let hash = entry.hash;
            // A record that was looked at is the record.
            let seen = quick.record.clone();
            assert!(seen.is_none() || seen.as_ref() == Some(&entry.record));
            let whole = Glance { record: seen, ..Glance::from(entry.clone()) };
            assert_eq!(quick, whole);
            // What was read is written and read again as the same.
            let fields = body(&entry.record, entry.short.as_ref()).expect("records are JSON");
            let (again, _) = write(&entry.common, &fields, &entry.prev).expect("and lines");
            let mut again = read(again.trim_end().as_bytes()).expect("what we write we read");
            again.hash = hash;
            assert_eq!(again, entry);
            outcome(&entry.record)
        }
        // A glance passes the fields of a push by, and no other's.
        (Err(fault), Ok(quick)) => {
            assert_eq!(quick.record, None);
            outcome(&(fault, 1))
        }
        (Ok(_), Err(fault)) => panic!("a glance refuses what is read: {fault}"),
        (Err(fault), Err(same)) => {
            assert_eq!(fault, same);
            outcome(&fault)
        }
    }
}

/// Checkpoints in their notes, and what a witness answers.
pub const NOTE: Target = Target {
    name: "note",
    run: note,
    words: &[b"\xe2\x80\x94 ", b"\n\n", b"AAAA", b"=", b"\n0\n", b"18446744073709551615", b"+"],
};

fn note(data: &[u8]) -> u64 {
    let (first, bytes) = choice(data);
    if first % 4 == 3 {
        return outcome(&answer([200, 409][usize::from(first / 4) % 2], bytes).map(|answer| {
            match answer {
                witness::Answer::Signed(lines) => lines.len(),
                witness::Answer::Knows(_) => 0,
            }
        }));
    }
    let note = match Note::parse(bytes) {
        Ok(note) => note,
        Err(fault) => return outcome(&fault),
    };
    assert_eq!(note.to_string().as_bytes(), bytes);
    match Checkpoint::of_note(bytes) {
        Ok((checkpoint, same)) => {
            assert_eq!(same, note);
            assert!(note.text().starts_with(&checkpoint.text()));
            shape(&[note.signatures().len()])
        }
        Err(fault) => outcome(&fault),
    }
}

/// Proof files, bundles of entries and tiles of hashes.
pub const PROOF: Target = Target {
    name: "proof",
    run: proof,
    words: &[b"c2sp.org/tlog-proof@v1\n", b"index 5\n", b"extra AAAA\n", b"\n\n", b"\0\x01"],
};

fn proof(data: &[u8]) -> u64 {
    let (first, bytes) = choice(data);
    match first % 4 {
        1 => {
            let width = u64::from(first) / 4;
            let Some(found) = entries(bytes, width) else { return 2 };
            assert_eq!(found.iter().map(|entry| entry.len() + 2).sum::<usize>(), bytes.len());
            shape(&[found.len(), 1])
        }
        2 => {
            let Some(found) = hashes(bytes, u64::from(first) / 4) else { return 3 };
            assert_eq!(hashes_bytes(&found), bytes);
            shape(&[found.len(), 2])
        }
        _ => match Proof::parse(bytes) {
            Ok(read) => {
                let again = Proof::parse(read.to_string().as_bytes());
                let proves = read.proves(&Digest::of(b"leaf"));
                assert_eq!(again.as_ref(), Ok(&read));
                assert!(!proves, "an entry that no tree was made of");
                shape(&[read.path.len(), 3])
            }
            Err(fault) => outcome(&fault),
        },
    }
}

/// Whom an auditor trusts, and a note that they hold against it.
pub const TRUST: Target = Target {
    name: "trust",
    run: trust,
    words: &[
        b"log ",
        b"witness ",
        b"group ",
        b"quorum ",
        b"any ",
        b"all ",
        b"none",
        b"# ",
        b"\n\n\n",
    ],
};

fn trust(data: &[u8]) -> u64 {
    match Trust::parse(data) {
        Ok(trust) => {
            let note = Note::new("a.example/log\n1\nAAAA\n").expect("a text");
            let standing = trust.standing("a.example/log", &note);
            assert!(!standing.holds(), "nobody signed");
            shape(&[trust.logs().len(), trust.witnesses().count()])
        }
        Err(fault) => {
            is_plain(&fault.to_string());
            outcome(&fault)
        }
    }
}

/// Packed segments. Made of the bytes, or by a hostile packer that the bytes direct.
pub const PACKED: Target = Target {
    name: "packed",
    run: packed,
    words: &[
        b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0",
        b"\x03\0\0\0\0\0\0\0\0\0",
        b"\0",
        b"\x01",
        b"\x02",
    ],
};

/// All of a packed file, as we read it.
fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    let file = tempfile::NamedTempFile::new().expect("a place for a file");
    std::fs::write(file.path(), bytes).expect("and room for it");
    let packed = Packed::open(file.path()).ok()?;
    let mut read = Vec::new();
    let mut some = [0; 4096];
    loop {
        match packed.read_at(&mut some, read.len() as u64).ok()? {
            0 => break,
            count => read.extend_from_slice(&some[..count]),
        }
    }
    assert_eq!(read.len() as u64, packed.length());
    Some(read)
}

/// A gzip member of these bytes that says it is so long, extra field and all.
fn member(content: &[u8], behind: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    std::io::Write::write_all(&mut encoder, content).expect("memory");
    let deflated = encoder.finish().expect("memory");
    let mut crc = Crc::new();
    crc.update(content);
    let size = 18 + deflated.len() + 8 + behind.len();
    let told = (size - 1) as u16;
    let head = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0";
    let tail = [crc.sum().to_le_bytes(), crc.amount().to_le_bytes()].concat();
    [&head[..], &told.to_le_bytes(), &deflated, &tail, behind].concat()
}

/// Blocks as the bytes say: how each is made, how long it is, what is in it.
fn directed(mut rest: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    while let Some((&[how, length], behind)) = rest
        .split_at_checked(2)
        .map(|(head, tail)| (<&[u8; 2]>::try_from(head).expect("two"), tail))
    {
        let (content, next) = behind.split_at(usize::from(length).min(behind.len()));
        match how % 4 {
            0 => file.extend(member(content, b"")),
            // A second member within the block of the first, and one of nothing.
            1 => file.extend(member(content, &member(content, b""))),
            2 => file.extend(member(content, &member(b"", b""))),
            _ => file.extend_from_slice(content),
        }
        rest = next;
    }
    file
}

fn packed(data: &[u8]) -> u64 {
    let (first, bytes) = choice(data);
    let file = match first % 3 {
        0 => bytes.to_vec(),
        1 => directed(bytes),
        _ => {
            let file = pack(bytes).expect("memory");
            assert_eq!(unpacked(&file).as_deref(), Some(bytes));
            file
        }
    };
    let Some(ours) = unpacked(&file) else { return 2 };
    // Whoever has nothing of ours reads the same with gzip.
    let mut theirs = Vec::new();
    let read = MultiGzDecoder::new(file.as_slice()).take(1 << 26).read_to_end(&mut theirs);
    assert!(
        file.is_empty() || (read.is_ok() && theirs == ours),
        "gzip reads {theirs:?}, we {ours:?}"
    );
    shape(&[ours.len(), usize::from(first % 3)])
}

/// The list of an index's runs.
pub const MANIFEST: Target = Target {
    name: "manifest",
    run: manifest,
    words: &[b"portcullis-index 5\n", b"run 1 a\n", b"size ", b"offset ", b"\r\n", b"+1"],
};

fn manifest(data: &[u8]) -> u64 {
    let sealed = [data, format!("sum {}\n", Digest::of(data)).as_bytes()].concat();
    let Some(read) = Manifest::read(&sealed) else { return 0 };
    assert_eq!(Manifest::read(read.text().as_bytes()).as_ref(), Some(&read));
    shape(&[read.runs.len()])
}
