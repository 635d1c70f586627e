//! The object that a place of statements holds: a blob or an annotated tag, read as what it is.

use crate::gather::error::GatherError;
use crate::gather::reader::Reader;
use crate::names::oid::Oid;
use crate::statement::problem::StatementProblem;
use crate::statement::read::{Form, Statement};
use crate::store::objects::ObjectKind;

/// What became of reading a statement.
type Read = Result<Statement, StatementProblem>;

/// Reads the statement that an object is. `None`: it is of another kind, or too long.
pub fn read(reader: &Reader<'_>, oid: &Oid, bytes_max: usize) -> Result<Option<Read>, GatherError> {
    for (kind, form) in [(ObjectKind::Blob, Form::Blob), (ObjectKind::Tag, Form::Tag)] {
        if let Some(bytes) = reader.small(oid, kind, bytes_max)? {
            return Ok(Some(Statement::parse_as(form, &bytes)));
        }
    }
    Ok(None)
}
