/* An IKE SA and the test gateway on one wire, in virtual time. */
#ifndef TESTS_UNIT_IKE_LINK_H
#define TESTS_UNIT_IKE_LINK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "client/crypto/tls.h"
#include "client/ike/ike_sa.h"
#include "tests/gateway/gw.h"

#define LINK_ACTS_MAX	  64
#define LINK_CHILDREN_MAX 16
#define LINK_T0		  1000000

/* What one side of a Child SA was told. */
struct link_child {
	bool there;
	uint32_t spi_in, spi_out;
	struct secret encr_in, encr_out, integ_in, integ_out;
	struct suite suite;
	bool is_rekey;
	uint32_t spi_in_old;
};

struct link_packet {
	struct link_packet *next;
	int64_t due_ms;
	bool to_gw;
	struct ike_path path;
	size_t len;
	uint8_t d[];
};

struct link {
	struct ike_config cfg;
	struct gw_config gwc;
	struct ike_sa *sa;
	struct gw *gw;
	int64_t now_ms;
	int64_t delay_ms; /* one way */
	struct ike_path path;
	/* false: the datagram is lost. It may be changed, len may shrink. */
	bool (*filter)(struct link *l, bool to_gw, uint8_t *d, size_t *len);
	struct ike_path passing; /* of what the filter looks at */
	uint16_t tcp_port;	 /* the gateway's: over TCP there */
	struct link_packet *wire;
	uint8_t seed;

	/* answers to questions */
	struct secret psk, password;
	enum err verdict;
	struct privkey *cl_key, *gw_key;
	struct bytes cl_cert, gw_cert;
	uint8_t *cl_buf, *gw_buf;
	struct trust *trust;
	struct tls *tls;
	struct gw_user user;
	bool password_given;

	/* what came out */
	enum ike_action_kind acts[LINK_ACTS_MAX]; /* without SEND */
	size_t n_acts;
	size_t n_sent;	/* by the client, since link_new */
	size_t n_heard; /* from the gateway */
	struct link_child ours[LINK_CHILDREN_MAX], theirs[LINK_CHILDREN_MAX];
	struct ike_netconf conf;
	bool have_ticket;
	struct ike_ticket ticket;
	uint8_t *ticket_opaque;
	bool moved;  /* the last IKE_DO_MOVED was a good one */
	bool probed; /* and the last IKE_DO_PROBED */
	bool up, resumed, behind_nat, closed, auth_sent;
	bool resume_auth_failed; /* of the last end */
	uint64_t first_spi;	 /* ours, of the last first message */
	bool redirected;
	struct ike_redirect redirect;
	enum err why;
	char detail[320];
};

/* Defaults (PSK), before link_open; then the two sides are made. */
void link_init(struct link *l);
void link_use_certs(struct link *l, enum ike_auth_kind auth);
void link_open(struct link *l);
void link_close(struct link *l);
/* Another client SA, the gateway goes on; keeps the ticket. */
void link_again(struct link *l);

void link_start(struct link *l);
void link_resume(struct link *l);
/* Pulls both sides, moves packets and time on until nothing is due before
 * ms from now. */
void link_run(struct link *l, int64_t ms);
/* Pulls what a command of the test has caused. */
void link_pull(struct link *l);
/* Hands a datagram to the client at once. */
enum err link_inject(struct link *l, const uint8_t *d, size_t len);

size_t link_count(const struct link *l, enum ike_action_kind kind);
/* Position of the first action of the kind, or LINK_ACTS_MAX. */
size_t link_first(const struct link *l, enum ike_action_kind kind);
/* Both sides hold n Child SAs with the same keys. */
void link_assert_children(const struct link *l, size_t n);
/* Connects and asserts that it is up. */
void link_connect(struct link *l);

#endif
