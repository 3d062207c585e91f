/* A request for an upload on which another works. Mostly that other one is over already: its
 * connection was lost, and its client is back before we heard of it. So this one waits a while, on
 * its loop and without a thread, rather than to be refused for a neighbour that is no longer there.
 */
#include "base/clock.h"
#include "oci/upload.h"

#define PATIENCE_US (10 * CLOCK_US_PER_S) /* as long as anything may wait for a lane */

static void take_step_again(struct upload *up)
{
    loop_timer_free(up->patience);
    up->patience = NULL;
    if (upload_submit(up, up->step, up->next) != RC_OK)
        upload_fail(up);
}

static void free_again(struct loop_task *t)
{
    take_step_again(CONTAINER_OF(t, struct upload, again));
}

static void told(struct registry_wait *w)
{
    struct upload *up = CONTAINER_OF(w, struct upload, wait);

    loop_post(up->req->loop, &up->again);
}

static void out_of_patience(void *ctx)
{
    struct upload *up = ctx;

    if (!registry_upload_wait_end(admit_store(up->req), &up->wait))
        return; /* told just now: free_again is on its way */
    /* For the last time: who was told before may have made nothing of it. */
    take_step_again(up);
}

bool upload_wait(struct upload *up)
{
    struct loop *loop = up->req->loop;
    int64_t now = loop_now_us(loop);

    if (up->patient_until_us == 0)
        up->patient_until_us = now + PATIENCE_US;
    if (now >= up->patient_until_us)
        return false;
    up->wait.told = told;
    up->again.run = free_again;
    up->patience = loop_timer_new(loop, out_of_patience, up);
    loop_timer_start(up->patience, (uint64_t)(up->patient_until_us - now) / 1000 + 1);
    if (!registry_upload_wait(admit_store(up->req), http_param(up->req, "id"), &up->wait))
        loop_post(loop, &up->again);
    return true;
}
