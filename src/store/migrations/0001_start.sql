-- Money is in litoshis, times are milliseconds since 1970 UTC, hashes and scripts are raw bytes
-- (hashes in the order in which the protocol computes them, not the reversed one people read).

-- What this database belongs to: network, genesis block, account key. Written once, compared at
-- each start.
CREATE TABLE identity (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE merchants (
    id                 INTEGER PRIMARY KEY CHECK (id BETWEEN 0 AND 281474976710655),
    name               TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    discord_id         TEXT    UNIQUE,
    created_at         INTEGER NOT NULL,
    key_version        INTEGER NOT NULL DEFAULT 1 CHECK (key_version >= 1),
    confirmations      INTEGER CHECK (confirmations >= 1),
    subscription_until INTEGER,
    -- The version of the secret that signs webhooks, and when it replaced the one before.
    webhook_version    INTEGER NOT NULL DEFAULT 1 CHECK (webhook_version >= 1),
    webhook_rotated_at INTEGER,
    -- Since when an administrator lets the merchant make no new payments.
    suspended_at       INTEGER,
    CHECK ((webhook_version = 1) = (webhook_rotated_at IS NULL))
) STRICT;

-- Every registration of a payout address, the first as version 1. Only cancelling changes a row.
CREATE TABLE payout_addresses (
    merchant_id   INTEGER NOT NULL REFERENCES merchants (id),
    version       INTEGER NOT NULL CHECK (version >= 1),
    script        BLOB    NOT NULL,
    registered_at INTEGER NOT NULL,
    effective_at  INTEGER NOT NULL,
    cancelled_at  INTEGER,
    PRIMARY KEY (merchant_id, version)
) STRICT, WITHOUT ROWID;

-- A payment and the derivation index of its address are one row: an index cannot be taken
-- without a payment, nor twice.
CREATE TABLE payments (
    derivation_index     INTEGER PRIMARY KEY CHECK (derivation_index BETWEEN 0 AND 2147483647),
    id                   BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    merchant_id          INTEGER NOT NULL REFERENCES merchants (id),
    script               BLOB    NOT NULL UNIQUE,
    amount               INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 8400000000000000),
    created_at           INTEGER NOT NULL,
    expires_at           INTEGER NOT NULL,
    late_until           INTEGER NOT NULL CHECK (late_until >= expires_at),
    confirmations        INTEGER NOT NULL CHECK (confirmations >= 1),
    confirmations_pegout INTEGER NOT NULL CHECK (confirmations_pegout >= confirmations),
    reference            TEXT,
    webhook_url          TEXT,
    redirect_url         TEXT,
    status               TEXT    NOT NULL DEFAULT 'pending'
                                 CHECK (status IN ('pending', 'completed', 'expired')),
    status_at            INTEGER,
    late                 INTEGER NOT NULL DEFAULT 0 CHECK (late IN (0, 1)),
    CHECK ((status = 'pending') = (status_at IS NULL))
) STRICT;

CREATE INDEX payments_by_merchant ON payments (merchant_id, derivation_index);
CREATE INDEX payments_by_reference ON payments (merchant_id, reference)
    WHERE reference IS NOT NULL;
CREATE INDEX payments_by_status ON payments (merchant_id, status);
CREATE INDEX payments_pending ON payments (expires_at) WHERE status = 'pending';
CREATE INDEX payments_by_verdict ON payments (status_at) WHERE status_at IS NOT NULL;

CREATE TRIGGER payments_stay BEFORE DELETE ON payments
BEGIN
    SELECT RAISE(ABORT, 'a payment is never deleted: its address was given out');
END;

CREATE TRIGGER payments_are_fixed
BEFORE UPDATE OF derivation_index, id, merchant_id, script, amount, created_at, expires_at,
    late_until, confirmations, confirmations_pegout, reference, webhook_url, redirect_url
ON payments
BEGIN
    SELECT RAISE(ABORT, 'what was asked for never changes');
END;

CREATE TRIGGER payments_completed_is_final BEFORE UPDATE OF status, status_at, late ON payments
WHEN OLD.status = 'completed'
BEGIN
    SELECT RAISE(ABORT, 'completed is final');
END;

