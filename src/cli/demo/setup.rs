//! Sets up the demo: configuration, keys, database and merchant.

use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::net::TcpListener;

use crate::config::{self, Config};
use crate::domain::address::Address;
use crate::domain::merchant::{BusinessName, Merchant};
use crate::domain::network::Network;
use crate::http::demo::{CreatedPayment, ShopActions};
use crate::operations::merchants::{self as operations, NewMerchant};
use crate::operations::own_addresses::OwnAddresses;
use crate::operations::{Actor, Refusal};
use crate::secret;
use crate::serve::database::open_store;
use crate::store::{Store, WriteTx};

use super::node::PlayNode;
use super::shop::{AMOUNT, blocking, completed_by, create_payment, text};
use crate::cli::failure::Failure;
use crate::cli::init;

/// Required confirmations of the demo's payment.
pub(super) const CONFIRMATIONS: u32 = 6;

/// Configuration and objects of the demo's gateway.
pub(super) struct Setup {
    pub(super) config: Config,
    pub(super) store: Store,
    pub(super) merchant: Merchant,
    pub(super) payout_address: Address,
    pub(super) side: TcpListener,
    pub(super) side_address: SocketAddr,
}

impl Setup {
    pub(super) async fn new(play: &PlayNode) -> Result<Setup, Failure> {
        let failed = |error: std::io::Error| Failure::Failed(format!("listen: {error}"));
        let side = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
        let side_address = side.local_addr().map_err(failed)?;
        // This port is free now; the gateway binds it shortly after.
        let listen = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
        let config = make_config(play, listen.map_err(failed)?, side_address)?;
        let of_store = config.clone();
        let store = blocking(move || Ok(open_store(&of_store)?)).await?;
        let payout_address = play.new_address()?;
        let own = OwnAddresses::new(config.xpub.clone());
        let vetted = payout_address.clone();
        let vetted = store.read(move |tx| own.vet(tx, vetted)).await?;
        let new = NewMerchant {
            name: BusinessName::parse("Demo Shop").map_err(Refusal::from)?,
            discord_id: None,
            payout_address: Some(vetted),
            days: Some(30),
        };
        let (rules, clock) = (config.merchants.clone(), config.clock.clone());
        let add = move |tx: &WriteTx| operations::add(tx, &Actor::Cli, &rules, &new, &clock);
        let merchant = store.write(add).await?;
        Ok(Setup { config, store, merchant, payout_address, side, side_address })
    }
}

/// Writes secret and key into the demo's directory and reads the configuration as `serve`
/// would.
fn make_config(play: &PlayNode, listen: SocketAddr, side: SocketAddr) -> Result<Config, Failure> {
    use bitcoin::hex::DisplayHex;
    let (signing_key, xpub) = init::new_key(Network::Regtest)?;
    let secret = secret::random_bytes::<32>().to_lower_hex_string();
    init::write_all_new(&[
        (play.dir.join("secret"), &secret),
        (play.dir.join("signing.key"), &signing_key),
    ])?;
    let file = |name: &str| -> String { path_text(play.dir.join(name)) };
    let text = format!(
        "network = \"regtest\"\n\
         public_url = \"http://{listen}\"\n\
         database = \"{database}\"\n\
         secret_file = \"{secret}\"\n\
         [http]\nlisten = \"{listen}\"\nplay_money_url = \"http://{side}/pay\"\n\
         [node]\nrpc_url = \"{rpc}\"\ncookie_file = \"{cookie}\"\n\
         zmq_rawtx = \"{zmq}\"\nzmq_hashblock = \"{zmq}\"\n\
         [wallet]\nxpub = \"{xpub}\"\nsigning_key_file = \"{key}\"\n\
         [payments]\nconfirmations = {CONFIRMATIONS}\n\
         [sweeper]\ninterval = \"1s\"\n\
         [webhooks]\nallow_private_networks = true\n",
        database = file("litegate.db"),
        secret = file("secret"),
        key = file("signing.key"),
        rpc = play.rpc_url,
        cookie = path_text(play.cookie_file.clone()),
        zmq = play.zmq,
    );
    Ok(config::from_text(&text)?)
}

fn path_text(path: PathBuf) -> String {
    path.display().to_string()
}

pub(super) fn secret_of(setup: &Setup) -> Result<String, Failure> {
    let merchant = &setup.merchant;
    let secret = setup.config.secret()?;
    let key = secret.current().api_key(Network::Regtest, merchant.id, merchant.key_version);
    Ok(key.reveal().clone())
}

/// The merchant's side of the browser's shop: creates payments and verifies webhooks.
pub(super) fn actions(setup: &Setup, key: &str) -> Result<ShopActions, Failure> {
    let version = setup.merchant.webhook_secret.version;
    let webhook_key = setup.config.secret()?.current().webhook_key(setup.merchant.id, version);
    let (gateway, key) = (setup.config.site.public_url.clone(), key.to_owned());
    let side = setup.side_address;
    Ok(ShopActions {
        buy: Box::new(move |number| {
            let body = format!(
                "{{\"amountLtc\": {AMOUNT}, \"displayAmount\": \"4.17 EUR\", \
                 \"reference\": \"{number}\", \"webhookUrl\": \"http://{side}/webhook\", \
                 \"redirectUrl\": \"http://{side}/orders/{number}\"}}"
            );
            let (gateway, key) = (gateway.clone(), key.clone());
            Box::pin(async move {
                let message = |failure: Failure| failure.message().to_owned();
                let payment = create_payment(&gateway, &key, body).await.map_err(message)?;
                let field = |name| text(&payment, name).map_err(message);
                let (payment_id, payment_url) = (field("paymentId")?, field("paymentUrl")?);
                Ok(CreatedPayment { payment_id, payment_url })
            })
        }),
        verify: Box::new(move |webhook| completed_by(webhook_key.reveal(), webhook)),
    })
}
