-- The undo log, added with version 3: what steps have changed since the last flush, so that a power failure can take back those whose bytes
-- it has lost (docs/decisions/0022-undo-log.md). The last row stays: its number tells an older catalog from this one.

CREATE TABLE undo (
    id INTEGER PRIMARY KEY,     -- grows with each step
    bucket_id INTEGER,
    key BLOB,
    former TEXT,                -- JSON: the rows as they were; NULL when there is nothing to be taken back
    useless TEXT NOT NULL,      -- names of ours that no row needs any more, by spaces: removed once the step is durable
    replaced TEXT NOT NULL      -- names in staging of the files that were taken from their paths, by spaces: likewise
);

PRAGMA user_version = 3;
