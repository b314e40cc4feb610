-- What no file says, added with version 2: small JSON values, and events that wait for delivery. A rebuild carries them over.

CREATE TABLE document (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,        -- JSON
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;

-- One number that is another one after every change of a document or of a bucket's record.
CREATE TABLE revision (value INTEGER NOT NULL);
INSERT INTO revision VALUES (1);

CREATE TRIGGER document_added AFTER INSERT ON document BEGIN UPDATE revision SET value = value + 1; END;
CREATE TRIGGER document_changed AFTER UPDATE ON document BEGIN UPDATE revision SET value = value + 1; END;
CREATE TRIGGER document_removed AFTER DELETE ON document BEGIN UPDATE revision SET value = value + 1; END;
CREATE TRIGGER bucket_added AFTER INSERT ON bucket BEGIN UPDATE revision SET value = value + 1; END;
CREATE TRIGGER bucket_changed AFTER UPDATE ON bucket BEGIN UPDATE revision SET value = value + 1; END;
CREATE TRIGGER bucket_removed AFTER DELETE ON bucket BEGIN UPDATE revision SET value = value + 1; END;

CREATE TABLE notice (
    number INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used twice: it orders the events of a key
    target TEXT NOT NULL,
    event TEXT NOT NULL         -- JSON
);

CREATE INDEX notice_of_target ON notice (target, number);

PRAGMA user_version = 2;
