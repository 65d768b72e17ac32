//! Output files for the operator.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

use rustix::fs::OFlags;

use super::place::Place;

/// An output file for the operator, opened before root privileges are dropped. If it is not
/// finished, it is removed, or emptied where this process may no longer remove it.
#[derive(Debug)]
pub(crate) struct Output {
    file: File,
    place: Place,
    finished: bool,
}

impl Output {
    /// # Errors
    /// [`ErrorKind::AlreadyExists`] if the file exists, unless it is ours and empty, as an
    /// unfinished output can be.
    pub(crate) fn create(path: &Path) -> io::Result<Output> {
        let place = Place::of(path)?;
        let file = match place.create_new() {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let file = place.open(&place.name, OFlags::RDWR).map_err(|_| error)?;
                place.check_own(&file)?;
                if file.metadata()?.len() > 0 {
                    return Err(ErrorKind::AlreadyExists.into());
                }
                file
            }
            made => made?,
        };
        Ok(Output { file, place, finished: false })
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Flushes and keeps the file.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if !self.finished && self.place.remove_suffixed("").is_err() {
            let _ = self.file.set_len(0); // Marks it as incomplete.
        }
    }
}
