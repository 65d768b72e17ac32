-- Peg-outs: identity and order of announcements.

-- Peg-outs to us, numbered in the order in which they were first met. The kernel that pays one and
-- its place there stay the same wherever it goes; NULL if the node did not report them.
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

CREATE TRIGGER pegouts_stay BEFORE DELETE ON pegouts
BEGIN
    SELECT RAISE(ABORT, 'a peg-out is never deleted: that it was seen is a fact');
END;

-- Which peg-out a coin is. Absent for other coins.
ALTER TABLE coins ADD COLUMN pegout INTEGER REFERENCES pegouts (sequence);

-- So far equal peg-outs were told apart by their times; of those that count, each is one.
CREATE TEMP TABLE numbered AS
SELECT txid, vout, dense_rank() OVER (ORDER BY seen_at, derivation_index, amount, nth) AS sequence
FROM (SELECT txid, vout, seen_at, derivation_index, amount,
             iif(place = 'gone', 1, row_number() OVER (
                 PARTITION BY derivation_index, amount, seen_at, place = 'gone'
                 ORDER BY txid, vout)) AS nth
      FROM coins WHERE origin = 'pegout');

INSERT INTO pegouts (sequence) SELECT DISTINCT sequence FROM numbered;

UPDATE coins SET pegout = numbered.sequence FROM numbered
WHERE numbered.txid = coins.txid AND numbered.vout = coins.vout;

DROP TABLE numbered;

CREATE INDEX coins_by_pegout ON coins (pegout) WHERE pegout IS NOT NULL;
CREATE INDEX coins_of_unmined_pegouts ON coins (derivation_index)
    WHERE place = 'mempool' AND pegout IS NOT NULL;
CREATE UNIQUE INDEX coins_of_a_pegout_count_once ON coins (pegout)
    WHERE pegout IS NOT NULL AND place <> 'gone';


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

-- HMAC-SHA256 over all that is fixed when a payment is created, under a key that derives from the
-- installation's secret. NULL: created by an older version.
ALTER TABLE payments ADD COLUMN mac BLOB CHECK (length(mac) = 32);

CREATE TRIGGER payments_mac_is_fixed BEFORE UPDATE OF mac ON payments
BEGIN
    SELECT RAISE(ABORT, 'what proves a payment never changes');
END;


-- The node: first sights and the node's own start.

-- When the whole mempool of this node was last compared: what it did not hold then came later,
-- whatever the node's clock says.
ALTER TABLE node_in_use ADD COLUMN compared_at INTEGER;
