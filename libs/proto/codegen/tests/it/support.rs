//! Compiling a proto that stands in a test.

use std::io::Write;

use codegen::{Files, Project, compile, generate};
use prost_reflect::DescriptorPool;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver, IncludeFileResolver};

/// The name of the file that a test writes.
pub const FILE: &str = "meridian/testing/v1/testing.proto";

/// Whether the third-party protos are there; if not, says that `test` is skipped.
pub fn tools(test: &str) -> bool {
    let there = Project::here().third_party().is_dir();
    if !there {
        // Not eprintln, which the test harness swallows.
        let _ = writeln!(std::io::stderr(), "skipped: {test} (.tools/proto not found; run `make tools`)");
    }
    there
}

/// Generates from a file of ours with these declarations.
pub fn generated(declarations: &str) -> anyhow::Result<Files> {
    generate(&compiled("meridian.testing.v1", declarations), "crate::generated")
}

/// The error of generating from these declarations.
pub fn refused(declarations: &str) -> String {
    match generated(declarations) {
        Ok(_) => panic!("accepted: {declarations}"),
        Err(error) => format!("{error:#}"),
    }
}

/// Compiles a file with these declarations.
pub fn compiled(package: &str, declarations: &str) -> DescriptorPool {
    let source = format!(
        "syntax = \"proto3\";\n\
         package {package};\n\
         import \"buf/validate/validate.proto\";\n\
         import \"google/protobuf/any.proto\";\n\
         import \"google/protobuf/duration.proto\";\n\
         import \"google/protobuf/timestamp.proto\";\n\
         import \"meridian/access/v1/access.proto\";\n\
         {declarations}"
    );
    let project = Project::here();
    let mut resolver = ChainFileResolver::new();
    resolver.add(Memory(source));
    resolver.add(IncludeFileResolver::new(project.protos()));
    resolver.add(IncludeFileResolver::new(project.third_party()));
    resolver.add(GoogleFileResolver::new());
    compile(resolver, &[FILE]).unwrap()
}

/// Resolves [`FILE`] to a text.
struct Memory(String);

impl FileResolver for Memory {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match name {
            FILE => File::from_source(name, &self.0),
            _ => Err(protox::Error::file_not_found(name)),
        }
    }
}
