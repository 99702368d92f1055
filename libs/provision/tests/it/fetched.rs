//! What is said when programs are missing.

use provision::{Error, Options};

use crate::folder::Folder;

#[tokio::test]
async fn a_configured_program_that_is_not_there_is_named() {
    let folder = Folder::new();
    let options = Options {
        postgres_bin: Some("/nowhere/bin".into()),
        redis_server: Some("/nowhere/redis-server".into()),
        ..Options::default()
    };
    let provision = folder.provision_with(options);
    let error = provision.postgres().await.expect_err("not there");
    assert!(matches!(&error, Error::Program { path, .. } if path.ends_with("nowhere/bin")), "{error}");
    let error = provision.redis().await.expect_err("not there");
    assert!(error.to_string().contains("/nowhere/redis-server is configured as redis-server"), "{error}");
}
