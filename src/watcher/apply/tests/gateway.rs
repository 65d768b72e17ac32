//! The gateway's side of random histories: a database with payments, and the passes of the
//! watcher.

use super::*;
use crate::domain::confirmations::ConfirmationTiers;
use crate::domain::network::Network;
use crate::operations::create_payment::Asked;
use crate::operations::rates::Rates;

/// The gateway: a database, and the sync of the watcher.
pub(super) struct Gateway {
    pub(super) dir: tempfile::TempDir,
    pub(super) store: Store,
    pub(super) filter_builder: RefCell<FilterBuilder>,
    pub(super) expiry: RefCell<Expiry>,
    pub(super) xpub: AccountXpub,
    pub(super) payments: Vec<Payment>,
}

/// A closed database with the payments. Each history begins with a copy of it, which is faster
/// than creating one.
pub(super) static TEMPLATE: LazyLock<(tempfile::TempDir, Vec<Payment>)> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(&dir.path().join("litegate.db")).expect("a database");
    let payments = store.write_blocking(set_up).expect("set up");
    (dir, payments)
});

impl Gateway {
    pub(super) fn new() -> Gateway {
        let (template, payments) = &*TEMPLATE;
        let dir = tempfile::tempdir().expect("a folder");
        for file in std::fs::read_dir(template.path()).expect("the template").flatten() {
            std::fs::copy(file.path(), dir.path().join(file.file_name())).expect("copied");
        }
        let store = Store::open(&dir.path().join("litegate.db")).expect("a database");
        let (xpub, payments) = (account(1), payments.clone());
        let (filter_builder, expiry) = Default::default();
        Gateway { dir, store, filter_builder, expiry, xpub, payments }
    }

    pub(super) fn restart(self) -> Gateway {
        let Gateway { dir, store, xpub, payments, .. } = self;
        drop(store);
        let store = Store::open(&dir.path().join("litegate.db")).expect("the same database");
        let (filter_builder, expiry) = Default::default();
        Gateway { dir, store, filter_builder, expiry, xpub, payments }
    }

    /// Makes a pass: syncs to the tip, compares the mempool, and expires payments.
    pub(super) fn look(&self, node: &mut ModelNode) {
        node.be_seen();
        let now = node.now;
        let at_tip = loop {
            let ours = self.store.read_blocking(blocks::tip).expect("read");
            let Some(ours) = ours else {
                let start = BlockId { height: 0, hash: node.chain[0].hash };
                let write = move |tx: &WriteTx| blocks::insert(tx, start, now);
                self.store.write_blocking(write).expect("begun");
                continue;
            };
            let chain = NodeChain { tip: node.tip(), our_tip: node.place_of(ours) };
            match next_step(ours, chain) {
                NextStep::Connect { height } => {
                    let block = node.chain[height as usize].read();
                    let id = BlockId { height, hash: block.hash };
                    let mut filter_builder = self.filter_builder.borrow_mut();
                    filter_builder.begin(&self.store);
                    filter_builder.await_built();
                    let write = move |tx: &WriteTx, bloom_filter: &mut LentFilter| {
                        let bloom_filter = bloom_filter.complete(tx)?;
                        assert!(bloom_filter.is_some(), "it was built, and nothing has failed");
                        connect(tx, &block, id, &context(now), &Rates::off(), bloom_filter.as_ref())
                    };
                    filter_builder.write(&self.store, write).expect("connected");
                }
                NextStep::Disconnect(id) => {
                    let write =
                        move |tx: &WriteTx| disconnect(tx, id, &context(now), &Rates::off());
                    self.store.write_blocking(write).expect("disconnected");
                }
                NextStep::AtTip(at_tip) => break at_tip,
                NextStep::Behind => panic!("the model node is never behind"),
            }
        };
        let seen: Vec<SeenTx> = node.mempool.iter().map(ModelTx::seen).collect();
        let present: Vec<Txid> = node.mempool.iter().map(|tx| tx.id).collect();
        let seen_at = SeenAt { now, compared_at: Some(node.compared_at) };
        self.store
            .write_blocking(move |tx| {
                let ours = coins::in_mempool(tx)?;
                let removed = ours.iter().map(|coin| coin.outpoint);
                let removed: Vec<OutPoint> =
                    removed.filter(|at| !present.contains(&at.txid)).collect();
                evict(tx, &removed, &context(now), &Rates::off(), &at_tip)?;
                record_seen(tx, &seen, Network::Regtest, &Rates::off(), seen_at)
            })
            .expect("compared");
        node.compared_at = now;
        let batches = Batches { store: &self.store, go_on: &|| true };
        let mut expiry = self.expiry.borrow_mut();
        let mut pass = || expiry.pass(&batches, Network::Regtest, now, at_tip, |_| {});
        while pass().expect("expired") == Ended::Stopped {}
    }

