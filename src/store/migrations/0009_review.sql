-- Peg-outs: identity and order of announcements.


-- Long jobs: progress of work that runs in batches.


-- Payout addresses.

-- Each new payment asks whether its address is registered as a payout address.
CREATE INDEX payout_addresses_by_script ON payout_addresses (script);

-- Merchants whose payouts wait because this database and the sweeper's record disagree about the
-- payout address, as the sweeper says: at most one row a merchant, for as long as it lasts.
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


-- Sweeps.

-- When the watcher recognised a transaction in a block as a sweep of ours that this database did
-- not make. Such a sweep claims no coin, and `dissolved_at` is set from the beginning.
ALTER TABLE sweeps ADD COLUMN recognised_at INTEGER;

-- When the stored bytes of a version were first found to be none that our key signed.
ALTER TABLE sweep_txs ADD COLUMN damaged_at INTEGER;
CREATE INDEX sweep_txs_damaged ON sweep_txs (damaged_at) WHERE damaged_at IS NOT NULL;

-- The scripts of `sweeper.operator_address`, now and before: sweeps are recognised by them. A row
-- for each change of the configuration, kept for good. No money moves by it.
CREATE TABLE operator_addresses (
    script BLOB    PRIMARY KEY,
    since  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;


-- Payments: authentication at creation.

-- Whoever followed the chain before had asked the node which addresses of the account were used.
INSERT OR IGNORE INTO identity (name, value)
    SELECT 'account_scan', 'scanned' WHERE EXISTS (SELECT 1 FROM blocks);


-- The node: first sights and the node's own start.
