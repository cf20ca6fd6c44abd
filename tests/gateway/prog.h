/* The program around the core: options, data plane, control socket. */
#ifndef TESTS_GATEWAY_PROG_H
#define TESTS_GATEWAY_PROG_H

#include "client/esp/esp.h"
#include "tests/gateway/gw.h"

#define PROG_LISTEN_MAX	 8
#define PROG_USERS_MAX	 64
#define PROG_CERTS_MAX	 8
#define PROG_CONTROL_MAX 8
#define PROG_PACKET_MAX	 65536

struct prog_socket {
	int fd;
	struct addr local;
	bool natt; /* port 4500: non-ESP marker */
};

struct plane;

struct prog {
	/* options.c */
	struct gw_config cfg;
	struct gw_switches switches;
	struct addr listen[PROG_LISTEN_MAX];
	size_t n_listen;
	uint16_t port; /* 4500 */
	bool port_500;
	const char *tun_name;
	const char *control_path;
	const char *state_path;
	const char *groups;
	unsigned loss_pct;
	int verbose;
	struct secret psk;
	struct gw_user users[PROG_USERS_MAX];
	struct secret passwords[PROG_USERS_MAX];
	struct bytes certs[PROG_CERTS_MAX];
	uint8_t *cert_buf;
	struct trust *trust;

	struct gw *gw;
	struct plane *plane;
	struct prog_socket socks[2 * PROG_LISTEN_MAX];
	size_t n_socks;
	struct rng rng; /* of the loss */
	int tun_fd;
	int control_fd, control_clients[PROG_CONTROL_MAX];
	uint64_t saved_at; /* tickets issued and used when last saved */
	bool stop;
};

/* --- options.c ---- */
/* Exits after --help or a wrong option. */
void options_read(struct prog *p, int argc, char **argv);
void options_free(struct prog *p);

/* --- plane.c: userspace ESP, many clients ---- */
enum err ERR_MUST plane_new(struct plane **out);
void plane_free(struct plane **p);
void plane_child_add(struct plane *p, const struct gw_child_info *info);
void plane_child_del(struct plane *p, uint32_t spi_in);
void plane_path(struct plane *p, uint32_t session, const struct gw_path *path);
void plane_down(struct plane *p, uint32_t session);
/* An ESP packet, decrypted in place. ERR_NOT_FOUND: unknown SPI. *out_moved:
 * it came from elsewhere than before. A length of 0 is nothing to forward. */
enum err ERR_MUST plane_open(struct plane *p, const struct gw_path *path,
			     struct esp_pkt *pkt, uint32_t *out_spi,
			     bool *out_moved);
/* An inner packet, encrypted in place; ERR_NOT_FOUND: nobody has that
 * address. */
enum err ERR_MUST plane_seal(struct plane *p, struct esp_pkt *pkt,
			     struct gw_path *out_path);
struct plane_counters {
	uint64_t packets_in, packets_out, octets_in, octets_out;
	uint64_t unknown_spi, refused_in, no_route, spoofed;
};
const struct plane_counters *plane_counters(const struct plane *p);

/* --- tun.c ---- */
/* Makes the interface with the first host address of each pool, up. */
enum err ERR_MUST prog_tun_open(struct prog *p, struct diag *diag);

/* --- control.c ---- */
enum err ERR_MUST control_open(struct prog *p, struct diag *diag);
void control_accept(struct prog *p);
void control_read(struct prog *p, size_t n);
void control_close(struct prog *p);
/* The other end: sends one command line, prints the answer. */
int control_tell(const char *path, int argc, char **argv);
/* Pulls all actions of the core; after every verb. */
void prog_pull(struct prog *p);
int64_t prog_now(void);

#endif
