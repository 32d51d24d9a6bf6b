//! A snapshot as it leaves the server: its bytes, their hash, and their compressed forms, each made once.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use axum::body::Bytes;
use axum::http::HeaderValue;
use dezky_core::flags::Snapshot;
use dezky_core::names::{Digest, Environment};

/// Which version of something it is, and its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The revision that made it so.
    pub revision: u64,
    /// The SHA-256 of its canonical form.
    pub digest: Digest,
}

impl Mark {
    /// Of a snapshot.
    pub fn of(snapshot: &Snapshot) -> Mark {
        Mark { revision: snapshot.revision(), digest: snapshot.digest() }
    }

    /// As an entity tag.
    pub fn etag(&self) -> String {
        format!("\"{}\"", self.digest.as_str())
    }
}

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Not at all.
    Identity,
    /// With gzip.
    Gzip,
    /// With Brotli.
    Brotli,
}

impl Coding {
    /// As in `Content-Encoding`.
    pub fn as_str(self) -> &'static str {
        match self {
            Coding::Identity => "identity",
            Coding::Gzip => "gzip",
            Coding::Brotli => "br",
        }
    }

    /// The best of those that an `Accept-Encoding` names.
    pub fn accepted(header: &str) -> Coding {
        let mut best = Coding::Identity;
        for part in header.split(',') {
            let (name, weight) = part.split_once(';').unwrap_or((part, ""));
            let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.trim().parse() == Ok(0.0_f32));
            match name.trim() {
                "br" if !refused => return Coding::Brotli,
                "gzip" if !refused => best = Coding::Gzip,
                _ => {}
            }
        }
        best
    }
}

/// One environment's snapshot at one revision.
#[derive(Debug)]
pub struct Release {
    /// Which one.
    pub mark: Mark,
    /// Its entity tag.
    pub etag: HeaderValue,
    body: Bytes,
    gzip: OnceLock<Bytes>,
    brotli: OnceLock<Bytes>,
}

const BROTLI_BUFFER: usize = 4 << 10;
const BROTLI_QUALITY: u32 = 9;
const BROTLI_WINDOW: u32 = 22;

impl Release {
    fn new(snapshot: &Snapshot) -> Release {
        let mark = Mark::of(snapshot);
        Release {
            // A digest is hex, and a header may hold that.
            etag: HeaderValue::try_from(mark.etag()).unwrap_or(HeaderValue::from_static("")),
            mark,
            body: snapshot.to_canonical_json().into(),
            gzip: OnceLock::new(),
            brotli: OnceLock::new(),
        }
    }

    /// Its bytes. The first who asks for a compressed form makes it, and that may take some milliseconds.
    pub fn body(&self, coding: Coding) -> Bytes {
        let slot = match coding {
            Coding::Identity => return self.body.clone(),
            Coding::Gzip => &self.gzip,
            Coding::Brotli => &self.brotli,
        };
        // Writing to memory does not fail; if it did, the plain bytes would not be what the header says.
        slot.get_or_init(|| compressed(&self.body, coding).unwrap_or_default().into()).clone()
    }

    /// Its bytes in a form that somebody has asked for before, or that needs no work.
    pub fn body_at_hand(&self, coding: Coding) -> Option<Bytes> {
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

/// The newest release of every environment that was asked for.
#[derive(Debug, Default)]
pub struct Releases(RwLock<HashMap<Environment, Arc<Release>>>);

/// Environments whose releases are kept. Keys name them, and only operators make keys.
const MAX_ENVIRONMENTS: usize = 256;

impl Releases {
    /// The release of a snapshot for an environment: made when it is first asked for.
    pub fn of(&self, snapshot: &Snapshot, environment: &Environment) -> Arc<Release> {
        let is_it = |release: &&Arc<Release>| release.mark.revision == snapshot.revision();
        let known =
            self.0.read().unwrap_or_else(PoisonError::into_inner).get(environment).filter(is_it).cloned();
        if let Some(known) = known {
            return known;
        }
        let mut releases = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = releases.get(environment).filter(is_it) {
            return Arc::clone(known);
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
    fn the_best_coding_that_is_accepted_is_taken() {
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
