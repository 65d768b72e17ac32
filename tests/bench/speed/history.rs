//! Databases with a long past: payments that were made, paid, told, and swept at a steady rate
//! until now, written into a gateway's file as no program of ours does, to be done in minutes.
//!
//! Keys that are random in life (ids, scripts, transaction ids) are made up without curve
//! arithmetic: spread evenly over all values in rising order, so that each table is written from
//! front to back. What is asked of the database later falls as evenly over it as in life.

use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, Transaction, params};

use crate::harness::gateway::Gateway;
use crate::harness::rows::RowKey;

/// Payments to a block, a block every 150 seconds.
const PER_BLOCK: u64 = 20;
const BLOCK_MS: u64 = 150_000;

/// Blocks whose coins one sweep pays out.
const BLOCKS_A_SWEEP: u64 = 20;

/// The height at which every history ends.
pub(crate) const TIP: u64 = 3_000_000;

/// Of twenty payments, so many were paid; the others expired.
const PAID_OF_20: u64 = 17;

/// Payments of the last blocks are open; their coins are not swept.
const OPEN_BLOCKS: u64 = 12;

/// What a history looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Payments with coins, events, seals and sweeps, up to block [`TIP`].
    Whole,
    /// Addresses that were given out and never paid.
    Issued,
    /// Payments that are complete, all with a coin that no sweep has claimed.
    Unswept,
    /// Payments that nobody paid, and whose time is up without anybody having noticed.
    Overdue,
}

/// What was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    pub(crate) payments: u64,
    pub(crate) bytes: u64,
}

/// A number from 0 up to 2^64 for the `n`-th of `count` things, rising, with noise below.
fn spread(n: u64, count: u64) -> u64 {
    let step = u64::MAX / count.max(1);
    let noise = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % step.max(1);
    n * step + noise
}

/// The bytes of the `n`-th key of `count`: eight that rise, and others that follow from them.
fn key<const N: usize>(n: u64, count: u64, salt: u64) -> [u8; N] {
    let mut bytes = mixed(n, salt);
    bytes[..8].copy_from_slice(&spread(n, count).to_be_bytes());
    bytes
}

/// Bytes that follow from a number and look random.
fn mixed<const N: usize>(n: u64, salt: u64) -> [u8; N] {
    let mut bytes = [0; N];
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt;
    for part in bytes.chunks_mut(8) {
        state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(31) ^ salt;
        part.copy_from_slice(&state.to_be_bytes()[..part.len()]);
    }
    bytes
}

/// The id of the `n`-th payment of a history of this size.
pub(crate) fn payment_id(n: u64, count: u64) -> [u8; 16] {
    let mut id = key(n, count, 1);
    id[15] = 0;
    id
}

/// The script of the `n`-th payment of a history of this size.
pub(crate) fn script(n: u64, count: u64) -> [u8; 22] {
    let mut script = [0; 22];
    script[1] = 20;
    script[2..].copy_from_slice(&key::<20>(n, count, 2));
    script[21] = 0;
    script
}

/// A time of this machine in milliseconds.
pub(crate) fn now_ms() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a benchmark lives in the present")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

/// Writes so many payments after those that are there, and empties nothing.
pub(crate) fn write(gateway: &Gateway, kind: Kind, count: u64) -> Written {
    let mut connection = Connection::open(gateway.setting("database")).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
             PRAGMA cache_size = -200000; PRAGMA foreign_keys = OFF; PRAGMA temp_store = FILE;",
        )
        .unwrap();
    let tx = connection.transaction().unwrap();
    // Indexes are made afterwards, by sorting, and triggers are done by hand.
    let apart = take_apart(&tx);
    let first = one(&tx, "SELECT coalesce(max(derivation_index) + 1, 0) FROM payments");
    let merchants: Vec<i64> = {
        let mut all = tx.prepare("SELECT id FROM merchants ORDER BY created_at, id").unwrap();
        let rows = all.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let plan = Plan { kind, count, first, merchants, now: now_ms() };
    plan.payments(&tx);
    if matches!(kind, Kind::Whole | Kind::Unswept) {
        plan.coins(&tx);
    }
    if kind == Kind::Whole {
        plan.sweeps(&tx);
        plan.events(&tx);
        plan.chain(&tx);
    }
    RowKey::of(gateway).seal_new(&tx);
    for sql in apart {
        tx.execute_batch(&sql).unwrap();
    }
    settle(&tx);
    tx.commit().unwrap();
    connection.execute_batch("PRAGMA journal_mode = WAL;").unwrap();
    let pages = one(&connection, "PRAGMA page_count") * one(&connection, "PRAGMA page_size");
    Written { payments: count, bytes: pages }
}

