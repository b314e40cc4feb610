-- The catalog on PostgreSQL, version 1. Times are nanoseconds since 1970 UTC where a record has them, timestamptz where only this database
-- compares them. Tables of keys are placed by their bucket (PARTITION BY HASH), those of large bodies by the body: bytes have no order, and
-- those of one bucket need not be in one place. Their partitions are made by migrations.py.

CREATE TABLE schema_version (version integer NOT NULL);

-- One number that is another one after every change of a document or of a bucket's record.
CREATE TABLE revision (only_one boolean PRIMARY KEY DEFAULT TRUE CHECK (only_one), value bigint NOT NULL);
INSERT INTO revision VALUES (TRUE, 1);

CREATE TABLE bucket (
    name bytea PRIMARY KEY,             -- UTF-8
    id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    revision bigint NOT NULL,           -- a random number with every change: steps of its keys are guarded by it
    record text NOT NULL                -- JSON: created, owner, region, settings
);

-- What a bucket holds, in slots that are added up, so that steps do not wait for each other. Each slot has the bucket's revision: a step locks
-- one of them, a change of the bucket all.
CREATE TABLE slot (
    bucket_id bigint NOT NULL,
    slot smallint NOT NULL,
    revision bigint NOT NULL,
    bytes bigint NOT NULL DEFAULT 0,
    objects bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (bucket_id, slot)
) PARTITION BY HASH (bucket_id);

-- One row for each key: its newest version. A listing of objects is a walk along this table.
CREATE TABLE head (
    bucket_id bigint NOT NULL,
    key bytea NOT NULL,
    revision bigint NOT NULL,           -- a random number with every step of the key
    older boolean NOT NULL,             -- whether there may be rows in `version`
    seq bigint NOT NULL,                -- grows with each new version of the key
    version_id text NOT NULL,
    marker smallint NOT NULL,           -- 0 a version, 1 a delete marker, 2 no version at all: only uploads
    etag text NOT NULL,
    size bigint NOT NULL,
    modified bigint NOT NULL,           -- what Last-Modified says
    owner text NOT NULL,
    checksum text,                      -- "algorithm value kind"
    record text NOT NULL,               -- JSON: headers, metadata, tags, upload, extra; '' when there is nothing
    parts text,                         -- JSON: [number, size, checksum] of a multipart object's parts
    spans text NOT NULL,                -- where the bytes are: a blob's name, or JSON [blob, offset, length]
    body bigint,                        -- the row of `body` that has the bytes, when they are few
    made_by text,                       -- the multipart upload that it was
    PRIMARY KEY (bucket_id, key)
) PARTITION BY HASH (bucket_id);

-- The few objects that are not one blob.
CREATE INDEX head_in_pieces ON head (bucket_id, key) WHERE position('],[' IN spans) > 0;

-- Older versions; the columns are those of `head`.
CREATE TABLE version (
    bucket_id bigint NOT NULL,
    key bytea NOT NULL,
    seq bigint NOT NULL,
    version_id text NOT NULL,
    marker smallint NOT NULL,
    etag text NOT NULL,
    size bigint NOT NULL,
    modified bigint NOT NULL,
    owner text NOT NULL,
    checksum text,
    record text NOT NULL,
    parts text,
    spans text NOT NULL,
    body bigint,
    made_by text,
    PRIMARY KEY (bucket_id, key, seq)
) PARTITION BY HASH (bucket_id);

CREATE INDEX version_by_id ON version (bucket_id, key, version_id);
CREATE INDEX version_by_upload ON version (bucket_id, key, made_by) WHERE made_by IS NOT NULL;

CREATE TABLE upload (
    bucket_id bigint NOT NULL,
    key bytea NOT NULL,
    seq bigint NOT NULL,                -- grows: the oldest upload of a key comes first
    id text NOT NULL,
    initiated bigint NOT NULL,
    revision bigint NOT NULL,           -- changes with each part
    record text NOT NULL,               -- JSON: headers, metadata, tags, checksum_algorithm, checksum_kind, owner, extra
    PRIMARY KEY (bucket_id, key, seq)
) PARTITION BY HASH (bucket_id);

CREATE UNIQUE INDEX upload_by_id ON upload (bucket_id, key, id);

CREATE TABLE part (
    bucket_id bigint NOT NULL,
    key bytea NOT NULL,
    upload_id text NOT NULL,
    number integer NOT NULL,
    etag text NOT NULL,
    size bigint NOT NULL,
    modified bigint NOT NULL,
    checksum text,
    spans text NOT NULL,
    blobs uuid[] NOT NULL,              -- those of the spans
    PRIMARY KEY (bucket_id, key, upload_id, number)
) PARTITION BY HASH (bucket_id);

-- The bytes of small objects: a table of their own, so that listings pass them by. Numbers grow with time and are used once.
CREATE TABLE body (
    bucket_id bigint NOT NULL,
    id bigint NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (bucket_id, id)
) PARTITION BY HASH (bucket_id);

ALTER TABLE body ALTER COLUMN data SET STORAGE EXTERNAL;

-- A row for each large blob, written before its bytes: nobody need look through all bytes for those that nothing needs.
CREATE TABLE blob (
    id uuid NOT NULL,
    state smallint NOT NULL DEFAULT 0,  -- 0 on its way in, 1 held by a version or a part, 2 dropped: its bytes go after a while
    since timestamptz NOT NULL DEFAULT now(),
    size bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (id)
) PARTITION BY HASH (id);

CREATE INDEX blob_not_held ON blob (state, since) WHERE state <> 1;

CREATE TABLE block (
    blob uuid NOT NULL,
    number integer NOT NULL,            -- of the block in the blob, from 0; all but the last have the same size
    data bytea NOT NULL,
    PRIMARY KEY (blob, number)
) PARTITION BY HASH (blob);

ALTER TABLE block ALTER COLUMN data SET STORAGE EXTERNAL;

-- Small values. One that is gone stays as a row without a value, so that others can be told of it.
CREATE TABLE document (
    kind text NOT NULL,
    name bytea NOT NULL,                -- UTF-8
    revision bigint NOT NULL,           -- that of the table `revision` when it was changed
    value text,                         -- JSON
    PRIMARY KEY (kind, name)
);

CREATE INDEX document_by_revision ON document (revision);

CREATE TABLE notice (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    target text NOT NULL,
    event text NOT NULL                 -- JSON
);

CREATE INDEX notice_of_target ON notice (target, number);

-- What one node at a time does for all.
CREATE TABLE lease (
    name text PRIMARY KEY,
    holder text NOT NULL,
    until timestamptz NOT NULL
);
