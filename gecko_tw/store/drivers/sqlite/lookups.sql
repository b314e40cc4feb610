-- Ways to one version or one upload of a key, however many it has, added with version 4.

-- Most keys have one version only, of the number 1, to which the primary key leads: they take no room here.
CREATE INDEX version_by_id ON version (bucket_id, key, version_id) WHERE seq > 1;

-- The version that an upload has become: its Complete may be asked for again. A record that is damaged hinders no upgrade.
CREATE INDEX version_by_upload ON version (bucket_id, key, CASE WHEN json_valid(record) THEN json_extract(record, '$.upload') END)
    WHERE parts IS NOT NULL;

CREATE INDEX upload_by_id ON upload (bucket_id, key, id);

PRAGMA user_version = 4;
