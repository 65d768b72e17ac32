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