fn one(connection: &Connection, sql: &str) -> u64 {
    connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap().unsigned_abs()
}

/// A number as SQLite has it.
fn whole(n: u64) -> i64 {
    i64::try_from(n).unwrap()
}

/// Drops triggers, and indexes that are not part of a table; the statements that make them again.
fn take_apart(tx: &Transaction) -> Vec<String> {
    let sql = "SELECT type, name, sql FROM sqlite_schema
               WHERE type IN ('trigger', 'index') AND sql IS NOT NULL";
    let mut statement = tx.prepare(sql).unwrap();
    let rows = statement
        .query_map([], |row| {
            let (kind, name): (String, String) = (row.get(0)?, row.get(1)?);
            Ok((format!("DROP {kind} {name}"), row.get(2)?))
        })
        .unwrap();
    let all: Vec<(String, String)> = rows.map(Result::unwrap).collect();
    all.into_iter()
        .map(|(drop, again)| {
            tx.execute_batch(&drop).unwrap();
            again
        })
        .collect()
}

/// Brings what triggers keep into line with the rows.
fn settle(tx: &Transaction) {
    tx.execute_batch(
        "UPDATE payment_counts SET count =
             (SELECT count(*) FROM payments WHERE payments.status = payment_counts.status);
         DELETE FROM in_flight_sweeps;
         DELETE FROM merchant_payouts;
         INSERT INTO merchant_payouts
         SELECT merchant_id, sum(amount), sum(fee_share), sum(operator_fee) FROM payouts
         GROUP BY merchant_id;
         DELETE FROM merchant_coins;
         INSERT INTO merchant_coins
         SELECT merchant_id, iif(spent_txid IS NULL, 'unclaimed', 'spent') AS state,
             sum(coins.amount)
         FROM coins JOIN payments USING (derivation_index) GROUP BY 1, 2;
         DELETE FROM merchant_payments;
         INSERT INTO merchant_payments
         SELECT merchant_id, count(*) FILTER (WHERE status = 'pending'), max(confirmations_pegout)
         FROM payments GROUP BY merchant_id;",
    )
    .unwrap();
}

struct Plan {
    kind: Kind,
    count: u64,
    first: u64,
    merchants: Vec<i64>,
    now: u64,
}

impl Plan {
    /// Blocks from the `n`-th payment's to the last one of the history.
    fn blocks_left(&self, n: u64) -> u64 {
        match self.kind {
            Kind::Unswept => 1_000,
            Kind::Overdue => 0,
            Kind::Whole | Kind::Issued => (self.count - 1 - n) / PER_BLOCK,
        }
    }

    fn is_paid(&self, n: u64) -> bool {
        match self.kind {
            Kind::Whole => n % 20 < PAID_OF_20,
            Kind::Issued | Kind::Overdue => false,
            Kind::Unswept => true,
        }
    }

    fn merchant(&self, n: u64) -> i64 {
        let at = usize::try_from(n).unwrap() % self.merchants.len();
        self.merchants[at]
    }

    fn created_at(&self, n: u64) -> u64 {
        self.now - (self.blocks_left(n) + 1) * BLOCK_MS - 60_000
    }

