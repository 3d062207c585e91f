/* Microsoft.Resources/tags/default at any scope. The route's parameters are {group} and {rest+} (a resource's path). */
#ifndef ARM_TAGS_H
#define ARM_TAGS_H

#include "arm/resource.h"

enum http_verdict arm_tags_get(struct http_request *req);
enum http_verdict arm_tags_change(struct http_request *req); /* PUT, PATCH, DELETE */

/* /subscriptions/S/tagNames[/{name}[/tagValues/{child}]] */
enum http_verdict arm_tag_name_list(struct http_request *req);
enum http_verdict arm_tag_name_put(struct http_request *req);
enum http_verdict arm_tag_name_delete(struct http_request *req);

#endif
