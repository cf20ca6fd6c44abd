/* An IKE SA under a script of octets: datagrams of anybody, messages of a
 * gateway that has the keys, time, and the verbs of the layer above. */
#ifndef TESTS_FUZZ_FUZZ_SA_INPUT_H
#define TESTS_FUZZ_FUZZ_SA_INPUT_H

#include "tests/fuzz/fuzz.h"

#include "client/ike/ike_sa.h"

#define FUZZ_CHILDREN_MAX 16
#define FUZZ_PULL_MAX	  2000
#define FUZZ_NOW	  1000000

struct fuzz_ike {
	struct ike_config cfg;
	struct ike_sa *sa;
	struct ike_path path;
	int64_t now_ms;
	struct secret password;
	uint8_t last[66000]; /* what the client sent */
	size_t last_len;
	struct ike_hdr asked; /* its last request */
	/* the gateway's side */
	struct rng rng;
	uint64_t spi_i, spi_r;
	struct ike_keys keys;
	struct ike_protect protect;
	bool has_keys;
	uint8_t ni[IKE_NONCE_MAX], nr[32];
	size_t ni_len;
	uint8_t first[2048]; /* its first message */
	size_t first_len;
	uint32_t next_id;
	/* what came out */
	uint32_t children[FUZZ_CHILDREN_MAX];
	bool up, closed, proven;
	size_t n_asked; /* for a password, or a step of TLS */
	/* the next answer to IKE_DO_ASK_TLS */
	size_t tls_out;
	bool tls_done;
};

void fuzz_ike_open(struct fuzz_ike *f, enum ike_auth_kind auth);
void fuzz_ike_close(struct fuzz_ike *f);
/* Pulls, and asserts what must hold of every action. */
void fuzz_ike_pull(struct fuzz_ike *f);
void fuzz_ike_raw(struct fuzz_ike *f, struct bytes dgram);
/* Sealed by the gateway; fuzz_ike_pull follows. */
void fuzz_ike_sealed(struct fuzz_ike *f, const struct ike_hdr *hdr,
		     uint8_t first, struct bytes chain);
/* Lets ms pass: never a deadline that stays. */
void fuzz_ike_wait(struct fuzz_ike *f, int64_t ms);
/* Header of an answer to the last request, or of a request of the gateway. */
struct ike_hdr fuzz_ike_answer(const struct fuzz_ike *f);
struct ike_hdr fuzz_ike_ask(struct fuzz_ike *f, uint8_t exchange);

/* IKE_SA_INIT is through, EAP may begin. */
void fuzz_ike_eap_start(struct fuzz_ike *f);
/* An EAP packet of code, identifier, type, length 2 and octets; the first one
 * with the gateway's proof. */
void fuzz_ike_eap_packet(struct fuzz_ike *f, struct rd *r, bool first);

#endif
