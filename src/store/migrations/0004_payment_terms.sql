-- Terms of a payment beyond its amount, and events of every kind.

ALTER TABLE payments ADD COLUMN tolerance INTEGER CHECK (tolerance BETWEEN 1 AND 1000);
-- The amount that completes the payment, where it is less than the whole.
ALTER TABLE payments ADD COLUMN required_amount INTEGER
    CHECK (required_amount BETWEEN 1 AND amount);
-- The price in another currency, as JSON.
ALTER TABLE payments ADD COLUMN price TEXT CHECK (json_valid(price));
ALTER TABLE payments ADD COLUMN metadata TEXT CHECK (json_valid(metadata));
-- The kinds of events whose webhooks are sent beside `completed`, separated by commas.
ALTER TABLE payments ADD COLUMN events TEXT CHECK (length(events) <= 64);
-- The sum that counted when the merchant accepted the payment.
ALTER TABLE payments ADD COLUMN accepted_amount INTEGER
    CHECK (accepted_amount IS NULL OR (accepted_amount > 0 AND status = 'completed'));
ALTER TABLE payments ADD COLUMN cancelled INTEGER CHECK (cancelled = 1);

-- The exchange rate at the first sight of a late coin.
ALTER TABLE coins ADD COLUMN rate TEXT;

ALTER TABLE merchants ADD COLUMN tolerance INTEGER CHECK (tolerance BETWEEN 1 AND 1000);
ALTER TABLE merchants ADD COLUMN events TEXT CHECK (length(events) <= 64);
-- Confirmations by amount, as JSON.
ALTER TABLE merchants ADD COLUMN confirmation_tiers TEXT CHECK (json_valid(confirmation_tiers));

DROP TRIGGER payments_are_fixed;

CREATE TRIGGER payments_are_fixed
BEFORE UPDATE OF derivation_index, id, merchant_id, script, amount, created_at, expires_at,
    late_until, confirmations, confirmations_pegout, tolerance, required_amount, events
ON payments
BEGIN
    SELECT RAISE(ABORT, 'what was asked for never changes');
END;

DROP TRIGGER payments_texts_are_fixed;

CREATE TRIGGER payments_texts_are_fixed
BEFORE UPDATE OF reference, webhook_url, redirect_url, display_amount, price, metadata ON payments
WHEN coalesce(NEW.reference, NEW.webhook_url, NEW.redirect_url, NEW.display_amount, NEW.price,
              NEW.metadata) IS NOT NULL
    OR NEW.status <> 'expired'
    OR EXISTS (SELECT 1 FROM coins WHERE derivation_index = NEW.derivation_index)
BEGIN
    SELECT RAISE(ABORT, 'what was asked for never changes');
END;

DROP TRIGGER payments_lose_texts;

CREATE TRIGGER payments_lose_texts
AFTER UPDATE OF reference, webhook_url, redirect_url, display_amount, price, metadata ON payments
BEGIN
    INSERT INTO payment_changes
    VALUES (NEW.derivation_index,
            (SELECT coalesce(max(number), 0) + 1 FROM payment_changes))
    ON CONFLICT (derivation_index) DO UPDATE SET number = excluded.number;
END;

DROP TRIGGER payments_completed_is_final;

CREATE TRIGGER payments_completed_is_final
BEFORE UPDATE OF status, status_at, late, accepted_amount, cancelled ON payments
WHEN OLD.status = 'completed'
BEGIN
    SELECT RAISE(ABORT, 'completed is final');
END;

DROP INDEX payments_with_texts;

CREATE INDEX payments_with_texts ON payments (expires_at, derivation_index)
    WHERE status = 'expired'
      AND coalesce(reference, webhook_url, redirect_url, display_amount, price, metadata)
          IS NOT NULL;

CREATE TABLE events_of_all_kinds (
    id               TEXT    PRIMARY KEY,
    derivation_index INTEGER NOT NULL REFERENCES payments (derivation_index),
    kind             TEXT    NOT NULL CHECK (kind IN ('seen', 'partly_paid', 'completed',
                                                      'expired', 'late', 'replaced')),
    merchant_id      INTEGER NOT NULL REFERENCES merchants (id),
    -- Its number among the payment's events.
    sequence         INTEGER NOT NULL CHECK (sequence >= 1),
    -- NULL if the merchant asked for no webhook of it.
    url              TEXT,
    body             TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    state            TEXT    NOT NULL DEFAULT 'due'
                             CHECK (state IN ('due', 'delivered', 'failed', 'none')),
    attempts         INTEGER NOT NULL DEFAULT 0,
    -- Attempts before the event was last resent, from which on the schedule runs.
    attempts_before  INTEGER NOT NULL DEFAULT 0 CHECK (attempts_before BETWEEN 0 AND attempts),
    -- When the next attempt is due.
    next_at          INTEGER,
    mac              BLOB    CHECK (length(mac) = 32),
    UNIQUE (derivation_index, sequence),
    CHECK ((state = 'due') = (next_at IS NOT NULL)),
    CHECK ((state = 'none') = (url IS NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO events_of_all_kinds (id, derivation_index, kind, merchant_id, sequence, url, body,
    created_at, state, attempts, attempts_before, next_at, mac)
SELECT id, derivation_index, kind, merchant_id, 1, url, body, created_at, state, attempts,
    attempts_before, next_at, mac
FROM events;

CREATE TABLE attempts_of_all_kinds (
    event_id    TEXT    NOT NULL REFERENCES events_of_all_kinds (id),
    number      INTEGER NOT NULL CHECK (number >= 1),
    started_at  INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL CHECK (duration_ms >= 0),
    http_status INTEGER,
    outcome     TEXT    NOT NULL,
    answer      TEXT    NOT NULL DEFAULT '' CHECK (length(answer) <= 256),
    PRIMARY KEY (event_id, number)
) STRICT, WITHOUT ROWID;

INSERT INTO attempts_of_all_kinds
SELECT event_id, number, started_at, duration_ms, http_status, outcome, answer FROM attempts;

DROP TABLE attempts;

DROP TABLE events;

ALTER TABLE events_of_all_kinds RENAME TO events;

ALTER TABLE attempts_of_all_kinds RENAME TO attempts;

CREATE INDEX events_due ON events (merchant_id, next_at) WHERE state = 'due';

CREATE INDEX events_by_merchant ON events (merchant_id, created_at) WHERE state <> 'none';

CREATE INDEX events_failed ON events (merchant_id) WHERE state = 'failed';

CREATE INDEX events_by_time ON events (created_at) WHERE state <> 'none';

CREATE INDEX events_unsent ON events (created_at) WHERE state = 'none';

CREATE INDEX attempts_by_time ON attempts (started_at);
