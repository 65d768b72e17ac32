//! The steps of the demo, from the API call to the payout.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::mpsc::Receiver;

use crate::config::Config;
use crate::domain::address::Address;
use crate::domain::amount::Amount;
use crate::domain::merchant::Merchant;
use crate::domain::payment::PaymentId;
use crate::http::demo::{DemoEvent, Webhook};
use crate::operations::Refusal;
use crate::store::{Store, payments, sweeps};

use super::node::PlayNode;
use super::setup::CONFIRMATIONS;
use super::shop::{AMOUNT, PATIENCE, blocking, completed_by, create_payment, status_of, text};
use crate::cli::failure::Failure;
use crate::cli::output::print_line;

/// Interval of status requests.
const POLL_EVERY: Duration = Duration::from_millis(50);

/// Pause between blocks in interactive mode.
const BLOCK_EVERY: Duration = Duration::from_secs(2);

/// Prints each step with the elapsed time.
#[derive(Clone, Copy)]
pub(super) struct StepLog {
    pub(super) start: Instant,
}

impl StepLog {
    pub(super) fn step(self, number: u32, text: &str) -> Result<(), Failure> {
        let ms = self.start.elapsed().as_millis();
        print_line(&format!("{:>6}.{} s  {number}/7 {text}", ms / 1000, ms % 1000 / 100))
    }
}

/// The demo's scenario, from the API call to the payout.
pub(super) struct Script {
    pub(super) steps: StepLog,
    pub(super) play: Arc<PlayNode>,
    pub(super) store: Store,
    pub(super) config: Config,
    pub(super) merchant: Merchant,
    pub(super) payout_address: Address,
    pub(super) side_address: SocketAddr,
    pub(super) key: String,
    pub(super) events: Receiver<DemoEvent>,
    /// Payments whose button was pressed while another step ran.
    pub(super) pressed: VecDeque<String>,
}

impl Script {
    pub(super) async fn run(mut self, autopay: bool) -> Result<(), Failure> {
        let payment = self.create().await?;
        let url = text(&payment, "paymentUrl")?;
        // Before the watcher's first sync, the page would show a delay.
        self.await_detail(&text(&payment, "paymentId")?, "waiting").await?;
        self.steps.step(3, &format!("payment {AMOUNT} LTC → {url}  (open it)"))?;
        let id = text(&payment, "paymentId")?;
        if autopay {
            self.pay_and_follow(&payment, true).await?;
            print_line("")?;
            return print_line(
                "Next: `litegate demo` keeps running and prints a key for your own payments.",
            );
        }
        print_line("          Press \"Pay with play money\" there, or Ctrl-C to end.")?;
        print_line(&format!("          Or buy something first: http://{}/", self.side_address))?;
        self.print_instructions()?;
        let mut on_progress = false;
        while let Some(payment_id) = self.next_to_pay().await? {
            if payment_id != id {
                // A failure, for example of the play wallet's balance, does not end the demo.
                if let Err(error) = self.pay_own(&payment_id).await {
                    print_line(&format!("          {payment_id}: {}", error.message()))?;
                }
            } else if !on_progress {
                self.pay_and_follow(&payment, false).await?;
                print_line("          The gateway keeps running until Ctrl-C.")?;
                on_progress = true;
            }
        }
        Err(Failure::Failed("the demo's server ended".to_owned()))
    }

    /// Prints how a developer creates further payments.
    fn print_instructions(&self) -> Result<(), Failure> {
        let (url, key) = (&self.config.site.public_url, &self.key);
        let version = self.merchant.webhook_secret.version;
        let secret = self.config.secret()?.current().webhook_secret(self.merchant.id, version);
        print_line("")?;
        print_line(&format!("Create your own payments (see {url}/docs), for example:"))?;
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
            match self.events.recv().await {
                Some(DemoEvent::PlayMoney { payment_id }) => return Ok(Some(payment_id)),
                Some(DemoEvent::Webhook(_)) => {}
                None => return Ok(None),
            }
        }
    }

    /// Pays a payment that the developer created, and mines its confirmations.
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

    /// Creates a payment as a shop does: over HTTP, with the API key.
    async fn create(&self) -> Result<Value, Failure> {
        let webhook = format!("http://{}/webhook", self.side_address);
        let body = format!("{{\"amountLtc\": {AMOUNT}, \"webhookUrl\": \"{webhook}\"}}");
        create_payment(&self.config.site.public_url, &self.key, body).await
    }

    async fn status(&self, id: &str) -> Result<Value, Failure> {
        status_of(&self.config.site.public_url, id).await
    }

    /// Pays, and waits for each step up to the payout.
    async fn pay_and_follow(&mut self, payment: &Value, at_once: bool) -> Result<(), Failure> {
        let id = text(payment, "paymentId")?;
        let address = text(payment, "receivingAddress")?;
        let play = self.play.clone();
        let paid = Instant::now();
        blocking(move || play.pay(&address, AMOUNT)).await?;
        self.await_detail(&id, "seen").await?;
        let after = paid.elapsed().as_millis();
        self.steps
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
        self.steps.step(5, &format!("confirmed {CONFIRMATIONS}/{CONFIRMATIONS}, completed"))?;

        let webhook = self.await_webhook().await?;
        self.verify(&webhook, &id)?;
        self.steps.step(6, "webhook 200, signature verified")?;

        let (txid, amount) = self.await_payout(&id).await?;
        let play = self.play.clone();
        blocking(move || play.mine(1)).await?;
        let (play, address) = (self.play.clone(), self.payout_address.clone());
        let received = blocking(move || play.received(&address)).await?;
        if received != amount {
            let message = format!("{received} LTC at the payout address instead of {amount}");
            return Err(Failure::Failed(message));
        }
        self.steps.step(
            7,
            &format!(
                "swept: {received} LTC to Demo Shop, confirmed by the node's UTXO set ({txid})"
            ),
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
        let received = async {
            while let Some(event) = self.events.recv().await {
                match event {
                    DemoEvent::Webhook(webhook) => return Some(webhook),
                    DemoEvent::PlayMoney { payment_id } => self.pressed.push_back(payment_id),
                }
            }
            None
        };
        match tokio::time::timeout(PATIENCE, received).await {
            Ok(Some(webhook)) => Ok(webhook),
            Ok(None) | Err(_) => Err(Failure::Failed("the webhook did not arrive".to_owned())),
        }
    }

    /// Verifies the webhook's signature, as a shop does.
    fn verify(&self, webhook: &Webhook, id: &str) -> Result<(), Failure> {
        let version = self.merchant.webhook_secret.version;
        let key = self.config.secret()?.current().webhook_key(self.merchant.id, version);
        if completed_by(key.reveal(), webhook).is_none_or(|completed| completed != id) {
            return Err(Failure::Failed("the webhook's signature does not match".to_owned()));
        }
        Ok(())
    }

    /// The sweep that pays the merchant, once the node has it.
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

    /// Polls until `look` answers a value, or the deadline passes.
    async fn wait<T, F>(&self, what: &str, mut poll: impl FnMut() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<Option<T>, Failure>>,
    {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = poll().await? {
                return Ok(found);
            }
            if Instant::now() > deadline {
                return Err(Failure::Failed(format!("{what} did not arrive within {PATIENCE:?}")));
            }
            tokio::time::sleep(POLL_EVERY).await;
        }
    }
}
