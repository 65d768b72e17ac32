//! `litegate demo`: the whole gateway on regtest with a node of its own, from an API call to the
//! money at the payout address.

pub(super) mod node;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{Receiver, channel};
use tokio_util::sync::CancellationToken;

use super::{Failure, init, print_line, serve};
use crate::config::{self, Config};
use crate::domain::address::Address;
use crate::domain::amount::Amount;
use crate::domain::merchant::{BusinessName, Merchant};
use crate::domain::network::Network;
use crate::domain::payment::PaymentId;
use crate::http::demo::{Bought, Heard, Till, Webhook};
use crate::operations::merchants::{self as operations, NewMerchant};
use crate::operations::own_addresses::OwnAddresses;
use crate::operations::{Actor, Refusal};
use crate::secret;
use crate::serve::Gateway;
use crate::serve::database::open_store;
use crate::serve::first_start::{Account, Unexamined};
use crate::store::{Store, WriteTx, payments, sweeps};
use crate::webhooks::sign;

use node::PlayNode;

#[derive(Args)]
#[command(after_help = "Example: litegate demo --autopay")]
pub(super) struct Demo {
    /// Pay, mine and show everything by itself, then end; else the checkout waits in the browser
    #[arg(long)]
    autopay: bool,
}

/// The sum that the demo's payment asks for.
const AMOUNT: &str = "0.05";

/// Confirmations that it needs.
const CONFIRMATIONS: u32 = 6;

/// How long each step may take before the demo gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often the demo looks at the payment.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The pause between blocks when a person watches.
const BLOCK_EVERY: Duration = Duration::from_secs(2);

impl Demo {
    pub(super) fn run(self) -> Result<(), Failure> {
        let _log = serve::log_only_warnings();
        let runtime = tokio::runtime::Runtime::new()
            .map_err(|error| Failure::Failed(format!("start the runtime: {error}")))?;
        let start = Instant::now();
        let play = Arc::new(PlayNode::start()?);
        // Whatever happens from here on, the node ends with `play`.
        let shutdown = CancellationToken::new();
        runtime.block_on(async {
            let signals = serve::stop_on_signal(shutdown.clone())
                .map_err(|error| Failure::Failed(format!("listen to signals: {error}")))?;
            tokio::select! {
                ended = self.show(start, play, shutdown.clone()) => ended,
                () = shutdown.cancelled() => Err(Failure::Failed("stopped".to_owned())),
                never = signals => match never {},
            }
        })
    }

    async fn show(
        &self,
        start: Instant,
        play: Arc<PlayNode>,
        shutdown: CancellationToken,
    ) -> Result<(), Failure> {
        let say = Teller { start };
        say.step(1, &describe(&play)?)?;
        play.fund()?;
        let stage = Stage::set(&play).await?;
        let key = secret_of(&stage)?;
        say.step(2, &format!("merchant \"Demo Shop\", key {key}"))?;

        let (heard_by, heard) = channel(16);
        let gateway_shutdown = shutdown.child_token();
        let (config, stop) = (stage.config.clone(), gateway_shutdown.clone());
        let prepared = blocking(move || {
            // The demo made the account a moment ago.
            let (unexamined, account) = (Unexamined::Refused, Account::AssumedUnused);
            Ok(Gateway::prepare(config, &[], &[], unexamined, account, stop)?)
        });
        let gateway = prepared.await?;
        let till = till(&stage, &key)?;
        let side = crate::http::demo::serve(
            stage.side,
            stage.config.http.listen,
            till,
            heard_by,
            gateway_shutdown.clone(),
        );
        let script = Script {
            say,
            play,
            store: stage.store,
            config: stage.config,
            merchant: stage.merchant,
            payout_address: stage.payout_address,
            side_address: stage.side_address,
            key,
            heard,
            pressed: VecDeque::new(),
        };
        let autopay = self.autopay;
        let (answers, ready) = tokio::sync::oneshot::channel();
        let on_progress = async {
            // An error means that the gateway has ended before; it says why.
            let outcome = match ready.await {
                Ok(()) => script.run(autopay).await,
                Err(_) => Err(Failure::Failed("the gateway did not start".to_owned())),
            };
            gateway_shutdown.cancel();
            outcome
        };
        let gateway = gateway.run(move |_| {
            let _ = answers.send(()); // The demo may be ending.
        });
        let (on_progress, served, ()) = tokio::join!(on_progress, gateway, side);
        served?;
        on_progress
    }
}

