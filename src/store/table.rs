//! Reads the refs of one table (gitformat-reftable(5)). Pure and total.
//!
//! Used by `reftables`, as a second reader beside git: git takes a block that it cannot read for the
//! end of the table, lists what stands before, and reports success. Here every byte of the refs'
//! part has to be accounted for. Reflogs, indexes and the map of objects are passed over.

use flate2::Crc;

use crate::names::oid::{ObjectFormat, Oid};

/// What a table says of a ref.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Row {
    /// The ref is gone; earlier tables may have it.
    Deleted,
    /// It names an object.
    Direct(Oid),
    /// It is another name for this ref.
    Symbolic(Vec<u8>),
}

/// Why a table cannot be read.
pub type Why = &'static str;

const MAGIC: &[u8] = b"REFT";

/// After the header: five positions and a checksum.
const FOOTER_EXTRA_BYTES: usize = 44;

/// The type byte and the length of a block.
const BLOCK_HEAD_BYTES: usize = 4;

/// The refs in a table, sorted by name.
pub fn parse_table(format: ObjectFormat, bytes: &[u8]) -> Result<Vec<(Vec<u8>, Row)>, Why> {
    let frame = Frame::read(format, bytes)?;
    let mut rows: Vec<(Vec<u8>, Row)> = Vec::new();
    let mut at = 0;
    while at < frame.end {
        // The first block begins with the header of the file.
        let head = if at == 0 { frame.header_len } else { 0 };
        let block = bytes.get(at..frame.end).ok_or("it ends early")?;
        let len = block_len(block, head)?;
        read_block(format, block.get(..len).ok_or("a block is too long")?, head, &mut rows)?;
        let after = block.get(len..).unwrap_or_default();
        let padded = frame.block_size.checked_sub(len).filter(|_| after.first() == Some(&0));
        let padding = padded.unwrap_or(0).min(after.len());
        if after.iter().take(padding).any(|&b| b != 0) {
            return Err("something stands between two blocks");
        }
        at += len + padding;
    }
    Ok(rows)
}

/// What header and footer say.
struct Frame {
    header_len: usize,
    block_size: usize,
    /// Where the refs' part ends.
    end: usize,
}

impl Frame {
    fn read(format: ObjectFormat, bytes: &[u8]) -> Result<Self, Why> {
        let rest = bytes.strip_prefix(MAGIC).ok_or("it does not begin as a table")?;
        let (header_len, named) = match rest.first() {
            Some(1) => (24, ObjectFormat::Sha1),
            Some(2) => match bytes.get(24..28) {
                Some(b"sha1") => (28, ObjectFormat::Sha1),
                Some(b"s256") => (28, ObjectFormat::Sha256),
                Some(_) | None => return Err("it names objects in an unknown way"),
            },
            Some(_) | None => return Err("it is of an unknown version"),
        };
        if named != format {
            return Err("it names objects in another way than the repository");
        }
        let footer_at = bytes.len().checked_sub(header_len + FOOTER_EXTRA_BYTES);
        let footer_at = footer_at.filter(|at| *at >= header_len).ok_or("it ends early")?;
        let (body, footer) = bytes.split_at(footer_at);
        let (header, block_size) = match (body.get(..header_len), number(bytes, 5, 3)) {
            (Some(header), Some(block_size)) => (header, block_size),
            _ => return Err("it ends early"),
        };
        let sum_at = footer.len() - 4;
        let mut crc = Crc::new();
        crc.update(&footer[..sum_at]);
        if !footer.starts_with(header) || number(footer, sum_at, 4) != Some(crc.sum() as usize) {
            return Err("its end is damaged");
        }
        // Without refs the first block is of another kind, or there is none.
        let has_refs = body.get(header_len) == Some(&b'r');
        let position = |at: usize| number(footer, header_len + at, 8).unwrap_or(0);
        let parts = [position(0), position(8) >> 5, position(24)];
        let end = parts.into_iter().filter(|&at| at > 0).fold(body.len(), usize::min);
        if !has_refs && !matches!(body.get(header_len), None | Some(b'g')) {
            return Err("its first block is of an unknown kind");
        }
        Ok(Self { header_len, block_size, end: if has_refs { end } else { 0 } })
    }
}

