//! Tables that are whole, cut off and changed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use flate2::Crc;
use proptest::prelude::*;

use super::{Row, parse_table};
use crate::names::oid::{ObjectFormat, Oid};

fn varint(value: usize) -> Vec<u8> {
    let mut bytes = vec![(value & 0x7f) as u8];
    let mut rest = value >> 7;
    while rest > 0 {
        rest -= 1;
        bytes.push(0x80 | (rest & 0x7f) as u8);
        rest >>= 7;
    }
    bytes.reverse();
    bytes
}

/// Writes a table as the format asks for it: so many refs a block, blocks of this size.
fn write(rows: &BTreeMap<Vec<u8>, Row>, a_block: usize, block_size: usize) -> Vec<u8> {
    let mut out = b"REFT\x01".to_vec();
    out.extend(&(block_size as u32).to_be_bytes()[1..]);
    out.extend([0; 16]);
    let header = out.clone();
    let rows: Vec<_> = rows.iter().collect();
    for (number, block) in rows.chunks(a_block).enumerate() {
        let start = if number == 0 { 0 } else { out.len() };
        let mut body = if number == 0 { header.clone() } else { Vec::new() };
        body.extend(b"r\0\0\0");
        let type_at = body.len() - 4;
        let (mut starts, mut last): (Vec<usize>, &[u8]) = (Vec::new(), b"");
        for (at, (name, row)) in block.iter().enumerate() {
            let whole = at % 3 == 0;
            if whole {
                starts.push(body.len());
            }
            let same = last.iter().zip(name.iter()).take_while(|(a, b)| a == b).count();
            let shared = if whole { 0 } else { same };
            let (kind, value) = match row {
                Row::Deleted => (0, Vec::new()),
                Row::Direct(oid) => (1, oid.as_bytes().to_vec()),
                Row::Symbolic(to) => (3, [varint(to.len()), to.clone()].concat()),
            };
            body.extend(varint(shared));
            body.extend(varint((name.len() - shared) << 3 | kind));
            body.extend(&name[shared..]);
            body.extend(varint(300));
            body.extend(value);
            last = name;
        }
        for start in &starts {
            body.extend(&(*start as u32).to_be_bytes()[1..]);
        }
        body.extend((starts.len() as u16).to_be_bytes());
        let len = (body.len() as u32).to_be_bytes();
        body[type_at + 1..type_at + 4].copy_from_slice(&len[1..]);
        out.truncate(start);
        out.extend(body);
        let is_last = (number + 1) * a_block >= rows.len();
        if !is_last && block_size > out.len() - start {
            out.resize(start + block_size, 0);
        }
    }
    let mut footer = header;
    footer.extend([0; 40]);
    let mut crc = Crc::new();
    crc.update(&footer);
    footer.extend(crc.sum().to_be_bytes());
    out.extend(footer);
    out
}

fn rows() -> impl Strategy<Value = BTreeMap<Vec<u8>, Row>> {
    let row = prop_oneof![
        Just(Row::Deleted),
        any::<u8>().prop_map(|number| Row::Direct(Oid::from_bytes(&[number; 20]).unwrap())),
        prop::collection::vec(any::<u8>(), 1..200).prop_map(Row::Symbolic),
    ];
    prop::collection::btree_map(prop::collection::vec(any::<u8>(), 1..20), row, 0..30)
}

fn parse(bytes: &[u8]) -> Result<Vec<(Vec<u8>, Row)>, &'static str> {
    parse_table(ObjectFormat::Sha1, bytes)
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        rows in rows(), a_block in 1_usize..9, size in prop_oneof![Just(0), Just(4096_usize)]
    ) {
        let table = write(&rows, a_block, size);
        prop_assert_eq!(parse(&table), Ok(rows.into_iter().collect()));
    }

    #[test]
    fn a_table_that_was_cut_off_is_no_table(
        rows in rows(), at in any::<prop::sample::Index>()
    ) {
        let table = write(&rows, 4, 0);
        let cut = &table[..at.index(table.len())];
        prop_assert!(parse(cut).is_err());
    }

    #[test]
    fn any_bytes_are_read_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes);
        bytes.splice(..0, b"REFT\x01\0\0\0".iter().copied());
        let _ = parse(&bytes);
        let _ = parse_table(ObjectFormat::Sha256, &bytes);
    }
}

#[test]
fn each_kind_of_damage_is_named() {
    let oid = Oid::from_bytes(&[1; 20]).unwrap();
    let rows: BTreeMap<_, _> = (0..9).map(|at| (vec![b'a' + at], Row::Direct(oid))).collect();
    let whole = write(&rows, 3, 4096);
    assert_eq!(parse(&whole).unwrap().len(), 9);
    let with = |at: usize, byte: u8| {
        let mut table = whole.clone();
        table[at] = byte;
        parse(&table).unwrap_err()
    };
    assert_eq!(with(0, b'X'), "it does not begin as a table");
    assert_eq!(with(4, 9), "it is of an unknown version");
    assert_eq!(with(10, 9), "its end is damaged");
    assert_eq!(with(24, 0), "its first block is of an unknown kind");
    assert_eq!(with(4096, 0), "a block of refs is of another kind");
    assert_eq!(with(4099, 1), "a block is too short");
    assert_eq!(with(4095, 1), "something stands between two blocks");
    assert_eq!(with(4101, 1 << 3 | 5), "a ref is of an unknown kind");
    assert_eq!(with(4102, b'a'), "names are not in their order");
    assert_eq!(with(whole.len() - 30, 1), "its end is damaged");
    assert_eq!(parse(b"REFT"), Err("it is of an unknown version"));
    let other = parse_table(ObjectFormat::Sha256, &whole);
    assert_eq!(other, Err("it names objects in another way than the repository"));
}