/// What kind of node it is.
fn describe(play: &PlayNode) -> Result<String, Failure> {
    use crate::node::status::Notifications;
    let node = |error| Failure::Failed(format!("litecoind: {error}"));
    let version = play.node.version().map_err(node)?;
    let name = version.name.trim_matches('/').replace("LitecoinCore:", "litecoind ");
    Ok(match play.node.notifications().map_err(node)? {
        Notifications::NotBuiltIn => format!("{name} (regtest, polling: built without ZMQ)"),
        Notifications::Topics(_) => format!("{name} (regtest, ZMQ)"),
    })
}

/// Says each step with its time.
#[derive(Clone, Copy)]
struct Teller {
    start: Instant,
}

impl Teller {
    fn step(self, number: u32, text: &str) -> Result<(), Failure> {
        let ms = self.start.elapsed().as_millis();
        print_line(&format!("{:>6}.{} s  {number}/7 {text}", ms / 1000, ms % 1000 / 100))
    }
}

/// Everything that the gateway of the demo runs with.
struct Stage {
    config: Config,
    store: Store,
    merchant: Merchant,
    payout_address: Address,
    side: TcpListener,
    side_address: SocketAddr,
}

impl Stage {
    async fn set(play: &PlayNode) -> Result<Stage, Failure> {
        let failed = |error: std::io::Error| Failure::Failed(format!("listen: {error}"));
        let side = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
        let side_address = side.local_addr().map_err(failed)?;
        // A port that is free now; the gateway takes it a moment later.
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
        Ok(Stage { config, store, merchant, payout_address, side, side_address })
    }
}

/// Writes key and secret into the demo's folder and reads the configuration as `serve` would.
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

fn secret_of(stage: &Stage) -> Result<String, Failure> {
    let merchant = &stage.merchant;
    let secret = stage.config.secret()?;
    let key = secret.current().api_key(Network::Regtest, merchant.id, merchant.key_version);
    Ok(key.reveal().clone())
}

/// The story from the API call to the payout.
struct Script {
    say: Teller,
    play: Arc<PlayNode>,
    store: Store,
    config: Config,
    merchant: Merchant,
    payout_address: Address,
    side_address: SocketAddr,
    key: String,
    heard: Receiver<Heard>,
    /// Buttons that were pressed meanwhile.
    pressed: VecDeque<String>,
}

impl Script {
    async fn run(mut self, autopay: bool) -> Result<(), Failure> {
        let payment = self.create().await?;
        let url = text(&payment, "paymentUrl")?;
        // Until the watcher stood at the tip once, the page would speak of a delay.
        self.await_detail(&text(&payment, "paymentId")?, "waiting").await?;
        self.say.step(3, &format!("payment {AMOUNT} LTC → {url}  (open it)"))?;
        let id = text(&payment, "paymentId")?;
        if autopay {
            self.tell(&payment, true).await?;
            print_line("")?;
            return print_line(
                "Next: `litegate demo` stays, and prints a key with which you create payments of your own.",
            );
        }
        print_line("          Press \"Pay with play money\" there, or Ctrl-C to end.")?;
        print_line(&format!("          Or buy something first: http://{}/", self.side_address))?;
        self.introduce()?;
        let mut on_progress = false;
        while let Some(payment_id) = self.next_to_pay().await? {
            if payment_id != id {
                // More than the play purse holds, for example: the demo goes on.
                if let Err(error) = self.pay_own(&payment_id).await {
                    print_line(&format!("          {payment_id}: {}", error.message()))?;
                }
            } else if !on_progress {
                self.tell(&payment, false).await?;
                print_line("          The gateway runs on until Ctrl-C.")?;
                on_progress = true;
            }
        }
        Err(Failure::Failed("the demo's server ended".to_owned()))
    }

