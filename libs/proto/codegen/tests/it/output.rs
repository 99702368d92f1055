use std::path::PathBuf;

use codegen::{Files, Tree};
use prost_reflect::DescriptorPool;

use crate::support::{generated, tools};

const GREETING: &str = r#"
    // Greets.
    service GreetingService {
      // Says hello.
      rpc Greet(GreetRequest) returns (stream GreetResponse) {
        option (meridian.access.v1.rule) = {roles: [ROLE_FRONT_DESK, ROLE_MEMBER] scope: SCOPE_OWN};
      }
    }
    message GreetRequest {
      // Whom.
      string name = 1 [(buf.validate.field).string.max_len = 9];
      bytes picture = 2;
      map<string, string> words = 3;
      google.protobuf.Timestamp time = 4;
    }
    message GreetResponse {}
"#;

fn text(files: &Files, name: &str) -> String {
    let file = files.get(name).unwrap_or_else(|| panic!("{name} is not among {:?}", files.keys()));
    String::from_utf8(file.clone()).unwrap()
}

#[test]
fn messages_clients_and_servers_are_made() {
    if !tools("generated messages") {
        return;
    }
    let files = generated(GREETING).unwrap();
    let code = text(&files, "meridian.testing.v1.rs");
    for expected in [
        "pub struct GreetRequest",
        "pub mod greeting_service_client",
        "pub mod greeting_service_server",
        "/// Whom.",
        "/// Says hello.",
        "impl ::prost::Name for GreetRequest",
        "pub picture: ::prost::bytes::Bytes",
        "::prost::alloc::collections::BTreeMap<",
        "::core::option::Option<::prost_types::Timestamp>",
    ] {
        assert!(code.contains(expected), "{expected} is missing in:\n{code}");
    }
    assert!(text(&files, "mod.rs").contains("include!(\"meridian.testing.v1.rs\")"));
}

#[test]
fn what_only_options_use_gets_no_code() {
    if !tools("generated files") {
        return;
    }
    let files = generated(GREETING).unwrap();
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["access.rs", "descriptor.bin", "meridian.testing.v1.rs", "mod.rs", "validate.rs"]);
}

#[test]
fn the_descriptor_set_keeps_options_and_our_comments_only() {
    if !tools("the descriptor set") {
        return;
    }
    let files = generated(GREETING).unwrap();
    let pool = DescriptorPool::decode(files["descriptor.bin"].as_slice()).unwrap();

    let request = pool.get_message_by_name("meridian.testing.v1.GreetRequest").unwrap();
    let option = pool.get_extension_by_name("buf.validate.field").unwrap();
    assert!(request.get_field_by_name("name").unwrap().options().has_extension(&option));

    for file in pool.files() {
        let info = &file.file_descriptor_proto().source_code_info;
        assert_eq!(info.is_some(), file.package_name().starts_with("meridian."), "{}", file.name());
        for location in info.iter().flat_map(|info| &info.location) {
            assert!(location.leading_comments.is_some() || location.trailing_comments.is_some());
        }
    }
    let file = pool.get_file_by_name(crate::support::FILE).unwrap();
    let info = file.file_descriptor_proto().source_code_info.clone().unwrap();
    assert!(info.location.iter().any(|location| location.leading_comments() == " Whom.\n"));
}

#[test]
fn the_same_protos_give_the_same_bytes() {
    if !tools("deterministic output") {
        return;
    }
    assert_eq!(generated(GREETING).unwrap(), generated(GREETING).unwrap());
}

#[test]
fn drift_names_what_differs_is_missing_or_is_left_over() {
    let folder = std::env::temp_dir().join(format!("codegen-drift-{}", std::process::id()));
    let tree = |files: &[(&str, &str)]| Tree {
        folder: folder.clone(),
        files: files.iter().map(|(name, content)| ((*name).to_owned(), content.as_bytes().to_vec())).collect(),
    };
    let names = |paths: Vec<PathBuf>| -> Vec<String> {
        paths.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    };

    assert_eq!(names(tree(&[("a.rs", "1"), ("b.rs", "1")]).write().unwrap()), ["a.rs", "b.rs"]);
    assert!(tree(&[("a.rs", "1"), ("b.rs", "1")]).drift().unwrap().is_empty());

    let changed = tree(&[("a.rs", "2"), ("c.rs", "1")]);
    assert_eq!(names(changed.drift().unwrap()), ["a.rs", "c.rs", "b.rs"]);
    changed.write().unwrap();
    assert!(changed.drift().unwrap().is_empty());
    assert!(!folder.join("b.rs").exists());
    std::fs::remove_dir_all(&folder).unwrap();
}
