-- Long operations of the control plane: what was answered before it was finished. A server that starts goes on with those that run.

CREATE TABLE operation (
    id BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    resource BLOB NOT NULL,
    object_id BLOB NOT NULL,
    principal TEXT NOT NULL,
    address TEXT NOT NULL,
    state BIGINT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    changed_us BIGINT NOT NULL
);
CREATE INDEX operation_by_state ON operation (state, created_us);
