//! The ports of a process, all bound before anything is started.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
};

use anyhow::{Result, anyhow};
use runtime::{Settings, config::Service, serve};
use tokio::net::TcpListener;

use crate::cli::Role;

/// The bound ports.
#[derive(Debug)]
pub struct Listeners {
    services: BTreeMap<Service, TcpListener>,
    /// Of the gateway.
    pub gateway: Option<TcpListener>,
    /// Of the sandbox provider.
    pub sandbox: Option<TcpListener>,
    /// Of metrics and health.
    pub admin: Option<TcpListener>,
}

impl Listeners {
    /// Binds what `role` needs, and writes into `settings` what was bound, so that a port 0 works everywhere.
    ///
    /// # Errors
    /// Naming the address, the setting and what to do.
    pub async fn bind(settings: &mut Settings, role: Role, admin: bool) -> Result<Self> {
        let mut services = BTreeMap::new();
        for service in Service::ALL.into_iter().filter(|service| role.has(*service)) {
            let addr = &mut settings.service_mut(service).grpc_addr;
            services.insert(service, bind(addr, &format!("{service}.grpc_addr")).await?);
        }
        let gateway = if role.has_gateway() { Some(bind(&mut settings.http.addr, "http.addr").await?) } else { None };
        let sandbox = role.has(Service::Payment) && settings.sandbox.enabled;
        let sandbox = if sandbox { Some(bind(&mut settings.sandbox.addr, "sandbox.addr").await?) } else { None };
        let admin = if admin { Some(bind(&mut settings.admin.addr, "admin.addr").await?) } else { None };
        Ok(Self { services, gateway, sandbox, admin })
    }

    /// Binds free ports for the services, for a suite that only this process talks to.
    ///
    /// # Errors
    /// When there is none left.
    pub async fn private(settings: &mut Settings) -> Result<Self> {
        let mut services = BTreeMap::new();
        for service in Service::ALL {
            let one = settings.service_mut(service);
            one.grpc_addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            one.url = None;
            services.insert(service, bind(&mut one.grpc_addr, &format!("{service}.grpc_addr")).await?);
        }
        Ok(Self { services, gateway: None, sandbox: None, admin: None })
    }

    /// The port of a service, if this process serves it.
    pub fn take(&mut self, service: Service) -> Option<TcpListener> {
        self.services.remove(&service)
    }
}

/// Whether the port can be had tells the machine, not the settings: it is no `ConfigError`.
async fn bind(addr: &mut SocketAddr, key: &str) -> Result<TcpListener> {
    let listener = serve::bind(*addr, key).await.map_err(|error| anyhow!("{error}"))?;
    *addr = listener.local_addr()?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let keys = ["http.addr", "admin.addr", "sandbox.addr"].into_iter().map(str::to_owned);
        let services = Service::ALL.map(|service| format!("{service}.grpc_addr"));
        let set: Vec<String> = keys.chain(services).map(|key| format!("{key}=127.0.0.1:0")).collect();
        runtime::config::load(None, [], &set).unwrap()
    }

    #[tokio::test]
    async fn a_free_port_is_written_back() {
        let mut settings = settings();
        let mut listeners = Listeners::bind(&mut settings, Role::Payment, true).await.unwrap();
        assert_ne!(settings.payment.grpc_addr.port(), 0);
        assert_ne!(settings.sandbox.addr.port(), 0);
        assert_eq!(settings.booking.grpc_addr.port(), 0, "another role's");
        assert!(listeners.take(Service::Payment).is_some() && listeners.take(Service::Booking).is_none());
    }

    #[tokio::test]
    async fn a_taken_port_is_named_with_its_setting_and_the_remedy() {
        let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut settings = settings();
        settings.http.addr = other.local_addr().unwrap();
        let error = Listeners::bind(&mut settings, Role::Gateway, false).await.unwrap_err().to_string();
        let port = settings.http.addr.port().to_string();
        assert!(error.contains(&port) && error.contains("--set http.addr="), "{error}");
    }
}