    /// What a developer needs for payments of their own.
    fn introduce(&self) -> Result<(), Failure> {
        let (url, key) = (&self.config.site.public_url, &self.key);
        let version = self.merchant.webhook_secret.version;
        let secret = self.config.secret()?.current().webhook_secret(self.merchant.id, version);
        print_line("")?;
        print_line(&format!("Your own payments, as the guide at {url}/docs tells, for example:"))?;
        print_line(&format!(
            "  curl {url}/api/payments -H 'x-api-key: {key}' -H 'content-type: application/json' -d '{{\"amountLtc\": {AMOUNT}}}'"
        ))?;
        print_line(&format!("Webhooks are signed with the secret {}", secret.reveal()))?;
        print_line("")
    }

    /// The payment whose button "Pay with play money" was pressed next.
    async fn next_to_pay(&mut self) -> Result<Option<String>, Failure> {
        if let Some(payment_id) = self.pressed.pop_front() {
            return Ok(Some(payment_id));
        }
        loop {
            match self.heard.recv().await {
                Some(Heard::PlayMoney { payment_id }) => return Ok(Some(payment_id)),
                Some(Heard::Webhook(_)) => {}
                None => return Ok(None),
            }
        }
    }

    /// Pays a payment that the developer made, and mines the blocks that it needs.
    async fn pay_own(&self, id: &str) -> Result<(), Failure> {
        let Ok(status) = self.status(id).await else { return Ok(()) };
        let is_open = ["waiting", "partly_paid", "replaced"].contains(&&*text(&status, "detail")?);
        let litoshis = status.get("amountLitoshi").and_then(Value::as_u64);
        let amount = litoshis.and_then(Amount::from_litoshis).filter(|_| is_open);
        let Some(amount) = amount else { return Ok(()) };
        let (play, address) = (self.play.clone(), text(&status, "receivingAddress")?);
        blocking(move || play.pay(&address, &amount.to_string())).await?;
        print_line(&format!("          {id}: {amount} LTC paid"))?;
        self.await_detail(id, "seen").await?;
        let needed = status.get("confirmationsRequired").and_then(Value::as_u64);
        for _ in 0..needed.unwrap_or(0) {
            tokio::time::sleep(BLOCK_EVERY).await;
            let play = self.play.clone();
            blocking(move || play.mine(1)).await?;
        }
        self.await_status(id, "completed").await?;
        print_line(&format!("          {id}: completed"))
    }

    /// Creates the payment as a shop would: over HTTP, with the API key.
    async fn create(&self) -> Result<Value, Failure> {
        let webhook = format!("http://{}/webhook", self.side_address);
        let body = format!("{{\"amountLtc\": {AMOUNT}, \"webhookUrl\": \"{webhook}\"}}");
        create_payment(&self.config.site.public_url, &self.key, body).await
    }

    async fn status(&self, id: &str) -> Result<Value, Failure> {
        let url = format!("{}/api/payments/{id}", self.config.site.public_url);
        blocking(move || json_of(http_client().get(url).call())).await
    }

