//! What a push brings: the hook's input, its options and certificate, and Git's objects.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use flate2::Crc;
use portcullis::facts::change::FileMode;
use portcullis::facts::limits::Limits;
use portcullis::hook::wire::{argument_update, options as read_options, updates};
use portcullis::names::oid::ObjectFormat;
use portcullis::push::Seen;
use portcullis::push::certificate::Certificate;
use portcullis::push::env::Env;
use portcullis::store::commit::{Commit, links_of};
use portcullis::store::table::parse_table;
use portcullis::store::tag::Tag;
use portcullis::store::trailer;
use portcullis::store::tree::{EntryMode, PROBLEMS_PER_TREE_MAX, Tree};

use super::{Target, choice, is_plain, outcome, shape};

/// The lines of pre-receive.
pub const STDIN: Target = Target {
    name: "stdin",
    run: stdin,
    words: &[
        b"refs/heads/",
        b"refs/tags/",
        b" ",
        b"\n",
        b"0000000000000000000000000000000000000000",
        b"1111111111111111111111111111111111111111",
        b"1111111111111111111111111111111111111111111111111111111111111111",
        b"..",
        b".lock",
        b"@{",
    ],
};

const REFS_MAX: usize = 8;

fn format_of(choice: u8) -> ObjectFormat {
    if choice.is_multiple_of(2) { ObjectFormat::Sha1 } else { ObjectFormat::Sha256 }
}

fn stdin(data: &[u8]) -> u64 {
    let (first, text) = choice(data);
    let format = format_of(first);
    let read = match updates(text, format, REFS_MAX) {
        Ok(read) => read,
        Err(fault) => {
            is_plain(&fault.to_string());
            assert!(fault.to_string().len() < text.len() + 200);
            return outcome(&fault);
        }
    };
    assert!((1..=REFS_MAX).contains(&read.len()));
    let mut printed = Vec::new();
    for update in &read {
        let (old, new) = (update.claimed_old.hex().into_bytes(), update.new.hex().into_bytes());
        let name = update.name.as_bytes().to_vec();
        printed.extend([old.as_slice(), b" ", &new, b" ", &name, b"\n"].concat());
        // The other door says the same of the same ref.
        assert_eq!(argument_update(&[name, old, new], format).as_ref(), Ok(update));
    }
    assert_eq!(printed.strip_suffix(b"\n"), Some(text.strip_suffix(b"\n").unwrap_or(text)));
    shape(&[read.len()])
}

/// Push options, as the environment carries them: how many, and each.
pub const OPTIONS: Target = Target {
    name: "options",
    run: options,
    words: &[b"\n", b"64", b"65", b"-1", b"+1", b"18446744073709551616", b"break-glass=", b"ask"],
};

fn options(data: &[u8]) -> u64 {
    let mut parts = data.split(|&byte| byte == b'\n');
    let count = parts.next().unwrap_or_default();
    let given: Vec<&[u8]> = parts.collect();
    let pair =
        |name: String, value: &[u8]| (OsString::from(name), OsString::from_vec(value.to_vec()));
    let many = given.iter().enumerate();
    let each = many.map(|(at, value)| pair(format!("GIT_PUSH_OPTION_{at}"), value));
    let count_of = std::iter::once(pair("GIT_PUSH_OPTION_COUNT".to_owned(), count));
    let limits = Limits::default();
    match read_options(&Env::new(each.chain(count_of)), &limits) {
        Ok(Seen::All(read)) => {
            assert!(read.len() <= limits.push_options && read.len() <= given.len());
            assert!(read.iter().all(|option| option.len() <= limits.push_option_bytes));
            // In their order, byte for byte, and as many as Git counted.
            assert!(read.iter().zip(&given).all(|(read, given)| read == given));
            shape(&[read.len()])
        }
        Ok(Seen::NotHere) => unreachable!("pre-receive is shown its options"),
        Err(fault) => outcome(&fault),
    }
}

