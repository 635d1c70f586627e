//! The lines of one append: put together under the lock, when the last entry is known.
//!
//! Used by `file` and, for the line that a new segment begins with, by `rotate`.

use crate::log::damage::Recovered;
use crate::log::entry::{Common, Record};
use crate::log::error::LogError;
use crate::log::file::{Ctx, Head, common};
use crate::log::line::{self, Body};
use crate::log::rate::Held;
use crate::log::tail::Tail;
use crate::names::digest::Digest;
use crate::names::moment::Moment;

/// The lines of one append.
pub struct Batch<'a> {
    origin: &'a str,
    ctx: &'a Ctx,
    last_ts: Moment,
    /// The number of the first entry that was asked for.
    pub first: u64,
    /// The log's head after these lines.
    pub head: Head,
    /// What the next line tells of refusals that were held back.
    pub held: Vec<Held>,
    /// The lines, each with its line feed; one more before them where the last line lacks its own.
    pub bytes: Vec<u8>,
}

impl<'a> Batch<'a> {
    /// Lines that follow a tail.
    pub fn after(tail: &Tail, origin: &'a str, ctx: &'a Ctx) -> Self {
        let size = tail.last.seq + 1;
        Self {
            origin,
            ctx,
            last_ts: tail.last.ts,
            first: size,
            head: Head { size, hash: tail.last.hash },
            held: Vec::new(),
            bytes: if tail.unended { vec![b'\n'] } else { Vec::new() },
        }
    }

    /// Lines of the same run that follow another tail.
    pub fn anew(&self, tail: &Tail) -> Self {
        Self::after(tail, self.origin, self.ctx)
    }

    /// Declares what is wrong before this append.
    pub fn declare(&mut self, tail: &Tail, doubtful: Option<Recovered>) -> Result<(), LogError> {
        for damage in tail.damage.clone().into_iter().chain(doubtful) {
            let record = Record::Recovered(damage);
            let body = line::body(&record, None)
                .map_err(|source| LogError::Json { kind: record.kind().name(), source })?;
            self.push(&body)?;
        }
        self.first = self.head.size;
        Ok(())
    }

    /// Adds one line.
    pub fn push(&mut self, body: &Body) -> Result<(), LogError> {
        let mut common = common(self.origin, self.ctx, body.kind, self.head.size);
        common.ts_before_prev = self.ctx.moment < self.last_ts;
        common.held = std::mem::take(&mut self.held);
        let (line, hash) = sealed(&common, body, &self.head.hash)?;
        self.bytes.extend_from_slice(line.as_bytes());
        self.head = Head { size: self.head.size + 1, hash };
        self.last_ts = self.ctx.moment;
        Ok(())
    }
}

/// One line and its hash.
pub fn sealed(common: &Common, body: &Body, prev: &Digest) -> Result<(String, Digest), LogError> {
    line::write(common, body, prev)
        .map_err(|source| LogError::Json { kind: body.kind.name(), source })
}
