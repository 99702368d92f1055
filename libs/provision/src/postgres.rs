//! The private Postgres.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use sqlx::{
    Connection as _, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    account::{Account, command},
    error::{Error, Result},
    files,
    options::{Options, Profile, Progress},
    place::Place,
    port, process,
    programs::{PostgresPrograms, major},
    state::State,
};

const SERVER: &str = "Postgres";
const ADMIN: &str = "postgres";
/// In the folder of Postgres.
pub(crate) const DATA: &str = "data";
const LOG: &str = "server.log";
/// What a new cluster, its first write-ahead log and some data take.
const SPACE_NEW_MIB: u64 = 512;
/// Below this a start would soon end in a crash.
const SPACE_START_MIB: u64 = 64;
const START_PATIENCE: Duration = Duration::from_secs(60);
const STOP_PATIENCE: Duration = Duration::from_secs(30);
/// How long the children of a killed server may keep its shared memory.
const ORPHANS_PATIENCE: Duration = Duration::from_secs(10);
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// No process has this id: the largest is 2^22.
const NOBODY: &str = "2147483647";

/// A running private Postgres.
#[derive(Clone)]
pub struct Postgres {
    pub(crate) port: u16,
    pub(crate) pid: u32,
    pub(crate) admin_url: String,
    pub(crate) adopted: bool,
}

impl Postgres {
    /// The URL of the administrator, database `postgres`. It holds a password: don't print it.
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id of the server.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the server ran already.
    pub fn is_adopted(&self) -> bool {
        self.adopted
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("port", &self.port).field("pid", &self.pid).finish_non_exhaustive()
    }
}

/// All that a start needs to know.
pub(crate) struct Setting<'a> {
    pub place: &'a Place,
    pub account: Option<&'a Account>,
    pub options: &'a Options,
    pub programs: &'a PostgresPrograms,
}

/// What `postmaster.pid` says of a server.
struct PidFile {
    pid: u32,
    port: u16,
    ready: bool,
}

impl PidFile {
    fn read(data: &Path) -> Option<Self> {
        let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
        let lines: Vec<&str> = text.lines().collect();
        Some(Self {
            pid: lines.first()?.trim().parse().ok()?,
            port: lines.get(3).and_then(|line| line.trim().parse().ok()).unwrap_or(0),
            ready: lines.get(7).is_some_and(|line| line.trim() == "ready"),
        })
    }
}

