//! A log that has seen much: usual decisions and their outcomes.

use std::fs;
use std::path::Path;

use portcullis::log::book::Log;
use portcullis::log::entry::{Record, Session};
use portcullis::log::file::Ctx;
use portcullis::log::merge::Leisure;
use portcullis::names::moment::Moment;

use crate::logged::{decision, outcome};

/// How many entries are written at a time.
const BATCH: u64 = 500;

fn ctx() -> Ctx {
    Ctx {
        moment: Moment::from_seconds(1_795_000_000),
        // That of this machine: after a restart the first push looks whether the log was damaged.
        boot: fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap().trim_end().into(),
        mono_us: 1_000_000,
        host: "git1".into(),
        push: [7; 16],
        session: Session { pid: 99, start: 99 },
    }
}

/// Lets the log of a repository grow to so many entries, and its index with it.
pub(crate) fn grow(repository: &Path, entries: u64) {
    let mut log = Log::open(&repository.join("portcullis/log")).unwrap();
    while log.head().size < entries {
        let first = log.head().size;
        let records: Vec<Record> = (0..BATCH.min(entries - first).div_ceil(2))
            .flat_map(|n| [decision(first + n), outcome(first + 2 * n, first + n)])
            .collect();
        assert_eq!(log.note(&records, &ctx(), None).unwrap(), None);
        log.refresh().unwrap();
        // As `post-receive` does.
        log.merge_index(Leisure::AfterPush);
    }
}