-- Indexes that may have been given out by a later state of this database that was lost: none
-- below the highest of these is ever given out again.
CREATE TABLE skipped_indexes (
    below  INTEGER PRIMARY KEY CHECK (below BETWEEN 0 AND 2147483647),
    at     INTEGER NOT NULL,
    reason TEXT    NOT NULL
) STRICT;

CREATE TRIGGER skipped_indexes_stay BEFORE DELETE ON skipped_indexes
BEGIN
    SELECT RAISE(ABORT, 'a skipped index may be in use');
END;

-- The sweeper's seals: a MAC over a payment's index, id, merchant and script, made at first sight
-- with a key that only the sweeper reads.
CREATE TABLE payment_seals (
    derivation_index INTEGER PRIMARY KEY REFERENCES payments (derivation_index),
    seal             BLOB    NOT NULL CHECK (length(seal) = 32)
) STRICT;

-- Somebody asked the running sweeper to sweep now.
CREATE TABLE sweep_requests (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    by TEXT    NOT NULL
) STRICT;

-- The chain as we followed it, from the block that we began at. No holes.
CREATE TABLE blocks (
    height INTEGER PRIMARY KEY CHECK (height >= 0),
    hash   BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    time   INTEGER NOT NULL
) STRICT;

-- Sweeps: which coins go out together. `dissolved_at` is set once the chain made every version
-- impossible; the claims on its coins are released in the same write.
CREATE TABLE sweeps (
    id           INTEGER PRIMARY KEY,
    created_at   INTEGER NOT NULL,
    dissolved_at INTEGER
) STRICT;

