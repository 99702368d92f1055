//! Root gives its rights up for the servers; an ordinary user needs none.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    process::Command,
};

use provision::{Options, Profile, Provision};

use crate::folder::{Folder, connect, is_root};

const NOBODY: u32 = 65_534;
/// Set for the copy of this program that runs as an ordinary user.
const FOLDER: &str = "PROVISION_TEST_FOLDER";

fn owner_of(pid: u32) -> u32 {
    fs::metadata(format!("/proc/{pid}")).expect("a process").uid()
}

#[tokio::test]
async fn as_root_the_servers_run_as_somebody_else() {
    if !is_root("as_root_the_servers_run_as_somebody_else") {
        return;
    }
    let folder = Folder::new();
    let provision = folder.provision();
    assert_ne!(owner_of(provision.postgres().await.expect("starts").pid()), 0);
    assert_ne!(owner_of(provision.redis().await.expect("starts").pid()), 0);
}

#[tokio::test]
async fn a_closed_home_stays_closed_and_the_files_go_elsewhere() {
    if !is_root("a_closed_home_stays_closed_and_the_files_go_elsewhere") {
        return;
    }
    let folder = Folder::new();
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o700)).expect("a private folder");
    let provision = folder.provision();
    let server = provision.postgres().await.expect("starts");
    connect(server.admin_url()).await;
    assert!(!folder.0.join("data/postgres").exists());
    assert_eq!(fs::metadata(&folder.0).expect("the folder").permissions().mode() & 0o777, 0o700);

    // The same checkout, cloned again, finds what the first one has left and does not stumble over it.
    fs::remove_dir_all(folder.0.join("data")).expect("removed by hand");
    let provision = folder.provision();
    connect(provision.postgres().await.expect("starts").admin_url()).await;
    assert!(!provision::is_alive(server.pid()), "nobody could stop it any more");

    let log = provision.postgres_log().expect("readable").expect("known");
    let elsewhere = log.parent().and_then(std::path::Path::parent).expect("a folder").to_owned();
    assert!(elsewhere.starts_with("/var/lib"), "{}", elsewhere.display());
    provision.reset().await.expect("resets");
    assert!(!elsewhere.exists(), "reset takes the other folder with it");
    let kept = elsewhere.with_extension("old-1");
    assert!(kept.join("postgres/data/PG_VERSION").exists(), "nothing is lost");
    fs::remove_dir_all(kept).expect("removed");
}

/// Runs [`start_here`] again in a copy of this program that has no rights.
#[test]
fn an_ordinary_user_can_do_it_all() {
    if !is_root("an_ordinary_user_can_do_it_all") {
        return;
    }
    let folder = Folder::new();
    chown(&folder.0, Some(NOBODY), Some(NOBODY)).expect("a folder for nobody");
    let program = folder.0.join("it");
    fs::copy(std::env::current_exe().expect("a program"), &program).expect("a copy that nobody can reach");
    let output = Command::new(&program)
        .args(["--exact", "ordinary_user::start_here", "--nocapture", "--include-ignored"])
        .env(FOLDER, &folder.0)
        .current_dir("/")
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .expect("runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
#[ignore = "runs inside of an_ordinary_user_can_do_it_all"]
async fn start_here() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let data = std::path::Path::new(&folder).join("data");
    let provision = Provision::new(data, Options { profile: Profile::Test, ..Options::default() });
    let server = provision.postgres().await.expect("starts");
    connect(server.admin_url()).await;
    assert_eq!(owner_of(server.pid()), NOBODY);
    assert_eq!(owner_of(provision.redis().await.expect("starts").pid()), NOBODY);
    assert!(provision.postgres().await.expect("adopts").is_adopted());
    provision.reset().await.expect("resets");
}
