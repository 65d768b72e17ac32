-- Peg-outs: identity and order of announcements.


-- Long jobs: progress of work that runs in batches.


-- Payout addresses.


-- Sweeps.


-- Payments: authentication at creation.


-- The node: first sights and the node's own start.
