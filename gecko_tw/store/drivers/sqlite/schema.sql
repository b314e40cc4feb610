-- The catalog, version 1. Times are nanoseconds since 1970 UTC. Everything here can be made again from the files
-- (FilesDriver.rebuild): the tables are an index, the files are the truth.

CREATE TABLE bucket (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    record TEXT NOT NULL        -- JSON: created, owner, region, settings
);

-- One row for each version of a key. `seq DESC` puts the newest first, so that one step down the tree finds it.
CREATE TABLE version (
    bucket_id INTEGER NOT NULL,
    key BLOB NOT NULL,
    seq INTEGER NOT NULL,       -- grows with each new version of the key
    version_id TEXT NOT NULL,
    marker INTEGER NOT NULL,    -- 1 for a delete marker
    etag TEXT NOT NULL,
    size INTEGER NOT NULL,
    modified INTEGER NOT NULL,  -- what Last-Modified says
    owner TEXT NOT NULL,
    checksum TEXT,              -- "algorithm value kind"
    record TEXT NOT NULL,       -- JSON: headers, metadata, tags, upload, extra; '' when there is nothing
    visible INTEGER NOT NULL,   -- 1: its bytes are the file at the key's path; 0: they are in the pool
    file_size INTEGER,          -- what the file at the key's path must be: the object itself (visible) or
    file_mtime INTEGER,         --   a leftover of an older version, to be ignored and removed; NULL: no file
    files TEXT NOT NULL,        -- further files of ours that belong to the row: spilled attributes, manifest; ids, by spaces
    parts TEXT,                 -- JSON: [number, size, checksum] of a multipart object's parts
    spans TEXT NOT NULL,        -- where the bytes are in the pool: a blob's name, or JSON [blob, offset, length]
    PRIMARY KEY (bucket_id, key, seq DESC)
) WITHOUT ROWID;

-- The few objects that are not one blob yet.
CREATE INDEX version_in_pieces ON version (bucket_id, key) WHERE instr(spans, '],[') > 0;

CREATE TABLE upload (
    bucket_id INTEGER NOT NULL,
    key BLOB NOT NULL,
    seq INTEGER NOT NULL,       -- grows: the oldest upload of a key comes first
    id TEXT NOT NULL,
    initiated INTEGER NOT NULL,
    revision INTEGER NOT NULL,  -- changes with each part
    record TEXT NOT NULL,       -- JSON: headers, metadata, tags, checksum_algorithm, checksum_kind, owner, extra
    PRIMARY KEY (bucket_id, key, seq)
) WITHOUT ROWID;

CREATE TABLE part (
    bucket_id INTEGER NOT NULL,
    key BLOB NOT NULL,
    upload_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    etag TEXT NOT NULL,
    size INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    checksum TEXT,
    spans TEXT NOT NULL,
    PRIMARY KEY (bucket_id, key, upload_id, number)
) WITHOUT ROWID;

-- Every file of ours outside the buckets that some row needs. What is in the pool and not in here is for the sweeper.
CREATE TABLE span (
    blob TEXT PRIMARY KEY,
    bucket_id INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX span_of_bucket ON span (bucket_id);

PRAGMA user_version = 1;
