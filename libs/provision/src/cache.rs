//! The private Redis. It keeps nothing on disk: the suite is right without it.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout};

use crate::{
    account::{Account, command},
    error::{Error, Result},
    files,
    options::Options,
    place::Place,
    port, process,
    state::State,
};

const SERVER: &str = "Redis";
const SPACE_MIB: u64 = 16;
const PATIENCE: Duration = Duration::from_secs(10);
const ANSWER_PATIENCE: Duration = Duration::from_secs(2);

/// A running private Redis.
#[derive(Clone)]
pub struct Redis {
    port: u16,
    pid: u32,
    url: String,
    adopted: bool,
}

impl Redis {
    /// The URL, database 0. It holds a password: don't print it.
    pub fn url(&self) -> &str {
        &self.url
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

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("port", &self.port).field("pid", &self.pid).finish_non_exhaustive()
    }
}

/// Takes over the server that runs in this folder already, if one does.
pub(crate) async fn adopt(place: &Place, options: &Options, state: &State) -> Result<Option<Redis>> {
    let Some(pid) = pid(place) else { return Ok(None) };
    if let Some(port) = state.redis.port
        && options.redis_port.is_none_or(|wanted| wanted == port)
    {
        let url = url(port, &state.redis.password);
        if answers(&url, &place.redis()).await {
            return Ok(Some(Redis { port, pid, url, adopted: true }));
        }
    }
    // It is ours and of no use: frozen, still on another port, or with a password that nobody knows any more.
    options.progress.tell("Restarting Redis: it doesn't answer, or its port changed");
    stop(place).await?;
    Ok(None)
}

/// Starts the server; it isn't running.
pub(crate) async fn start(
    place: &Place,
    account: Option<&Account>,
    options: &Options,
    program: &Path,
    state: &mut State,
) -> Result<Redis> {
    place.check_space(SERVER, SPACE_MIB)?;
    let port = port::pick(SERVER, options.redis_port, state.redis.port, &place.root)?;
    state.redis.port = Some(port);
    files::make_private_folder(&place.redis(), account)?;
    // One that a crash left behind may name a stranger, or belong to a user whom Redis may not overwrite.
    files::remove(&pid_file(place))?;
    let settings = place.root.join("redis.conf");
    let text = settings_text(place, port, &state.redis.password);
    files::write_whole(&settings, text.as_bytes(), files::PRIVATE, account)?;
    options.progress.tell(format!("Starting Redis on 127.0.0.1:{port}"));
    let failed = |error: std::io::Error| Error::Command { what: "redis-server".to_owned(), output: error.to_string() };
    let output = command(program, account).arg(&settings).output().await.map_err(failed)?;
    if !output.status.success() {
        let text = [output.stdout, output.stderr].concat();
        let output = files::last_lines(&String::from_utf8_lossy(&text), 8);
        return Err(Error::Command { what: "redis-server".to_owned(), output });
    }
    let url = url(port, &state.redis.password);
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(pid) = pid(place)
            && answers(&url, &place.redis()).await
        {
            return Ok(Redis { port, pid, url, adopted: false });
        }
        if Instant::now() >= deadline {
            return Err(failure(place, "start"));
        }
        sleep(process::POLL).await;
    }
}

/// Stops the server, if it runs. There is nothing to save, so it goes at once when it doesn't listen.
pub(crate) async fn stop(place: &Place) -> Result<()> {
    let Some(pid) = pid(place) else { return Ok(()) };
    process::interrupt(pid);
    if process::wait_gone(pid, ANSWER_PATIENCE).await {
        return Ok(());
    }
    process::stop_at_once(pid);
    if process::wait_gone(pid, PATIENCE).await { Ok(()) } else { Err(failure(place, "stop")) }
}

/// The process of the server, if it runs.
pub(crate) fn pid(place: &Place) -> Option<u32> {
    let pid = fs::read_to_string(pid_file(place)).ok()?.trim().parse().ok()?;
    process::runs_in(pid, &place.redis()).then_some(pid)
}

fn url(port: u16, password: &str) -> String {
    format!("redis://:{password}@127.0.0.1:{port}/0")
}

/// Whether the server at `url` answers and is the one of `folder`.
async fn answers(url: &str, folder: &Path) -> bool {
    let ask = async {
        let mut connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
        redis::cmd("CONFIG").arg("GET").arg("dir").query_async::<Vec<String>>(&mut connection).await
    };
    match timeout(ANSWER_PATIENCE, ask).await {
        Ok(Ok(answer)) => {
            answer.get(1).is_some_and(|found| folder.canonicalize().is_ok_and(|own| Path::new(found) == own))
        }
        _ => false,
    }
}

fn settings_text(place: &Place, port: u16, password: &str) -> String {
    format!(
        "# written at each start\n\
         bind 127.0.0.1\n\
         port {port}\n\
         requirepass {password}\n\
         daemonize yes\n\
         dir {}\n\
         pidfile {}\n\
         logfile {}\n\
         save \"\"\n\
         appendonly no\n",
        quoted(&place.redis()),
        quoted(&pid_file(place)),
        quoted(&log(place)),
    )
}

fn pid_file(place: &Place) -> PathBuf {
    place.redis().join("redis.pid")
}

fn log(place: &Place) -> PathBuf {
    place.redis().join("redis.log")
}

fn failure(place: &Place, verb: &'static str) -> Error {
    let log = log(place);
    let tail = files::tail(&log);
    Error::Server { server: SERVER, verb, log, tail }
}

fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('\\', "\\\\").replace('"', "\\\""))
}
