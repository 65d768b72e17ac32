-- What a notice says, as the kind of its sentence and its values (JSON), beside its English text:
-- whoever reads it is told in their own language. Absent for notices of older programs.
ALTER TABLE notices ADD COLUMN news TEXT;

-- The language in which each Discord user last used the bot, as Discord calls it. Discord says it
-- with commands and buttons only, and direct messages are to be in it, too.
CREATE TABLE discord_locales (
    discord_id TEXT    PRIMARY KEY,
    locale     TEXT    NOT NULL CHECK (length(locale) BETWEEN 1 AND 16),
    -- Since when it is this one.
    since      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
