//! The providers' own vectors, which are not ours to copy: they are read from the folder of test data (`MERIDIAN_TESTDATA`,
//! or `../shared/testdata` beside the repository), and what needs one is skipped by name where it is absent.

use std::path::PathBuf;

use serde_json::Value;

/// How many cases a test that feeds odd input tries: `PROPTEST_CASES`, or the usual number.
pub fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}

/// A file of that folder; `None`, and a word about it, where it is absent.
pub fn file(test: &str, name: &str) -> Option<Vec<u8>> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/testdata");
    let folder = std::env::var_os("MERIDIAN_TESTDATA").map_or_else(beside, PathBuf::from);
    let found = std::fs::read(folder.join(name)).ok();
    if found.is_none() {
        println!("{test}: skipped, as {name} is not here (see MERIDIAN_TESTDATA)");
    }
    found
}

/// Vectors of that folder.
pub fn vectors(test: &str, name: &str) -> Option<Value> {
    file(test, name).map(|text| serde_json::from_slice(&text).expect("the vectors are JSON"))
}

/// A text of a vector.
pub fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
    vector[field].as_str().expect("a text")
}

/// A list of vectors.
pub fn list<'a>(vectors: &'a Value, name: &str) -> &'a [Value] {
    vectors[name].as_array().expect("a list")
}
