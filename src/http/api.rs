//! State and settings that the handlers of the public interface share.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::egress::Egress;
use crate::domain::ip_network::IpNetwork;
use crate::domain::merchant::MerchantId;
use crate::notifier::Notifier;
use crate::operations::addresses::Addresses;
use crate::operations::create_payment;
use crate::secret::Secrets;
use crate::store::Store;
use crate::view::Site;

use super::checkout::branding::Branding;
use super::connection_slots::ConnectionSlots;
use super::limit::{AddressLimit, KeyLimit, Shares, Streams};
use super::pages::Pages;
use super::qr::Codes;
use super::status_cache::StatusCache;

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    /// Networks of proxies whose `x-forwarded-for` is trusted.
    pub(crate) trusted_proxies: Vec<IpNetwork>,
    /// Requests a minute for each API key; 0: no limit.
    pub(crate) rate_per_key: u32,
    /// Requests a minute for each client address on public calls; 0: no limit.
    pub(crate) rate_per_address: u32,
    /// Open event streams, if the limit of open files allows as many.
    pub(crate) max_event_streams: usize,
    /// Target of the button "Pay with play money"; regtest only.
    pub(crate) play_money_url: Option<String>,
    pub(crate) branding: Branding,
}

/// Event streams per client address. Many shoppers can share one address.
const STREAMS_EACH_MAX: usize = 64;

/// Event streams per payment: one for each of a shopper's devices.
pub(super) const STREAMS_OF_PAYMENT_MAX: usize = 32;

/// Connections per peer that is not a trusted proxy.
const CONNECTIONS_EACH_MAX: usize = 128;

pub(crate) struct Api {
    pub(crate) store: Store,
    pub(crate) secret: Secrets,
    pub(crate) addresses: Addresses,
    pub(crate) site: Site,
    pub(crate) payment_rules: create_payment::Rules,
    pub(crate) egress: Egress,
    pub(crate) play_money_url: Option<String>,
    pub(crate) branding: Branding,
    pub(crate) notifier: Notifier,
    pub(crate) pages: Arc<Pages>,
    pub(crate) status_cache: StatusCache,
    pub(crate) codes: Codes,
    pub(crate) clock: Clock,
    pub(crate) shutdown: CancellationToken,
    pub(crate) limits: Limits,
}

pub(crate) struct Limits {
    pub(super) per_key: KeyLimit<MerchantId>,
    pub(super) per_address: AddressLimit,
    /// All connections, including event streams.
    pub(super) slots: usize,
    pub(super) streams: Streams,
    pub(super) streams_each: Shares,
    pub(super) connections_each: Shares,
}

impl Limits {
    pub(crate) fn new(settings: &Settings) -> Limits {
        let slots = ConnectionSlots::here(settings.max_event_streams);
        Limits {
            per_key: KeyLimit::per_minute(settings.rate_per_key),
            per_address: AddressLimit::per_minute(settings.rate_per_address),
            slots: slots.all,
            streams: Streams::of(slots.streams),
            streams_each: Shares::of(STREAMS_EACH_MAX, slots.streams),
            connections_each: Shares::of(CONNECTIONS_EACH_MAX, slots.all),
        }
    }
}

/// The client's IP address, added to each request by the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);
