//! What this repository generates, and from where.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::compile::Sources;
use crate::output::Tree;
use crate::{generate, validate};

/// Files besides our own that belong into the descriptor set: a status carries their messages as details, and JSON can
/// show only what the set knows.
const DETAILS: &[&str] = &["google/rpc/error_details.proto", "google/rpc/status.proto"];

/// The repository.
#[derive(Debug)]
pub struct Project {
    root: PathBuf,
}

impl Project {
    /// The repository that this tool was built in.
    pub fn here() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap_or(Path::new("."));
        Self { root: root.to_owned() }
    }

    /// The folder of our own protos.
    pub fn protos(&self) -> PathBuf {
        self.root.join("proto")
    }

    /// The folder of the third-party protos, which `make tools` fills.
    pub fn third_party(&self) -> PathBuf {
        self.root.join(".tools/proto")
    }

    /// Everything that is generated: the code of `libs/proto`, and the messages on which its tests try every rule.
    ///
    /// # Errors
    /// See [`generate`].
    pub fn generate(&self) -> Result<Vec<Tree>> {
        let suite = self.sources("proto").compile(DETAILS)?;
        let rules = self.sources("libs/proto/codegen/tests/fixture").compile(&[])?;
        let mut fixture = crate::messages::generate(&rules)?;
        fixture.insert("validate.rs".into(), validate::generate(&rules, "crate::fixture")?.into_bytes());
        Ok(vec![
            Tree { folder: self.root.join("libs/proto/src/gen"), files: generate(&suite, "crate::generated")? },
            Tree { folder: self.root.join("libs/proto/tests/it/gen"), files: fixture },
        ])
    }

    /// A path as it is written from the root.
    pub fn relative<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }

    fn sources(&self, folder: &str) -> Sources {
        Sources { protos: self.root.join(folder), third_party: self.third_party() }
    }
}