/// The major version that made the files in `data`, if there are any.
pub(crate) fn data_version(data: &Path) -> Result<Option<u32>> {
    let path = data.join("PG_VERSION");
    match fs::read_to_string(&path) {
        Ok(text) => Ok(major(&text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file("read", path)(error)),
    }
}

/// Makes the database files. They appear whole or not at all.
pub(crate) async fn create(setting: &Setting<'_>, password: &str, progress: &Progress) -> Result<()> {
    let Setting { place, account, programs, .. } = *setting;
    place.check_space(SERVER, SPACE_NEW_MIB)?;
    progress.tell(format!("Making a private database with {programs} in {}", place.postgres().display()));
    files::make_private_folder(&place.postgres(), account)?;
    let draft = place.postgres().join("draft");
    files::remove(&draft)?;
    let password_file = place.root.join("postgres.password");
    files::write_whole(&password_file, password.as_bytes(), files::PRIVATE, account)?;
    let mut made = initdb(setting, &draft, &password_file, "C.UTF-8").await;
    if matches!(&made, Err(Error::Command { output, .. }) if output.contains("locale")) {
        files::remove(&draft)?;
        made = initdb(setting, &draft, &password_file, "C").await;
    }
    fs::remove_file(&password_file).map_err(Error::file("remove", &password_file))?;
    made?;
    fs::rename(&draft, place.postgres_data()).map_err(Error::file("rename", draft))
}

async fn initdb(setting: &Setting<'_>, draft: &Path, password_file: &Path, locale: &str) -> Result<()> {
    let failed = |output: String| Error::Command { what: "making the database (initdb)".to_owned(), output };
    let output = command(&setting.programs.bin.join("initdb"), setting.account)
        .args(["--username", ADMIN, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", locale])
        // The files are written out before the first commit that matters: by the shutdown of initdb and by checkpoints.
        .args((setting.options.profile == Profile::Test).then_some("--no-sync"))
        .arg("--pwfile")
        .arg(password_file)
        .arg("--pgdata")
        .arg(draft)
        // The next start removes the draft.
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(files::last_lines(&String::from_utf8_lossy(&output.stderr), 8)))
}

/// Takes over the server that runs on these files already, if one does.
pub(crate) async fn adopt(setting: &Setting<'_>, state: &State) -> Result<Option<Postgres>> {
    let data = setting.place.postgres_data();
    let deadline = Instant::now() + START_PATIENCE;
    // Somebody may be starting, stopping or killing it right now.
    let (found, version) = loop {
        let Some(found) = PidFile::read(&data).filter(|found| process::runs_in(found.pid, &data)) else {
            return Ok(None);
        };
        if found.ready
            && let Ok(version) = server_version(found.port, &state.postgres.password).await
        {
            break (found, version);
        }
        if Instant::now() >= deadline {
            return Err(failure(setting.place, "answer"));
        }
        sleep(process::POLL).await;
    };
    let wanted = setting.options.postgres_port.unwrap_or(found.port);
    // After an upgrade of the packages a running server can't load its own libraries any more.
    let same_version = version.split_whitespace().next() == Some(setting.programs.version.as_str());
    if found.port != wanted || !same_version {
        setting.options.progress.tell("Restarting Postgres: its port or its version changed");
        stop(setting.place).await?;
        return Ok(None);
    }
    Ok(Some(running(found, state, true)))
}

/// Starts the server; it isn't running.
pub(crate) async fn start(setting: &Setting<'_>, state: &mut State) -> Result<Postgres> {
    let Setting { place, options, .. } = *setting;
    place.check_space(SERVER, SPACE_START_MIB)?;
    forget_stranger(&place.postgres_data(), setting.account)?;
    let port = port::pick(SERVER, options.postgres_port, state.postgres.port, &place.root)?;
    state.postgres.port = Some(port);
    write_settings(place, options.profile, port)?;
    options.progress.tell(format!("Starting Postgres {} on 127.0.0.1:{port}", setting.programs.version));
    let deadline = Instant::now() + ORPHANS_PATIENCE;
    while !launch(setting).await? {
        let log = files::tail(&log(place));
        if !log.contains("shared memory block") || Instant::now() >= deadline {
            return Err(failure(place, "start"));
        }
        sleep(process::POLL).await;
    }
    let found = PidFile::read(&place.postgres_data()).ok_or_else(|| failure(place, "start"))?;
    server_version(found.port, &state.postgres.password).await.map_err(|_| failure(place, "answer"))?;
    Ok(running(found, state, false))
}

/// Keeps what is in the cluster of the administrator from the roles of the services.
pub(crate) async fn close_to_services(server: &Postgres, password: &str) -> Result<()> {
    let failed = Error::postgres("close its own databases");
    let close = async {
        let mut connection = connect(server.port, password).await?;
        sqlx::raw_sql("revoke all on database postgres, template1 from public").execute(&mut connection).await?;
        connection.close().await
    };
    close.await.map_err(failed)
}

/// Stops the server in an orderly way, if it runs: open transactions are rolled back.
pub(crate) async fn stop(place: &Place) -> Result<()> {
    let data = place.postgres_data();
    let Some(found) = PidFile::read(&data).filter(|found| process::runs_in(found.pid, &data)) else { return Ok(()) };
    process::interrupt(found.pid);
    if process::wait_gone(found.pid, STOP_PATIENCE).await { Ok(()) } else { Err(failure(place, "stop")) }
}

/// The process of the server, if it runs.
pub(crate) fn pid(place: &Place) -> Option<u32> {
    let data = place.postgres_data();
    PidFile::read(&data).map(|found| found.pid).filter(|&pid| process::runs_in(pid, &data))
}

fn running(found: PidFile, state: &State, adopted: bool) -> Postgres {
    let admin_url =
        format!("postgres://{ADMIN}:{}@127.0.0.1:{}/{ADMIN}?sslmode=disable", state.postgres.password, found.port);
    Postgres { port: found.port, pid: found.pid, admin_url, adopted }
}

/// Runs `pg_ctl start`; says whether the server is ready.
async fn launch(setting: &Setting<'_>) -> Result<bool> {
    let failed = |error: std::io::Error| Error::Command { what: "pg_ctl start".to_owned(), output: error.to_string() };
    let patience = START_PATIENCE.as_secs().to_string();
    let mut child = command(&setting.programs.bin.join("pg_ctl"), setting.account)
        // pg_ctl puts its arguments into a line for a shell, so no path of ours, which may hold anything, is among them.
        .current_dir(setting.place.postgres())
        .args(["start", "--silent", "--wait", "--timeout", &patience, "--pgdata", DATA, "--log", LOG])
        .args(["--options", "-c config_file=../postgres.conf"])
        // The server must not hold a pipe of ours open.
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    child.wait().await.map(|status| status.success()).map_err(failed)
}

async fn connect(port: u16, password: &str) -> std::result::Result<PgConnection, sqlx::Error> {
    let options = PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(port)
        .username(ADMIN)
        .password(password)
        .database(ADMIN)
        .ssl_mode(PgSslMode::Disable);
    timeout(CONNECT_PATIENCE, PgConnection::connect_with(&options)).await.map_err(|_| sqlx::Error::PoolTimedOut)?
}

/// Proves that the server of our password answers.
async fn server_version(port: u16, password: &str) -> std::result::Result<String, sqlx::Error> {
    let mut connection = connect(port, password).await?;
    let version = sqlx::query_scalar("show server_version").fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(version)
}

/// After a crash the process id in `postmaster.pid` may meanwhile be another program's, and Postgres then refuses to
/// start. The id is replaced by one that nobody has; the rest of the file stays, as by it Postgres makes sure that no
/// child of the crashed server is left.
fn forget_stranger(data: &Path, account: Option<&Account>) -> Result<()> {
    let path = data.join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&path) else { return Ok(()) };
    match text.split_once('\n') {
        Some((_, rest)) => files::write_whole(&path, format!("{NOBODY}\n{rest}").as_bytes(), files::PRIVATE, account),
        None => fs::remove_file(&path).map_err(Error::file("remove", path)),
    }
}

/// The settings lie outside of the database files: these belong to another user when we are root.
fn write_settings(place: &Place, profile: Profile, port: u16) -> Result<()> {
    let access = place.root.join("pg_hba.conf");
    files::write_whole(
        &access,
        b"# written at each start\nhost all all 127.0.0.1/32 scram-sha-256\n",
        files::OPEN,
        None,
    )?;
    let tuning = match profile {
        Profile::Durable => {
            "max_connections = 200\nshared_buffers = 128MB\nidle_in_transaction_session_timeout = 30s\n"
        }
        // Commits are still handed to the kernel, so a test may kill the server and lose nothing that was acknowledged.
        Profile::Test => {
            "max_connections = 300\nshared_buffers = 64MB\nfsync = off\nfull_page_writes = off\n\
             autovacuum_naptime = 5min\n"
        }
    };
    let settings = format!(
        "# written at each start\n\
         # what initdb found out about this machine, such as how memory is shared on it\n\
         include = {}\n\
         data_directory = {}\n\
         hba_file = {}\n\
         listen_addresses = '127.0.0.1'\n\
         port = {port}\n\
         unix_socket_directories = ''\n\
         password_encryption = 'scram-sha-256'\n\
         timezone = 'UTC'\n\
         log_timezone = 'UTC'\n\
         max_wal_size = 512MB\n\
         {tuning}",
        setting_quoted(&place.postgres_data().join("postgresql.conf")),
        setting_quoted(&place.postgres_data()),
        setting_quoted(&access),
    );
    files::write_whole(&place.root.join("postgres.conf"), settings.as_bytes(), files::OPEN, None)
}

pub(crate) fn log(place: &Place) -> PathBuf {
    place.postgres().join(LOG)
}

fn failure(place: &Place, verb: &'static str) -> Error {
    let log = log(place);
    let tail = files::tail(&log);
    Error::Server { server: SERVER, verb, log, tail }
}

fn setting_quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "''"))
}
