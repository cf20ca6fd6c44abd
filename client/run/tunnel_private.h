/* Shared by tunnel*.c only. */
#ifndef CLIENT_RUN_TUNNEL_PRIVATE_H
#define CLIENT_RUN_TUNNEL_PRIVATE_H

#include "client/run/dataplane.h"
#include "client/run/portal.h"
#include "client/run/tunnel.h"
#include "platform/netmon.h"
#include "platform/sleep.h"

#define TUNNEL_KEYIDS_MAX 8
#define GATEWAY_ADDRS_MAX 8

struct tunnel {
	const struct profile *profile;
	struct net *net;
	struct ticket_cache *cache;
	struct loop *loop;
	struct tunnel_ui ui;
	struct session *session;
	struct dataplane *dataplane;
	struct net_link link;
	struct addr addrs[GATEWAY_ADDRS_MAX]; /* the gateway's, as resolved */
	size_t n_addrs;
	unsigned tries_by_addr; /* since the name was asked for */
	struct ike_path path;
	struct netmon *netmon;
	struct netmon_path way; /* of path, when the socket was opened */
	struct portal *portal;	/* NULL: no page is named */
	struct sleep_watch *sleep;
	bool watches_sleep;
	int64_t sleep_due_ms; /* open the watch; or, open, let it sleep */
	int udp_fd;	      /* -1: none */
	int old_udp_fd; /* of the path before a move: only heard, for a while */
	int64_t old_until_ms;
	/* Ours, for IKE_AUTH; views into certs_buf. */
	struct bytes certs[CERT_CHAIN_MAX];
	size_t n_certs;
	uint8_t *certs_buf;
	/* The gateway's CAs; SHA-1 of their keys for CERTREQ. */
	struct trust *trust;
	uint8_t keyids[TUNNEL_KEYIDS_MAX * 20];
	size_t n_keyids;
	/* What a person typed, kept for reconnects while we run. */
	struct secret secret;
	bool has_secret;
	struct ike_netconf netconf;
	int64_t cpu_start_us, connect_cpu_us, since_wall_ms;
	struct ticket_entry unsaved; /* the ticket, where the store failed */
	/* The ticket in the store; for status. */
	bool has_ticket;
	int64_t ticket_expires_wall_ms;
	size_t ticket_size;
	uint32_t ticket_renewed;
	bool first_ticket; /* none came yet on this SA */
	bool persistent;
	bool pumping;	  /* the data plane's threads have tun and udp */
	bool pump_broken; /* they could not be had */
	uint8_t dgram[65536 + ESP_HEADROOM];
};

/* tunnel_path.c: the way to the gateway. */
void tunnel_answer_path(struct tunnel *t);
void tunnel_close_udp(struct tunnel *t);
/* Before the first and after the last use of the above. */
enum err ERR_MUST tunnel_open_path(struct tunnel *t);
void tunnel_close_path(struct tunnel *t);
/* Hears the sockets that there are in the loop, or does not any more. */
void tunnel_watch_udp(struct tunnel *t);
void tunnel_unwatch_udp(struct tunnel *t);
/* From now on changes of the network are seen. */
void tunnel_watch_network(struct tunnel *t);

/* tunnel_portal.c: networks where somebody must sign in first. */
#define TUNNEL_SIGN_IN "sign in to the network"
enum err ERR_MUST tunnel_make_portal(struct tunnel *t);
/* The session is in this state now. */
void tunnel_portal_state(struct tunnel *t, enum session_state state);
/* There is a path, the same as before or another: is it known to be closed? */
bool tunnel_portal_holds(struct tunnel *t, bool same);

/* tunnel_sleep.c: the machine's sleep, from when the tunnel is up. */
void tunnel_watch_sleep(struct tunnel *t);
void tunnel_unwatch_sleep(struct tunnel *t);
/* Did it sleep? Asked whenever something else wakes us. */
void tunnel_notice_sleep(struct tunnel *t);
/* What a sleep may have waited for. */
void tunnel_ticket_stored(struct tunnel *t);

/* tunnel_pump.c: threads or this loop. */
enum err ERR_MUST tunnel_watch_tun(struct tunnel *t);
void tunnel_choose_pump(struct tunnel *t);
void tunnel_end_pump(struct tunnel *t);
/* Tells the session when the threads last heard and spoke. */
void tunnel_hear_pump(struct tunnel *t);

/* tunnel_conf.c: what was agreed on, set at the helper. */
void tunnel_apply_network(struct tunnel *t, const struct ike_netconf *n);

/* tunnel_ask.c: the session's questions. */
enum err ERR_MUST tunnel_load_certs(struct tunnel *t, struct diag *diag);
enum err ERR_MUST tunnel_load_ca(struct tunnel *t, struct diag *diag);
void tunnel_answer_secret(struct tunnel *t, bool is_password);
void tunnel_answer_sign(struct tunnel *t, const struct ike_action *a);
void tunnel_answer_verify(struct tunnel *t, const struct ike_action *a);
void tunnel_forget_secret(struct tunnel *t);

/* tunnel_store.c: the ticket's way to the disk and back. */
void tunnel_answer_ticket(struct tunnel *t);
void tunnel_store_ticket(struct tunnel *t, const struct ike_ticket *ticket);
void tunnel_sync_ticket(struct tunnel *t);
void tunnel_void_ticket(struct tunnel *t);

/* Pulls the session's actions until there are none. */
void tunnel_pump(struct tunnel *t);

#endif
