-- What a block asks for is found in indexes alone, the rows themselves are not read: the payments
-- that are not completed, by the most confirmations that they may need, and the coins of a height
-- with the payments that they pay.
CREATE INDEX payments_undecided ON payments (confirmations_pegout) WHERE status <> 'completed';

DROP INDEX coins_by_height;
CREATE INDEX coins_by_height ON coins (block_height, derivation_index)
    WHERE block_height IS NOT NULL;