-- The signed versions of a sweep, all over the same coins. Stored before they are broadcast.
CREATE TABLE sweep_txs (
    sweep_id     INTEGER NOT NULL REFERENCES sweeps (id),
    version      INTEGER NOT NULL CHECK (version >= 1),
    txid         BLOB    NOT NULL UNIQUE CHECK (length(txid) = 32),
    raw          BLOB    NOT NULL,
    fee          INTEGER NOT NULL CHECK (fee >= 0),
    vsize        INTEGER NOT NULL CHECK (vsize > 0),
    created_at   INTEGER NOT NULL,
    sent_at      INTEGER,
    block_height INTEGER,
    block_hash   BLOB,
    PRIMARY KEY (sweep_id, version),
    CHECK ((block_height IS NULL) = (block_hash IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX sweep_txs_by_height ON sweep_txs (block_height) WHERE block_height IS NOT NULL;

-- A merchant's line in one version of a sweep: gross = fee_share + operator_fee + amount.
CREATE TABLE payouts (
    sweep_id     INTEGER NOT NULL,
    version      INTEGER NOT NULL,
    merchant_id  INTEGER NOT NULL REFERENCES merchants (id),
    script       BLOB    NOT NULL,
    gross        INTEGER NOT NULL CHECK (gross > 0),
    fee_share    INTEGER NOT NULL CHECK (fee_share >= 0),
    operator_fee INTEGER NOT NULL CHECK (operator_fee >= 0),
    amount       INTEGER NOT NULL CHECK (amount > 0),
    PRIMARY KEY (sweep_id, version, merchant_id),
    FOREIGN KEY (sweep_id, version) REFERENCES sweep_txs (sweep_id, version),
    CHECK (gross = fee_share + operator_fee + amount)
) STRICT, WITHOUT ROWID;

CREATE INDEX payouts_by_merchant ON payouts (merchant_id, sweep_id);

-- Outputs that pay an issued script. Rows are never deleted: that a coin was seen is a fact.
CREATE TABLE coins (
    txid             BLOB    NOT NULL CHECK (length(txid) = 32),
    vout             INTEGER NOT NULL CHECK (vout >= 0),
    derivation_index INTEGER NOT NULL REFERENCES payments (derivation_index),
    amount           INTEGER NOT NULL CHECK (amount BETWEEN 0 AND 8400000000000000),
    origin           TEXT    NOT NULL CHECK (origin IN ('plain', 'coinbase', 'pegout')),
    seen_at          INTEGER NOT NULL,
    place            TEXT    NOT NULL CHECK (place IN ('mempool', 'block', 'gone')),
    block_height     INTEGER,
    block_hash       BLOB,
    -- The claim of the sweep that pays this coin out.
    sweep_id         INTEGER REFERENCES sweeps (id),
    -- The transaction on the best chain that spent the coin, whoever made it.
    spent_txid       BLOB,
    spent_height     INTEGER,
    PRIMARY KEY (txid, vout),
    CHECK ((place = 'block') = (block_height IS NOT NULL)),
    CHECK ((block_height IS NULL) = (block_hash IS NULL)),
    CHECK ((spent_txid IS NULL) = (spent_height IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX coins_by_payment ON coins (derivation_index);
CREATE INDEX coins_by_sight ON coins (seen_at);
CREATE INDEX coins_in_mempool ON coins (txid) WHERE place = 'mempool';
CREATE INDEX coins_off_chain ON coins (place, derivation_index) WHERE place IN ('mempool', 'gone');
CREATE INDEX coins_of_pegouts ON coins (derivation_index) WHERE origin = 'pegout' AND place = 'block';
CREATE INDEX coins_by_height ON coins (block_height) WHERE block_height IS NOT NULL;
CREATE INDEX coins_by_spent_height ON coins (spent_height) WHERE spent_height IS NOT NULL;
CREATE INDEX coins_unclaimed ON coins (derivation_index) WHERE sweep_id IS NULL;
CREATE INDEX coins_by_sweep ON coins (sweep_id) WHERE sweep_id IS NOT NULL;

CREATE TRIGGER coins_stay BEFORE DELETE ON coins
BEGIN
    SELECT RAISE(ABORT, 'a coin is never deleted: that it was seen is a fact');
END;

CREATE TRIGGER coins_are_claimed_once BEFORE UPDATE OF sweep_id ON coins
WHEN OLD.sweep_id IS NOT NULL AND NEW.sweep_id IS NOT NULL AND OLD.sweep_id <> NEW.sweep_id
BEGIN
    SELECT RAISE(ABORT, 'the coin is claimed by another sweep');
END;

-- What a merchant must be told, with the exact bytes to send. The id is derived from payment and
-- kind, so that a restored database repeats it.
CREATE TABLE events (
    id               TEXT    PRIMARY KEY,
    derivation_index INTEGER NOT NULL REFERENCES payments (derivation_index),
    kind             TEXT    NOT NULL CHECK (kind IN ('completed')),
    merchant_id      INTEGER NOT NULL REFERENCES merchants (id),
    url              TEXT    NOT NULL,
    body             TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    state            TEXT    NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'delivered', 'failed')),
    attempts         INTEGER NOT NULL DEFAULT 0,
    -- Attempts from before the event was last made due by hand, from which on the schedule runs.
    attempts_before  INTEGER NOT NULL DEFAULT 0 CHECK (attempts_before BETWEEN 0 AND attempts),
    -- When the next attempt is due; absent once the event is delivered or failed.
    next_at          INTEGER,
    UNIQUE (derivation_index, kind),
    CHECK ((state = 'due') = (next_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX events_due ON events (merchant_id, next_at) WHERE state = 'due';
CREATE INDEX events_by_merchant ON events (merchant_id, created_at);
CREATE INDEX events_failed ON events (merchant_id) WHERE state = 'failed';

-- Each try at an event: what came back, how long it took, the beginning of the answer.
CREATE TABLE attempts (
    event_id    TEXT    NOT NULL REFERENCES events (id),
    number      INTEGER NOT NULL CHECK (number >= 1),
    started_at  INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL CHECK (duration_ms >= 0),
    http_status INTEGER,
    outcome     TEXT    NOT NULL,
    answer      TEXT    NOT NULL DEFAULT '' CHECK (length(answer) <= 256),
    PRIMARY KEY (event_id, number)
) STRICT, WITHOUT ROWID;

-- Answers that were promised to repeat: one payment for each key of a merchant.
CREATE TABLE idempotency_keys (
    merchant_id      INTEGER NOT NULL REFERENCES merchants (id),
    key              TEXT    NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_hash     BLOB    NOT NULL CHECK (length(request_hash) = 32),
    derivation_index INTEGER NOT NULL REFERENCES payments (derivation_index),
    created_at       INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, key)
) STRICT, WITHOUT ROWID;

-- Whether anybody looks for reasons to doubt the chain, and the tip at which they last did.
-- One row, or none before the watcher first ran.
CREATE TABLE doubt_watch (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    enabled       INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    looked_height INTEGER,
    looked_hash   BLOB CHECK (length(looked_hash) = 32),
    CHECK ((looked_height IS NULL) = (looked_hash IS NULL))
) STRICT;

-- What was wrong at the last look: a branch by its last block, anything else by an empty one.
CREATE TABLE doubt_troubles (
    kind   TEXT NOT NULL,
    branch BLOB NOT NULL CHECK (length(branch) IN (0, 32)),
    PRIMARY KEY (kind, branch)
) STRICT, WITHOUT ROWID;

-- Doubts, past and present; at most one is open.
CREATE TABLE doubts (
    id              INTEGER PRIMARY KEY,
    began_at        INTEGER NOT NULL,
    began_height    INTEGER NOT NULL,
    reason          TEXT    NOT NULL,
    troubled_height INTEGER NOT NULL,
    ended_at        INTEGER,
    -- 'quiet', or who ended it by hand.
    ended_by        TEXT,
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
) STRICT;

CREATE UNIQUE INDEX doubts_open ON doubts ((ended_at IS NULL)) WHERE ended_at IS NULL;

-- When each role last did its whole work, for pages and health checks in other processes.
CREATE TABLE progress (
    role TEXT PRIMARY KEY,
    -- NULL before it first did its whole work.
    at   INTEGER,
    note TEXT    NOT NULL DEFAULT '',
    -- Why it could not do its work since, in words; NULL once it did.
    trouble TEXT
) STRICT, WITHOUT ROWID;

-- Who changed what. Append only; holds no secret.
CREATE TABLE trail (
    id          INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    actor       TEXT    NOT NULL,
    act         TEXT    NOT NULL,
    merchant_id INTEGER REFERENCES merchants (id),
    before      TEXT,
    after       TEXT
) STRICT;

CREATE INDEX trail_by_act ON trail (act, at);
CREATE INDEX trail_by_merchant ON trail (merchant_id, id);

CREATE TRIGGER trail_stays BEFORE DELETE ON trail
BEGIN
    SELECT RAISE(ABORT, 'the trail is append only');
END;

CREATE TRIGGER trail_is_fixed BEFORE UPDATE ON trail
BEGIN
    SELECT RAISE(ABORT, 'the trail is append only');
END;

-- What people are told without having asked. The key says what it is about, so that a fact that is
-- met again, by another process or after a restart, is told once. Those without a merchant are for
-- the administrators.
CREATE TABLE notices (
    id          INTEGER PRIMARY KEY,
    key         TEXT    NOT NULL UNIQUE,
    kind        TEXT    NOT NULL,
    merchant_id INTEGER REFERENCES merchants (id),
    text        TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    -- 'kept': its reader takes no messages, and finds it when they look; 'read': they did.
    state       TEXT    NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'sent', 'kept', 'read')),
    -- Notices that go out in one message; what was begun is sent again as it was.
    batch       INTEGER,
    attempts    INTEGER NOT NULL DEFAULT 0,
    next_at     INTEGER,
    done_at     INTEGER,
    CHECK ((state = 'due') = (next_at IS NOT NULL))
) STRICT;

CREATE INDEX notices_due ON notices (next_at) WHERE state = 'due';
CREATE INDEX notices_by_reader ON notices (merchant_id, state, done_at);

-- Kinds of notices that a merchant has turned on or off.
CREATE TABLE notice_choices (
    merchant_id INTEGER NOT NULL REFERENCES merchants (id),
    kind        TEXT    NOT NULL,
    wanted      INTEGER NOT NULL CHECK (wanted IN (0, 1)),
    PRIMARY KEY (merchant_id, kind)
) STRICT, WITHOUT ROWID;

-- Discord users who have proven to be administrators, so that they can be written to. Whether they
-- still are is asked each time.
CREATE TABLE discord_admins (
    discord_id TEXT    PRIMARY KEY,
    proven_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What somebody was asked to confirm by a button: bound to one Discord user, for a time, used once.
CREATE TABLE confirmations (
    id         TEXT    PRIMARY KEY CHECK (length(id) = 32),
    discord_id TEXT    NOT NULL,
    act        TEXT    NOT NULL,
    argument   TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
) STRICT, WITHOUT ROWID;
