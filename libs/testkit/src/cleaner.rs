//! Tidying up behind tests, on a thread of its own: `Drop` can't wait, and the runtime of the test is ending.
//!
//! It is best effort. What a killed process leaves behind is found by its process id and removed by a later one.

use std::{
    fs,
    path::Path,
    sync::{LazyLock, mpsc},
    thread,
};

use provision::Provision;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::{
    own_redis,
    servers::{self, TestPostgres},
    template,
};

/// Something to tidy up.
pub(crate) enum Job {
    /// Drop a database and throw out whoever is still in it.
    Database(TestPostgres, String),
    /// Delete the keys with a prefix.
    Keys(String, String),
    /// Delete the folder of a server of a test's own.
    Folder(Provision),
    /// Remove what belongs to processes that are gone.
    Leftovers(TestPostgres),
}

/// Hands a job over and returns at once.
pub(crate) fn submit(job: Job) {
    static JOBS: LazyLock<mpsc::Sender<Job>> = LazyLock::new(|| {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || work(&receiver));
        sender
    });
    // The thread ends with the process only.
    let _ = JOBS.send(job);
}

fn work(jobs: &mpsc::Receiver<Job>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for job in jobs {
        runtime.block_on(run(job));
    }
}

async fn run(job: Job) {
    match job {
        Job::Database(server, name) => drop_database(&mut server.admin().await, &name).await,
        Job::Keys(url, prefix) => own_redis::delete_keys(&url, &prefix).await,
        Job::Folder(provision) => remove(&provision).await,
        Job::Leftovers(server) => {
            drop_databases_of_the_dead(&mut server.admin().await).await;
            remove_folders_of_the_dead().await;
        }
    }
}

/// Drops a database; a failure leaves it to a later process.
pub(crate) async fn drop_database(admin: &mut PgConnection, name: &str) {
    let statement = format!("drop database if exists {name} with (force)");
    let _ = sqlx::raw_sql(AssertSqlSafe(statement)).execute(admin).await;
}

/// The databases of tests are named after their process.
pub(crate) async fn drop_databases_of_the_dead(admin: &mut PgConnection) {
    let names = sqlx::query_scalar::<_, String>("select datname from pg_database where datname like 'test\\_%'");
    for name in names.fetch_all(&mut *admin).await.unwrap_or_default() {
        if template::process_of(&name).is_some_and(|pid| !provision::is_alive(pid)) {
            drop_database(admin, &name).await;
        }
    }
}

async fn remove_folders_of_the_dead() {
    let folders = fs::read_dir(servers::data().join("own")).into_iter().flatten().flatten();
    for folder in folders {
        let name = folder.file_name().to_string_lossy().into_owned();
        let pid = name.split('-').next().and_then(|pid| pid.parse().ok());
        if pid.is_some_and(|pid| !provision::is_alive(pid)) {
            remove(&Provision::new(folder.path(), provision::Options::default())).await;
        }
    }
}

/// Kills the servers of a folder and deletes it.
async fn remove(provision: &Provision) {
    stop_at_once(provision);
    let _ = provision.reset().await;
    let _ = fs::remove_dir_all(provision.data());
    // The last one takes the folder of folders with it; that of others is not empty.
    let _ = provision.data().parent().map(Path::to_owned).map(fs::remove_dir);
}

/// Kills the servers of a folder.
pub(crate) fn stop_at_once(provision: &Provision) {
    if let Ok((postgres, redis)) = provision.running() {
        [postgres, redis].into_iter().flatten().for_each(provision::stop_at_once);
    }
}
