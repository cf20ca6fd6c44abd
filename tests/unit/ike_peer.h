/* A gateway that does what a test tells it, message by message; built on the
 * codec alone, so that it can send what no gateway would. */
#ifndef TESTS_UNIT_IKE_PEER_H
#define TESTS_UNIT_IKE_PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "client/ike/ike_sa.h"

#define PEER_ACTS_MAX 64

struct peer {
	struct ike_config cfg;
	struct ike_sa *sa;
	struct ike_path path;
	int64_t now_ms;
	struct secret psk;

	/* the peer's view of the SA */
	uint64_t spi_i, spi_r;
	struct rng rng;
	struct ike_keys keys;
	struct ike_protect protect;
	bool has_keys;
	uint8_t ni[IKE_NONCE_MAX];
	size_t ni_len;
	uint8_t nr[32];
	uint8_t first_c[2048], first_g[2048];
	size_t first_c_len, first_g_len;
	struct secret sk_d_old; /* of a ticket */
	struct suite suite;
	bool resuming;
	uint32_t next_id;	      /* of our requests */
	uint32_t child_in, child_out; /* the peer's SPIs, in and out */
	struct proposal esp;

	/* what the client sent last, and how much in all */
	uint8_t last[65536];
	size_t last_len;
	struct ike_path last_path;
	size_t n_sent;
	/* opened by peer_read; views into buf */
	uint8_t buf[65536];
	struct ike_msg msg;
	uint8_t chain[65536];

	/* what it told */
	enum ike_action_kind acts[PEER_ACTS_MAX];
	size_t n_acts;
	bool up, closed;
	enum err why;
	bool in_doubt;
	char detail[320];
	bool moved_ok, moved_nat;  /* of the last IKE_DO_MOVED */
	struct ike_child_sa child; /* the last one added */
	uint32_t child_gone;	   /* SPI of the last CHILD_DEL */
	struct ike_ticket ticket;
	uint8_t ticket_opaque[IKE_TICKET_MAX];
	size_t n_passwords;
	uint8_t tls_in[4096]; /* of the last IKE_DO_ASK_TLS */
	size_t tls_in_len;
};

void peer_open(struct peer *p, enum ike_auth_kind auth);
void peer_close(struct peer *p);
/* A new client SA and an empty peer; config and ticket stay. */
void peer_again(struct peer *p);
void peer_pull(struct peer *p);
size_t peer_count(const struct peer *p, enum ike_action_kind kind);
/* Lets ms pass: timeouts, pulls. */
void peer_wait(struct peer *p, int64_t ms);

/* Parses what the client sent last, decrypted where it is protected. */
const struct ike_msg *peer_read(struct peer *p);
/* An unprotected message to the client; header as given by the test. */
struct ike_hdr peer_hdr(const struct peer *p, uint8_t exchange, bool response,
			uint32_t msg_id);
void peer_send_plain(struct peer *p, const struct ike_hdr *hdr,
		     void (*fill)(struct peer *p, struct ike_wr *w));
/* A protected one. fill may be NULL: empty. */
void peer_send(struct peer *p, const struct ike_hdr *hdr,
	       void (*fill)(struct peer *p, struct ike_wr *w));
/* A protected one from octets: first payload and chain. */
void peer_send_raw(struct peer *p, const struct ike_hdr *hdr, uint8_t first,
		   struct bytes chain);
/* The same as request with our next message ID, and the client's answer. */
const struct ike_msg *peer_ask(struct peer *p, uint8_t exchange,
			       void (*fill)(struct peer *p, struct ike_wr *w));
/* Answers the client's last request. */
void peer_reply(struct peer *p, void (*fill)(struct peer *p, struct ike_wr *w));

/* The usual answers. */
void peer_fill_init(struct peer *p, struct ike_wr *w);
void peer_answer_init(struct peer *p);
void peer_answer_resume(struct peer *p);
void peer_take_keys(struct peer *p); /* after an own IKE_SA_INIT answer */
void peer_fill_idr_auth(struct peer *p, struct ike_wr *w);
void peer_fill_child(struct peer *p, struct ike_wr *w);
void peer_fill_auth(struct peer *p, struct ike_wr *w); /* both of them */
/* Goes all the way with PSK. */
void peer_up(struct peer *p);

/* The client's answer is the notify; fails the test otherwise. */
void peer_assert_notify(const struct ike_msg *msg, uint16_t type);

#endif
