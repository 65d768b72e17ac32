-- Second factors: codes of an authenticator app for changes of the payout address and the API key.

CREATE TABLE second_factors (
    merchant_id      INTEGER PRIMARY KEY REFERENCES merchants (id),
    -- An enabled factor is valid while this equals the merchant's second_factor_revision.
    revision         INTEGER NOT NULL,
    -- Nonce and secret of the app, encrypted.
    secret           BLOB    NOT NULL,
    begun_at         INTEGER NOT NULL,
    -- The revision at which it was enabled; absent while it waits for its first code.
    enabled_revision INTEGER,
    -- The step of the last code that was accepted: 30 seconds each since 1970.
    last_step        INTEGER NOT NULL,
    -- Wrong codes since the last one that was accepted.
    wrong            INTEGER NOT NULL,
    locked_until     INTEGER,
    -- The SHA-256 of each recovery code that was not used.
    recovery         BLOB    NOT NULL CHECK (length(recovery) % 32 = 0),
    mac              BLOB    CHECK (length(mac) = 32)
) STRICT;

-- The revision of the merchant's row at which its second factor last changed; absent: it has none.
ALTER TABLE merchants ADD COLUMN second_factor_revision INTEGER;
