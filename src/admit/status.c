/* The one table of the control plane: canonical code to ARM's status and code. */
#include "admit/admit.h"

const struct admit_status *admit_status_of(enum rc rc)
{
    static const struct admit_status statuses[] = {
        [RC_OK] = {500, "InternalServerError"},
        [RC_INVALID] = {400, "InvalidRequestContent"},
        [RC_UNAUTHENTICATED] = {401, "AuthenticationFailed"},
        [RC_DENIED] = {403, "AuthorizationFailed"},
        [RC_NOT_FOUND] = {404, "ResourceNotFound"},
        [RC_EXISTS] = {409, "AlreadyExists"},
        [RC_CONFLICT] = {409, "Conflict"},
        [RC_PRECONDITION] = {412, "PreconditionFailed"},
        [RC_TOO_LARGE] = {413, "RequestContentTooLarge"},
        [RC_RANGE] = {400, "InvalidRequestContent"},
        [RC_QUOTA] = {400, "QuotaExceeded"},
        [RC_UNSUPPORTED] = {400, "NotSupported"},
        [RC_UNAVAILABLE] = {503, "ServerBusy"},
        [RC_TIMEOUT] = {503, "ServerTimeout"},
        [RC_CANCELED] = {503, "OperationCanceled"},
        [RC_CORRUPT] = {500, "InternalServerError"},
        [RC_INTERNAL] = {500, "InternalServerError"},
    };

    return &statuses[(size_t)rc < ARRAY_LEN(statuses) ? rc : RC_INTERNAL];
}
