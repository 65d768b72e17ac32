-- Named API keys with a scope, beside the key that each merchant has.

CREATE TABLE api_keys (
    merchant_id  INTEGER NOT NULL REFERENCES merchants (id),
    -- 48 random bits: a key derives from its id, so no id is used twice.
    id           INTEGER NOT NULL,
    -- The key is valid while this equals the merchant's api_keys_revision.
    revision     INTEGER NOT NULL,
    name         TEXT    NOT NULL,
    scope        TEXT    NOT NULL CHECK (scope IN ('create', 'read', 'full')),
    created_at   INTEGER NOT NULL,
    -- To the minute.
    last_used_at INTEGER,
    mac          BLOB    CHECK (length(mac) = 32),
    PRIMARY KEY (merchant_id, id)
) STRICT, WITHOUT ROWID;

-- The revision of the merchant's row at which a named key was last revoked or the first one was
-- added; absent before.
ALTER TABLE merchants ADD COLUMN api_keys_revision INTEGER;
-- How many named keys are valid; absent before the first.
ALTER TABLE merchants ADD COLUMN api_keys INTEGER;

-- The named key that created the payment; absent for the merchant's own key, the bot and the CLI.
ALTER TABLE payments ADD COLUMN api_key INTEGER;
CREATE INDEX payments_by_api_key ON payments (merchant_id, api_key) WHERE api_key IS NOT NULL;
