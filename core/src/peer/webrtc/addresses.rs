//! The addresses of this device.

use std::net::IpAddr;

/// Those by which others can reach this device, in no order. Empty where the system does not tell.
pub fn local_addresses() -> Vec<IpAddr> {
    let interfaces = rtc::shared::ifaces::ifaces().unwrap_or_default();
    interfaces.into_iter().filter_map(|interface| interface.addr).map(|addr| addr.ip()).filter(is_reachable).collect()
}

/// Candidates are not made of loopback and link-local addresses either.
fn is_reachable(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !(ip.is_loopback() || ip.is_link_local() || ip.is_unspecified()),
        IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unicast_link_local() || ip.is_unspecified()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_link_local_addresses_reach_nobody() {
        let reachable = |ip: &str| is_reachable(&ip.parse().unwrap());
        assert!(["192.168.0.1", "10.0.0.1", "2001:db8::1", "fd00::1"].iter().all(|ip| reachable(ip)));
        assert!(["127.0.0.1", "169.254.0.1", "::1", "fe80::1", "0.0.0.0", "::"].iter().all(|ip| !reachable(ip)));
        assert!(local_addresses().iter().all(is_reachable));
    }
}
