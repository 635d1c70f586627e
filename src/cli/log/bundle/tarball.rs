//! A tar file whose bytes follow from what is in it, with a list of the SHA-256 of every file.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};
use tempfile::NamedTempFile;

use crate::names::digest::Digest;

/// The list of hashes, in the form of `sha256sum`.
pub const MANIFEST: &str = "MANIFEST.sha256";

/// The mode of every file inside.
const MODE: u32 = 0o644;

/// A file to be packed.
#[derive(Debug)]
pub struct Piece {
    /// Its path below the top folder: letters, digits and `._-/`.
    pub name: String,
    /// What is in it.
    pub body: Body,
}

/// What is in a file.
#[derive(Debug)]
pub enum Body {
    /// These bytes.
    Bytes(Vec<u8>),
    /// What stands in this file.
    File(PathBuf),
}

/// Bytes on their way, and what they come to.
struct Counted<T> {
    through: T,
    sha256: Sha256,
    bytes: u64,
}

impl<T> Counted<T> {
    fn new(through: T) -> Self {
        Self { through, sha256: Sha256::new(), bytes: 0 }
    }

    fn saw(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.bytes += bytes.len() as u64;
    }
}

impl<T: Read> Read for Counted<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.through.read(buffer)?;
        self.saw(&buffer[..read]);
        Ok(read)
    }
}

impl<T: Write> Write for Counted<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.through.write(bytes)?;
        self.saw(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.through.flush()
    }
}

type Sink = Counted<BufWriter<NamedTempFile>>;

/// Where the bytes go.
enum Out {
    Plain(Sink),
    Gzip(GzEncoder<Sink>),
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(sink) => sink.write(bytes),
            Self::Gzip(gzip) => gzip.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(sink) => sink.flush(),
            Self::Gzip(gzip) => gzip.flush(),
        }
    }
}

/// A tar file, while it is written beside the place where it will stand.
pub struct Tarball {
    tar: Builder<Out>,
    top: &'static str,
    seconds: u64,
    manifest: String,
}

impl Tarball {
    /// Begins one for this path. `seconds`: the time of everything in it.
    pub fn create(path: &Path, top: &'static str, seconds: u64) -> io::Result<Self> {
        let folder = path.parent().unwrap_or(Path::new("/"));
        // For its owner alone, as the log is.
        let sink = Counted::new(BufWriter::new(NamedTempFile::new_in(folder)?));
        let is_packed = path.extension().is_some_and(|end| end == "gz" || end == "tgz");
        let out = match is_packed {
            true => Out::Gzip(GzEncoder::new(sink, Compression::default())),
            false => Out::Plain(sink),
        };
        Ok(Self { tar: Builder::new(out), top, seconds, manifest: String::new() })
    }

    /// Adds a file.
    pub fn add(&mut self, piece: &Piece) -> io::Result<()> {
        let sha256 = match &piece.body {
            Body::Bytes(bytes) => self.put(&piece.name, bytes.len() as u64, &mut &bytes[..])?,
            Body::File(path) => {
                let mut file = File::open(path)?;
                let length = file.metadata()?.len();
                self.put(&piece.name, length, &mut file)?
            }
        };
        self.manifest.push_str(&format!("{}  {}\n", sha256.hex(), piece.name));
        Ok(())
    }

    fn put(&mut self, name: &str, length: u64, body: &mut dyn Read) -> io::Result<Digest> {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(length);
        header.set_mode(MODE);
        header.set_mtime(self.seconds);
        header.set_uid(0);
        header.set_gid(0);
        let mut counted = Counted::new(body.take(length));
        self.tar.append_data(&mut header, format!("{}/{name}", self.top), &mut counted)?;
        if counted.bytes != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Digest::from_bytes(counted.sha256.finalize().into()))
    }

    /// Ends it with its list, puts it in its place, and returns the SHA-256 of it all.
    pub fn finish(mut self, path: &Path) -> io::Result<Digest> {
        let manifest = std::mem::take(&mut self.manifest);
        self.put(MANIFEST, manifest.len() as u64, &mut manifest.as_bytes())?;
        let mut sink = match self.tar.into_inner()? {
            Out::Plain(sink) => sink,
            Out::Gzip(gzip) => gzip.finish()?,
        };
        sink.flush()?;
        let sha256 = Digest::from_bytes(sink.sha256.finalize().into());
        let file = sink.through.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(sha256)
    }
}
