//! TLS: the certificate and its key, which the server can reload.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{self, ServerConfig};

/// The paths of the certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// A PEM file with the certificate and its chain.
    pub certificate: PathBuf,
    /// A PEM file with the private key of the certificate.
    pub key: PathBuf,
}

/// The reason for which TLS cannot be served with these files.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate file cannot be read.
    #[error("--tls-cert {0:?} cannot be read: {1}")]
    Certificate(PathBuf, rustls_pki_types::pem::Error),
    /// The file contains no certificate.
    #[error("--tls-cert {0:?} contains no certificate")]
    NoCertificate(PathBuf),
    /// The key file cannot be read.
    #[error("--tls-key {0:?} cannot be read: {1}")]
    Key(PathBuf, rustls_pki_types::pem::Error),
    /// Certificate and key do not fit together.
    #[error("--tls-cert and --tls-key cannot be used: {0}")]
    Pair(rustls::Error),
}

/// The ALPN name of HTTP/2.
pub const H2: &[u8] = b"h2";

/// The certificate in use. Open connections keep the one that they started with.
pub struct Tls {
    files: TlsFiles,
    current: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads the certificate and its key.
    pub fn load(files: TlsFiles) -> Result<Arc<Tls>, TlsError> {
        let current = RwLock::new(read(&files)?);
        Ok(Arc::new(Tls { files, current }))
    }

    /// Reads the files again. On an error, the old certificate stays in use.
    pub fn reload(&self) -> Result<(), TlsError> {
        let config = read(&self.files)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// Returns the acceptor for new connections.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn read(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let TlsFiles { certificate, key } = files;
    let unreadable = |error| TlsError::Certificate(certificate.clone(), error);
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect).map_err(unreadable)?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(certificate.clone()));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| TlsError::Key(key.clone(), error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(TlsError::Pair)?;
    config.alpn_protocols = vec![H2.to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
