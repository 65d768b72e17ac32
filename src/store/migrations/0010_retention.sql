-- Limits per merchant and day, and what is removed after a time.

-- How often a merchant did an act: its resends of webhooks are counted.
CREATE INDEX trail_by_merchant_and_act ON trail (merchant_id, act, at);

-- Payments that each merchant created on a day (days since 1970 UTC), for the daily limit.
CREATE TABLE merchant_days (
    merchant_id INTEGER NOT NULL REFERENCES merchants (id),
    day         INTEGER NOT NULL,
    payments    INTEGER NOT NULL,
    PRIMARY KEY (day, merchant_id)
) STRICT, WITHOUT ROWID;

INSERT INTO merchant_days (merchant_id, day, payments)
SELECT merchant_id, created_at / 86400000, count(*) FROM payments
WHERE created_at >= (SELECT max(created_at) FROM payments) - 86400000 GROUP BY 1, 2;

CREATE TRIGGER payments_are_counted_by_day AFTER INSERT ON payments
BEGIN
    INSERT INTO merchant_days (merchant_id, day, payments)
    VALUES (NEW.merchant_id, NEW.created_at / 86400000, 1)
    ON CONFLICT (day, merchant_id) DO UPDATE SET payments = payments + 1;
END;

-- The texts of a shop may be removed from a payment that expired without a coin, and all at once.
-- Nothing else of what was asked for changes.
DROP TRIGGER payments_are_fixed;

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

-- Then, and only then, it gets another MAC.
DROP TRIGGER payments_mac_is_fixed;

CREATE TRIGGER payments_mac_is_fixed BEFORE UPDATE OF mac ON payments
WHEN coalesce(OLD.reference, OLD.webhook_url, OLD.redirect_url, OLD.display_amount) IS NULL
    OR coalesce(NEW.reference, NEW.webhook_url, NEW.redirect_url, NEW.display_amount) IS NOT NULL
    OR (OLD.mac IS NULL) <> (NEW.mac IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'what proves a payment never changes');
END;

-- Pages that show the payment show it without them from now on.
CREATE TRIGGER payments_lose_texts
AFTER UPDATE OF reference, webhook_url, redirect_url, display_amount ON payments
BEGIN
    INSERT INTO payment_changes
    VALUES (NEW.derivation_index,
            (SELECT coalesce(max(number), 0) + 1 FROM payment_changes))
    ON CONFLICT (derivation_index) DO UPDATE SET number = excluded.number;
END;

CREATE INDEX payments_with_texts ON payments (expires_at, derivation_index)
    WHERE status = 'expired'
      AND coalesce(reference, webhook_url, redirect_url, display_amount) IS NOT NULL;

CREATE INDEX idempotency_keys_by_time ON idempotency_keys (created_at);
CREATE INDEX attempts_by_time ON attempts (started_at);
CREATE INDEX notices_done ON notices (done_at) WHERE state <> 'due' AND merchant_id IS NOT NULL;
CREATE INDEX confirmations_by_expiry ON confirmations (expires_at);

-- How large each table was with its indexes when it was last measured, in bytes.
CREATE TABLE table_sizes (
    name  TEXT    PRIMARY KEY,
    bytes INTEGER NOT NULL,
    at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
