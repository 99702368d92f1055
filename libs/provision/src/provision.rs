//! One data folder and its two servers.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::{
    account::{self, Account},
    cache::{self, Redis},
    database::ensure_database,
    error::{Error, Result},
    files,
    install::{self, Way},
    lock,
    lock::Exclusive,
    options::Options,
    place::Place,
    postgres::{self, Postgres, Setting},
    programs::{self, PostgresPrograms},
    state::State,
};

/// A data folder with a private Postgres and a private Redis, running or not.
#[derive(Debug, Clone)]
pub struct Provision {
    data: PathBuf,
    options: Options,
}

impl Provision {
    /// Nothing is touched before the first server is asked for.
    pub fn new(data: impl Into<PathBuf>, options: Options) -> Self {
        Self { data: data.into(), options }
    }

    /// The data folder as it was given.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The right to be the one `meridian up` of the folder; another process that has it is named in the error.
    /// Postgres and Redis can be asked for without it.
    pub fn exclusive(&self) -> Result<Exclusive> {
        Exclusive::take(&self.folder()?)
    }

    /// The process that has the right of [`Self::exclusive`] now.
    pub fn holder(&self) -> Option<u32> {
        lock::holder(&self.data)
    }

    /// The running Postgres, started (and installed and made) if need be.
    pub async fn postgres(&self) -> Result<Postgres> {
        let data = self.folder()?;
        let _turn = lock::for_start(&data).await?;
        let mut state = State::load(&data)?;
        let account = Account::choose(&Place::known(&data, &state).postgres())?;
        let place = Place::settle(&data, &mut state, account.as_ref(), &self.options.progress).await?;
        refuse_strange(&data, &place)?;
        state.save(&data)?;
        let version = postgres::data_version(&place.postgres_data())?;
        let programs = self.postgres_programs(&place, account.as_ref(), version).await?;
        let setting = Setting { place: &place, account: account.as_ref(), options: &self.options, programs: &programs };
        if version.is_none() {
            postgres::create(&setting, &state.postgres.password, &self.options.progress).await?;
        } else if let Some(running) = postgres::adopt(&setting, &state).await? {
            return Ok(running);
        }
        let server = postgres::start(&setting, &mut state).await?;
        state.save(&data)?;
        postgres::close_to_services(&server, &state.postgres.password).await?;
        Ok(server)
    }

    /// The running Redis, started (and installed) if need be.
    pub async fn redis(&self) -> Result<Redis> {
        let data = self.folder()?;
        let _turn = lock::for_start(&data).await?;
        let mut state = State::load(&data)?;
        let account = Account::choose(&Place::known(&data, &state).redis())?;
        let place = Place::settle(&data, &mut state, account.as_ref(), &self.options.progress).await?;
        refuse_strange(&data, &place)?;
        state.save(&data)?;
        if let Some(running) = cache::adopt(&place, &self.options, &state).await? {
            return Ok(running);
        }
        let program = self.redis_program(&place, account.as_ref()).await?;
        let server = cache::start(&place, account.as_ref(), &self.options, &program, &mut state).await?;
        state.save(&data)?;
        Ok(server)
    }

    /// A database on the private Postgres with a role of the same name that owns it; nobody else may enter. The
    /// password is generated and remembered. Returns the URL for the role.
    pub async fn database(&self, name: &str) -> Result<String> {
        let server = self.postgres().await?;
        let data = self.folder()?;
        let password = {
            let _turn = lock::for_start(&data).await?;
            let mut state = State::load(&data)?;
            let password = state.role_password(name);
            state.save(&data)?;
            password
        };
        ensure_database(server.admin_url(), name, name, &password).await
    }

    /// The process ids of the servers that run: Postgres's, then Redis's.
    pub fn running(&self) -> Result<(Option<u32>, Option<u32>)> {
        let Some(place) = self.place()? else { return Ok((None, None)) };
        Ok((postgres::pid(&place), cache::pid(&place)))
    }

    /// Where the server of Postgres logs to, if there is a data folder.
    pub fn postgres_log(&self) -> Result<Option<PathBuf>> {
        Ok(self.place()?.map(|place| postgres::log(&place)))
    }

    /// A program that belongs to the Postgres of this folder, such as `pgbench`, ready to be given arguments; `None` if
    /// that Postgres came without it. It has nothing of our environment.
    pub async fn postgres_tool(&self, name: &str) -> Result<Option<Command>> {
        let Some(place) = self.place()? else { return Ok(None) };
        let account = Account::choose(&place.postgres())?;
        let version = postgres::data_version(&place.postgres_data())?;
        let program = self.postgres_programs(&place, account.as_ref(), version).await?.bin.join(name);
        // It is a client of the server, so it runs as ourselves.
        Ok(program.is_file().then(|| account::command(&program, None)))
    }

