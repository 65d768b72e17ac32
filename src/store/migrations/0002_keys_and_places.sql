-- Until when the API key before the one that counts is taken as well; absent: it is dead.
ALTER TABLE merchants ADD COLUMN previous_key_until INTEGER;

-- Where webhooks go of payments that were made without a URL of their own.
ALTER TABLE merchants ADD COLUMN webhook_url TEXT;

-- From where on Discord an act came: 'server ' and its id, or 'message'; absent elsewhere.
ALTER TABLE trail ADD COLUMN place TEXT;