/// Push certificates.
pub const CERTIFICATE: Target = Target {
    name: "certificate",
    run: certificate,
    words: &[
        b"certificate version 0.1\n",
        b"pusher ",
        b"pushee ",
        b"nonce ",
        b"push-option ",
        b"-----BEGIN SSH SIGNATURE-----\n",
        b"\n\n",
    ],
};

fn certificate(data: &[u8]) -> u64 {
    let read = match Certificate::parse(data) {
        Ok(read) => read,
        Err(problem) => return outcome(&problem),
    };
    assert_eq!([read.signed, read.armor].concat(), data);
    // What was read, written out again, is what was signed: nothing signed is left unread.
    let mut again = [b"certificate version 0.1\npusher ", read.pusher, b"\n"].concat();
    let mut line = |key: &[u8], value: &[u8]| again.extend([key, value, b"\n"].concat());
    read.pushee.into_iter().for_each(|value| line(b"pushee ", value));
    read.nonce.into_iter().for_each(|value| line(b"nonce ", value));
    read.options.iter().for_each(|value| line(b"push-option ", value));
    line(b"", b"");
    read.commands.iter().for_each(|value| line(b"", value));
    assert_eq!(again, read.signed);
    shape(&[read.options.len(), read.commands.len(), usize::from(read.nonce.is_some())])
}

/// Commits, by the strict reader and by the one that walks.
pub const COMMIT: Target = Target {
    name: "commit",
    run: commit,
    words: &[
        b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n",
        b"parent 1111111111111111111111111111111111111111\n",
        b"author A U Thor <author@example.com> 1112911993 -0700\n",
        b"committer C O Mitter <committer@example.com> 1112911994 +0130\n",
        b"gpgsig ",
        b"gpgsig-sha256 ",
        b"mergetag ",
        b"encoding ",
        b"\n\n",
        b"\n ",
        b"Co-authored-by: ",
        b"Source: ",
        b"<",
        b"> 0 +0000",
    ],
};

fn commit(data: &[u8]) -> u64 {
    let (first, raw) = choice(data);
    let format = format_of(first);
    let links = links_of(format, raw);
    let read = match Commit::parse(format, raw) {
        Ok(read) => read,
        Err(problem) => return outcome(&(problem, links.is_ok())),
    };
    let links = links.expect("what the strict reader takes the other takes too");
    assert_eq!((&links.tree, &links.parents), (&read.tree, &read.parents));
    assert_eq!(links.when_seconds, read.committer.when_seconds);
    assert!(raw.ends_with(read.message()));
    assert!(read.subject().len() <= read.message().len() + 1);
    assert!(!read.subject().contains(&b'\n'));
    let lines = read.message().iter().filter(|&&byte| byte == b'\n').count() + 1;
    let trailers = trailer::values(read.message(), "Co-authored-by");
    assert!(trailers.len() <= lines && read.co_authors().len() <= trailers.len());
    let Some(signature) = read.signature() else { return shape(&[read.parents.len(), lines]) };
    // The signature is over this very commit, without any signature.
    let bare = Commit::parse(format, &signature.payload).expect("what is signed is a commit");
    assert_eq!(bare.signature(), None);
    assert_eq!((&bare.tree, &bare.parents), (&read.tree, &read.parents));
    assert_eq!((&bare.author, &bare.committer), (&read.author, &read.committer));
    assert_eq!(bare.message(), read.message());
    assert!(signature.armor.len() + signature.payload.len() < raw.len());
    shape(&[9, read.parents.len(), lines])
}

/// Trees.
pub const TREE: Target = Target {
    name: "tree",
    run: tree,
    words: &[
        b"40000 ", b"100644 ", b"100755 ", b"120000 ", b"160000 ", b"100664 ", b".git\0", b"a/\0",
    ],
};

