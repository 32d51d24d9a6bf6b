//! Releases: snapshots ready to send, with digest and compressed bodies, each built once.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use axum::body::Bytes;
use axum::http::HeaderValue;
use dezky_core::flags::Snapshot;
use dezky_core::names::{Digest, Environment};

/// The revision and the digest of a snapshot or slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotVersion {
    /// The revision that produced this content.
    pub revision: u64,
    /// The SHA-256 of the canonical bytes.
    pub digest: Digest,
}

impl SnapshotVersion {
    /// Returns the version of a snapshot.
    pub(crate) fn new(snapshot: &Snapshot) -> SnapshotVersion {
        SnapshotVersion { revision: snapshot.revision(), digest: snapshot.digest() }
    }

    /// The digest as an entity tag, in quotes.
    pub(crate) fn etag(&self) -> String {
        format!("\"{}\"", self.digest.as_str())
    }
}

/// A content coding of a response body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// The body without compression.
    Identity,
    /// Compression with gzip (RFC 1952).
    Gzip,
    /// Compression with Brotli (RFC 7932).
    Brotli,
}

impl Coding {
    /// The name in `Content-Encoding` headers.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Coding::Identity => "identity",
            Coding::Gzip => "gzip",
            Coding::Brotli => "br",
        }
    }

    /// Returns the smallest coding that an `Accept-Encoding` header allows.
    pub(crate) fn accepted(header: &str) -> Coding {
        let mut best = Coding::Identity;
        for part in header.split(',') {
            let (name, weight) = part.split_once(';').unwrap_or((part, ""));
            let is_excluded =
                weight.trim().strip_prefix("q=").is_some_and(|q| q.trim().parse() == Ok(0.0_f32));
            match name.trim() {
                "br" if !is_excluded => return Coding::Brotli,
                "gzip" if !is_excluded => best = Coding::Gzip,
                _ => {}
            }
        }
        best
    }
}

/// One environment's snapshot at one revision, ready to send.
#[derive(Debug)]
pub(crate) struct Release {
    /// The revision and digest of the snapshot.
    pub(crate) version: SnapshotVersion,
    /// The entity tag of the snapshot.
    pub(crate) etag: HeaderValue,
    body: Bytes,
    gzip: OnceLock<Bytes>,
    brotli: OnceLock<Bytes>,
}

const BROTLI_BUFFER: usize = 4 << 10;
const BROTLI_QUALITY: u32 = 9;
const BROTLI_WINDOW: u32 = 22;

impl Release {
    fn new(snapshot: &Snapshot) -> Release {
        let version = SnapshotVersion::new(snapshot);
        Release {
            // A digest is hexadecimal, which every header value allows.
            etag: HeaderValue::try_from(version.etag()).unwrap_or(HeaderValue::from_static("")),
            version,
            body: snapshot.to_canonical_json().into(),
            gzip: OnceLock::new(),
            brotli: OnceLock::new(),
        }
    }

    /// Returns the body in a coding. The first call per coding compresses it, which takes
    /// milliseconds.
    pub(crate) fn body(&self, coding: Coding) -> Bytes {
        let slot = match coding {
            Coding::Identity => return self.body.clone(),
            Coding::Gzip => &self.gzip,
            Coding::Brotli => &self.brotli,
        };
        // Writing to memory cannot fail. The plain body would contradict `Content-Encoding`, so the
        // fallback is an empty body.
        slot.get_or_init(|| compressed(&self.body, coding).unwrap_or_default().into()).clone()
    }

    /// Returns the body if it needs no compression, or was compressed before.
    pub(crate) fn ready_body(&self, coding: Coding) -> Option<Bytes> {
        match coding {
            Coding::Identity => Some(self.body.clone()),
            Coding::Gzip => self.gzip.get().cloned(),
            Coding::Brotli => self.brotli.get().cloned(),
        }
    }
}

fn compressed(body: &[u8], coding: Coding) -> std::io::Result<Vec<u8>> {
    if coding == Coding::Gzip {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(body)?;
        return encoder.finish();
    }
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), BROTLI_BUFFER, BROTLI_QUALITY, BROTLI_WINDOW);
    encoder.write_all(body)?;
    encoder.flush()?;
    Ok(encoder.into_inner())
}

/// The newest release of each requested environment.
#[derive(Debug, Default)]
pub(crate) struct Releases(RwLock<HashMap<Environment, Arc<Release>>>);

/// The capacity of the cache, which is emptied when it is full. Only operators create keys, and
/// keys name the environments.
const MAX_ENVIRONMENTS: usize = 256;

impl Releases {
    /// Returns the release of a snapshot for an environment, and builds it on the first call.
    pub(crate) fn get(&self, snapshot: &Snapshot, environment: &Environment) -> Arc<Release> {
        let is_current = |release: &&Arc<Release>| release.version.revision == snapshot.revision();
        let current = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(environment)
            .filter(is_current)
            .cloned();
        if let Some(current) = current {
            return current;
        }
        let mut releases = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(current) = releases.get(environment).filter(is_current) {
            return Arc::clone(current);
        }
        let release = Arc::new(match environment == snapshot.environment() {
            true => Release::new(snapshot),
            false => Release::new(&snapshot.in_environment(environment.clone())),
        });
        if releases.len() >= MAX_ENVIRONMENTS {
            releases.clear();
        }
        releases.insert(environment.clone(), Arc::clone(&release));
        release
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_accepted_coding_is_chosen() {
        for (header, expected) in [
            ("", Coding::Identity),
            ("gzip", Coding::Gzip),
            ("gzip, deflate, br", Coding::Brotli),
            ("br;q=0, gzip;q=0.5", Coding::Gzip),
            ("gzip;q=0", Coding::Identity),
            ("gzip; q=0.0, identity", Coding::Identity),
            ("*", Coding::Identity),
            ("zstd,br;q=0.1", Coding::Brotli),
        ] {
            assert_eq!(Coding::accepted(header), expected, "{header}");
        }
    }
}
