//! Recognised sweeps: sweeps in a block that this database did not create. See
//! [`crate::domain::sweep::recognise`].

use bitcoin::{OutPoint, Txid};

use crate::domain::chain::BlockId;
use crate::domain::sweep::merchants_of;
use crate::domain::sweep::recognise::recognise;
use crate::domain::time::Timestamp;
use crate::node::codec::Tx;
use crate::store::sweeps::SignedPlan;
use crate::store::sweeps::recognised::{coins_at, known_scripts, store_recognised};
use crate::store::{Error, WriteTx};

/// How far a block's time may be off (consensus), in milliseconds.
const CLOCK_SKEW_MS: i64 = 2 * 3_600_000;

/// Stores a block's transaction as a sweep if the gateway's rules would have created it. The
/// caller has checked that it spends only the gateway's coins and is not stored yet.
pub(super) fn recognise_in_block(
    tx: &WriteTx,
    block_tx: &Tx,
    txid: Txid,
    block: BlockId,
    time: Timestamp,
    now: Timestamp,
) -> Result<(), Error> {
    let at: Vec<OutPoint> = block_tx.inputs.clone();
    let coins = coins_at(tx, &at)?;
    if coins.len() != at.len() {
        return Ok(());
    }
    let until = time.plus_ms(CLOCK_SKEW_MS);
    let known = known_scripts(tx, &merchants_of(&coins), until)?;
    let Some((plan, unsigned)) = recognise(txid, &coins, &block_tx.outputs, &known) else {
        return Ok(());
    };
    tracing::warn!(
        %txid, height = block.height, coins = plan.coins.len(),
        "sweep recognised that this database did not create: an external signer sent it, or it \
         is newer than the restored backup"
    );
    let raw = bitcoin::consensus::encode::serialize(&unsigned);
    let vsize = plan.weight.div_ceil(4);
    store_recognised(tx, &SignedPlan { plan, txid, raw, vsize }, block, time.min(now), now)
}
