-- The bytes of small objects, each held by one row of `version`. They have a table of their own so that listings pass them by.
-- A row that is written over, or used again, has another stamp: who has read a record finds the bytes that it names, or none.

CREATE TABLE blob (
    id INTEGER PRIMARY KEY,
    stamp INTEGER NOT NULL,     -- nanoseconds since 1970 UTC when it was written, or one more than before
    data BLOB NOT NULL
);
