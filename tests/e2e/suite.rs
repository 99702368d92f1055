//! The suite as ops run it: one process per service, each with its own database.

use std::{
    collections::HashMap,
    io::Write,
    net::{SocketAddr, TcpListener},
    os::unix::process::ExitStatusExt,
    process::{Child, Command, ExitStatus, Stdio},
    sync::Mutex,
    time::Duration,
};

use sqlx::migrate::Migrator;
use testkit::{TestDb, TestRedis, eventually};

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Every process of the suite, in the order of starting.
pub const SERVICES: [&str; 6] = ["membership", "marketing", "payment", "booking", "analytics", "gateway"];

/// A running suite. Its processes and databases end with it.
pub struct Suite {
    pub http: String,
    /// Where the sandbox provider is.
    pub sandbox: String,
    config: tempfile::NamedTempFile,
    processes: Mutex<HashMap<&'static str, Process>>,
    admin: HashMap<&'static str, SocketAddr>,
    pub databases: HashMap<&'static str, TestDb>,
    _redis: TestRedis,
}

struct Process {
    child: Child,
}

impl Suite {
    /// Starts all services and waits until they are ready.
    pub async fn start() -> Self {
        Self::start_tracing(None).await
    }

    /// The same, sending traces to a collector.
    pub async fn start_tracing(collector: Option<SocketAddr>) -> Self {
        let suite = Self::prepare(collector).await;
        for service in SERVICES {
            suite.spawn(service, None);
        }
        for service in SERVICES {
            suite.ready(service).await;
        }
        suite
    }

    /// Its databases and settings, without any process.
    pub async fn prepare(collector: Option<SocketAddr>) -> Self {
        let redis = testkit::redis().await;
        let mut databases = HashMap::new();
        for (service, migrator) in migrators() {
            databases.insert(service, testkit::database(migrator).await);
        }
        let mut free = ports(SERVICES.len() * 2 + 1).into_iter();
        let mut next = || free.next().expect("enough ports");
        let http = next();
        let sandbox = next();
        let mut text = format!(
            "[http]\naddr = \"{http}\"\n[sandbox]\naddr = \"{sandbox}\"\nsecret = \"e2e\"\n[demo]\nmailbox = true\n\
             [redis]\nurl = \"{}\"\nprefix = \"{}\"\n[auth]\nservice_key_seed = \"{KEY}\"\nmaster_key = \"{KEY}\"\n\
             [telemetry]\nfilter = \"off\"\n",
            redis.url, redis.prefix
        );
        if let Some(collector) = collector {
            text += &format!("otlp_endpoint = \"http://{collector}\"\n");
        }
        for (service, db) in &databases {
            let grpc = next();
            text += &format!("[{service}]\ngrpc_addr = \"{grpc}\"\ndatabase_url = \"{}\"\n", db.url);
        }
        // Payment asks the provider itself soon enough for a test when a notice is lost.
        text += "[payment.policy]\nquery_after_seconds = 2\n";
        let config = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
        std::fs::write(config.path(), text).expect("written");
        let admin = SERVICES.into_iter().map(|service| (service, next())).collect();
        let sandbox = format!("http://{sandbox}");
        Self {
            http: format!("http://{http}"),
            sandbox,
            config,
            processes: Mutex::default(),
            admin,
            databases,
            _redis: redis,
        }
    }

    /// Starts a service that ends itself at the crash point.
    pub fn spawn(&self, service: &'static str, crash_at: Option<&str>) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meridian"));
        command
            .arg("--config")
            .arg(self.config.path())
            .args(["serve", service])
            .env("MERIDIAN__ADMIN__ADDR", self.admin[service].to_string())
            .env_remove("MERIDIAN_CRASH_AT")
            .stdin(Stdio::null());
        if let Some(point) = crash_at {
            command.env("MERIDIAN_CRASH_AT", point);
        }
        let child = command.spawn().expect("the executable starts");
        self.processes.lock().expect("not poisoned").insert(service, Process { child });
    }

    /// Waits until a service says that it is ready.
    pub async fn ready(&self, service: &'static str) {
        let url = format!("http://{}/readyz", self.admin[service]);
        let client = reqwest::Client::new();
        eventually(PATIENCE, || async {
            if let Some(status) = self.exited(service) {
                panic!("{service} ended while starting: {status}");
            }
            client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
    }

    /// How a service ended, if it has.
    pub fn exited(&self, service: &'static str) -> Option<ExitStatus> {
        let mut processes = self.processes.lock().expect("not poisoned");
        processes.get_mut(service).and_then(|process| process.child.try_wait().expect("a child"))
    }

    /// Ends a service as `kill -9` does.
    pub fn kill(&self, service: &'static str) {
        let mut processes = self.processes.lock().expect("not poisoned");
        let process = processes.get_mut(service).expect("started before");
        process.child.kill().expect("killed");
        process.child.wait().expect("reaped");
    }

    /// Kills a service and starts it again.
    pub async fn restart(&self, service: &'static str, crash_at: Option<&str>) {
        self.kill(service);
        self.spawn(service, crash_at);
        self.ready(service).await;
    }

    /// Waits until a service has ended itself at its crash point, then starts it again.
    pub async fn revive(&self, service: &'static str) {
        let status = eventually(PATIENCE, || async { self.exited(service) }).await;
        assert_eq!(status.signal(), Some(6), "{service} should have ended itself: {status}");
        self.spawn(service, None);
    }

    /// Looks at all that must be true of the money: whether it is, and what is said.
    pub fn audit(&self) -> (bool, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meridian"));
        let output =
            command.arg("--config").arg(self.config.path()).arg("audit").output().expect("the executable runs");
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).expect("text"))
    }

    /// A number from a service's database.
    pub async fn count(&self, service: &str, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.databases[service].pg.pool()).await.expect("a count")
    }

    /// Changes a service's database behind its back, to let time pass.
    pub async fn execute(&self, service: &str, sql: &'static str) {
        sqlx::query(sql).execute(self.databases[service].pg.pool()).await.expect("executed");
    }
}

impl Drop for Suite {
    fn drop(&mut self) {
        for process in self.processes.get_mut().expect("not poisoned").values_mut() {
            // It may have ended by itself.
            let _ = process.child.kill();
            let _ = process.child.wait();
        }
    }
}

/// Base64 of 32 bytes; of no value.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn migrators() -> [(&'static str, &'static Migrator); 5] {
    [
        ("booking", &booking::MIGRATOR),
        ("membership", &membership::MIGRATOR),
        ("payment", &payment::MIGRATOR),
        ("marketing", &marketing::MIGRATOR),
        ("analytics", &analytics::MIGRATOR),
    ]
}

/// Free ports: all are taken before any is given back, so that they differ.
fn ports(count: usize) -> Vec<SocketAddr> {
    let listeners: Vec<_> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
    listeners.iter().map(|listener| listener.local_addr().expect("an address")).collect()
}

/// Opens the first administrator's account, as ops do.
pub fn first_administrator(suite: &Suite, user_name: &str, password: &str) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_meridian"))
        .arg("--config")
        .arg(suite.config.path())
        .args(["administrator", "--user-name", user_name])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the executable starts");
    child.stdin.take().expect("piped").write_all(password.as_bytes()).expect("written");
    assert!(child.wait().expect("reaped").success(), "the account is opened");
}
