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

-- Whom the identity endpoint knows. kind: 0 service principal, 1 user. A user has no app_id; upn_key is lower case.
CREATE TABLE principal (
    object_id BLOB NOT NULL PRIMARY KEY,
    kind BIGINT NOT NULL,
    app_id BLOB UNIQUE,
    upn_key TEXT COLLATE "C" UNIQUE,
    upn TEXT NOT NULL,
    name TEXT NOT NULL,
    password TEXT NOT NULL,
    generation BIGINT NOT NULL,
    enabled BIGINT NOT NULL,
    administrator BIGINT NOT NULL,
    created_us BIGINT NOT NULL
);

-- Generated secrets of service principals; expires_us 0: never.
CREATE TABLE principal_secret (
    id BLOB NOT NULL PRIMARY KEY,
    principal BLOB NOT NULL,
    name TEXT NOT NULL,
    hash BLOB NOT NULL,
    created_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL
);
CREATE INDEX principal_secret_by_principal ON principal_secret (principal, created_us, id);

-- Keys that sign identity tokens, sealed. retired_us 0: the one that signs; else when it stopped.
CREATE TABLE identity_key (
    id BLOB NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL,
    created_us BIGINT NOT NULL,
    retired_us BIGINT NOT NULL
);

-- Refresh tokens, hashed. A family begins with a sign-in; replaced_us 0: its newest.
CREATE TABLE refresh_token (
    hash BLOB NOT NULL PRIMARY KEY,
    family BLOB NOT NULL,
    principal BLOB NOT NULL,
    generation BIGINT NOT NULL,
    client TEXT NOT NULL,
    issued_us BIGINT NOT NULL,
    used_us BIGINT NOT NULL,
    replaced_us BIGINT NOT NULL
);
CREATE INDEX refresh_token_by_principal ON refresh_token (principal, used_us);
CREATE INDEX refresh_token_by_family ON refresh_token (family);
CREATE INDEX refresh_token_by_use ON refresh_token (used_us);

-- Device codes that wait for their user, hashed. state: 0 waiting, 1 granted to the principal, 2 refused.
CREATE TABLE device_code (
    hash BLOB NOT NULL PRIMARY KEY,
    user_code TEXT COLLATE "C" NOT NULL UNIQUE,
    client TEXT NOT NULL,
    scope TEXT NOT NULL,
    expires_us BIGINT NOT NULL,
    polled_us BIGINT NOT NULL,
    state BIGINT NOT NULL,
    principal BLOB NOT NULL,
    generation BIGINT NOT NULL
);
CREATE INDEX device_code_by_expiry ON device_code (expires_us);

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
