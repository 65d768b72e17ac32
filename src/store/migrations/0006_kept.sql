-- What is asked all the time and would cost more with every payment ever made is kept beside the
-- facts, by triggers, so in the write that changes them. `litegate audit` holds it against the
-- facts.

-- Sweeps under way: neither given up nor mined.
CREATE TABLE sweeps_under_way (
    sweep_id INTEGER PRIMARY KEY REFERENCES sweeps (id)
) STRICT;

INSERT INTO sweeps_under_way
SELECT id FROM sweeps WHERE dissolved_at IS NULL AND NOT EXISTS
    (SELECT 1 FROM sweep_txs WHERE sweep_id = sweeps.id AND block_height IS NOT NULL);

CREATE TRIGGER sweeps_begin AFTER INSERT ON sweeps WHEN NEW.dissolved_at IS NULL
BEGIN
    INSERT INTO sweeps_under_way VALUES (NEW.id);
END;

CREATE TRIGGER sweeps_are_given_up AFTER UPDATE OF dissolved_at ON sweeps
WHEN NEW.dissolved_at IS NOT NULL
BEGIN
    DELETE FROM sweeps_under_way WHERE sweep_id = NEW.id;
END;

-- What mined sweeps paid each merchant, and took.
CREATE TABLE merchant_payouts (
    merchant_id  INTEGER PRIMARY KEY REFERENCES merchants (id),
    amount       INTEGER NOT NULL,
    fee_share    INTEGER NOT NULL,
    operator_fee INTEGER NOT NULL
) STRICT;

INSERT INTO merchant_payouts
SELECT merchant_id, sum(amount), sum(fee_share), sum(operator_fee)
FROM payouts JOIN sweep_txs USING (sweep_id, version)
WHERE block_height IS NOT NULL GROUP BY merchant_id;

CREATE TRIGGER sweeps_are_mined AFTER UPDATE OF block_height ON sweep_txs
WHEN OLD.block_height IS NULL AND NEW.block_height IS NOT NULL
BEGIN
    DELETE FROM sweeps_under_way WHERE sweep_id = NEW.sweep_id;
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
    INSERT OR IGNORE INTO sweeps_under_way
    SELECT id FROM sweeps WHERE id = NEW.sweep_id AND dissolved_at IS NULL AND NOT EXISTS
        (SELECT 1 FROM sweep_txs WHERE sweep_id = NEW.sweep_id AND block_height IS NOT NULL);
    INSERT INTO merchant_payouts
    SELECT merchant_id, amount, fee_share, operator_fee FROM payouts
    WHERE sweep_id = NEW.sweep_id AND version = NEW.version
    ON CONFLICT (merchant_id) DO UPDATE SET
        amount = amount - excluded.amount,
        fee_share = fee_share - excluded.fee_share,
        operator_fee = operator_fee - excluded.operator_fee;
END;

-- What the coins of each merchant come to, by what became of them; coins that are gone are in none.
CREATE TABLE merchant_coins (
    merchant_id INTEGER NOT NULL REFERENCES merchants (id),
    state       TEXT    NOT NULL
                CHECK (state IN ('mempool', 'unclaimed', 'claimed', 'spent', 'elsewhere')),
    amount      INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, state)
) STRICT, WITHOUT ROWID;

INSERT INTO merchant_coins
SELECT merchant_id,
    CASE WHEN place = 'mempool' THEN 'mempool'
         WHEN spent_txid IN (SELECT txid FROM sweep_txs) THEN 'spent'
         WHEN spent_txid IS NOT NULL THEN 'elsewhere'
         WHEN sweep_id IS NOT NULL THEN 'claimed'
         ELSE 'unclaimed' END AS state,
    sum(coins.amount)
FROM coins JOIN payments USING (derivation_index) WHERE place <> 'gone' GROUP BY 1, 2;

CREATE TRIGGER coins_are_summed AFTER INSERT ON coins WHEN NEW.place <> 'gone'
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
WHEN OLD.place <> 'gone'
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
WHEN NEW.place <> 'gone'
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

-- A version that is stored after the chain has taken it: what it spent was spent by a sweep.
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

-- How many payments of a merchant are pending, and the most confirmations that any of its payments
-- ever needed. The first is never decided by alone: where it reaches a limit, rows are counted.
CREATE TABLE merchant_payments (
    merchant_id       INTEGER PRIMARY KEY REFERENCES merchants (id),
    pending           INTEGER NOT NULL,
    confirmations_max INTEGER NOT NULL
) STRICT;

INSERT INTO merchant_payments
SELECT merchant_id, count(*) FILTER (WHERE status = 'pending'), max(confirmations_pegout)
FROM payments GROUP BY merchant_id;

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

-- What is looked for by time and stood in no index.
CREATE INDEX sweep_txs_by_time ON sweep_txs (created_at);
CREATE INDEX sweep_txs_by_sending ON sweep_txs (sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX events_by_time ON events (created_at);
