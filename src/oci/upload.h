/* One upload request at work. On the loop: parsing, collecting bytes, answering. On the disk lane, one step at a time:
 * whatever may block. */
#ifndef OCI_UPLOAD_H
#define OCI_UPLOAD_H

#include "oci/private.h"

enum upload_plan {
    UPLOAD_BEGIN,  /* POST: 202, to be continued */
    UPLOAD_APPEND, /* PATCH: 202 */
    UPLOAD_FINISH, /* PUT, or POST with ?digest=: 201 */
    UPLOAD_CANCEL, /* DELETE: 204 */
};
struct upload {
    struct http_request *req;
    enum upload_plan plan;
    struct registry_where where;
    struct digest digest; /* UPLOAD_FINISH, or what to mount */
    enum digest_algorithm algorithm;
    bool untold; /* begun by this very request: nobody could ever go on with it */
    bool mount, mounted;
    struct str from; /* mount: the repository that the client names */
    struct registry_upload *open; /* between the steps that open and close it */
    char id_text[BLOB_STAGE_NAME_MAX + 1];
    uint64_t offset; /* acknowledged */

    bool has_range;
    uint64_t range_first, range_last;
    uint64_t received;

    /* Bytes: one buffer is filled while the other is being written. */
    char *fill, *writing;
    size_t filled, n_writing, cap;
    struct str rest; /* of a paused piece: what did not fit */
    bool paused, ended, aborted, failed;

    struct lane_job job;
    enum rc (*step)(struct upload *up, struct err *e);   /* on the lane */
    void (*next)(struct upload *up, enum rc rc);         /* then on the loop; rc is err.rc */
    bool busy;
    enum rc rc;
    struct err err;

    /* While another request works on the same upload. */
    bool in_use;
    int64_t patient_until_us;
    struct registry_wait wait;
    struct loop_task again;
    struct loop_timer *patience;
};

/* upload.c */
NODISCARD enum rc upload_submit(struct upload *up, enum rc (*step)(struct upload *, struct err *),
                                void (*next)(struct upload *, enum rc));
void upload_fail(struct upload *up);    /* answers with up->err and gives the upload back; up is gone */
void upload_give_back(struct upload *up); /* the same without an answer */
void upload_last(struct upload *up);    /* all bytes are there: write what is left, save or finish, answer */

/* upload_wait.c: up was in_use; takes its step again once it may be free. False: it has waited long enough. */
NODISCARD bool upload_wait(struct upload *up);

/* upload_body.c: takes the body, then calls upload_last */
void upload_take_body(struct upload *up);

#endif
