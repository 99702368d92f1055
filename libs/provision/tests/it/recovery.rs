//! What a crash leaves behind, and data that can't be used.

use std::{
    fs,
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::PathBuf,
    process::Command,
};

use provision::{Error, Provision};

use crate::folder::{Folder, connect, ping};

fn pid_file(folder: &Folder) -> PathBuf {
    folder.0.join("data/postgres/data/postmaster.pid")
}

async fn keep_a_row(provision: &Provision) -> u32 {
    let server = provision.postgres().await.expect("starts");
    let statement = "create table kept (n int); insert into kept values (7)";
    sqlx::raw_sql(statement).execute(&mut connect(server.admin_url()).await).await.expect("a row");
    server.pid()
}

async fn has_the_row(provision: &Provision) {
    let server = provision.postgres().await.expect("starts again");
    let row = sqlx::query_scalar::<_, i32>("select n from kept");
    assert_eq!(row.fetch_one(&mut connect(server.admin_url()).await).await.expect("the row"), 7);
}

#[tokio::test]
async fn after_kill_9_both_servers_start_again_with_the_data_kept() {
    let folder = Folder::new();
    let provision = folder.provision();
    let (postgres, redis) = (keep_a_row(&provision).await, provision.redis().await.expect("starts").pid());
    provision::stop_at_once(postgres);
    provision::stop_at_once(redis);
    has_the_row(&provision).await;
    let again = provision.redis().await.expect("starts again");
    assert!(!again.is_adopted());
    ping(again.url()).await;
}

#[tokio::test]
async fn a_stale_process_id_of_an_unrelated_process_is_no_obstacle() {
    let folder = Folder::new();
    let provision = folder.provision();
    keep_a_row(&provision).await;
    let text = fs::read_to_string(pid_file(&folder)).expect("the file of the running server");
    provision.stop().await.expect("stops");
    let (_, rest) = text.split_once('\n').expect("several lines");

    // A process of the servers' own user: Postgres by itself would take it for a server and refuse to start.
    let user = fs::metadata(folder.0.join("data/postgres/data")).expect("the data").uid();
    let mut stranger = Command::new("sleep").arg("60").uid(user).spawn().expect("sleep");
    fs::write(pid_file(&folder), format!("{}\n{rest}", stranger.id())).expect("a stale file");
    provision.redis().await.expect("starts");
    provision.stop().await.expect("stops");
    fs::write(folder.0.join("data/redis/redis.pid"), stranger.id().to_string()).expect("a stale file");
    has_the_row(&provision).await;
    ping(provision.redis().await.expect("starts").url()).await;
    assert!(provision::is_alive(stranger.id()), "the stranger is left alone");
    stranger.kill().expect("ends");
    stranger.wait().expect("ends");
}

#[tokio::test]
async fn a_frozen_redis_is_replaced() {
    let folder = Folder::new();
    let provision = folder.provision();
    let before = provision.redis().await.expect("starts").pid();
    provision::suspend(before);
    let after = provision.redis().await.expect("starts anew");
    assert_ne!(after.pid(), before);
    assert!(!provision::is_alive(before));
}

#[tokio::test]
async fn data_of_a_version_that_is_not_installed_is_left_alone() {
    let folder = Folder::new();
    let provision = folder.provision();
    keep_a_row(&provision).await;
    provision.stop().await.expect("stops");
    let version = folder.0.join("data/postgres/data/PG_VERSION");
    let right = fs::read(&version).expect("a version");
    fs::write(&version, "9\n").expect("an older version");
    let message = provision.postgres().await.expect_err("can't be used").to_string();
    assert!(message.contains("was made by Postgres 9") && message.contains("meridian reset"), "{message}");
    fs::write(&version, right).expect("the right version");
    has_the_row(&provision).await;
}

#[tokio::test]
async fn a_start_that_fails_shows_the_log_and_loses_nothing() {
    let folder = Folder::new();
    let provision = folder.provision();
    keep_a_row(&provision).await;
    provision.stop().await.expect("stops");
    let control = folder.0.join("data/postgres/data/global/pg_control");
    let aside = control.with_extension("aside");
    fs::rename(&control, &aside).expect("moves");
    let error = provision.postgres().await.expect_err("can't start");
    assert!(matches!(error, Error::Server { verb: "start", .. }), "{error}");
    assert!(error.to_string().contains("could not find the database system"), "{error}");
    fs::rename(&aside, &control).expect("moves back");
    has_the_row(&provision).await;
}

#[tokio::test]
async fn an_initialisation_that_was_cut_off_is_done_again() {
    let folder = Folder::new();
    let provision = folder.provision();
    provision.redis().await.expect("makes the record");
    let draft = folder.0.join("data/postgres/draft");
    fs::create_dir_all(&draft).expect("a folder");
    fs::write(draft.join("PG_VERSION"), "15\n").expect("a file");
    provision.postgres().await.expect("starts");
    assert!(!draft.exists());
}
