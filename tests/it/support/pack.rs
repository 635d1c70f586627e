//! Packs made byte by byte, for objects that no decent Git would make or that take it long.
//!
//! For repositories that use SHA-256: objects and packs are named with what the tests have anyway.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// Objects on their way to a server.
#[derive(Debug, Default)]
pub(crate) struct Pack {
    count: u32,
    body: Vec<u8>,
}

impl Pack {
    /// Adds an object and returns its name.
    pub(crate) fn object(&mut self, kind: &str, raw: &[u8]) -> String {
        self.packed(kind, raw.len(), &stored(raw));
        let mut name = Sha256::new();
        name.update(format!("{kind} {}\0", raw.len()));
        name.update(raw);
        name.finalize().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// Adds a tree of these entries, in this order.
    pub(crate) fn tree(&mut self, entries: &[(&str, &str, &str)]) -> String {
        let mut raw = Vec::new();
        for (mode, name, oid) in entries {
            raw.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            raw.extend((0..32).map(|at| u8::from_str_radix(&oid[at * 2..at * 2 + 2], 16).unwrap()));
        }
        self.object("tree", &raw)
    }

    /// Adds a commit.
    pub(crate) fn commit(&mut self, tree: &str, parents: &[&str], message: &str) -> String {
        let mut raw = format!("tree {tree}\n");
        for parent in parents {
            let _ = writeln!(raw, "parent {parent}");
        }
        let who = "alice <alice@example.org> 1767225600 +0000";
        let _ = write!(raw, "author {who}\ncommitter {who}\n\n{message}\n");
        self.object("commit", raw.as_bytes())
    }

    /// Adds an object that is this long and compressed like this.
    pub(crate) fn packed(&mut self, kind: &str, len: usize, zlib: &[u8]) {
        let kind = match kind {
            "commit" => 1,
            "tree" => 2,
            "blob" => 3,
            "tag" => 4,
            _ => panic!("{kind} is no kind of object"),
        };
        // gitformat-pack(5): three bits of kind, the length from its lowest bits on.
        let (mut byte, mut rest) = ((kind << 4) | (len & 15) as u8, len >> 4);
        while rest > 0 {
            self.body.push(byte | 0x80);
            (byte, rest) = ((rest & 0x7f) as u8, rest >> 7);
        }
        self.body.push(byte);
        self.body.extend_from_slice(zlib);
        self.count += 1;
    }

    /// The whole pack.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut all = b"PACK\0\0\0\x02".to_vec();
        all.extend_from_slice(&self.count.to_be_bytes());
        all.extend_from_slice(&self.body);
        let sum = Sha256::digest(&all);
        all.extend_from_slice(&sum);
        all
    }
}

/// A zlib stream (RFC 1950) of blocks that are not compressed.
fn stored(raw: &[u8]) -> Vec<u8> {
    let mut all = vec![0x78, 0x01];
    let mut blocks = raw.chunks(0xffff).peekable();
    if blocks.peek().is_none() {
        all.extend_from_slice(&[1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let len = block.len() as u16;
        all.push(u8::from(blocks.peek().is_none()));
        all.extend_from_slice(&len.to_le_bytes());
        all.extend_from_slice(&(!len).to_le_bytes());
        all.extend_from_slice(block);
    }
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in raw {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    all.extend_from_slice(&((b << 16) | a).to_be_bytes());
    all
}

/// A zlib stream of a few letters and so many zero bytes, a thousandth as long. Literals, then matches
/// of 258 bytes each (RFC 1951, fixed codes).
pub(crate) fn zeros(head: &[u8], len: usize) -> Vec<u8> {
    const MATCH: usize = 258;
    assert_eq!(len % MATCH, 1, "a length of whole matches and one byte");
    let mut bits = Bits::default();
    bits.put(0b011, 3);
    let (mut a, mut b) = (1_u64, 0_u64);
    for byte in head.iter().chain([&0]) {
        // Codes stand with their highest bit first, all other numbers with their lowest.
        bits.put(u32::from((0x30 + byte).reverse_bits()), 8);
        a = (a + u64::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    for _ in 0..len / MATCH {
        bits.put(0b1010_0011, 8);
        bits.put(0, 5);
    }
    b = (b + a * (len as u64 - 1)) % 65_521;
    bits.put(0, 7);
    let mut all = vec![0x78, 0x01];
    all.extend(bits.end());
    all.extend_from_slice(&((b << 16 | a) as u32).to_be_bytes());
    all
}

#[derive(Default)]
struct Bits {
    all: Vec<u8>,
    byte: u32,
    filled: u32,
}

impl Bits {
    fn put(&mut self, bits: u32, count: u32) {
        self.byte |= bits << self.filled;
        self.filled += count;
        while self.filled >= 8 {
            self.all.push(self.byte as u8);
            self.byte >>= 8;
            self.filled -= 8;
        }
    }

    fn end(mut self) -> Vec<u8> {
        self.put(0, (8 - self.filled % 8) % 8);
        self.all
    }
}
