-- Which of several nodes the watcher follows, for the roles of other processes and for the next
-- start. One row, or none before there was a choice.
CREATE TABLE node_in_use (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    -- Its host and port.
    name  TEXT    NOT NULL,
    since INTEGER NOT NULL
) STRICT;