    /// Pays and follows the money.
    async fn tell(&mut self, payment: &Value, at_once: bool) -> Result<(), Failure> {
        let id = text(payment, "paymentId")?;
        let address = text(payment, "receivingAddress")?;
        let play = self.play.clone();
        let paid = Instant::now();
        blocking(move || play.pay(&address, AMOUNT)).await?;
        self.await_detail(&id, "seen").await?;
        let after = paid.elapsed().as_millis();
        self.say
            .step(4, &format!("paid, seen after {}.{:02} s", after / 1000, after % 1000 / 10))?;

        for n in 1..=CONFIRMATIONS {
            if !at_once {
                tokio::time::sleep(BLOCK_EVERY).await;
            }
            let play = self.play.clone();
            blocking(move || play.mine(1)).await?;
            self.await_confirmations(&id, n).await?;
        }
        self.await_status(&id, "completed").await?;
        self.say.step(5, &format!("confirmed {CONFIRMATIONS}/{CONFIRMATIONS}, completed"))?;

        let webhook = self.await_webhook().await?;
        self.verify(&webhook, &id)?;
        self.say.step(6, "webhook 200, signature verified")?;

        let (txid, amount) = self.await_payout(&id).await?;
        let play = self.play.clone();
        blocking(move || play.mine(1)).await?;
        let (play, address) = (self.play.clone(), self.payout_address.clone());
        let received = blocking(move || play.received(&address)).await?;
        if received != amount {
            let message = format!("{received} LTC at the payout address instead of {amount}");
            return Err(Failure::Failed(message));
        }
        self.say.step(
            7,
            &format!("swept: {received} LTC to Demo Shop, by the node's own UTXO set ({txid})"),
        )
    }

    async fn await_detail(&self, id: &str, wanted: &str) -> Result<(), Failure> {
        self.wait(&format!("detail {wanted}"), || async {
            Ok((text(&self.status(id).await?, "detail")? == wanted).then_some(()))
        })
        .await
    }

    async fn await_status(&self, id: &str, wanted: &str) -> Result<(), Failure> {
        self.wait(&format!("status {wanted}"), || async {
            Ok((text(&self.status(id).await?, "status")? == wanted).then_some(()))
        })
        .await
    }

    async fn await_confirmations(&self, id: &str, wanted: u32) -> Result<(), Failure> {
        self.wait(&format!("confirmation {wanted}"), || async {
            let status = self.status(id).await?;
            let n = status.get("confirmations").and_then(Value::as_u64).unwrap_or(0);
            Ok((n >= u64::from(wanted)).then_some(()))
        })
        .await
    }

    async fn await_webhook(&mut self) -> Result<Webhook, Failure> {
        let heard = async {
            while let Some(heard) = self.heard.recv().await {
                match heard {
                    Heard::Webhook(webhook) => return Some(webhook),
                    Heard::PlayMoney { payment_id } => self.pressed.push_back(payment_id),
                }
            }
            None
        };
        match tokio::time::timeout(PATIENCE, heard).await {
            Ok(Some(webhook)) => Ok(webhook),
            Ok(None) | Err(_) => Err(Failure::Failed("the webhook did not come".to_owned())),
        }
    }

    /// As a shop verifies it.
    fn verify(&self, webhook: &Webhook, id: &str) -> Result<(), Failure> {
        let version = self.merchant.webhook_secret.version;
        let key = self.config.secret()?.current().webhook_key(self.merchant.id, version);
        if completed_by(key.reveal(), webhook).is_none_or(|completed| completed != id) {
            return Err(Failure::Failed("the webhook's signature does not fit".to_owned()));
        }
        Ok(())
    }

    /// The sweep that pays the merchant out, once the node has it.
    async fn await_payout(&self, id: &str) -> Result<(bitcoin::Txid, Amount), Failure> {
        let id: PaymentId = id.parse().map_err(|_| Failure::Failed("no payment id".to_owned()))?;
        self.wait("the sweep", || async {
            let payouts = self.store.read(move |tx| {
                let evaluated = payments::by_id(tx, id)?.ok_or(Refusal::UnknownPayment)?;
                Ok::<_, Refusal>(sweeps::payout_of_payment(tx, evaluated.payment.index)?)
            });
            let Some(payout) = payouts.await?.into_iter().next() else { return Ok(None) };
            let (play, txid) = (self.play.clone(), payout.txid);
            let sent = blocking(move || {
                play.node
                    .mempool_contains(txid)
                    .map_err(|error| Failure::Failed(format!("litecoind: {error}")))
            });
            Ok(sent.await?.then_some((payout.txid, payout.amount)))
        })
        .await
    }

