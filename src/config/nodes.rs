//! Reads the keys of `[[node]]` and of the chain guard's second node.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::domain::network::Network;
use crate::node::rpc::{self, Auth};
use crate::node::{nodes, zmq};
use crate::secret::Secret;
use crate::watcher;

use super::raw::{RawChainGuard, RawNode};
use super::urls::{BadUrl, read_node as read_node_url, read_publisher};
use super::validate::Diagnostics;

/// Largest number of nodes. Each is probed every few seconds.
const NODES_MAX: usize = 8;

/// All nodes. Errors number them if there are several.
pub(super) fn read_nodes(
    diagnostics: &mut Diagnostics,
    list: &[RawNode],
    network: Option<Network>,
) -> Option<Vec<nodes::Settings>> {
    if list.is_empty() || list.len() > NODES_MAX {
        diagnostics.report("node", format!("must be set, at most {NODES_MAX} times"));
        return None;
    }
    let mut names = BTreeSet::new();
    let mut read = Vec::with_capacity(list.len());
    for (number, raw) in (1..).zip(list) {
        let section = if list.len() == 1 { "node".to_owned() } else { format!("node[{number}]") };
        let one = read_node(diagnostics, raw, &section, network);
        if one.as_ref().is_some_and(|one| !names.insert(one.rpc.host_and_port().to_owned())) {
            diagnostics.report(&format!("{section}.rpc_url"), "is the same node as another");
        }
        read.push(one);
    }
    read.into_iter().collect() // The loop validates each node before any of them is required.
}

fn read_node(
    diagnostics: &mut Diagnostics,
    raw: &RawNode,
    section: &str,
    network: Option<Network>,
) -> Option<nodes::Settings> {
    let key = |name: &str| format!("{section}.{name}");
    let keys = ["rpc_url", "cookie_file", "rpc_user", "rpc_password_file"].map(key);
    let login = (&raw.cookie_file, &raw.rpc_user, &raw.rpc_password_file);
    let rpc = read_login(diagnostics, keys.each_ref().map(String::as_str), &raw.rpc_url, login);
    let zmq = read_zmq(diagnostics, raw, section);
    let oldest = network.and_then(Network::oldest_node).filter(|_| !raw.allow_old_node);
    Some(nodes::Settings { rpc: rpc?, zmq: zmq?, oldest })
}

/// Reads URL and authentication of a node. The keys are those of URL, cookie, user and
/// password.
fn read_login(
    diagnostics: &mut Diagnostics,
    [url_key, cookie_key, user_key, password_key]: [&str; 4],
    rpc_url: &str,
    login: (&Option<PathBuf>, &Option<String>, &Option<PathBuf>),
) -> Option<rpc::Settings> {
    let rpc_url = match read_node_url(rpc_url) {
        Ok(url) => Some(url),
        Err(BadUrl::Credentials) => {
            diagnostics.report(url_key, format!("must not contain a password; use {password_key}"));
            None
        }
        Err(wrong) => {
            diagnostics.report(url_key, wrong);
            None
        }
    };
    let auth = match login {
        (Some(cookie), None, None) => Some(Auth::CookieFile { file: cookie.clone(), held: None }),
        (None, Some(user), Some(file)) => diagnostics.secret_file(password_key, file).map(|text| {
            let password = Secret::new(text.trim().to_owned());
            Auth::Password { user: user.clone(), password }
        }),
        (Some(_), _, _) => {
            diagnostics.report(cookie_key, format!("and {user_key} exclude each other; set one"));
            None
        }
        (None, Some(_), None) => {
            diagnostics.report(password_key, "is missing");
            None
        }
        (None, None, _) => {
            diagnostics.report(cookie_key, "is missing (or set rpc_user and rpc_password_file)");
            None
        }
    };
    Some(rpc::Settings { rpc_url: rpc_url?, auth: auth? })
}

pub(super) fn read_chain_guard(
    diagnostics: &mut Diagnostics,
    raw: &RawChainGuard,
    network: Option<Network>,
) -> Option<watcher::chain_guard::Settings> {
    let enabled = match raw.mode.as_str() {
        "on" => Some(true),
        "off" => Some(false),
        "auto" => network.map(|network| network != Network::Regtest),
        _ => {
            diagnostics.report("chain_guard.mode", "must be \"auto\", \"on\" or \"off\"");
            None
        }
    };
    let second_node = match &raw.second_rpc_url {
        None => {
            if raw.second_cookie_file.is_some() || raw.second_rpc_user.is_some() {
                diagnostics.report(
                    "chain_guard.second_rpc_url",
                    "is missing beside the second node's login",
                );
            }
            None
        }
        Some(url) => {
            let keys = [
                "chain_guard.second_rpc_url",
                "chain_guard.second_cookie_file",
                "chain_guard.second_rpc_user",
                "chain_guard.second_rpc_password_file",
            ];
            let login =
                (&raw.second_cookie_file, &raw.second_rpc_user, &raw.second_rpc_password_file);
            Some(read_login(diagnostics, keys, url, login)?)
        }
    };
    Some(watcher::chain_guard::Settings { enabled: enabled?, second_node })
}

/// The outer `None` is a mistake, the inner one no ZMQ.
fn read_zmq(
    diagnostics: &mut Diagnostics,
    raw: &RawNode,
    section: &str,
) -> Option<Option<zmq::Settings>> {
    let (rawtx_key, hashblock_key) =
        (format!("{section}.zmq_rawtx"), format!("{section}.zmq_hashblock"));
    let mistakes = diagnostics.mistakes.len();
    let mut endpoint =
        |key: &str, text: &Option<String>| diagnostics.take(key, read_publisher(text.as_deref()?));
    let rawtx = endpoint(&rawtx_key, &raw.zmq_rawtx);
    let hashblock = endpoint(&hashblock_key, &raw.zmq_hashblock);
    // An invalid endpoint is not a missing one.
    if diagnostics.mistakes.len() > mistakes {
        return None;
    }
    match (rawtx, hashblock) {
        (Some(rawtx), Some(hashblock)) => Some(Some(zmq::Settings { rawtx, hashblock })),
        (None, None) => Some(None),
        (Some(_), None) => {
            diagnostics.report(&hashblock_key, format!("is missing beside {rawtx_key}"));
            None
        }
        (None, Some(_)) => {
            diagnostics.report(&rawtx_key, format!("is missing beside {hashblock_key}"));
            None
        }
    }
}
