//! Client addresses: where a request comes from, and which addresses count as one client.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use axum::http::HeaderMap;

/// An address, or all addresses that begin with the same bits: `192.0.2.7`, `10.0.0.0/8`,
/// `2001:db8::/32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    prefix: u8,
}

/// The error for a string that is neither an address nor a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an address or a network, such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32")]
pub struct NotANetwork;

impl Network {
    /// Reports whether the address is in this network. IPv4 addresses in IPv6 form count as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        masked(address.to_canonical(), self.prefix) == Some(self.first)
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Network, NotANetwork> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().map_err(|_| NotANetwork)?)),
            None => (text, None),
        };
        let address = address.parse::<IpAddr>().map_err(|_| NotANetwork)?.to_canonical();
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(bits);
        let first = masked(address, prefix).ok_or(NotANetwork)?;
        Ok(Network { first, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.first, self.prefix)
    }
}

/// Returns the first address of the network; `None` if the prefix is too long.
fn masked(address: IpAddr, prefix: u8) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => {
            let host = 32_u32.checked_sub(prefix.into())?;
            let mask = u32::MAX.checked_shl(host).unwrap_or(0);
            Some(IpAddr::V4((u32::from(address) & mask).into()))
        }
        IpAddr::V6(address) => {
            let host = 128_u32.checked_sub(prefix.into())?;
            let mask = u128::MAX.checked_shl(host).unwrap_or(0);
            Some(IpAddr::V6((u128::from(address) & mask).into()))
        }
    }
}

/// Returns the part of an address that limits count by: a whole IPv4 address, or the first 64
/// bits of an IPv6 address, because a client usually has a whole /64.
pub fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address => address,
    }
}

/// Returns the address of the client: the peer of the connection, unless the peer is a trusted
/// proxy. In that case, the last address in `X-Forwarded-For` that does not belong to a trusted
/// proxy; the client can invent every earlier one.
pub fn client(trusted: &[Network], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let is_trusted = |address| trusted.iter().any(|network| network.contains(address));
    let mut nearest = peer.to_canonical();
    if trusted.is_empty() || !is_trusted(nearest) {
        return nearest;
    }
    let lines: Vec<&[u8]> = headers.get_all("x-forwarded-for").iter().map(|line| line.as_bytes()).collect();
    let hops = lines.iter().rev().flat_map(|line| line.rsplit(|&byte| byte == b','));
    for hop in hops {
        // The nearest parsed proxy reported an unreadable hop, so its own address counts.
        let Some(address) = hop_address(hop) else { return nearest };
        nearest = address;
        if !is_trusted(address) {
            return address;
        }
    }
    nearest
}

/// Parses the address of one hop, with or without a port: `192.0.2.7`, `192.0.2.7:5678`,
/// `2001:db8::7`, `[2001:db8::7]:5678`.
fn hop_address(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop).ok()?.trim().trim_matches('"');
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let has_good_end = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        let address: Ipv6Addr = address.parse().ok().filter(|_| has_good_end)?;
        return Some(IpAddr::V6(address).to_canonical());
    }
    let address = match text.split_once(':') {
        // An IPv6 address has more than one colon.
        Some((address, port)) if !port.contains(':') => Some(address).filter(|_| is_port(port))?,
        _ => text,
    };
    address.parse().ok().map(|address: IpAddr| address.to_canonical())
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn forwarded(trusted: &[&str], lines: &[&str]) -> String {
        let trusted: Vec<Network> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        client(&trusted, "10.0.0.1".parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn every_form_of_a_forwarded_address_is_parsed() {
        for (line, expected) in [
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7:5678", "203.0.113.7"),
            (" 203.0.113.7 ", "203.0.113.7"),
            ("\"203.0.113.7:5678\"", "203.0.113.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:5678", "2001:db8::7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("[::ffff:203.0.113.7]:80", "203.0.113.7"),
        ] {
            assert_eq!(forwarded(&["10.0.0.0/8"], &[line]), expected, "{line}");
        }
        for unreadable in [
            "",
            "unknown",
            "_hidden",
            "203.0.113.7:",
            "203.0.113.7:99999",
            "[::1",
            "[::1]x",
            "é",
            "[1.2.3.4]",
        ] {
            assert_eq!(forwarded(&["10.0.0.0/8"], &[unreadable]), "10.0.0.1", "{unreadable}");
        }
    }

    #[test]
    fn only_addresses_that_trusted_proxies_reported_count() {
        assert_eq!(forwarded(&[], &["203.0.113.7"]), "10.0.0.1");
        assert_eq!(forwarded(&["10.0.0.2"], &["203.0.113.7"]), "10.0.0.1");
        assert_eq!(forwarded(&["10.0.0.1"], &[]), "10.0.0.1");
        let proxies = ["10.0.0.0/8", "2001:db8:1::/48"];
        assert_eq!(
            forwarded(&proxies, &["1.1.1.1, 203.0.113.7, 10.9.9.9:41, [2001:db8:1::4]:9"]),
            "203.0.113.7"
        );
        assert_eq!(forwarded(&proxies, &["1.1.1.1", "203.0.113.7:1", "10.9.9.9"]), "203.0.113.7");
        assert_eq!(forwarded(&proxies, &["1.1.1.1, garbage, 10.9.9.9"]), "10.9.9.9");
        assert_eq!(forwarded(&proxies, &["10.1.1.1, 10.2.2.2"]), "10.1.1.1");
    }

    #[test]
    fn networks_are_parsed_strictly() {
        let network = |text: &str| text.parse::<Network>();
        assert!(network("10.1.2.3/8").unwrap().contains("10.200.0.1".parse().unwrap()));
        assert!(network("0.0.0.0/0").unwrap().contains("203.0.113.7".parse().unwrap()));
        assert!(!network("::/0").unwrap().contains("203.0.113.7".parse().unwrap()));
        assert!(network("192.0.2.7").unwrap().contains("::ffff:192.0.2.7".parse().unwrap()));
        assert!(!network("192.0.2.7").unwrap().contains("192.0.2.8".parse().unwrap()));
        for text in ["", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0/8", "host", "10.0.0.0/-1"] {
            assert_eq!(network(text), Err(NotANetwork), "{text}");
        }
    }

    #[test]
    fn addresses_of_one_64_count_as_one_client() {
        let of = |text: &str| counted(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("203.0.113.7"), "203.0.113.7");
        assert_eq!(of("::ffff:203.0.113.7"), "203.0.113.7");
    }
}