/// A number of so many bytes, the highest first.
fn number(bytes: &[u8], at: usize, len: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(len)?)?;
    bytes.iter().try_fold(0_usize, |sum, &b| sum.checked_mul(256)?.checked_add(usize::from(b)))
}

/// How long a block of refs is, the file's header included where it stands in front.
fn block_len(block: &[u8], head: usize) -> Result<usize, Why> {
    if block.get(head) != Some(&b'r') {
        return Err("a block of refs is of another kind");
    }
    let len = number(block, head + 1, 3).ok_or("it ends early")?;
    if len < head + BLOCK_HEAD_BYTES + 2 { Err("a block is too short") } else { Ok(len) }
}

fn read_block(
    format: ObjectFormat,
    block: &[u8],
    head: usize,
    rows: &mut Vec<(Vec<u8>, Row)>,
) -> Result<(), Why> {
    let wrong = "the starts in a block are wrong";
    let count = number(block, block.len().saturating_sub(2), 2).ok_or(wrong)?;
    let rows_end = block.len().checked_sub(2 + 3 * count).ok_or(wrong)?;
    let starts = (0..count).map(|at| number(block, rows_end + 3 * at, 3));
    let mut starts = starts.collect::<Option<Vec<usize>>>().ok_or(wrong)?.into_iter().peekable();
    let mut at = head + BLOCK_HEAD_BYTES;
    let mut first = true;
    while at < rows_end {
        let mut reader = Reader { rest: block.get(at..rows_end).ok_or(wrong)? };
        let before = reader.rest.len();
        let last = rows.last().map(|(name, _)| name.as_slice());
        // Names are written by what they share with the name in front, but for these.
        let whole = starts.next_if_eq(&at).is_some();
        let (shared, name, row) = reader.row(format, last.unwrap_or_default())?;
        if (whole || first) && shared != 0 {
            return Err(wrong);
        }
        if last.is_some_and(|last| last >= name.as_slice()) {
            return Err("names are not in their order");
        }
        rows.push((name, row));
        at += before - reader.rest.len();
        first = false;
    }
    if starts.next().is_some() { Err(wrong) } else { Ok(()) }
}

/// Bytes that are taken from the front.
struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    fn row(&mut self, format: ObjectFormat, last: &[u8]) -> Result<(usize, Vec<u8>, Row), Why> {
        let shared = self.varint()?;
        let sized = self.varint()?;
        let mut name = last.get(..shared).ok_or("a name shares more than there is")?.to_vec();
        name.extend_from_slice(self.take(sized >> 3)?);
        // When it was written.
        self.varint()?;
        let row = match sized & 7 {
            0 => Row::Deleted,
            1 => Row::Direct(self.oid(format)?),
            2 => {
                let oid = self.oid(format)?;
                // What the tag leads to.
                self.oid(format)?;
                Row::Direct(oid)
            }
            3 => {
                let len = self.varint()?;
                Row::Symbolic(self.take(len)?.to_vec())
            }
            _ => return Err("a ref is of an unknown kind"),
        };
        Ok((shared, name, row))
    }

    fn take(&mut self, len: usize) -> Result<&'b [u8], Why> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or("a ref ends early")?;
        self.rest = rest;
        Ok(taken)
    }

    fn oid(&mut self, format: ObjectFormat) -> Result<Oid, Why> {
        Oid::from_bytes(self.take(format.len_bytes())?).ok_or("an object has no name")
    }

    /// As in packs, OFS_DELTA (gitformat-pack(5)): seven bits a byte, no number in two ways.
    fn varint(&mut self) -> Result<usize, Why> {
        let long = "a number is too long";
        let mut value = 0_usize;
        loop {
            let [byte] = self.take(1)? else { return Err(long) };
            value = value
                .checked_mul(128)
                .ok_or(long)?
                .checked_add(usize::from(byte & 0x7f))
                .ok_or(long)?;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
            value += 1;
        }
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
