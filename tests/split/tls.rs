//! The client's side of TLS: whoever connects here in plain text talks to nginx, whose certificate is checked.

use std::{net::SocketAddr, path::Path, sync::Arc};

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring::default_provider,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

/// Where plain text becomes TLS to `server`, which must have this certificate. Until the test ends.
pub async fn entrance(server: SocketAddr, certificate: &Path) -> SocketAddr {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(default_provider().into());
    let config = config.with_safe_default_protocol_versions().unwrap();
    let connector = TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut plain, _)) = listener.accept().await {
            let connector = connector.clone();
            // What breaks on one side breaks on the other.
            tokio::spawn(async move {
                let tcp = TcpStream::connect(server).await?;
                let mut tls = connector.connect(ServerName::from(server.ip()), tcp).await?;
                tokio::io::copy_bidirectional(&mut plain, &mut tls).await
            });
        }
    });
    address
}
