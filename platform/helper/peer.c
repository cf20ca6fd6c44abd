#include "config.h"

#include "platform/helper/peer.h"

#include "platform/base/log.h"
#include "platform/linux/polkit.h"

#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PEER_ACTION "org.vpnconnect.use"
#define PEER_GROUP  "vpn-connect"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

/* The group of this machine, without NSS and its modules. */
static bool group_find(gid_t *out)
{
	FILE *f = fopen("/etc/group", "re");
	struct group *gr = NULL;

	if (!f)
		return false;
	do
		gr = fgetgrent(f);
	while (gr && strcmp(gr->gr_name, PEER_GROUP) != 0);
	if (gr)
		*out = gr->gr_gid;
	fclose(f);
	return gr != NULL;
}

static bool peer_in_group(int sock, const struct ucred *peer)
{
	gid_t wanted, groups[1024];
	socklen_t len = sizeof(groups);

	if (!group_find(&wanted))
		return false;
	if (peer->gid == wanted)
		return true;
	if (getsockopt(sock, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		return false;
	for (size_t i = 0; i < len / sizeof(*groups); i++)
		if (groups[i] == wanted)
			return true;
	return false;
}

/* A kernel before 6.5 cannot give the very process that connected. Then the
 * number may have changed hands; polkit checks that the uid is the same. */
static int peer_pidfd(int sock, const struct ucred *peer)
{
	socklen_t len = sizeof(int);
	int fd;

	if (getsockopt(sock, SOL_SOCKET, SO_PEERPIDFD, &fd, &len) == 0)
		return fd;
	return (int)syscall(SYS_pidfd_open, peer->pid, 0);
}

static enum err peer_ask_polkit(int sock, const struct ucred *peer)
{
	struct polkit_subject subject = {peer->pid, peer->uid,
					 peer_pidfd(sock, peer)};
	struct diag why = DIAG_INIT;
	enum err e;

	if (subject.pidfd < 0)
		return ERR_PERMISSION; /* it has ended */
	e = polkit_check(&subject, PEER_ACTION, &why);
	close(subject.pidfd);
	if (e && e != ERR_PERMISSION)
		log_warn("%s", diag_text(&why, e));
	return e;
}

enum err peer_check(int sock, uint32_t *out_uid, struct diag *diag)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return diag_sys(diag, ERR_PERMISSION, "SO_PEERCRED");
	*out_uid = peer.uid;
	if (peer.uid == 0 || peer_in_group(sock, &peer) ||
	    peer_ask_polkit(sock, &peer) == OK)
		return OK;
	return diag_set(diag, ERR_PERMISSION,
			"user %u may not use vpn-netd: log in at this machine "
			"itself, or: sudo usermod -aG " PEER_GROUP
			" $USER, and log in again",
			(unsigned)peer.uid);
}
