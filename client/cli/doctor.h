/* vpn-connect doctor: what it looks at. Shared by doctor*.c only. */
#ifndef CLIENT_CLI_DOCTOR_H
#define CLIENT_CLI_DOCTOR_H

#include "client/cli/cli.h"

#define DOCTOR_ADDRS_MAX 8

enum verdict {
	VERDICT_GOOD,
	VERDICT_NOTE, /* may matter */
	VERDICT_BAD,
	VERDICT_SKIP /* could not be looked at */
};

struct doctor {
	struct cli *cli;
	struct show show;
	struct profile profile;
	char path[PLACE_MAX];		     /* of the profile */
	bool runs;			     /* the tunnel, just now */
	struct addr addrs[DOCTOR_ADDRS_MAX]; /* of the gateway */
	size_t n_addrs;
	bool udp_good;
	uint16_t tcp_port; /* that accepts connections; 0: none */
	int tcp_errno;
	json_t *checks; /* for --json */
	enum err first; /* the first bad one's; OK: none */
};

/* What a check found. fix: what to do; "" where nothing is. */
struct finding {
	const char *check;
	enum verdict verdict;
	enum err why; /* of a bad one: the exit code */
	char fix[320];
};
/* Prints it, or keeps it for --json. */
void doctor_say(struct doctor *d, const struct finding *f, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* doctor_host.c: this machine. */
void doctor_check_password(struct doctor *d);
void doctor_check_clock(struct doctor *d);
void doctor_check_dns(struct doctor *d);
void doctor_check_kernel(struct doctor *d);
void doctor_check_helper(struct doctor *d);
void doctor_check_cache(struct doctor *d);
/* doctor_net.c: the way to the gateway. */
void doctor_check_name(struct doctor *d);
/* Before the check of UDP, whose advice depends on it; says nothing. */
void doctor_try_tcp(struct doctor *d);
void doctor_check_tcp(struct doctor *d);
/* doctor_ike.c: the gateway. */
void doctor_check_gateway(struct doctor *d);	 /* UDP, its certificate */
void doctor_check_certificate(struct doctor *d); /* the user's own */

#endif
