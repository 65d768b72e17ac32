-- A kind that is wanted may be told in the channel for notices (that something waits, not what it
-- says) instead of by direct message.
ALTER TABLE notice_choices ADD COLUMN by_channel INTEGER NOT NULL DEFAULT 0
    CHECK (by_channel IN (0, 1));