fn tree(data: &[u8]) -> u64 {
    let (first, raw) = choice(data);
    let format = format_of(first);
    let read = match Tree::parse(format, raw.to_vec()) {
        Ok(read) => read,
        Err(why) => return outcome(&why),
    };
    assert!(read.problems().len() <= PROBLEMS_PER_TREE_MAX);
    // No entry is lost: each has its bytes, and only how a mode is written is not kept.
    let mut at = 0;
    for entry in read.entries() {
        let rest = &raw[at..];
        let mode = rest.iter().take_while(|&&byte| byte != b' ').count();
        let name = entry.name;
        let tail = [b" ", name, b"\0", entry.oid.as_bytes()].concat();
        assert!(rest[mode..].starts_with(&tail));
        assert!(!name.contains(&0));
        if read.problems().is_empty() {
            let canonical: &[&[u8]] = match entry.mode {
                EntryMode::Folder => &[b"40000"],
                EntryMode::Leaf(FileMode::File) => &[b"100644", b"100664"],
                EntryMode::Leaf(FileMode::Executable) => &[b"100755"],
                EntryMode::Leaf(FileMode::Symlink) => &[b"120000"],
                EntryMode::Leaf(FileMode::Gitlink) => &[b"160000"],
            };
            assert!(canonical.contains(&&rest[..mode]));
            assert!(!name.is_empty() && !name.contains(&b'/') && !entry.oid.is_zero());
        }
        at += mode + tail.len();
    }
    assert_eq!(at, raw.len());
    if read.problems().is_empty() {
        let mut names: Vec<&[u8]> = read.entries().map(|entry| entry.name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "a name stands twice");
    }
    let kinds = read.problems().iter().map(|(_, kind)| *kind);
    kinds.fold(shape(&[read.entries().count()]), |sum, kind| sum ^ outcome(&kind))
}

/// Annotated tags.
pub const TAG: Target = Target {
    name: "tag",
    run: tag,
    words: &[
        b"object 1111111111111111111111111111111111111111\n",
        b"type commit\n",
        b"tag v1\n",
        b"tagger T <t@example.com> 1112911993 +0000\n",
        b"-----BEGIN SSH SIGNATURE-----\n",
        b"-----BEGIN PGP MESSAGE-----",
        b"\n\n",
    ],
};

fn tag(data: &[u8]) -> u64 {
    let (first, raw) = choice(data);
    let read = match Tag::parse(format_of(first), raw) {
        Ok(read) => read,
        Err(problem) => return outcome(&problem),
    };
    let whole = match &read.signature {
        Some(signature) => {
            assert!(signature.payload.ends_with(read.message()));
            [signature.payload.as_slice(), &signature.armor].concat()
        }
        None => raw.to_vec(),
    };
    assert_eq!(whole, raw);
    let head = format!("object {}\ntype {}\ntag ", read.object, read.kind.name());
    let rest = raw.strip_prefix(head.as_bytes()).expect("what was read is what stands there");
    assert!(rest.starts_with(&read.name) && !read.name.contains(&b'\n'));
    shape(&[usize::from(read.tagger.is_some()), usize::from(read.signature.is_some())])
}

/// Tables of refs.
pub const TABLE: Target =
    Target { name: "table", run: table, words: &[b"REFT\x01", b"r\0\0", b"refs/heads/", b"HEAD"] };

fn table(data: &[u8]) -> u64 {
    let (first, bytes) = choice(data);
    let format = format_of(first);
    // As it stands, and with the checksum that whoever writes such a file would give it.
    let mut sealed = bytes.to_vec();
    let header = if bytes.get(4) == Some(&1) { 24 } else { 28 };
    if let Some(body) = bytes.len().checked_sub(header + 44).filter(|body| *body >= header) {
        let end = bytes.len() - 4;
        sealed.copy_within(..header, body);
        let mut crc = Crc::new();
        crc.update(&sealed[body..end]);
        sealed[end..].copy_from_slice(&crc.sum().to_be_bytes());
    }
    if let Ok(read) = parse_table(format, bytes) {
        assert_eq!(parse_table(format, &sealed), Ok(read));
    }
    match parse_table(format, &sealed) {
        Ok(rows) => {
            assert!(rows.windows(2).all(|pair| pair[0].0 < pair[1].0), "refs are sorted");
            assert!(rows.len() <= bytes.len());
            shape(&[rows.len()])
        }
        Err(why) => outcome(&why),
    }
}
