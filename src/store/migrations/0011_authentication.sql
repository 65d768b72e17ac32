-- Authentication: rows that authorise something carry a MAC under a key that the database does not
-- hold.

-- HMAC-SHA256 over all columns of the row, as src/store/authenticated.rs lists them.
ALTER TABLE identity ADD COLUMN mac BLOB CHECK (length(mac) = 32);
ALTER TABLE merchants ADD COLUMN mac BLOB CHECK (length(mac) = 32);
ALTER TABLE payout_addresses ADD COLUMN mac BLOB CHECK (length(mac) = 32);
ALTER TABLE coins ADD COLUMN mac BLOB CHECK (length(mac) = 32);
ALTER TABLE events ADD COLUMN mac BLOB CHECK (length(mac) = 32);
ALTER TABLE idempotency_keys ADD COLUMN mac BLOB CHECK (length(mac) = 32);
ALTER TABLE confirmations ADD COLUMN mac BLOB CHECK (length(mac) = 32);
ALTER TABLE skipped_indexes ADD COLUMN mac BLOB CHECK (length(mac) = 32);

-- Counts the changes of a merchant's row. The newest one is kept outside of the database.
ALTER TABLE merchants ADD COLUMN revision INTEGER NOT NULL DEFAULT 1 CHECK (revision >= 1);

-- The MAC of a payment covers its status now, so it changes with it.
DROP TRIGGER payments_mac_is_fixed;

-- The audit log becomes a hash chain. The rows of `trail` are moved into it by the program
-- (migrations/audit_log.rs), which then drops that table.
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
-- How often a merchant did an act: its resends of webhooks are counted.
CREATE INDEX audit_log_by_merchant_and_act ON audit_log (merchant_id, act, at);

CREATE TRIGGER audit_log_stays BEFORE DELETE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append only');
END;

CREATE TRIGGER audit_log_is_fixed BEFORE UPDATE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append only');
END;
