//! Places for connections: so many in all, and so many for each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use prometheus::{IntCounterVec, Opts};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::address::{Network, counted};
use super::limits::{MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS};

/// The places that there are.
pub struct Places {
    all: Arc<Semaphore>,
    per_address: PerAddress,
    taken: AtomicUsize,
    open: Mutex<HashMap<IpAddr, u32>>,
    ended: IntCounterVec,
}

/// How many connections one address may have.
#[derive(Debug, Clone, Default)]
pub struct PerAddress {
    /// The operator's number, 0 for no limit. Without one, [`MAX_CONNECTIONS_PER_ADDRESS`] holds for all but loopback.
    pub limit: Option<u32>,
    /// Proxies, which carry the connections of many clients.
    pub trusted: Vec<Network>,
}

/// The place of one connection; given back when it is dropped.
pub struct Place {
    places: Arc<Places>,
    address: Option<IpAddr>,
    _permit: OwnedSemaphorePermit,
}

/// Why the server ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The address had as many connections as it may have.
    TooMany,
    /// The peer did not read.
    Unread,
    /// The peer did not finish the TLS handshake, or failed it.
    Handshake,
    /// Nothing moved on an HTTP/2 connection.
    Idle,
}

impl Ending {
    fn as_str(self) -> &'static str {
        match self {
            Ending::TooMany => "too_many",
            Ending::Unread => "unread",
            Ending::Handshake => "handshake",
            Ending::Idle => "idle",
        }
    }
}

impl PerAddress {
    fn limit_for(&self, address: IpAddr) -> Option<u32> {
        let address = address.to_canonical();
        if self.trusted.iter().any(|network| network.contains(address)) {
            return None;
        }
        match self.limit {
            Some(limit) => Some(limit).filter(|limit| *limit > 0),
            None => Some(MAX_CONNECTIONS_PER_ADDRESS).filter(|_| !address.is_loopback()),
        }
    }
}

impl Places {
    /// All places are free.
    pub fn new(per_address: PerAddress) -> prometheus::Result<Arc<Places>> {
        let all = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let ended =
            Opts::new("dezky_connections_ended_total", "Connections that the server ended, by reason.");
        let ended = IntCounterVec::new(ended, &["reason"])?;
        Ok(Arc::new(Places { all, per_address, taken: AtomicUsize::new(0), open: Mutex::default(), ended }))
    }

    /// Counts the connections that the server ended.
    pub fn ended(&self) -> &IntCounterVec {
        &self.ended
    }

    /// Counts one connection that the server ended for this reason.
    pub fn end(&self, reason: Ending) {
        self.ended.with_label_values(&[reason.as_str()]).inc();
    }

    /// Waits until one more connection may be accepted.
    pub async fn free(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.all).acquire_owned().await.ok()
    }

    /// The place of a connection from this address; none if the address has as many as it may have.
    pub fn place(self: &Arc<Places>, peer: IpAddr, permit: OwnedSemaphorePermit) -> Option<Place> {
        let address = match self.per_address.limit_for(peer) {
            None => None,
            Some(limit) => {
                let address = counted(peer);
                let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
                let open = open.entry(address).or_default();
                if *open >= limit {
                    return None;
                }
                *open += 1;
                Some(address)
            }
        };
        self.taken.fetch_add(1, Ordering::Relaxed);
        Some(Place { places: Arc::clone(self), address, _permit: permit })
    }

    /// The number of open connections.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// Waits until no connection is open.
    pub async fn all_given_back(&self) {
        let all = u32::try_from(MAX_CONNECTIONS).unwrap_or(u32::MAX);
        let _ = self.all.acquire_many(all).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken.fetch_sub(1, Ordering::Relaxed);
        let Some(address) = self.address else { return };
        let mut all = self.places.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = all.get_mut(&address) {
            *open -= 1;
            if *open == 0 {
                all.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn place(places: &Arc<Places>, address: &str) -> Option<Place> {
        let permit = places.free().await?;
        places.place(address.parse().unwrap(), permit)
    }

    #[tokio::test]
    async fn an_address_has_so_many_places_and_others_have_theirs() {
        let trusted = vec!["192.0.2.0/24".parse().unwrap()];
        let places = Places::new(PerAddress { limit: Some(2), trusted }).unwrap();
        let first = place(&places, "2001:db8::1").await;
        let second = place(&places, "2001:db8::2").await;
        assert!(first.is_some() && second.is_some());
        assert!(place(&places, "2001:db8::3").await.is_none(), "the /64 counts as one");
        assert!(place(&places, "2001:db8:0:1::3").await.is_some());
        let proxied: Vec<_> = [
            place(&places, "192.0.2.1").await,
            place(&places, "192.0.2.1").await,
            place(&places, "192.0.2.1").await,
        ]
        .into();
        assert!(proxied.iter().all(Option::is_some));
        assert_eq!(places.taken(), 5);
        drop(first);
        assert!(place(&places, "2001:db8::3").await.is_some());
        drop((second, proxied));
        assert_eq!(places.taken(), 0);
        assert!(places.open.lock().unwrap().is_empty());
        places.all_given_back().await;
    }

    #[test]
    fn without_a_number_loopback_has_no_limit() {
        let limit = |limit, address: &str| {
            PerAddress { limit, trusted: Vec::new() }.limit_for(address.parse().unwrap())
        };
        assert_eq!(limit(None, "127.0.0.1"), None);
        assert_eq!(limit(None, "::ffff:127.0.0.1"), None);
        assert_eq!(limit(None, "203.0.113.7"), Some(MAX_CONNECTIONS_PER_ADDRESS));
        assert_eq!(limit(Some(7), "127.0.0.1"), Some(7));
        assert_eq!(limit(Some(0), "203.0.113.7"), None);
    }
}
