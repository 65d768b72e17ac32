-- The schema of litegate. Later migrations change it; this script itself never changes.

CREATE TABLE identity (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    mac   BLOB CHECK (length(mac) = 32)
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
    -- Until when the previous API key is accepted. NULL: it is not.
    previous_key_until INTEGER,
    -- Where webhooks go of payments that were created without a URL.
    webhook_url        TEXT,
    mac                BLOB    CHECK (length(mac) = 32),
    -- Rises with each change of the row; the heads file knows the newest.
    revision           INTEGER NOT NULL DEFAULT 1 CHECK (revision >= 1),
    -- The revision at which the named API keys last changed, and how many there are.
    api_keys_revision  INTEGER,
    api_keys           INTEGER,
    -- The revision at which the second factor last changed.
    second_factor_revision INTEGER,
    CHECK ((webhook_version = 1) = (webhook_rotated_at IS NULL))
) STRICT;

CREATE TABLE payout_addresses (
    merchant_id   INTEGER NOT NULL REFERENCES merchants (id),
    version       INTEGER NOT NULL CHECK (version >= 1),
    script        BLOB    NOT NULL,
    registered_at INTEGER NOT NULL,
    effective_at  INTEGER NOT NULL,
    cancelled_at  INTEGER,
    mac           BLOB    CHECK (length(mac) = 32),
    PRIMARY KEY (merchant_id, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX payout_addresses_by_script ON payout_addresses (script);

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
    -- The price in the shop's own wording, for example "4.17 EUR". Shown, never used to compute.
    display_amount       TEXT    CHECK (length(display_amount) BETWEEN 1 AND 24),
    -- HMAC-SHA256 over all that is fixed when a payment is created.
    mac                  BLOB    CHECK (length(mac) = 32),
    -- The named API key that created the payment.
    api_key              INTEGER,
    CHECK ((status = 'pending') = (status_at IS NULL))
) STRICT;

CREATE INDEX payments_by_merchant ON payments (merchant_id, derivation_index);

CREATE INDEX payments_by_reference ON payments (merchant_id, reference)
    WHERE reference IS NOT NULL;

CREATE INDEX payments_by_status ON payments (merchant_id, status);

CREATE INDEX payments_pending ON payments (expires_at) WHERE status = 'pending';

CREATE INDEX payments_open ON payments (merchant_id, expires_at) WHERE status = 'pending';

CREATE INDEX payments_by_verdict ON payments (status_at) WHERE status_at IS NOT NULL;

CREATE INDEX payments_undecided ON payments (confirmations_pegout) WHERE status <> 'completed';

CREATE INDEX payments_with_texts ON payments (expires_at, derivation_index)
    WHERE status = 'expired'
      AND coalesce(reference, webhook_url, redirect_url, display_amount) IS NOT NULL;

CREATE INDEX payments_by_api_key ON payments (merchant_id, api_key) WHERE api_key IS NOT NULL;

CREATE TABLE payment_counts (
    status TEXT    PRIMARY KEY,
    count  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE skipped_indexes (
    below  INTEGER PRIMARY KEY CHECK (below BETWEEN 0 AND 2147483647),
    at     INTEGER NOT NULL,
    reason TEXT    NOT NULL,
    mac    BLOB    CHECK (length(mac) = 32)
) STRICT;

CREATE TABLE payment_seals (
    derivation_index INTEGER PRIMARY KEY REFERENCES payments (derivation_index),
    seal             BLOB    NOT NULL CHECK (length(seal) = 32)
) STRICT;

CREATE TABLE sweep_requests (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    by TEXT    NOT NULL
) STRICT;

CREATE TABLE blocks (
    height INTEGER PRIMARY KEY CHECK (height >= 0),
    hash   BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    time   INTEGER NOT NULL
) STRICT;

CREATE TABLE sweeps (
    id           INTEGER PRIMARY KEY,
    created_at   INTEGER NOT NULL,
    abandoned_at INTEGER,
    -- When the watcher recognised a transaction in a block as a sweep that this database did not
    -- make. Such a sweep claims no coin, and `abandoned_at` is set from the beginning.
    recognised_at INTEGER
) STRICT;

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
    -- When the stored bytes were first found not to be signed by our key.
    damaged_at   INTEGER,
    PRIMARY KEY (sweep_id, version),
    CHECK ((block_height IS NULL) = (block_hash IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX sweep_txs_by_height ON sweep_txs (block_height) WHERE block_height IS NOT NULL;

CREATE INDEX sweep_txs_by_time ON sweep_txs (created_at);

CREATE INDEX sweep_txs_by_sending ON sweep_txs (sent_at) WHERE sent_at IS NOT NULL;

CREATE INDEX sweep_txs_damaged ON sweep_txs (damaged_at) WHERE damaged_at IS NOT NULL;

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

CREATE TABLE coins (
    txid             BLOB    NOT NULL CHECK (length(txid) = 32),
    vout             INTEGER NOT NULL CHECK (vout >= 0),
    derivation_index INTEGER NOT NULL REFERENCES payments (derivation_index),
    amount           INTEGER NOT NULL CHECK (amount BETWEEN 0 AND 8400000000000000),
    origin           TEXT    NOT NULL CHECK (origin IN ('plain', 'coinbase', 'pegout')),
    seen_at          INTEGER NOT NULL,
    place            TEXT    NOT NULL CHECK (place IN ('mempool', 'block', 'removed')),
    block_height     INTEGER,
    block_hash       BLOB,
    -- The claim of the sweep that pays this coin out.
    sweep_id         INTEGER REFERENCES sweeps (id),
    -- The transaction on the best chain that spent the coin.
    spent_txid       BLOB,
    spent_height     INTEGER,
    -- The peg-out that this coin is. NULL for other coins.
    pegout           INTEGER REFERENCES pegouts (sequence),
    mac              BLOB    CHECK (length(mac) = 32),
    PRIMARY KEY (txid, vout),
    CHECK ((place = 'block') = (block_height IS NOT NULL)),
    CHECK ((block_height IS NULL) = (block_hash IS NULL)),
    CHECK ((spent_txid IS NULL) = (spent_height IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX coins_by_payment ON coins (derivation_index);

CREATE INDEX coins_by_sight ON coins (seen_at);

CREATE INDEX coins_in_mempool ON coins (txid) WHERE place = 'mempool';

CREATE INDEX coins_off_chain ON coins (place, derivation_index) WHERE place IN ('mempool', 'removed');

CREATE INDEX coins_of_pegouts ON coins (derivation_index) WHERE origin = 'pegout' AND place = 'block';

CREATE INDEX coins_by_spent_height ON coins (spent_height) WHERE spent_height IS NOT NULL;

CREATE INDEX coins_unclaimed ON coins (derivation_index) WHERE sweep_id IS NULL;

CREATE INDEX coins_by_sweep ON coins (sweep_id) WHERE sweep_id IS NOT NULL;

CREATE INDEX coins_by_height ON coins (block_height, derivation_index)
    WHERE block_height IS NOT NULL;

CREATE INDEX coins_by_pegout ON coins (pegout) WHERE pegout IS NOT NULL;

CREATE INDEX coins_of_unmined_pegouts ON coins (derivation_index)
    WHERE place = 'mempool' AND pegout IS NOT NULL;

CREATE UNIQUE INDEX coins_of_a_pegout_count_once ON coins (pegout)
    WHERE pegout IS NOT NULL AND place <> 'removed';

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
    mac              BLOB    CHECK (length(mac) = 32),
    UNIQUE (derivation_index, kind),
    CHECK ((state = 'due') = (next_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX events_due ON events (merchant_id, next_at) WHERE state = 'due';

CREATE INDEX events_by_merchant ON events (merchant_id, created_at);

CREATE INDEX events_failed ON events (merchant_id) WHERE state = 'failed';

CREATE INDEX events_by_time ON events (created_at);

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

CREATE INDEX attempts_by_time ON attempts (started_at);

CREATE TABLE idempotency_keys (
    merchant_id      INTEGER NOT NULL REFERENCES merchants (id),
    key              TEXT    NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_hash     BLOB    NOT NULL CHECK (length(request_hash) = 32),
    derivation_index INTEGER NOT NULL REFERENCES payments (derivation_index),
    created_at       INTEGER NOT NULL,
    mac              BLOB    CHECK (length(mac) = 32),
    PRIMARY KEY (merchant_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_by_time ON idempotency_keys (created_at);

CREATE TABLE chain_guard (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    enabled       INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    checked_height INTEGER,
    checked_hash   BLOB CHECK (length(checked_hash) = 32),
    CHECK ((checked_height IS NULL) = (checked_hash IS NULL))
) STRICT;

CREATE TABLE chain_guard_findings (
    kind   TEXT NOT NULL,
    branch BLOB NOT NULL CHECK (length(branch) IN (0, 32)),
    PRIMARY KEY (kind, branch)
) STRICT, WITHOUT ROWID;

CREATE TABLE chain_guard_alerts (
    id              INTEGER PRIMARY KEY,
    began_at        INTEGER NOT NULL,
    began_height    INTEGER NOT NULL,
    reason          TEXT    NOT NULL,
    last_finding_height INTEGER NOT NULL,
    ended_at        INTEGER,
    -- 'quiet', or who ended it by hand.
    ended_by        TEXT,
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
) STRICT;

CREATE UNIQUE INDEX chain_guard_alerts_open ON chain_guard_alerts ((ended_at IS NULL)) WHERE ended_at IS NULL;

CREATE TABLE role_status (
    role TEXT PRIMARY KEY,
    -- NULL before it first did its whole work.
    at   INTEGER,
    note TEXT    NOT NULL DEFAULT '',
    -- Why it could not do its work since, in words; NULL once it did.
    trouble TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE notifications (
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
    -- The notification as JSON, for other languages and forms than `text`.
    payload     TEXT,
    CHECK ((state = 'due') = (next_at IS NOT NULL))
) STRICT;

CREATE INDEX notifications_due ON notifications (next_at) WHERE state = 'due';

CREATE INDEX notifications_by_reader ON notifications (merchant_id, state, done_at);

CREATE INDEX notifications_done ON notifications (done_at) WHERE state <> 'due' AND merchant_id IS NOT NULL;

CREATE TABLE notification_settings (
    merchant_id INTEGER NOT NULL REFERENCES merchants (id),
    kind        TEXT    NOT NULL,
    wanted      INTEGER NOT NULL CHECK (wanted IN (0, 1)), by_channel INTEGER NOT NULL DEFAULT 0
    CHECK (by_channel IN (0, 1)),
    PRIMARY KEY (merchant_id, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE discord_admins (
    discord_id TEXT    PRIMARY KEY,
    proven_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE confirmations (
    id         TEXT    PRIMARY KEY CHECK (length(id) = 32),
    discord_id TEXT    NOT NULL,
    act        TEXT    NOT NULL,
    argument   TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER,
    mac BLOB CHECK (length(mac) = 32)
) STRICT, WITHOUT ROWID;

CREATE INDEX confirmations_by_expiry ON confirmations (expires_at);

CREATE TABLE payment_changes (
    derivation_index INTEGER PRIMARY KEY REFERENCES payments (derivation_index),
    number           INTEGER NOT NULL UNIQUE
) STRICT;

CREATE TABLE node_in_use (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    -- Its host and port.
    name  TEXT    NOT NULL,
    since INTEGER NOT NULL,
    -- When the whole mempool of this node was last compared: what it did not hold came later.
    compared_at INTEGER
) STRICT;

CREATE TABLE in_flight_sweeps (
    sweep_id INTEGER PRIMARY KEY REFERENCES sweeps (id)
) STRICT;

CREATE TABLE merchant_payouts (
    merchant_id  INTEGER PRIMARY KEY REFERENCES merchants (id),
    amount       INTEGER NOT NULL,
    fee_share    INTEGER NOT NULL,
    operator_fee INTEGER NOT NULL
) STRICT;

CREATE TABLE merchant_coins (
    merchant_id INTEGER NOT NULL REFERENCES merchants (id),
    state       TEXT    NOT NULL
                CHECK (state IN ('mempool', 'unclaimed', 'claimed', 'spent', 'elsewhere')),
    amount      INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, state)
) STRICT, WITHOUT ROWID;

CREATE TABLE merchant_payments (
    merchant_id       INTEGER PRIMARY KEY REFERENCES merchants (id),
    pending           INTEGER NOT NULL,
    confirmations_max INTEGER NOT NULL
) STRICT;

CREATE TABLE discord_locales (
    discord_id TEXT    PRIMARY KEY,
    locale     TEXT    NOT NULL CHECK (length(locale) BETWEEN 1 AND 16),
    -- Since when it is this one.
    since      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE pegouts (
    sequence  INTEGER PRIMARY KEY,
    kernel_id BLOB    CHECK (length(kernel_id) = 32),
    position  INTEGER CHECK (position >= 0),
    -- The coin under which it was last in the mempool; NULL if it was met in a block.
    announced_txid BLOB CHECK (length(announced_txid) = 32),
    announced_vout INTEGER CHECK (announced_vout >= 0),
    CHECK ((kernel_id IS NULL) = (position IS NULL)),
    CHECK ((announced_txid IS NULL) = (announced_vout IS NULL))
) STRICT;

CREATE INDEX pegouts_by_kernel ON pegouts (kernel_id) WHERE kernel_id IS NOT NULL;

CREATE TABLE payout_waits (
    merchant_id  INTEGER PRIMARY KEY REFERENCES merchants (id),
    -- The registration that it is about, and the newest one that the sweeper knows.
    version      INTEGER NOT NULL,
    newest_known INTEGER NOT NULL,
    reason       TEXT    NOT NULL,
    -- When it ends without anyone doing something; NULL if it does not, or nobody knows.
    until        INTEGER,
    since        INTEGER NOT NULL
) STRICT;

CREATE TABLE operator_addresses (
    script BLOB    PRIMARY KEY,
    since  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE merchant_days (
    merchant_id INTEGER NOT NULL REFERENCES merchants (id),
    day         INTEGER NOT NULL,
    payments    INTEGER NOT NULL,
    PRIMARY KEY (day, merchant_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE table_sizes (
    name  TEXT    PRIMARY KEY,
    bytes INTEGER NOT NULL,
    at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_log (
    id          INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    -- `cli`, `discord:<user id>`, `api key` or `system`.
    actor       TEXT    NOT NULL,
    -- From where on Discord: `server <id>` or `message`.
    place       TEXT,
    act         TEXT    NOT NULL,
    merchant_id INTEGER REFERENCES merchants (id),
    before      TEXT,
    after       TEXT,
    -- SHA-256 over the hash of the row before and all other columns.
    hash        BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE INDEX audit_log_by_act ON audit_log (act, at);

CREATE INDEX audit_log_by_merchant ON audit_log (merchant_id, id);

CREATE INDEX audit_log_by_merchant_and_act ON audit_log (merchant_id, act, at);

CREATE TABLE api_keys (
    merchant_id  INTEGER NOT NULL REFERENCES merchants (id),
    -- 48 random bits: a key derives from its id, so no id is used twice.
    id           INTEGER NOT NULL,
    -- The key is valid while this equals the merchant's api_keys_revision.
    revision     INTEGER NOT NULL,
    name         TEXT    NOT NULL,
    scope        TEXT    NOT NULL CHECK (scope IN ('create', 'read', 'full')),
    created_at   INTEGER NOT NULL,
    -- To the minute.
    last_used_at INTEGER,
    mac          BLOB    CHECK (length(mac) = 32),
    PRIMARY KEY (merchant_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE second_factors (
    merchant_id      INTEGER PRIMARY KEY REFERENCES merchants (id),
    -- An enabled factor is valid while this equals the merchant's second_factor_revision.
    revision         INTEGER NOT NULL,
    -- Nonce and secret of the app, encrypted.
    secret           BLOB    NOT NULL,
    begun_at         INTEGER NOT NULL,
    -- The revision at which it was enabled; absent while it waits for its first code.
    enabled_revision INTEGER,
    -- The step of the last code that was accepted: 30 seconds each since 1970.
    last_step        INTEGER NOT NULL,
    -- Wrong codes since the last one that was accepted.
    wrong            INTEGER NOT NULL,
    locked_until     INTEGER,
    -- The SHA-256 of each recovery code that was not used.
    recovery         BLOB    NOT NULL CHECK (length(recovery) % 32 = 0),
    mac              BLOB    CHECK (length(mac) = 32)
) STRICT;

INSERT INTO payment_counts VALUES ('pending', 0), ('completed', 0), ('expired', 0);

CREATE TRIGGER payments_are_counted AFTER INSERT ON payments
BEGIN
    UPDATE payment_counts SET count = count + 1 WHERE status = NEW.status;
END;

CREATE TRIGGER payments_are_counted_again AFTER UPDATE OF status ON payments
BEGIN
    UPDATE payment_counts SET count = count - 1 WHERE status = OLD.status;
    UPDATE payment_counts SET count = count + 1 WHERE status = NEW.status;
END;

CREATE TRIGGER payments_stay BEFORE DELETE ON payments
BEGIN
    SELECT RAISE(ABORT, 'a payment is never deleted: its address was given out');
END;

CREATE TRIGGER payments_completed_is_final BEFORE UPDATE OF status, status_at, late ON payments
WHEN OLD.status = 'completed'
BEGIN
    SELECT RAISE(ABORT, 'completed is final');
END;

CREATE TRIGGER skipped_indexes_stay BEFORE DELETE ON skipped_indexes
BEGIN
    SELECT RAISE(ABORT, 'a skipped index may be in use');
END;

CREATE TRIGGER coins_stay BEFORE DELETE ON coins
BEGIN
    SELECT RAISE(ABORT, 'a coin is never deleted: that it was seen is a fact');
END;

CREATE TRIGGER coins_are_claimed_once BEFORE UPDATE OF sweep_id ON coins
WHEN OLD.sweep_id IS NOT NULL AND NEW.sweep_id IS NOT NULL AND OLD.sweep_id <> NEW.sweep_id
BEGIN
    SELECT RAISE(ABORT, 'the coin is claimed by another sweep');
END;

CREATE TRIGGER payments_change AFTER UPDATE OF status ON payments
BEGIN
    INSERT INTO payment_changes
    VALUES (NEW.derivation_index,
            (SELECT coalesce(max(number), 0) + 1 FROM payment_changes))
    ON CONFLICT (derivation_index) DO UPDATE SET number = excluded.number;
END;

CREATE TRIGGER coins_arrive AFTER INSERT ON coins
BEGIN
    INSERT INTO payment_changes
    VALUES (NEW.derivation_index,
            (SELECT coalesce(max(number), 0) + 1 FROM payment_changes))
    ON CONFLICT (derivation_index) DO UPDATE SET number = excluded.number;
END;

CREATE TRIGGER coins_change
AFTER UPDATE OF derivation_index, amount, origin, place, block_height, block_hash ON coins
BEGIN
    INSERT INTO payment_changes
    VALUES (NEW.derivation_index,
            (SELECT coalesce(max(number), 0) + 1 FROM payment_changes))
    ON CONFLICT (derivation_index) DO UPDATE SET number = excluded.number;
END;

CREATE TRIGGER coins_change_hands AFTER UPDATE OF derivation_index ON coins
WHEN OLD.derivation_index <> NEW.derivation_index
BEGIN
    INSERT INTO payment_changes
    VALUES (OLD.derivation_index,
            (SELECT coalesce(max(number), 0) + 1 FROM payment_changes))
    ON CONFLICT (derivation_index) DO UPDATE SET number = excluded.number;
END;

CREATE TRIGGER sweeps_begin AFTER INSERT ON sweeps WHEN NEW.abandoned_at IS NULL
BEGIN
    INSERT INTO in_flight_sweeps VALUES (NEW.id);
END;

CREATE TRIGGER sweeps_are_given_up AFTER UPDATE OF abandoned_at ON sweeps
WHEN NEW.abandoned_at IS NOT NULL
BEGIN
    DELETE FROM in_flight_sweeps WHERE sweep_id = NEW.id;
END;

CREATE TRIGGER sweeps_are_mined AFTER UPDATE OF block_height ON sweep_txs
WHEN OLD.block_height IS NULL AND NEW.block_height IS NOT NULL
BEGIN
    DELETE FROM in_flight_sweeps WHERE sweep_id = NEW.sweep_id;
    INSERT INTO merchant_payouts
    SELECT merchant_id, amount, fee_share, operator_fee FROM payouts
    WHERE sweep_id = NEW.sweep_id AND version = NEW.version
    ON CONFLICT (merchant_id) DO UPDATE SET
        amount = amount + excluded.amount,
        fee_share = fee_share + excluded.fee_share,
        operator_fee = operator_fee + excluded.operator_fee;
END;

CREATE TRIGGER sweeps_are_taken_back AFTER UPDATE OF block_height ON sweep_txs
WHEN OLD.block_height IS NOT NULL AND NEW.block_height IS NULL
BEGIN
    INSERT OR IGNORE INTO in_flight_sweeps
    SELECT id FROM sweeps WHERE id = NEW.sweep_id AND abandoned_at IS NULL AND NOT EXISTS
        (SELECT 1 FROM sweep_txs WHERE sweep_id = NEW.sweep_id AND block_height IS NOT NULL);
    INSERT INTO merchant_payouts
    SELECT merchant_id, amount, fee_share, operator_fee FROM payouts
    WHERE sweep_id = NEW.sweep_id AND version = NEW.version
    ON CONFLICT (merchant_id) DO UPDATE SET
        amount = amount - excluded.amount,
        fee_share = fee_share - excluded.fee_share,
        operator_fee = operator_fee - excluded.operator_fee;
END;

CREATE TRIGGER coins_are_summed AFTER INSERT ON coins WHEN NEW.place <> 'removed'
BEGIN
    INSERT INTO merchant_coins
    SELECT merchant_id,
        CASE WHEN NEW.place = 'mempool' THEN 'mempool'
             WHEN NEW.spent_txid IN (SELECT txid FROM sweep_txs) THEN 'spent'
             WHEN NEW.spent_txid IS NOT NULL THEN 'elsewhere'
             WHEN NEW.sweep_id IS NOT NULL THEN 'claimed'
             ELSE 'unclaimed' END,
        NEW.amount
    FROM payments WHERE derivation_index = NEW.derivation_index
    ON CONFLICT (merchant_id, state) DO UPDATE SET amount = amount + excluded.amount;
END;

CREATE TRIGGER coins_leave_their_sum
BEFORE UPDATE OF derivation_index, amount, place, sweep_id, spent_txid ON coins
WHEN OLD.place <> 'removed'
BEGIN
    UPDATE merchant_coins SET amount = amount - OLD.amount
    WHERE merchant_id = (SELECT merchant_id FROM payments
                         WHERE derivation_index = OLD.derivation_index)
      AND state = CASE WHEN OLD.place = 'mempool' THEN 'mempool'
                       WHEN OLD.spent_txid IN (SELECT txid FROM sweep_txs) THEN 'spent'
                       WHEN OLD.spent_txid IS NOT NULL THEN 'elsewhere'
                       WHEN OLD.sweep_id IS NOT NULL THEN 'claimed'
                       ELSE 'unclaimed' END;
END;

CREATE TRIGGER coins_are_summed_again
AFTER UPDATE OF derivation_index, amount, place, sweep_id, spent_txid ON coins
WHEN NEW.place <> 'removed'
BEGIN
    INSERT INTO merchant_coins
    SELECT merchant_id,
        CASE WHEN NEW.place = 'mempool' THEN 'mempool'
             WHEN NEW.spent_txid IN (SELECT txid FROM sweep_txs) THEN 'spent'
             WHEN NEW.spent_txid IS NOT NULL THEN 'elsewhere'
             WHEN NEW.sweep_id IS NOT NULL THEN 'claimed'
             ELSE 'unclaimed' END,
        NEW.amount
    FROM payments WHERE derivation_index = NEW.derivation_index
    ON CONFLICT (merchant_id, state) DO UPDATE SET amount = amount + excluded.amount;
END;

CREATE TRIGGER coins_were_spent_by_a_sweep AFTER INSERT ON sweep_txs
WHEN EXISTS (SELECT 1 FROM coins WHERE sweep_id = NEW.sweep_id AND spent_txid = NEW.txid)
BEGIN
    INSERT INTO merchant_coins
    SELECT merchant_id, 'spent', sum(coins.amount)
    FROM coins CROSS JOIN payments USING (derivation_index)
    WHERE sweep_id = NEW.sweep_id AND spent_txid = NEW.txid AND place = 'block'
    GROUP BY merchant_id
    ON CONFLICT (merchant_id, state) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO merchant_coins
    SELECT merchant_id, 'elsewhere', sum(coins.amount)
    FROM coins CROSS JOIN payments USING (derivation_index)
    WHERE sweep_id = NEW.sweep_id AND spent_txid = NEW.txid AND place = 'block'
    GROUP BY merchant_id
    ON CONFLICT (merchant_id, state) DO UPDATE SET amount = amount - excluded.amount;
END;

CREATE TRIGGER payments_are_counted_by_merchant AFTER INSERT ON payments
BEGIN
    INSERT INTO merchant_payments
    VALUES (NEW.merchant_id, NEW.status = 'pending', NEW.confirmations_pegout)
    ON CONFLICT (merchant_id) DO UPDATE SET
        pending = pending + excluded.pending,
        confirmations_max = max(confirmations_max, excluded.confirmations_max);
END;

CREATE TRIGGER payments_are_counted_by_merchant_again AFTER UPDATE OF status ON payments
BEGIN
    UPDATE merchant_payments
    SET pending = pending + (NEW.status = 'pending') - (OLD.status = 'pending')
    WHERE merchant_id = NEW.merchant_id;
END;

CREATE TRIGGER pegouts_stay BEFORE DELETE ON pegouts
BEGIN
    SELECT RAISE(ABORT, 'a peg-out is never deleted: that it was seen is a fact');
END;

CREATE TRIGGER payments_are_counted_by_day AFTER INSERT ON payments
BEGIN
    INSERT INTO merchant_days (merchant_id, day, payments)
    VALUES (NEW.merchant_id, NEW.created_at / 86400000, 1)
    ON CONFLICT (day, merchant_id) DO UPDATE SET payments = payments + 1;
END;

CREATE TRIGGER payments_are_fixed
BEFORE UPDATE OF derivation_index, id, merchant_id, script, amount, created_at, expires_at,
    late_until, confirmations, confirmations_pegout
ON payments
BEGIN
    SELECT RAISE(ABORT, 'what was asked for never changes');
END;

CREATE TRIGGER payments_texts_are_fixed
BEFORE UPDATE OF reference, webhook_url, redirect_url, display_amount ON payments
WHEN coalesce(NEW.reference, NEW.webhook_url, NEW.redirect_url, NEW.display_amount) IS NOT NULL
    OR NEW.status <> 'expired'
    OR EXISTS (SELECT 1 FROM coins WHERE derivation_index = NEW.derivation_index)
BEGIN
    SELECT RAISE(ABORT, 'what was asked for never changes');
END;

CREATE TRIGGER payments_lose_texts
AFTER UPDATE OF reference, webhook_url, redirect_url, display_amount ON payments
BEGIN
    INSERT INTO payment_changes
    VALUES (NEW.derivation_index,
            (SELECT coalesce(max(number), 0) + 1 FROM payment_changes))
    ON CONFLICT (derivation_index) DO UPDATE SET number = excluded.number;
END;

CREATE TRIGGER audit_log_stays BEFORE DELETE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append only');
END;

CREATE TRIGGER audit_log_is_fixed BEFORE UPDATE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append only');
END;
