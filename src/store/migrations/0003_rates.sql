-- Exchange rates: one row for each refresh, with the newest quote of each source at that moment.

CREATE TABLE rate_refreshes (
    at     INTEGER PRIMARY KEY,
    quotes TEXT NOT NULL CHECK (json_valid(quotes)),
    mac BLOB CHECK (length(mac) = 32)
) STRICT;
