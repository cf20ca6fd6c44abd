/* The core as the service's child: starting it as the right user, and its
 * end. */
#ifndef CLIENT_NM_CHILD_H
#define CLIENT_NM_CHILD_H

#include <gio/gio.h>

struct child {
	GSubprocess *process; /* NULL: none */
	int fd;		      /* our end of the channel, non-blocking */
};

/* owner: the user whose connection it is; NULL: everybody's, for which there
 * is the user NM_VPC_USER. name: of the profile. */
gboolean child_start(struct child *child, const char *owner, const char *name,
		     GError **error);
/* Tells it to end and waits until all is taken back; a child that does not
 * end is killed, and then its helper does it. */
void child_stop(struct child *child);

#endif
