//! The limits on open connections: in total and for each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use prometheus::{IntCounterVec, Opts};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::address::{Network, counted};
use super::limits::{MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS};

/// The open connections and their limits.
pub struct ConnectionSlots {
    all: Arc<Semaphore>,
    address_limit: AddressLimit,
    count: AtomicUsize,
    by_address: Mutex<HashMap<IpAddr, u32>>,
    closed: IntCounterVec,
}

/// The limit of connections from one address.
#[derive(Debug, Clone, Default)]
pub struct AddressLimit {
    /// The configured limit, 0 for none. By default `MAX_CONNECTIONS_PER_ADDRESS`, and none on
    /// loopback.
    pub limit: Option<u32>,
    /// Proxies, which carry the connections of many clients and have no limit.
    pub trusted: Vec<Network>,
}

/// The permit of one open connection; dropping it frees the slot.
pub struct ConnectionPermit {
    slots: Arc<ConnectionSlots>,
    address: Option<IpAddr>,
    _permit: OwnedSemaphorePermit,
}

/// The reason for which the server closed a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The address reached its limit.
    TooMany,
    /// The peer did not read a waiting response.
    Unread,
    /// The peer failed the TLS handshake or did not finish it in time.
    Handshake,
    /// An HTTP/2 connection was idle.
    Idle,
}

impl CloseReason {
    fn as_str(self) -> &'static str {
        match self {
            CloseReason::TooMany => "too_many",
            CloseReason::Unread => "unread",
            CloseReason::Handshake => "handshake",
            CloseReason::Idle => "idle",
        }
    }
}

impl AddressLimit {
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

impl ConnectionSlots {
    /// Creates the limits without open connections.
    pub fn new(address_limit: AddressLimit) -> prometheus::Result<Arc<ConnectionSlots>> {
        let all = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let closed =
            Opts::new("dezky_connections_ended_total", "Connections that the server ended, by reason.");
        let closed = IntCounterVec::new(closed, &["reason"])?;
        Ok(Arc::new(ConnectionSlots {
            all,
            address_limit,
            count: AtomicUsize::new(0),
            by_address: Mutex::default(),
            closed,
        }))
    }

    /// Returns the counter of connections that the server closed.
    pub fn closed(&self) -> &IntCounterVec {
        &self.closed
    }

    /// Counts a connection that the server closed.
    pub fn count_closed(&self, reason: CloseReason) {
        self.closed.with_label_values(&[reason.as_str()]).inc();
    }

    /// Waits until the total limit allows another connection.
    pub async fn next(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.all).acquire_owned().await.ok()
    }

    /// Returns the permit of a connection; `None` if its address reached the limit.
    pub fn permit(
        self: &Arc<ConnectionSlots>,
        peer: IpAddr,
        permit: OwnedSemaphorePermit,
    ) -> Option<ConnectionPermit> {
        let address = match self.address_limit.limit_for(peer) {
            None => None,
            Some(limit) => {
                let address = counted(peer);
                let mut open = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
                let open = open.entry(address).or_default();
                if *open >= limit {
                    return None;
                }
                *open += 1;
                Some(address)
            }
        };
        self.count.fetch_add(1, Ordering::Relaxed);
        Some(ConnectionPermit { slots: Arc::clone(self), address, _permit: permit })
    }

    /// Returns the number of open connections.
    pub fn open(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Waits until every connection is closed.
    pub async fn all_closed(&self) {
        let all = u32::try_from(MAX_CONNECTIONS).unwrap_or(u32::MAX);
        let _ = self.all.acquire_many(all).await;
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.slots.count.fetch_sub(1, Ordering::Relaxed);
        let Some(address) = self.address else { return };
        let mut all = self.slots.by_address.lock().unwrap_or_else(PoisonError::into_inner);
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

    async fn permit(slots: &Arc<ConnectionSlots>, address: &str) -> Option<ConnectionPermit> {
        let permit = slots.next().await?;
        slots.permit(address.parse().unwrap(), permit)
    }

    #[tokio::test]
    async fn each_address_has_its_own_limit() {
        let trusted = vec!["192.0.2.0/24".parse().unwrap()];
        let slots = ConnectionSlots::new(AddressLimit { limit: Some(2), trusted }).unwrap();
        let first = permit(&slots, "2001:db8::1").await;
        let second = permit(&slots, "2001:db8::2").await;
        assert!(first.is_some() && second.is_some());
        assert!(permit(&slots, "2001:db8::3").await.is_none(), "addresses of one /64 count as one");
        assert!(permit(&slots, "2001:db8:0:1::3").await.is_some());
        let proxied: Vec<_> = [
            permit(&slots, "192.0.2.1").await,
            permit(&slots, "192.0.2.1").await,
            permit(&slots, "192.0.2.1").await,
        ]
        .into();
        assert!(proxied.iter().all(Option::is_some));
        assert_eq!(slots.open(), 5);
        drop(first);
        assert!(permit(&slots, "2001:db8::3").await.is_some());
        drop((second, proxied));
        assert_eq!(slots.open(), 0);
        assert!(slots.by_address.lock().unwrap().is_empty());
        slots.all_closed().await;
    }

    #[test]
    fn loopback_has_no_limit_by_default() {
        let limit = |limit, address: &str| {
            AddressLimit { limit, trusted: Vec::new() }.limit_for(address.parse().unwrap())
        };
        assert_eq!(limit(None, "127.0.0.1"), None);
        assert_eq!(limit(None, "::ffff:127.0.0.1"), None);
        assert_eq!(limit(None, "203.0.113.7"), Some(MAX_CONNECTIONS_PER_ADDRESS));
        assert_eq!(limit(Some(7), "127.0.0.1"), Some(7));
        assert_eq!(limit(Some(0), "203.0.113.7"), None);
    }
}
