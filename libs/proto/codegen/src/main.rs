//! `codegen` writes the generated code of `libs/proto`; `codegen --check` fails when it has drifted from the protos.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool")]

use std::process::ExitCode;

use anyhow::{Result, bail};
use codegen::Project;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("codegen: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let project = Project::here();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {
            for tree in project.generate()? {
                for path in tree.write()? {
                    println!("wrote {}", project.relative(&path).display());
                }
            }
            Ok(())
        }
        ["--check"] => {
            let mut drifted = false;
            for tree in project.generate()? {
                for path in tree.drift()? {
                    drifted = true;
                    eprintln!("differs from the protos: {}", project.relative(&path).display());
                }
            }
            if drifted {
                bail!("generated code has drifted: run `make proto` and commit what it writes");
            }
            Ok(())
        }
        _ => bail!("usage: codegen [--check]"),
    }
}
