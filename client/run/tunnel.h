/* One running tunnel: joins the session to sockets, helper, ESP, cache. */
#ifndef CLIENT_RUN_TUNNEL_H
#define CLIENT_RUN_TUNNEL_H

#include "client/run/dataplane.h"
#include "client/run/loop.h"
#include "client/session/profile.h"
#include "client/store/cache.h"
#include "platform/net.h"

/* How the tunnel talks to who runs it. */
struct tunnel_ui {
	void *ctx;
	/* One line of progress for a person. */
	void (*progress)(void *ctx, const char *text);
	/* A password or pre-shared key; ERR_NEEDS_PERSON when nobody can be
	 * asked. May block. prompt: "Password for alice at vpn.example.org". */
	enum err (*ask_secret)(void *ctx, const char *prompt,
			       struct secret *out, struct diag *diag);
	/* Counted up by ask_secret when a person was asked; or NULL. */
	const uint32_t *prompts;
	/* What was agreed on is set, the first time and when it changes. Where
	 * this is there, the name servers in conf are for the callee to set
	 * up, and the helper gets none. Or NULL. */
	void (*network)(void *ctx, const struct net_conf *conf);
	/* Established (again). */
	void (*up)(void *ctx);
	/* Over: why is ERR_CANCELLED after down and suspend. The tunnel may be
	 * freed after loop_run has returned, not from here. */
	void (*closed)(void *ctx, enum err why, const char *detail);
};

/* Everything status can say. */
struct tunnel_status {
	struct session_report session;
	char sign_in[256]; /* URL, while the network is closed; or "" */
	char gateway[256];
	char gateway_addr[ADDR_STR_MAX]; /* with port */
	char local_addr[ADDR_STR_MAX];
	char transport[4]; /* "udp", "tcp" or "" */
	char identity[IKE_NAME_MAX + 1];
	char interface[NET_NAME_LEN];
	char inner_v4[ADDR_STR_MAX], inner_v6[ADDR_STR_MAX]; /* or "" */
	char dns[4][ADDR_STR_MAX];
	size_t n_dns;
	uint64_t octets_in, octets_out, packets_in, packets_out;
	struct dataplane_how dataplane;
	bool in_kernel;	    /* the kernel does the ESP, and not that one */
	int64_t connect_ms; /* start of the attempt to up */
	int64_t connect_cpu_us;
	int64_t since_wall_ms; /* Unix time of up; 0 */
	uint32_t prompts;      /* times a person was asked, this process */
	bool has_ticket;
	int64_t ticket_remaining_s;
	size_t ticket_size;
	uint32_t ticket_renewed;
	int64_t renewal_s; /* until the next one; -1: none is planned */
};

struct tunnel;

/* What the profile asks of net_connect, or of net_open_link. */
enum net_plane tunnel_plane_of(const struct profile *p);

/* Borrows all but takes net. cache may be NULL: no tickets. */
struct tunnel_setup {
	const struct profile *profile;
	struct net *net;
	struct ticket_cache *cache;
	const char *state_dir; /* NULL: nothing is learnt for the next time */
	struct loop *loop;
	struct tunnel_ui ui;
	bool persistent;
};
enum err ERR_MUST tunnel_new(const struct tunnel_setup *setup,
			     struct tunnel **out, struct diag *diag);
/* Loads certificates and keys, makes the interface, starts the session. */
enum err ERR_MUST tunnel_start(struct tunnel *t, struct diag *diag);
void tunnel_down(struct tunnel *t);
void tunnel_suspend(struct tunnel *t);
/* The ticket, on the disk and in hand; the tunnel goes on. */
void tunnel_forget_ticket(struct tunnel *t);
void tunnel_status(struct tunnel *t, struct tunnel_status *out);
void tunnel_free(struct tunnel **t); /* lease closed, all taken back */

#endif
