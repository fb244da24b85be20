//! PostgreSQL over TLS, by rustls: always with a verified certificate.

use std::{path::Path, sync::Arc};

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{Error, Result};

/// How to connect.
#[derive(Clone)]
pub(super) enum Tls {
    /// In the clear.
    No,
    /// `sslmode=require`.
    Verified(Arc<ClientConfig>),
}

impl Tls {
    /// What the URL asks for. `Invalid` if it, or the file of authorities, cannot be read.
    pub(super) fn wanted_by(url: &str, ca: Option<&Path>) -> Result<Self> {
        let wrong = |what: String| Error::invalid("database", "postgres_url", what);
        let config: tokio_postgres::Config =
            url.parse().map_err(|error: tokio_postgres::Error| wrong(chain(&error)))?;
        if config.get_ssl_mode() != SslMode::Require {
            return Ok(Self::No);
        }
        let mut roots = RootCertStore::empty();
        match ca {
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(file) => {
                let unreadable =
                    |error: &dyn std::fmt::Display| wrong(format!("{}: {error}", file.display()));
                let certificates = CertificateDer::pem_file_iter(file).map_err(|error| unreadable(&error))?;
                for certificate in certificates {
                    let certificate = certificate.map_err(|error| unreadable(&error))?;
                    roots.add(certificate).map_err(|error| unreadable(&error))?;
                }
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(Error::internal)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self::Verified(Arc::new(config)))
    }

    pub(super) async fn connect(&self, url: &str) -> ConnectionResult<AsyncPgConnection> {
        let Self::Verified(config) = self else { return AsyncPgConnection::establish(url).await };
        let bad = |error: tokio_postgres::Error| ConnectionError::BadConnection(chain(&error));
        let connector = MakeRustlsConnect::new(ClientConfig::clone(config));
        let (client, connection) = tokio_postgres::connect(url, connector).await.map_err(bad)?;
        AsyncPgConnection::try_from_client_and_connection(client, connection).await
    }
}

/// What the library says only bit by bit.
fn chain(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
