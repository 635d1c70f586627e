//! Numbers and lengths of OpenPGP packets (RFC 9580, sections 3 and 4), read without slack.
//!
//! Used inside this room only. Nothing here recurses or allocates by a length that somebody claims.

/// How long a number of a key or a signature may be, in bits; RSA has the longest.
const NUMBER_BITS_MAX: usize = 8192;

/// What has not been read yet.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

/// A packet of a sequence.
pub(super) struct Packet<'a> {
    /// What kind it is (section 5).
    pub(super) kind: u8,
    /// What is in it.
    pub(super) body: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// So many raw bytes.
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.rest.split_at_checked(count)?;
        self.rest = tail;
        Some(head)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(super) fn short(&mut self) -> Option<usize> {
        let bytes: [u8; 2] = self.take(2)?.try_into().ok()?;
        Some(usize::from(u16::from_be_bytes(bytes)))
    }

    pub(super) fn number(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_be_bytes)
    }

    /// A big number without its leading zero bytes.
    pub(super) fn big_number(&mut self) -> Option<&'a [u8]> {
        let bits = self.short().filter(|bits| *bits <= NUMBER_BITS_MAX)?;
        let bytes = self.take(bits.div_ceil(8))?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        bytes.get(zeros..)
    }

    /// Everything that is left.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything was read.
    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next packet. `None`: there is no whole one, or one in pieces of which nobody says how
    /// many there are.
    pub(super) fn packet(&mut self) -> Option<Packet<'a>> {
        let header = self.byte().filter(|header| header & 0x80 != 0)?;
        if header & 0x40 != 0 {
            let length = match self.byte()? {
                first @ 0..192 => usize::from(first),
                first @ 192..224 => two_bytes(first, self.byte()?),
                // In pieces: for data, and never for keys and signatures.
                224..255 => return None,
                255 => usize::try_from(self.number()?).ok()?,
            };
            return Some(Packet { kind: header & 0x3f, body: self.take(length)? });
        }
        let length = match header & 0x03 {
            0 => usize::from(self.byte()?),
            1 => self.short()?,
            2 => usize::try_from(self.number()?).ok()?,
            // Up to the end of the file, wherever that is.
            _ => return None,
        };
        Some(Packet { kind: (header >> 2) & 0x0f, body: self.take(length)? })
    }

    /// The next part of a signature's area: its type, with the bit that says it must be understood,
    /// and what it holds.
    pub(super) fn subpacket(&mut self) -> Option<(u8, &'a [u8])> {
        let length = match self.byte()? {
            first @ 0..192 => usize::from(first),
            first @ 192..255 => two_bytes(first, self.byte()?),
            255 => usize::try_from(self.number()?).ok()?,
        };
        let (kind, body) = self.take(length)?.split_first()?;
        Some((*kind, body))
    }
}

/// A length in two bytes (section 4.2.1.2).
fn two_bytes(first: u8, second: u8) -> usize {
    ((usize::from(first) - 192) << 8) + usize::from(second) + 192
}

#[cfg(test)]
mod tests {
    use super::Reader;

    #[test]
    fn packets_of_every_form_are_read_and_pieces_are_not() {
        let kind = |bytes: &[u8]| {
            Reader::new(bytes).packet().map(|packet| (packet.kind, packet.body.len()))
        };
        let long = |header: &[u8], length: usize| [header, &vec![7; length]].concat();
        assert_eq!(kind(&long(&[0x88], 0)), None);
        assert_eq!(kind(&long(&[0x88, 3], 3)), Some((2, 3)));
        assert_eq!(kind(&long(&[0x99, 1, 0], 256)), Some((6, 256)));
        assert_eq!(kind(&long(&[0x9a, 0, 0, 0, 2], 2)), Some((6, 2)));
        assert_eq!(kind(&long(&[0x9b], 9)), None, "as long as it goes");
        assert_eq!(kind(&long(&[0xc2, 3], 3)), Some((2, 3)));
        assert_eq!(kind(&long(&[0xc2, 192, 8], 200)), Some((2, 200)));
        assert_eq!(kind(&long(&[0xc2, 193, 8], 456)), Some((2, 456)));
        assert_eq!(kind(&long(&[0xc2, 255, 0, 0, 0, 4], 4)), Some((2, 4)));
        assert_eq!(kind(&long(&[0xc2, 224], 9)), None, "in pieces");
        assert_eq!(kind(&long(&[0xc2, 255, 255, 255, 255, 255], 4)), None, "longer than it is");
        assert_eq!(kind(&long(&[0x42, 3], 3)), None, "no packet at all");
    }

    #[test]
    fn numbers_lose_their_leading_zeros_and_have_a_bound() {
        let number = |bytes: &[u8]| Reader::new(bytes).big_number().map(<[u8]>::to_vec);
        assert_eq!(number(&[0, 9, 1, 255]), Some(vec![1, 255]));
        assert_eq!(number(&[0, 16, 0, 255]), Some(vec![255]));
        assert_eq!(number(&[0, 0]), Some(vec![]));
        assert_eq!(number(&[0, 9, 1]), None);
        assert_eq!(number(&[0x20, 1, 1]), None, "a bit too long");
    }

    #[test]
    fn parts_of_a_signature_have_a_type_and_a_body() {
        let part =
            |bytes: &[u8]| Reader::new(bytes).subpacket().map(|(kind, body)| (kind, body.len()));
        assert_eq!(part(&[5, 0x82, 0, 0, 0, 0]), Some((0x82, 4)));
        assert_eq!(part(&[&[192, 8, 20][..], &[0; 199]].concat()), Some((20, 199)));
        assert_eq!(part(&[0, 2]), None, "without a type");
        assert_eq!(part(&[5, 2, 0]), None);
    }
}
