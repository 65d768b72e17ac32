//! Random histories on a real node: at the end the gateway agrees with the final chain.
//!
//! `STEPS=300 SEED=7 cargo test --test it histories -- --include-ignored` runs more steps, or
//! another seed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::expected::paid_by_chain;
use crate::harness::json::litoshis;
use crate::harness::node::{Node, decimal};
use crate::harness::random::{Random, setting};
use crate::harness::shop::Created;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

/// Default number of steps.
const STEPS: u64 = 45;

/// Amount of each payment, in litoshis.
const AMOUNT: u64 = 1_000_000;

/// A running history.
struct Walk {
    test_env: TestEnv,
    random: Random,
    payments: Vec<Created>,
    /// Transactions that paid, newest last.
    sent: Vec<String>,
    passed: Duration,
    running: bool,
}

impl Walk {
    /// One random step. The node or its wallet may refuse it.
    fn step(&mut self) {
        let TestEnv { gateway, shop, node } = &self.test_env;
        match self.random.below(12) {
            0 | 1 if self.running => {
                let amount = decimal(AMOUNT);
                self.payments.push(shop.create(&amount));
            }
            0..=3 => {
                let Some(payment) = pick(&mut self.random, &self.payments) else { return };
                let amount =
                    [AMOUNT, AMOUNT / 2, AMOUNT / 2, 2 * AMOUNT][self.random.below(4) as usize];
                let sent = node
                    .try_call::<String>("sendtoaddress", json!([payment.address, decimal(amount)]));
                self.sent.extend(sent.ok());
            }
            4 => {
                // Replace a transaction in the mempool.
                if let Some(rival) = self.rival() {
                    let _: Result<Value, _> =
                        node.try_call("sendrawtransaction", json!([rival, 0]));
                }
            }
            5 => {
                // Mine an unseen double spend.
                if let Some(rival) = self.rival() {
                    let address = node.fresh_address();
                    let _: Result<Value, _> =
                        node.try_call("generateblock", json!([address, [rival]]));
                }
            }
            6 | 7 => node.mine(1),
            8 => node.reorg(1 + u32::try_from(self.random.below(3)).unwrap()),
            9 => node.reorg_to_empty(1 + u32::try_from(self.random.below(2)).unwrap()),
            10 => {
                // Kill or start the gateway.
                match self.running {
                    true => gateway.kill(),
                    false => gateway.start(),
                }
                self.running = !self.running;
            }
            _ => {
                self.passed += Duration::from_secs(600);
                gateway.let_pass(self.passed);
            }
        }
    }

    /// A double spend of the newest unconfirmed payment.
    fn rival(&self) -> Option<String> {
        let mempool: BTreeSet<String> = self.test_env.node.mempool().into_iter().collect();
        let txid = self.sent.iter().rev().find(|txid| mempool.contains(*txid))?;
        Some(self.test_env.node.double_spend_of(txid))
    }
}

/// A random payment.
fn pick<'p>(random: &mut Random, payments: &'p [Created]) -> Option<&'p Created> {
    let count = u64::try_from(payments.len()).ok().filter(|count| *count > 0)?;
    payments.get(random.below(count) as usize)
}

/// 1. Create, pay, replace, mine, reorganise, kill and let time pass, in random order.
/// 2. Start the gateway and mine five blocks.
/// 3. Amounts, txids and status of every payment match the chain, and the audit is clean.
#[test]
#[ignore = "long"]
fn the_final_chain_decides_after_any_history() {
    let (steps, seed) = (setting("STEPS", STEPS), setting("SEED", 1));
    println!("{steps} steps with seed {seed}");
    let Some(node) = Node::start_with(&["-mempoolreplacement=1", "-walletrbf=1"]) else { return };
    let test_env = TestEnv::beside(Arc::new(node), |gateway| {
        // More than the deepest reorganisation, so that completed payments stay in the chain.
        gateway.set("payments.confirmations", 4);
    });
    let mut walk = Walk {
        payments: vec![test_env.shop.create(&decimal(AMOUNT))],
        test_env,
        random: Random::of(seed),
        sent: Vec::new(),
        passed: Duration::ZERO,
        running: true,
    };
    for _ in 0..steps {
        walk.step();
        if walk.running {
            walk.test_env.shop.await_same_answers();
        }
    }
    let Walk { test_env: TestEnv { gateway, shop, node }, payments, running, .. } = &walk;
    if !running {
        gateway.start();
    }
    node.mine(5);
    gateway.await_tip(&node.height().to_string());
    let chain = paid_by_chain(node);
    for payment in payments {
        let expected = chain.get(&payment.address).cloned().unwrap_or_default();
        wait_for("the mempool's last word", SOON, || {
            litoshis(shop.status(&payment.id).raw("amountReceivedLtc")) == expected.sum
        });
        let fields = shop.status(&payment.id);
        assert_eq!(litoshis(fields.raw("amountConfirmedLtc")), expected.sum, "{fields:?}");
        assert_eq!(fields.texts("txids").into_iter().collect::<BTreeSet<_>>(), expected.txids);
        let completed = fields.text("status") == "completed";
        assert_eq!(completed, expected.sum >= AMOUNT, "{fields:?}");
    }
    gateway.cli_ok(&["audit"]);
}
