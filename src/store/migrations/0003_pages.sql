-- The sum in the shop's own words ("4.17 EUR"), shown and never reckoned with.
ALTER TABLE payments ADD COLUMN display_amount TEXT
    CHECK (length(display_amount) BETWEEN 1 AND 24);

DROP TRIGGER payments_are_fixed;

CREATE TRIGGER payments_are_fixed
BEFORE UPDATE OF derivation_index, id, merchant_id, script, amount, created_at, expires_at,
    late_until, confirmations, confirmations_pegout, reference, webhook_url, redirect_url,
    display_amount
ON payments
BEGIN
    SELECT RAISE(ABORT, 'what was asked for never changes');
END;

-- The number of the last change to what a page shows of a payment: of its coins or its verdict.
-- Numbers rise with every change, whoever makes it, so that a reader asks for what came since. A
-- further confirmation is no change here: that follows from the tip.
CREATE TABLE payment_changes (
    derivation_index INTEGER PRIMARY KEY REFERENCES payments (derivation_index),
    number           INTEGER NOT NULL UNIQUE
) STRICT;

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

-- A coin that turned out to pay another payment.
CREATE TRIGGER coins_change_hands AFTER UPDATE OF derivation_index ON coins
WHEN OLD.derivation_index <> NEW.derivation_index
BEGIN
    INSERT INTO payment_changes
    VALUES (OLD.derivation_index,
            (SELECT coalesce(max(number), 0) + 1 FROM payment_changes))
    ON CONFLICT (derivation_index) DO UPDATE SET number = excluded.number;
END;
