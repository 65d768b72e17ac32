//! The last proxy that forwarded requests without being in `http.trusted_proxies`. The API
//! records it, and `doctor` reports it.

use std::net::IpAddr;

use crate::domain::time::Timestamp;
use crate::store::{self, ReadTx, Store, WriteTx, role_status};
use crate::view::role_status::{Role, RoleReport};

pub(crate) fn record(tx: &WriteTx, proxy: IpAddr, now: Timestamp) -> Result<(), store::Error> {
    role_status::record(tx, Role::UntrustedProxy, now, &RoleReport::Proxy { address: Some(proxy) })
}

/// Clears the record of an earlier process: the configuration may have changed since.
pub(crate) async fn forget(store: &Store, now: Timestamp) -> Result<(), store::Error> {
    if store.read(last).await?.is_some() {
        store
            .write(move |tx| {
                role_status::record(
                    tx,
                    Role::UntrustedProxy,
                    now,
                    &RoleReport::Proxy { address: None },
                )
            })
            .await?;
    }
    Ok(())
}

/// The recorded proxy, and when it was recorded. Each process records a proxy once.
pub(crate) fn last(tx: &ReadTx) -> Result<Option<(IpAddr, Timestamp)>, store::Error> {
    let found = role_status::of_role(tx, Role::UntrustedProxy)?;
    Ok(found.and_then(|found| match found.report {
        Some(RoleReport::Proxy { address }) => Some((address?, found.at?)),
        _ => None,
    }))
}