    fn payments(&self, tx: &Transaction) {
        let sql = "INSERT INTO payments (derivation_index, id, merchant_id, script, amount,
                       created_at, expires_at, late_until, confirmations, confirmations_pegout,
                       reference, webhook_url, status, status_at)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, 6, 24, ?, ?, ?, ?)";
        let mut insert = tx.prepare(sql).unwrap();
        let mut seal = tx.prepare("INSERT INTO payment_seals VALUES (?, ?)").unwrap();
        for n in 0..self.count {
            let created = self.created_at(n);
            let expires = match self.kind {
                Kind::Overdue => created + 60_000,
                Kind::Whole | Kind::Issued | Kind::Unswept => created + 1_800_000,
            };
            let open = match self.kind {
                Kind::Whole => self.blocks_left(n) < OPEN_BLOCKS,
                Kind::Overdue => true,
                Kind::Issued | Kind::Unswept => false,
            };
            let (status, at) = match (open, self.is_paid(n)) {
                (true, _) => ("pending", None),
                (false, true) => ("completed", Some(created + 6 * BLOCK_MS)),
                (false, false) => ("expired", Some(expires)),
            };
            insert
                .execute(params![
                    whole(self.first + n),
                    &self.id(n)[..],
                    self.merchant(n),
                    &self.script(n)[..],
                    whole(5_000_000 + n % 1_000),
                    whole(created),
                    whole(expires),
                    whole(expires + 86_400_000),
                    format!("order-{n}"),
                    "https://shop.example/litecoin/hook",
                    status,
                    at.map(whole),
                ])
                .unwrap();
            if self.kind != Kind::Unswept {
                seal.execute(params![whole(self.first + n), &mixed::<32>(n, 3)[..]]).unwrap();
            }
        }
    }

    /// A second history in the same file has its own keys, beside those of the first.
    fn id(&self, n: u64) -> [u8; 16] {
        let mut id = payment_id(n, self.count);
        id[15] = u8::from(self.first > 0);
        id
    }

    fn script(&self, n: u64) -> [u8; 22] {
        let mut script = script(n, self.count);
        script[21] = u8::from(self.first > 0);
        script
    }

    fn coins(&self, tx: &Transaction) {
        let sql = "INSERT INTO coins (txid, vout, derivation_index, amount, origin, seen_at, place,
                       block_height, block_hash, sweep_id, spent_txid, spent_height)
                   VALUES (?, ?, ?, ?, 'plain', ?, 'block', ?, ?, ?, ?, ?)";
        let mut insert = tx.prepare(sql).unwrap();
        for n in (0..self.count).filter(|n| self.is_paid(*n)) {
            let (left, created) = (self.blocks_left(n), self.created_at(n));
            let swept = self.kind == Kind::Whole && left >= OPEN_BLOCKS;
            let sweep = swept.then(|| self.sweep_of(n));
            let height = TIP - left;
            insert
                .execute(params![
                    &key::<32>(n, self.count, 4 + self.first)[..],
                    whole(n % 2),
                    whole(self.first + n),
                    whole(5_000_000 + n % 1_000),
                    whole(created + 90_000),
                    whole(height),
                    &mixed::<32>(height, 5)[..],
                    sweep.map(whole),
                    sweep.map(sweep_txid),
                    sweep.map(|_| whole(height + 8)),
                ])
                .unwrap();
        }
    }

    fn sweep_of(&self, n: u64) -> u64 {
        n / (PER_BLOCK * BLOCKS_A_SWEEP) + 1
    }

    fn sweeps(&self, tx: &Transaction) {
        let open = OPEN_BLOCKS * PER_BLOCK;
        let Some(last) = self.count.checked_sub(open + 1) else { return };
        let coins = PER_BLOCK * BLOCKS_A_SWEEP * PAID_OF_20 / 20;
        let mut sweep = tx.prepare("INSERT INTO sweeps (id, created_at) VALUES (?, ?)").unwrap();
        let sql = "INSERT INTO sweep_txs (sweep_id, version, txid, raw, fee, vsize, created_at,
                       sent_at, block_height, block_hash)
                   VALUES (?, 1, ?, zeroblob(?), 50000, ?, ?, ?, ?, ?)";
        let mut version = tx.prepare(sql).unwrap();
        let sql = "INSERT INTO payouts VALUES (?, 1, ?, ?, ?, 5000, 0, ?)";
        let mut payout = tx.prepare(sql).unwrap();
        let mut merchants = self.merchants.clone();
        merchants.sort_unstable();
        for id in 1..=self.sweep_of(last) {
            let n = ((id * PER_BLOCK * BLOCKS_A_SWEEP) - 1).min(last);
            let (at, height) = (self.created_at(n) + 7 * BLOCK_MS, TIP - self.blocks_left(n) + 8);
            let (number, at, height) = (whole(id), whole(at), whole(height));
            sweep.execute([number, at]).unwrap();
            let txid = sweep_txid(id);
            let hash = &mixed::<32>(height.unsigned_abs(), 5)[..];
            let (bytes, vsize) = (whole(coins * 150), whole(coins * 69));
            version.execute(params![number, txid, bytes, vsize, at, at, height, hash]).unwrap();
            for merchant in &merchants {
                let gross = whole(coins * 5_000_000 / merchants.len() as u64);
                payout
                    .execute(params![
                        number,
                        merchant,
                        &mixed::<22>(1, 6)[..],
                        gross,
                        gross - 5_000
                    ])
                    .unwrap();
            }
        }
    }

    fn events(&self, tx: &Transaction) {
        let sql =
            "INSERT INTO events (id, derivation_index, kind, merchant_id, sequence, url, body,
                       created_at, state, attempts)
                   VALUES (?, ?, 'completed', ?, 1, 'https://shop.example/litecoin/hook', ?, ?,
                       'delivered', 1)";
        let mut event = tx.prepare(sql).unwrap();
        let sql = "INSERT INTO attempts VALUES (?, 1, ?, 120, 200, 'HTTP 200', '{\"ok\":true}')";
        let mut attempt = tx.prepare(sql).unwrap();
        let done = |n: &u64| self.is_paid(*n) && self.blocks_left(*n) >= OPEN_BLOCKS;
        for n in (0..self.count).filter(done) {
            let id = format!("evt_{:016x}{:08x}", spread(n, self.count), n);
            let at = whole(self.created_at(n) + 6 * BLOCK_MS);
            let body = format!(
                "{{\"paymentId\":\"{:032x}\",\"status\":\"completed\",\"amountLtc\":0.05,\
                 \"receivingAddress\":\"rltc1q{:038x}\",\"amountReceivedLtc\":0.05,\"late\":false,\
                 \"txids\":[\"{:064x}\"],\"completedAt\":\"2026-01-01T00:00:00.000Z\",\
                 \"reference\":\"order-{n}\"}}",
                n, n, n
            );
            event.execute(params![id, whole(self.first + n), self.merchant(n), body, at]).unwrap();
            attempt.execute(params![id, at]).unwrap();
        }
    }

    fn chain(&self, tx: &Transaction) {
        tx.execute_batch("DELETE FROM blocks").unwrap();
        let sql = "INSERT INTO blocks (height, hash, time) VALUES (?, ?, ?)";
        let mut insert = tx.prepare(sql).unwrap();
        let blocks = (self.count / PER_BLOCK).max(1);
        for height in TIP - blocks..=TIP {
            let time = self.now - (TIP - height) * BLOCK_MS;
            let hash = mixed::<32>(height, 5);
            insert.execute(params![whole(height), &hash[..], whole(time)]).unwrap();
        }
    }
}

fn sweep_txid(id: u64) -> Vec<u8> {
    key::<32>(id, 1 << 40, 7).to_vec()
}

/// The id of the block at which a whole history ends, as people read it.
pub(crate) fn tip_hash() -> String {
    let mut bytes = mixed::<32>(TIP, 5);
    bytes.reverse();
    bitcoin::hex::DisplayHex::to_lower_hex_string(&bytes[..])
}
