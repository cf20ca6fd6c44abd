/* Shared by tunnel*.c only. */
#ifndef CLIENT_RUN_TUNNEL_PRIVATE_H
#define CLIENT_RUN_TUNNEL_PRIVATE_H

#include "client/run/dataplane.h"
#include "client/run/kernelplane.h"
#include "client/run/portal.h"
#include "client/run/resolve.h"
#include "client/run/tcp.h"
#include "client/run/tunnel.h"
#include "client/store/networks.h"
#include "platform/netmon.h"
#include "platform/sleep.h"

#define TUNNEL_KEYIDS_MAX 8
#define LANES_MAX	  (PATHS_MAX + 2) /* one that retires, one to look */

/* One socket to the gateway. */
struct lane {
	struct tunnel *t; /* NULL: a free place */
	int fd;
	enum path_kind kind;
	struct ike_path path;
	struct tcp_stream *tcp; /* NULL: UDP */
	unsigned born;
	bool in_pump; /* heard by its threads, else by the loop */
	bool broken;
	int64_t retire_ms; /* of the path before a move: heard until then */
};

struct tunnel {
	const struct profile *profile;
	struct net *net;
	struct ticket_cache *cache;
	struct loop *loop;
	struct tunnel_ui ui;
	struct session *session;
	struct dataplane *dataplane;
	struct kernelplane kernel;
	bool kernel_can; /* it was not refused */
	struct net_link link;
	struct resolver *resolver;	    /* asked just now; or NULL */
	struct addr addrs[PATHS_ADDRS_MAX]; /* the gateway's, as resolved */
	size_t n_addrs;
	struct ike_redirect gateway; /* whose they are; the profile's: none */
	bool path_wanted;	     /* as soon as there are addresses */
	struct lane lanes[LANES_MAX];
	unsigned lanes_made;
	struct lane *lane;    /* the tunnel's own; NULL: none */
	struct ike_path path; /* of that one, or of the last */
	uint16_t path_takes;  /* octets of an IP packet; 0: enough */
	bool mtu_unknown;     /* to be asked for */
	bool careful;	      /* it was not yet, since the tunnel was down */
	uint16_t mtu_set;     /* at the interface */
	uint32_t mark;	      /* of its socket */
	int udp_fd;	      /* of it, where it is UDP; else -1 */
	unsigned reconnects;  /* of TCP since the gateway was heard */
	/* What was begun since the session asked, and when. */
	bool racing, race_hurry;
	struct path_try tried[PATHS_MAX];
	size_t n_tried;
	int64_t race_ms, race_last_ms;
	struct path_worked worked;
	bool same_network; /* as when that worked */
	struct netmon *netmon;
	struct netmon_path way; /* of path, when the socket was opened */
	struct portal *portal;	/* NULL: no page is named */
	const char *state_dir;	/* NULL: nothing is kept of networks */
	bool knows_network;	/* its id, and what was known of its NAT */
	uint8_t network[NETWORK_ID_LEN];
	struct keepalive_known nat;
	struct sleep_watch *sleep;
	bool watches_sleep;
	int64_t sleep_due_ms; /* open the watch; or, open, let it sleep */
	/* Ours, for IKE_AUTH; views into certs_buf. */
	struct bytes certs[CERT_CHAIN_MAX];
	size_t n_certs;
	uint8_t *certs_buf;
	struct tls *tls; /* a handshake of EAP-TLS under way; or NULL */
	struct privkey *tls_key;
	struct ike_name tls_id;
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
/* The session may have gone where an answer came from. */
void tunnel_follow_path(struct tunnel *t);
/* The tunnel is up: what raced with its path is closed, what worked noted. */
void tunnel_path_works(struct tunnel *t);
/* Before the first and after the last use of the above. */
enum err ERR_MUST tunnel_open_path(struct tunnel *t);
void tunnel_close_path(struct tunnel *t);
/* From now on changes of the network are seen. */
void tunnel_watch_network(struct tunnel *t);

/* tunnel_lane.c: its sockets. */
enum err ERR_MUST lane_open(struct tunnel *t, const struct path_try *try,
			    struct lane **out, struct diag *diag);
void lane_close(struct lane *l);
/* It is the tunnel's own from now on. */
void lane_use(struct lane *l);
/* The socket that stands for this path; NULL: none. */
struct lane *lane_of(struct tunnel *t, const struct ike_path *path);
void lane_send_ike(struct lane *l, struct bytes msg);
void lane_send_keepalive(struct lane *l);
/* Drains the interface into the tunnel's own one. */
bool lane_send_esp(struct tunnel *t);
/* Else only those that race. */
void lanes_close(struct tunnel *t, bool all);
/* Another path is looked for: what of the sockets may be of use until then. */
void lanes_retire(struct tunnel *t);
/* When one is to be looked at; 0: now. */
int64_t lanes_deadline(const struct tunnel *t);
void lanes_expire(struct tunnel *t, int64_t now_ms);
/* Hears the tunnel's own one in the loop, or does not any more. */
void tunnel_watch_udp(struct tunnel *t);
void tunnel_unwatch_udp(struct tunnel *t);

/* tunnel_portal.c: networks where somebody must sign in first. */
#define TUNNEL_SIGN_IN "sign in to the network"
enum err ERR_MUST tunnel_make_portal(struct tunnel *t);
/* The session is in this state now. */
void tunnel_portal_state(struct tunnel *t, enum session_state state);
/* There is a path, the same as before or another: is it known to be closed? */
bool tunnel_portal_holds(struct tunnel *t, bool same);

/* tunnel_nat.c: what is known of each network's NAT. */
void tunnel_nat_state(struct tunnel *t, enum session_state state);

/* tunnel_sleep.c: the machine's sleep, from when the tunnel is up. */
void tunnel_watch_sleep(struct tunnel *t);
void tunnel_unwatch_sleep(struct tunnel *t);
/* Did it sleep? Asked whenever something else wakes us. */
void tunnel_notice_sleep(struct tunnel *t);
/* What a sleep may have waited for. */
void tunnel_ticket_stored(struct tunnel *t);

/* tunnel_tls.c */
void tunnel_answer_tls(struct tunnel *t, const struct ike_action *a);
/* What is left of a handshake; wipes. */
void tunnel_drop_tls(struct tunnel *t);

/* tunnel_plane.c: the kernel's ESP or the client's. */
enum err ERR_MUST tunnel_open_link(struct tunnel *t, struct diag *diag);
/* For what netconf and path are now; before its networks are set. */
enum err ERR_MUST tunnel_settle_plane(struct tunnel *t, struct diag *diag);
void tunnel_add_child(struct tunnel *t, const struct ike_child_sa *child);
void tunnel_drop_child(struct tunnel *t, uint32_t spi_in);
void tunnel_retire_children(struct tunnel *t);
void tunnel_clear_children(struct tunnel *t);
/* The path may be another one. True: the session has more to do. */
bool tunnel_follow_plane(struct tunnel *t);
/* Tells the session when the kernel last heard and spoke. */
void tunnel_hear_plane(struct tunnel *t);

/* tunnel_pump.c: threads or this loop. */
enum err ERR_MUST tunnel_watch_pump(struct tunnel *t);
enum err ERR_MUST tunnel_watch_tun(struct tunnel *t);
void tunnel_close_tun(struct tunnel *t);
void tunnel_choose_pump(struct tunnel *t);
void tunnel_end_pump(struct tunnel *t);
/* Tells the session when the threads last heard and spoke. */
void tunnel_hear_pump(struct tunnel *t);

/* tunnel_conf.c: what was agreed on, set at the helper. */
void tunnel_apply_network(struct tunnel *t, const struct ike_netconf *n);
/* The MTU is another one. */
void tunnel_fit_network(struct tunnel *t);

/* tunnel_mtu.c */
uint16_t tunnel_mtu(const struct tunnel *t);
/* How long a packet does the path take, where that is not known? True when the
 * session has been asked, and so may have actions. */
bool tunnel_ask_mtu(struct tunnel *t);
/* IKE_DO_PROBED: the answer. */
void tunnel_hear_mtu(struct tunnel *t, const struct ike_action *a);

/* tunnel_ask.c: the session's questions. */
enum err ERR_MUST tunnel_load_certs(struct tunnel *t, struct diag *diag);
/* Is there nothing but a person to open the private key? */
bool tunnel_needs_person(const struct tunnel *t);
/* The private key; asks for its passphrase where it has one. gives. */
enum err ERR_MUST tunnel_load_key(struct tunnel *t, struct privkey **out,
				  struct diag *diag);
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
