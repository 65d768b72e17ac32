-- Peg-outs: identity and order of announcements.


-- Long jobs: progress of work that runs in batches.


-- Payout addresses.


-- Sweeps.


-- Payments: authentication at creation.

-- Whoever followed the chain before had asked the node which addresses of the account were used.
INSERT OR IGNORE INTO identity (name, value)
    SELECT 'account_scan', 'scanned' WHERE EXISTS (SELECT 1 FROM blocks);


-- The node: first sights and the node's own start.
