/* The program around the core: options, data plane, control socket. */
#ifndef TESTS_GATEWAY_PROG_H
#define TESTS_GATEWAY_PROG_H

#include <poll.h>
#include <sys/socket.h>

#include "tests/gateway/plane_io.h"

#define PROG_LISTEN_MAX	  8
#define PROG_USERS_MAX	  64
#define PROG_CERTS_MAX	  8
#define PROG_CONTROL_MAX  8
#define PROG_PACKET_MAX	  65536
#define PROG_TCP_MAX	  (4 * PROG_LISTEN_MAX)
#define PROG_TCP_POLL_MAX 256 /* listeners and connections */

struct prog_socket {
	int fd;
	struct addr local;
	struct pktio_udp io;
	bool natt; /* port 4500: non-ESP marker */
};

struct tcp_conn;
struct tcp_listener {
	int fd;
	struct addr local;
};

struct prog {
	/* options.c */
	struct gw_config cfg;
	struct gw_switches switches;
	struct addr listen[PROG_LISTEN_MAX];
	size_t n_listen;
	uint16_t port; /* 4500 */
	bool port_500;
	uint16_t tcp_ports[4];
	size_t n_tcp_ports;
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
	struct plane_io *io;
	struct pktio_in *in;
	struct prog_socket socks[2 * PROG_LISTEN_MAX];
	size_t n_socks;
	struct tcp_listener tcp[PROG_TCP_MAX];
	size_t n_tcp;
	struct tcp_conn *conns;
	struct rng rng; /* of the loss */
	int tun_fd;
	int control_fd, control_clients[PROG_CONTROL_MAX];
	uint64_t saved_at; /* tickets issued and used when last saved */
	bool stop;
};

/* --- options.c ----------------------------------------------------------- */
/* Exits after --help or a wrong option. */
void options_read(struct prog *p, int argc, char **argv);
void options_free(struct prog *p);

/* --- tun.c --------------------------------------------------------------- */
/* Makes the interface with the first host address of each pool, up. */
enum err ERR_MUST prog_tun_open(struct prog *p, struct diag *diag);

/* --- main.c -------------------------------------------------------------- */
/* One message of a stream, which stays where it is until _done. */
void prog_message_in(struct prog *p, const struct prog_socket *as,
		     const struct gw_path *path, struct bytes msg);
void prog_messages_done(struct prog *p, const struct gw_path *path);

/* --- tcp.c: RFC 9329 ------------------------------------------------------ */
enum err ERR_MUST tcp_listen(struct prog *p, const struct addr *at,
			     uint16_t port, struct diag *diag);
/* False: there is no connection of that path. */
bool tcp_send(struct prog *p, const struct gw_path *path,
	      const struct pktio_run *runs, size_t n);
/* fds has PROG_TCP_POLL_MAX places. */
size_t tcp_poll_fill(const struct prog *p, struct pollfd *fds);
void tcp_serve(struct prog *p, const struct pollfd *fds, size_t n);
void tcp_flush_all(struct prog *p);
/* Ends every connection with RST. */
void tcp_cut(struct prog *p);

/* --- control.c ----------------------------------------------------------- */
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