    /// Stops both servers if they run; their data stays.
    pub async fn stop(&self) -> Result<()> {
        let Some(place) = self.place()? else { return Ok(()) };
        let _turn = lock::for_start(&self.folder()?).await?;
        cache::stop(&place).await?;
        postgres::stop(&place).await
    }

    /// Stops both servers and deletes their data, for good. Programs that were fetched stay.
    pub async fn reset(&self) -> Result<()> {
        self.stop().await?;
        // Without our own record nothing here is ours to delete.
        let Some(place) = self.place()? else { return Ok(()) };
        let data = self.folder()?;
        let _turn = lock::for_start(&data).await?;
        files::remove(&place.postgres())?;
        files::remove(&place.redis())?;
        for file in ["postgres.conf", "pg_hba.conf", "redis.conf"] {
            files::remove(&place.root.join(file))?;
        }
        if place.root != data {
            // Fetched programs may lie beside; then the folder stays.
            let _ = std::fs::remove_dir(&place.root);
        }
        files::remove(&State::path(&data))
    }

    /// The data folder, made if need be, with its whole path.
    fn folder(&self) -> Result<PathBuf> {
        files::make_folder(&self.data)?;
        self.data.canonicalize().map_err(Error::file("find", &self.data))
    }

    fn place(&self) -> Result<Option<Place>> {
        let Ok(data) = self.data.canonicalize() else { return Ok(None) };
        Ok(State::find(&data)?.map(|state| Place::known(&data, &state)))
    }

    /// Programs of the version that made the data; for new data the preferred ones.
    async fn postgres_programs(
        &self,
        place: &Place,
        account: Option<&Account>,
        version: Option<u32>,
    ) -> Result<PostgresPrograms> {
        let tools = self.tools(place, account).await?;
        let configured = self.options.postgres_bin.as_deref();
        let mut found = programs::find_postgres(configured, &tools, account).await?;
        let mut trouble = String::new();
        for way in Way::all().filter(|_| self.options.install) {
            if !found.is_empty() {
                break;
            }
            note(&mut trouble, way.postgres(&tools, &self.options.progress).await);
            found = programs::find_postgres(configured, &tools, account).await?;
        }
        if found.is_empty() {
            return Err(Error::Missing { program: "Postgres 14 or later", remedy: install::remedy(), detail: trouble });
        }
        let Some(wanted) = version else { return Ok(found.remove(0)) };
        let names: Vec<String> = found.iter().map(ToString::to_string).collect();
        found.into_iter().find(|programs| programs.major == wanted).ok_or_else(|| Error::DataVersion {
            path: place.postgres_data(),
            wanted,
            found: names.join(", "),
        })
    }

    async fn redis_program(&self, place: &Place, account: Option<&Account>) -> Result<PathBuf> {
        let tools = self.tools(place, account).await?;
        let configured = self.options.redis_server.as_deref();
        let mut found = programs::find_redis(configured, &tools, account).await?;
        let mut trouble = String::new();
        for way in Way::all().filter(|_| self.options.install) {
            if found.is_some() {
                break;
            }
            note(&mut trouble, way.redis(&tools, &self.options.progress).await);
            found = programs::find_redis(configured, &tools, account).await?;
        }
        found.ok_or_else(|| Error::Missing { program: "redis-server", remedy: install::remedy(), detail: trouble })
    }

    /// Where fetched programs lie, such that the user of the servers can run them.
    async fn tools(&self, place: &Place, account: Option<&Account>) -> Result<PathBuf> {
        let own = place.root.join("tools");
        let Some(configured) = &self.options.tools else { return Ok(own) };
        let Some(account) = account else { return Ok(configured.clone()) };
        let parent = configured.parent().unwrap_or(Path::new("/"));
        Ok(if account::may_enter(account, parent).await { configured.clone() } else { own })
    }
}

/// Folders of servers without our record of their passwords are somebody else's, or beyond our reach.
fn refuse_strange(data: &Path, place: &Place) -> Result<()> {
    let record = State::path(data);
    match [place.postgres(), place.redis()].into_iter().find(|folder| folder.exists()) {
        Some(folder) if !record.exists() => Err(Error::NotOurs { folder, missing: record }),
        _ => Ok(()),
    }
}

/// Keeps what went wrong in an attempt for the message that all attempts failed.
fn note(trouble: &mut String, attempt: Result<()>) {
    if let Err(error) = attempt {
        trouble.push_str(&format!("\n({error})"));
    }
}
