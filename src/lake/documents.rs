//! Documents of JSON as tables: read whole, as their items a line each.

use bytes::Bytes;

use super::{Lake, LakeError};
use crate::format::table::documents::{LONGEST_DOCUMENT_BYTES, is_document, lines, too_long, unpacked};
use crate::source::Reader;

impl Lake {
    /// The items of a document as JSON Lines; None where it is no document.
    pub(super) async fn lines_of(&self, reader: &Reader) -> Result<Option<Reader>, LakeError> {
        if !is_document(reader.head()) {
            return Ok(None);
        }
        let lines = lines(&document(reader).await?).map_err(|what| wrong(what, reader))?;
        Ok(Some(Reader::held(reader.location().clone(), lines, self.io.net())))
    }
}

/// All bytes of a document, unpacked.
pub async fn document(reader: &Reader) -> Result<Bytes, LakeError> {
    if reader.len() > LONGEST_DOCUMENT_BYTES {
        return Err(wrong(too_long(), reader));
    }
    unpacked(reader.read(0..reader.len()).await?).map_err(|what| wrong(what, reader))
}

fn wrong(what: String, reader: &Reader) -> LakeError {
    LakeError::File {
        what,
        at: reader.location().clone(),
    }
}
