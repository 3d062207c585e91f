-- What registries hold. `registry` is the registry's uuid, so that a new registry of an old name begins empty.

CREATE TABLE repository (
    id BLOB NOT NULL PRIMARY KEY,
    registry BLOB NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    created_us BIGINT NOT NULL,
    UNIQUE (registry, name)
);

-- A blob is visible in a repository if it has a link there, wherever its bytes came from.
CREATE TABLE blob_link (
    repository BLOB NOT NULL REFERENCES repository (id),
    digest BLOB NOT NULL,
    size BIGINT NOT NULL,
    linked_us BIGINT NOT NULL,
    PRIMARY KEY (repository, digest)
);
CREATE INDEX blob_link_by_digest ON blob_link (digest);

CREATE TABLE manifest (
    repository BLOB NOT NULL REFERENCES repository (id),
    digest BLOB NOT NULL,
    media_type TEXT NOT NULL,
    artifact_type TEXT NOT NULL,
    subject BLOB,
    size BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (repository, digest)
);
CREATE INDEX manifest_by_subject ON manifest (repository, subject);

-- Apart from `manifest`, whose rows stay small for lists and checks.
CREATE TABLE manifest_bytes (
    repository BLOB NOT NULL,
    digest BLOB NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (repository, digest),
    FOREIGN KEY (repository, digest) REFERENCES manifest (repository, digest) ON DELETE CASCADE
);

-- kind 0: a blob; kind 1: a manifest listed by an index.
CREATE TABLE manifest_reference (
    repository BLOB NOT NULL,
    manifest BLOB NOT NULL,
    kind BIGINT NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (repository, manifest, kind, digest),
    FOREIGN KEY (repository, manifest) REFERENCES manifest (repository, digest) ON DELETE CASCADE
);
CREATE INDEX manifest_reference_by_digest ON manifest_reference (repository, digest);

CREATE TABLE tag (
    repository BLOB NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    digest BLOB NOT NULL,
    changed_us BIGINT NOT NULL,
    PRIMARY KEY (repository, name),
    FOREIGN KEY (repository, digest) REFERENCES manifest (repository, digest) ON DELETE CASCADE
);
CREATE INDEX tag_by_digest ON tag (repository, digest);

-- `size` bytes of the staging file `id` are acknowledged; `hash_state` stands for exactly these.
CREATE TABLE upload (
    id BLOB NOT NULL PRIMARY KEY,
    registry BLOB NOT NULL,
    repository TEXT COLLATE "C" NOT NULL,
    size BIGINT NOT NULL,
    hash_state BLOB NOT NULL,
    started_us BIGINT NOT NULL,
    changed_us BIGINT NOT NULL
);
CREATE INDEX upload_by_age ON upload (changed_us);
