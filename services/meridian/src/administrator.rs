//! The first administrator of a deployment, whom nobody could admit over the API.

use std::{
    io::{IsTerminal, Read},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use kernel::{SystemClock, Uuid};
use membership::{
    App,
    domain::phone::Phone,
    flows::{NewStaff, bootstrap_staff},
    peers::{Messages, Peers},
};
use pg::{Pg, PgConfig, vault::Vault};
use proto::access::Role;
use runtime::{Settings, config::Service};
use secrecy::ExposeSecret;

use crate::{cli::AdministratorOptions, say, serve::Policies};

/// `meridian administrator`: opens the account in membership's database. It needs that database's URL and the master key,
/// as `serve membership` does. If there is an account of that name it is left as it is.
pub async fn run(settings: Settings, options: AdministratorOptions) -> Result<ExitCode> {
    let policy = Policies::read(&settings)?.membership;
    let url = settings.membership.database_url(Service::Membership)?.expose_secret();
    let vault = Vault::new(*settings.auth.master_key()?.expose_secret());
    let password = password()?;
    let pg = Pg::connect(&PgConfig::new(url, "meridian-administrator")).await.context("membership's database")?;
    let app = App::new(pg, Arc::new(SystemClock), policy, vault, Peers { messages: Arc::new(NoMessages) });
    let account = NewStaff {
        user_name: options.user_name,
        display_name: options.display_name,
        password,
        roles: vec![Role::Administrator],
        store: None,
    };
    let user_name = account.user_name.clone();
    let id = bootstrap_staff(&app, account).await?;
    say::line(format!("{user_name} is {id}; sign in with POST /v1/auth:signInStaff"));
    Ok(ExitCode::SUCCESS)
}

/// The password comes from standard input, where no list of processes shows it.
fn password() -> Result<String> {
    let mut input = std::io::stdin();
    if input.is_terminal() {
        bail!("give the password on standard input: meridian administrator --user-name NAME < FILE");
    }
    let mut text = String::new();
    input.read_to_string(&mut text).context("the password can't be read from standard input")?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Opening an account sends nothing.
struct NoMessages;

#[async_trait]
impl Messages for NoMessages {
    async fn send_code(&self, _: &Phone, _: &str, _: Uuid) -> kernel::Result<()> {
        Err(kernel::Error::unavailable("the message service"))
    }
}
