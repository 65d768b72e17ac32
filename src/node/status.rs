//! RPC calls about the node itself: version, uptime, ZMQ topics, permitted calls.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::Value;

use super::error::Error;
use super::rpc::{CALLS, Node};

/// The node's version and relay policy (`getnetworkinfo`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    /// 210504 means 0.21.5.4 (the build number is the last part).
    pub(crate) number: u64,
    pub(crate) name: String,
    pub(crate) relay: Relay,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relay {
    Transactions,
    /// Blocks only (`-blocksonly`): its mempool stays empty.
    BlocksOnly,
}

/// The ZMQ topics of the node (`getzmqnotifications`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notifications {
    /// The node was built without ZMQ and lacks the call.
    NotBuiltIn,
    /// The published topics, such as `pubrawtx`, with their addresses.
    Topics(Vec<Topic>),
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Topic {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) address: String,
    /// Messages that may wait for a slow subscriber; further ones are dropped.
    #[serde(rename = "hwm")]
    pub(crate) high_water: Option<u64>,
}

impl Node {
    /// `uptime`: how long the node has run, in whole seconds.
    pub(crate) fn uptime(&self) -> Result<Duration, Error> {
        // Negative if its clock was set back.
        let seconds: i64 = self.call("uptime", &[])?;
        Ok(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
    }

    /// `getnetworkinfo`
    pub(crate) fn version(&self) -> Result<Version, Error> {
        #[derive(Deserialize)]
        struct Answer {
            version: u64,
            subversion: String,
            localrelay: bool,
        }
        let answer: Answer = self.call("getnetworkinfo", &[])?;
        let relay = if answer.localrelay { Relay::Transactions } else { Relay::BlocksOnly };
        Ok(Version { number: answer.version, name: answer.subversion, relay })
    }

    /// `getzmqnotifications`
    pub(crate) fn notifications(&self) -> Result<Notifications, Error> {
        match self.call("getzmqnotifications", &[]) {
            Ok(topics) => Ok(Notifications::Topics(topics)),
            Err(Error::Rejected { code: -32601, .. }) => Ok(Notifications::NotBuiltIn),
            Err(error) => Err(error),
        }
    }

    /// Those of [`CALLS`] that `rpcwhitelist` forbids. Each is sent with too many arguments,
    /// so that the node only checks the permission.
    pub(crate) fn forbidden_calls(&self) -> Result<Vec<&'static str>, Error> {
        let nothing = vec![Value::Null; 20];
        let mut forbidden = Vec::new();
        for call in CALLS {
            match self.call::<Value>(call, &nothing) {
                Err(Error::Forbidden(call)) => forbidden.push(call),
                Err(Error::Rejected { .. }) | Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(forbidden)
    }
}
