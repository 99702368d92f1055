//! Compiles protos in process.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use prost_reflect::DescriptorPool;
use protox::Compiler;
use protox::file::{ChainFileResolver, FileResolver, GoogleFileResolver, IncludeFileResolver};

/// Where the protos are.
#[derive(Debug)]
pub struct Sources {
    /// The folder of our own protos.
    pub protos: PathBuf,
    /// The folder of the third-party protos that they import.
    pub third_party: PathBuf,
}

impl Sources {
    /// Compiles every proto of ours, and `also`.
    ///
    /// # Errors
    /// The third-party protos have not been fetched, a file cannot be read, or a proto is wrong.
    pub fn compile(&self, also: &[&str]) -> Result<DescriptorPool> {
        if !self.third_party.is_dir() {
            bail!("{} is missing: run `make tools`", self.third_party.display());
        }
        let mut names = Vec::new();
        collect(&self.protos, &self.protos, &mut names)?;
        names.sort();
        names.extend(also.iter().map(|&name| name.to_owned()));

        let mut resolver = ChainFileResolver::new();
        resolver.add(IncludeFileResolver::new(self.protos.clone()));
        resolver.add(IncludeFileResolver::new(self.third_party.clone()));
        resolver.add(GoogleFileResolver::new());
        compile(resolver, &names)
    }
}

/// Compiles `names`, looked up with `resolver`, into a pool that keeps options, extensions and comments.
///
/// # Errors
/// A file is missing or wrong; the error shows the line.
pub fn compile(resolver: impl FileResolver + 'static, names: &[impl AsRef<str>]) -> Result<DescriptorPool> {
    let mut compiler = Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).include_source_info(true);
    for name in names {
        let name = name.as_ref();
        compiler.open_file(name).map_err(|error| anyhow::anyhow!("{name}: {error:?}"))?;
    }
    // Through the encoded form, since only then extension options are resolved against the whole pool.
    let set = compiler.encode_file_descriptor_set();
    DescriptorPool::decode(set.as_slice()).context("the compiled protos do not form a descriptor pool")
}

fn collect(root: &Path, folder: &Path, names: &mut Vec<String>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, names)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            let name = path.strip_prefix(root)?;
            let name = name.to_str().with_context(|| format!("{} is not UTF-8", name.display()))?;
            names.push(name.to_owned());
        }
    }
    Ok(())
}
