-- One text for SQLite and PostgreSQL (where a domain `blob` over bytea exists beforehand).
-- Times are microseconds since the epoch. A digest is one byte for its algorithm and then its bytes.

CREATE TABLE setting (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- ARM objects. The keys are the lower-cased id and type: ARM compares without case and shows what was typed.
CREATE TABLE resource (
    id_key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    type_key TEXT COLLATE "C" NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    uuid BLOB NOT NULL UNIQUE,
    etag TEXT NOT NULL,
    body TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    changed_us BIGINT NOT NULL
);
CREATE INDEX resource_by_type ON resource (type_key, id_key);

CREATE TABLE principal (
    object_id BLOB NOT NULL PRIMARY KEY,
    app_id BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    secret BLOB NOT NULL,
    generation BIGINT NOT NULL,
    administrator BIGINT NOT NULL
);

CREATE TABLE registry_secret (
    registry BLOB NOT NULL,
    slot BIGINT NOT NULL,
    sealed BLOB NOT NULL,
    hash BLOB NOT NULL,
    generation BIGINT NOT NULL,
    PRIMARY KEY (registry, slot)
);

CREATE TABLE audit (
    id BLOB NOT NULL PRIMARY KEY,
    at_us BIGINT NOT NULL,
    principal TEXT NOT NULL,
    address TEXT NOT NULL,
    operation TEXT NOT NULL,
    target TEXT NOT NULL,
    before_json TEXT NOT NULL,
    after_json TEXT NOT NULL
);
CREATE INDEX audit_by_time ON audit (at_us, id);