    /// Asks a node that is still syncing: nothing may change.
    pub(super) fn look_lagging(&self) {
        let Some(ours) = self.store.read_blocking(blocks::tip).expect("read") else { return };
        for below in 0..ours.height.min(3) {
            let tip = BlockId { height: below, hash: BlockHash::all_zeros() };
            let chain = NodeChain { tip, our_tip: OurTip::Unknown };
            assert_eq!(next_step(ours, chain), NextStep::Behind);
        }
    }

    /// A ZMQ message announced a transaction, and the node confirmed it. Returns whether that
    /// caused a pass.
    pub(super) fn hear(&self, node: &mut ModelNode, which: usize) -> bool {
        if node.mempool.is_empty() {
            return false;
        }
        let heard = node.mempool[which % node.mempool.len()].clone();
        if heard.is_pegout() {
            self.look(node); // Frames do not show peg-outs.
            return true;
        }
        node.be_heard(&heard);
        let seen_at = SeenAt { now: node.now, compared_at: Some(node.compared_at) };
        self.store
            .write_blocking(move |tx| {
                record_seen(tx, &[heard.seen()], Network::Regtest, &Rates::off(), seen_at)
            })
            .expect("seen");
        false
    }
}

/// The circumstances of a write at a time.
pub(super) fn context(now: Timestamp) -> EventContext<'static> {
    EventContext { network: Network::Regtest, now, mempool: None }
}

/// The start of each history.
pub(super) const START: Timestamp = Timestamp::from_ms(1_000);

/// An account: 1 is the gateway's own.
pub(super) fn account(seed: u8) -> AccountXpub {
    AccountXpriv::from_mnemonic_seed(&[seed; 64], Network::Regtest).0.to_xpub()
}

/// The payout script of the `n`-th merchant.
pub(super) fn payout_script(n: u32) -> ScriptBuf {
    account(2).script_at(DerivationIndex::new(n).expect("small"))
}

/// Payments of two merchants, alternating.
pub(super) fn set_up(tx: &WriteTx) -> Result<Vec<Payment>, Refusal> {
    let rules = merchants::Rules { network: Network::Regtest, payout_address_delay_ms: 0 };
    let add = |n| {
        let new = NewMerchant {
            name: BusinessName::parse("Shop")?,
            discord_id: None,
            payout_address: Address::from_script(&payout_script(n), Network::Regtest)
                .map(ForeignAddress::assumed),
            days: Some(1),
        };
        let merchant = merchants::add(tx, &Actor::Cli, &rules, &new, &Clock::system())?.id;
        assert!(merchant_rows::has_payout_address(tx, merchant)?);
        Ok::<_, Refusal>(merchant)
    };
    let shops = [add(0)?, add(1)?];
    let amount = Amount::from_litoshis(AMOUNT).expect("in range");
    let rules = create_payment::Rules {
        confirmations: CONFIRMATIONS,
        confirmation_tiers: ConfirmationTiers::default(),
        low_confirmation_limit: None,
        rates: Rates::off(),
        large_amount: Amount::MAX,
        confirmations_large: CONFIRMATIONS,
        confirmations_pegout: CONFIRMATIONS,
        expiry_ms: EXPIRY_MS,
        late_grace_ms: LATE_GRACE_MS,
        min_amount: Amount::ZERO,
        max_open_payments: u32::MAX,
        max_daily_payments: 0,
    };
    account_scan::record_answer(tx)?;
    let addresses = Addresses::new(account(1), None);
    (0..PAYMENTS)
        .map(|n| {
            let new = NewPayment {
                amount: Asked::Ltc(amount),
                webhook_url: Some("https://shop.example/hook".to_owned()),
                redirect_url: None,
                display_amount: None,
                reference: None,
                expires_in_seconds: None,
                metadata: None,
                events: None,
                tolerance: None,
            };
            let id = PaymentId::from_random([u8::try_from(n).expect("few"); 16]);
            let merchant = shops[n % shops.len()];
            let request =
                create_payment::Request { merchant, api_key: None, new, idempotency_key: None, id };
            create_payment(tx, &rules, &addresses, &request, START)?;
            Ok(payments::by_id(tx, id)?.ok_or(Refusal::UnknownPayment)?.payment)
        })
        .collect()
}
