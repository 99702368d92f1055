//! Writing generated files, or comparing them with those that are there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::{Context, Result};

/// Generated files by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A folder that holds generated files and nothing else.
#[derive(Debug)]
pub struct Tree {
    /// The folder.
    pub folder: PathBuf,
    /// What belongs into it.
    pub files: Files,
}

impl Tree {
    /// The paths that differ from what was generated, are missing, or are there without having been generated.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn drift(&self) -> Result<Vec<PathBuf>> {
        let present = self.present()?;
        let mut drift = Vec::new();
        for (name, content) in &self.files {
            let path = self.folder.join(name);
            if !present.contains(name) || fs::read(&path)? != *content {
                drift.push(path);
            }
        }
        drift.extend(present.iter().filter(|name| !self.files.contains_key(*name)).map(|name| self.folder.join(name)));
        Ok(drift)
    }

    /// Writes what differs and removes what is no longer generated; files that are right keep their time, so that
    /// nothing is built again for them. Answers what was changed.
    ///
    /// # Errors
    /// The folder cannot be read or written.
    pub fn write(&self) -> Result<Vec<PathBuf>> {
        fs::create_dir_all(&self.folder).with_context(|| format!("cannot make {}", self.folder.display()))?;
        let drift = self.drift()?;
        for path in &drift {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            match self.files.get(name) {
                Some(content) => fs::write(path, content),
                None => fs::remove_file(path),
            }
            .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(drift)
    }

    fn present(&self) -> Result<BTreeSet<String>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
            Err(error) => return Err(error).with_context(|| format!("cannot list {}", self.folder.display())),
        };
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }
}