    /// Looks again and again until there is something, or patience ends.
    async fn wait<T, F>(&self, what: &str, mut look: impl FnMut() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<Option<T>, Failure>>,
    {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            if Instant::now() > deadline {
                return Err(Failure::Failed(format!("{what} did not come within {PATIENCE:?}")));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// The payment that a webhook says is completed, if its signature is by this key.
fn completed_by(key: &[u8; 32], webhook: &Webhook) -> Option<String> {
    let expected = sign::signature(key, &webhook.id, webhook.timestamp, &webhook.body);
    let body: Value = serde_json::from_str(&webhook.body).ok()?;
    let completed = body.get("status").and_then(Value::as_str) == Some("completed");
    let fits = webhook.signature == expected && completed;
    fits.then(|| text(&body, "paymentId").ok()).flatten()
}

/// What the shop in the browser does with the merchant's key and secret.
fn till(stage: &Stage, key: &str) -> Result<Till, Failure> {
    let version = stage.merchant.webhook_secret.version;
    let webhook_key = stage.config.secret()?.current().webhook_key(stage.merchant.id, version);
    let (gateway, key) = (stage.config.site.public_url.clone(), key.to_owned());
    let side = stage.side_address;
    Ok(Till {
        buy: Box::new(move |number| {
            let body = format!(
                "{{\"amountLtc\": {AMOUNT}, \"displayAmount\": \"4.17 EUR\", \
                 \"reference\": \"{number}\", \"webhookUrl\": \"http://{side}/webhook\", \
                 \"redirectUrl\": \"http://{side}/orders/{number}\"}}"
            );
            let (gateway, key) = (gateway.clone(), key.clone());
            Box::pin(async move {
                let said = |failure: Failure| failure.message().to_owned();
                let payment = create_payment(&gateway, &key, body).await.map_err(said)?;
                let field = |name| text(&payment, name).map_err(said);
                let (payment_id, payment_url) = (field("paymentId")?, field("paymentUrl")?);
                Ok(Bought { payment_id, payment_url })
            })
        }),
        verify: Box::new(move |webhook| completed_by(webhook_key.reveal(), webhook)),
    })
}

/// Creates a payment as a shop does: over HTTP, with the API key.
async fn create_payment(gateway: &str, key: &str, body: String) -> Result<Value, Failure> {
    let (url, key) = (format!("{gateway}/api/payments"), key.to_owned());
    blocking(move || {
        let request = http_client()
            .post(url)
            .header("x-api-key", key)
            .header("content-type", "application/json");
        json_of(request.send(body))
    })
    .await
}

/// Runs code that waits outside of the runtime's own threads.
async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(job).await {
        Ok(result) => result,
        Err(error) => Err(Failure::Failed(format!("a step of the demo broke: {error}"))),
    }
}

/// For the gateway's own API on this machine.
fn http_client() -> ureq::Agent {
    let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).proxy(None);
    config.http_status_as_error(false).build().into()
}

fn json_of(
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<Value, Failure> {
    let failed = |error: String| Failure::Failed(format!("the gateway's API: {error}"));
    let mut response = answer.map_err(|error| failed(error.to_string()))?;
    let body = response.body_mut().read_to_string().map_err(|error| failed(error.to_string()))?;
    if response.status() != 200 {
        return Err(failed(format!("{} {body}", response.status().as_u16())));
    }
    serde_json::from_str(&body).map_err(|error| failed(error.to_string()))
}

fn text(value: &Value, field: &str) -> Result<String, Failure> {
    let text = value.get(field).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| Failure::Failed(format!("the answer has no {field}")))
}
