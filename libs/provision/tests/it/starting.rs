//! First start, second start, two at once, stop and reset.

use std::{net::TcpListener, os::unix::fs::PermissionsExt as _, time::Instant};

use provision::{Error, Options};

use crate::folder::{Folder, connect, ping};

#[tokio::test]
async fn a_second_start_adopts_the_running_servers_at_once() {
    let folder = Folder::new();
    let first = folder.provision();
    let (postgres, redis) = (first.postgres().await.expect("starts"), first.redis().await.expect("starts"));
    assert!(!postgres.is_adopted() && !redis.is_adopted());

    let begin = Instant::now();
    let second = folder.provision();
    let (again, redis_again) = (second.postgres().await.expect("adopts"), second.redis().await.expect("adopts"));
    assert!(begin.elapsed().as_secs() < 1, "took {:?}", begin.elapsed());
    assert!(again.is_adopted() && redis_again.is_adopted());
    assert_eq!((again.pid(), redis_again.pid()), (postgres.pid(), redis.pid()));

    connect(again.admin_url()).await;
    ping(redis_again.url()).await;
    let record = std::fs::metadata(folder.0.join("data/servers.json")).expect("the record");
    assert_eq!(record.permissions().mode() & 0o777, 0o600, "passwords are for the owner only");
}

#[tokio::test]
async fn two_starts_at_once_make_one_server() {
    let folder = Folder::new();
    let (one, two) = (folder.provision(), folder.provision());
    let (one, two) = tokio::join!(one.postgres(), two.postgres());
    assert_eq!(one.expect("starts").pid(), two.expect("starts").pid());
}

#[tokio::test]
async fn data_and_ports_outlive_a_stop_and_end_with_a_reset() {
    let folder = Folder::new();
    let provision = folder.provision();
    let before = provision.postgres().await.expect("starts");
    sqlx::raw_sql("create table kept (n int)").execute(&mut connect(before.admin_url()).await).await.expect("a table");
    provision.stop().await.expect("stops");
    assert!(!provision::is_alive(before.pid()));

    let after = provision.postgres().await.expect("starts again");
    assert_eq!(after.port(), before.port());
    sqlx::raw_sql("select * from kept").execute(&mut connect(after.admin_url()).await).await.expect("the table");

    std::fs::write(folder.0.join("data/somebody's file"), "precious").expect("a file");
    provision.reset().await.expect("resets");
    assert!(!provision::is_alive(after.pid()));
    assert!(!folder.0.join("data/postgres").exists());
    assert!(folder.0.join("data/somebody's file").exists(), "only our own files go");
}

#[tokio::test]
async fn a_configured_port_in_use_is_said_and_a_remembered_one_is_replaced() {
    let folder = Folder::new();
    let stranger = TcpListener::bind("127.0.0.1:0").expect("bind");
    let port = stranger.local_addr().expect("address").port();
    let error = folder.provision_with(Options { redis_port: Some(port), ..Options::default() }).redis().await;
    assert!(matches!(error, Err(Error::PortTaken { server: "Redis", port: taken }) if taken == port), "{error:?}");

    let first = folder.provision().redis().await.expect("starts on another port");
    folder.provision().stop().await.expect("stops");
    let _stranger = TcpListener::bind(("127.0.0.1", first.port())).expect("the port is free again");
    let second = folder.provision().redis().await.expect("starts on a new port");
    assert_ne!(second.port(), first.port());
    ping(second.url()).await;
}

#[tokio::test]
async fn the_second_owner_of_a_folder_is_told_who_has_it() {
    let folder = Folder::new();
    let provision = folder.provision();
    assert_eq!(provision.holder(), None);
    let right = provision.exclusive().expect("nobody has it");
    assert_eq!(provision.holder(), Some(std::process::id()));
    let message = folder.provision().exclusive().expect_err("it is taken").to_string();
    assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
    drop(right);
    provision.exclusive().expect("it is free again");
}

#[tokio::test]
async fn a_strangers_folder_is_neither_used_nor_deleted() {
    let folder = Folder::new();
    let theirs = folder.0.join("data/postgres");
    std::fs::create_dir_all(&theirs).expect("a folder");
    let provision = folder.provision();
    let error = provision.postgres().await.expect_err("not ours");
    assert!(matches!(error, Error::NotOurs { .. }), "{error}");
    provision.reset().await.expect("nothing to do");
    assert!(theirs.exists());
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let folder = Folder::new();
    let server = folder.provision().postgres().await.expect("starts");
    let wrong = provision::database_url(server.admin_url(), "postgres", "postgres", "guess").expect("a URL");
    let error = <sqlx::PgConnection as sqlx::Connection>::connect(&wrong).await.expect_err("refused");
    assert!(error.to_string().contains("password authentication failed"), "{error}");
}
