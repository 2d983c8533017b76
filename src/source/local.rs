//! Files of this machine: positioned reads, so that threads share one open file; nothing is mapped.

use std::fs::File;
use std::path::Path;

use super::{Location, SourceError};

/// Opens a regular, non-empty file. Its kind is looked at first: opening a pipe would block.
pub(super) fn open(path: &Path, at: &Location) -> Result<(File, u64), SourceError> {
    let meta = std::fs::metadata(path).map_err(|e| SourceError::io(&e, at))?;
    if meta.is_dir() {
        return Err(SourceError::Folder { at: at.clone() });
    }
    if !meta.is_file() {
        return Err(SourceError::NotAFile { at: at.clone() });
    }
    let file = File::open(path).map_err(|e| SourceError::io(&e, at))?;
    match file.metadata().map_err(|e| SourceError::io(&e, at))?.len() {
        0 => Err(SourceError::Empty { at: at.clone() }),
        len => Ok((file, len)),
    }
}

/// Fills `rest` with the bytes from `offset` on. They lie within the file as it was opened (the reader has checked it).
pub(super) fn read(file: &File, mut offset: u64, mut rest: &mut [u8], at: &Location) -> Result<(), SourceError> {
    let wanted = offset.saturating_add(rest.len() as u64);
    while !rest.is_empty() {
        match read_at(file, rest, offset) {
            Ok(0) => return Err(SourceError::Truncated { wanted, at: at.clone() }),
            Ok(n) => {
                rest = rest.get_mut(n..).unwrap_or_default();
                offset += n as u64;
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(SourceError::io(&e, at)),
        }
    }
    Ok(())
}

/// As [`read`], into memory of its own, which is not written twice.
#[cfg(unix)]
pub(super) fn read_new(file: &File, offset: u64, len: usize, at: &Location) -> Result<Vec<u8>, SourceError> {
    use rustix::buffer::spare_capacity;
    let mut bytes = Vec::with_capacity(len);
    while bytes.len() < len {
        let from = offset.saturating_add(bytes.len() as u64);
        match rustix::io::pread(file, spare_capacity(&mut bytes), from) {
            Ok(0) => {
                let wanted = offset.saturating_add(len as u64);
                return Err(SourceError::Truncated { wanted, at: at.clone() });
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(SourceError::io(&error.into(), at)),
        }
    }
    bytes.truncate(len);
    Ok(bytes)
}

#[cfg(windows)]
pub(super) fn read_new(file: &File, offset: u64, len: usize, at: &Location) -> Result<Vec<u8>, SourceError> {
    let mut bytes = vec![0; len];
    read(file, offset, &mut bytes, at)?;
    Ok(bytes)
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}
