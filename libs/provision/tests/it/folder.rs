//! A data folder for one test.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use provision::{Options, Profile, Provision};
use sqlx::{Connection as _, PgConnection};

/// A folder whose servers are stopped and whose files are removed with it.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // The path goes through configuration files and a shell.
        let path = std::env::temp_dir().join(format!("it's \"a\" $folder {}-{number}", std::process::id()));
        std::fs::create_dir(&path).expect("a new folder");
        Self(path)
    }

    pub fn provision(&self) -> Provision {
        self.provision_with(Options::default())
    }

    pub fn provision_with(&self, options: Options) -> Provision {
        // Fetched for all tests of the workspace where no programs are installed.
        let tools = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.tools"));
        let options = Options { profile: Profile::Test, tools: Some(tools.to_owned()), ..options };
        Provision::new(self.0.join("data"), options)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Ok((postgres, redis)) = self.provision().running() {
            [postgres, redis].into_iter().flatten().for_each(provision::stop_at_once);
        }
        std::fs::remove_dir_all(&self.0).ok();
    }
}

pub async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.expect("the server lets us in")
}

pub async fn ping(url: &str) {
    let client = redis::Client::open(url).expect("a URL");
    let mut connection = client.get_multiplexed_async_connection().await.expect("Redis lets us in");
    let answer: String = redis::cmd("PING").query_async(&mut connection).await.expect("an answer");
    assert_eq!(answer, "PONG");
}

/// Whether we are root, which some tests need; says so when not.
pub fn is_root(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("skipped: {test} needs root");
    }
    root
}
