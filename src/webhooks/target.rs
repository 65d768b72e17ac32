//! Which addresses a webhook may reach.
//!
//! Every resolved address is checked, and the connection goes to a checked address only, so
//! that a name which resolves differently the second time (DNS rebinding) changes nothing.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use crate::domain::egress::Egress;
use crate::domain::webhook_url::PrivateNetworks;

/// A name resolved to an address that is not public.
#[derive(Debug, thiserror::Error)]
#[error("a resolved address is not public")]
pub(super) struct PrivateAddress;

#[derive(Debug, thiserror::Error)]
#[error("the name was not found")]
pub(super) struct NameNotFound;

/// Resolves a name, and refuses it if any of its addresses is not allowed.
pub(super) struct CheckingResolver {
    egress: Egress,
    look_up: LookUp,
    slots: Arc<Semaphore>,
}

impl CheckingResolver {
    pub(super) fn new(egress: Egress, look_up: LookUp) -> CheckingResolver {
        CheckingResolver { egress, look_up, slots: Arc::new(Semaphore::new(LOOK_UPS_MAX)) }
    }
}

/// Concurrent look-ups. An abandoned one still holds a blocking thread. Tokio has 512 of them,
/// and the database needs some.
pub(super) const LOOK_UPS_MAX: usize = 256;

/// Finds the addresses of a name. May block.
pub(super) type LookUp = fn(&str) -> io::Result<Vec<SocketAddr>>;

/// A UDP port for [`is_own`], which sends nothing.
const DISCARD: u16 = 9;

/// Resolves by the system: `/etc/hosts`, then the configured name servers.
pub(super) fn ask_system(name: &str) -> io::Result<Vec<SocketAddr>> {
    Ok((name, 0).to_socket_addrs()?.collect())
}

/// Whether a webhook may go to this address: the rules allow it, and this machine does not
/// have it. Where private networks are allowed, so is this machine.
pub(super) fn may_reach(egress: &Egress, address: IpAddr) -> bool {
    egress.allows(address) && (egress.private() == PrivateNetworks::Allowed || !is_own(address))
}

/// Whether this machine has the address: the system then sends to it from the same address.
/// Connecting a UDP socket sends nothing. Listing interfaces would need a netlink socket,
/// which the systemd sandbox forbids.
pub(super) fn is_own(address: IpAddr) -> bool {
    let any: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let from = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((address, DISCARD))?;
        socket.local_addr()
    });
    // Without a route no webhook reaches the address either.
    from.is_ok_and(|from| from.ip().to_canonical() == address.to_canonical())
}

impl Resolve for CheckingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (egress, look_up) = (self.egress.clone(), self.look_up);
        let slots = Arc::clone(&self.slots);
        Box::pin(async move {
            let slot = slots.acquire_owned().await?;
            let found = tokio::task::spawn_blocking(move || {
                let found = look_up(name.as_str());
                drop(slot); // Here: the caller may stop waiting long before this returns.
                found
            });
            let found = found.await?.map_err(|_| NameNotFound)?;
            if found.is_empty() {
                return Err(NameNotFound.into());
            }
            if !found.iter().all(|address| may_reach(&egress, address.ip())) {
                return Err(PrivateAddress.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
