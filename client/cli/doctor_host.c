/* doctor: this machine. */
#include "config.h"

#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "client/cli/doctor.h"
#include "client/run/proof.h"
#include "client/store/credential.h"

#define TUN_DEVICE   "/dev/net/tun"
#define RESOLV_CONF  "/etc/resolv.conf"
#define RESOLVED_DIR "/run/systemd/resolve"
#define DAY_S	     (24 * 3600)

/* --- password ------------------------------------------------------------- */

void doctor_check_password(struct doctor *d)
{
	struct finding f = {.check = "password"};
	struct diag diag = DIAG_INIT;
	struct secret secret;
	enum err e;

	if (d->profile.certificate[0] && !proof_key_is_encrypted(&d->profile))
		return;
	e = credential_read(&d->profile, &secret, &diag);
	secret_wipe(&secret);
	if (!e) {
		doctor_say(d, &f, "there, and closed to others");
	} else if (e == ERR_NOT_FOUND && !diag.text[0]) {
		doctor_say(d, &f, "asked for at the terminal");
	} else if (e == ERR_NOT_FOUND) {
		f.verdict = VERDICT_NOTE;
		snprintf(f.fix, sizeof(f.fix),
			 "the terminal is asked instead; to connect without a "
			 "person write the file, mode 600");
		doctor_say(d, &f, "%s", diag_text(&diag, e));
	} else {
		f.verdict = VERDICT_BAD;
		f.why = e;
		doctor_say(d, &f, "%s", diag_text(&diag, e));
	}
}

/* --- clock ---------------------------------------------------------------- */

/* A clock before the file was written is certainly wrong. */
void doctor_check_clock(struct doctor *d)
{
	struct finding f = {.check = "clock"};
	int64_t now = os_now().wall_ms / 1000;
	struct timex state = {.modes = 0};
	time_t t = (time_t)now;
	struct stat st;
	struct tm tm;
	char when[32] = "";

	if (gmtime_r(&t, &tm))
		strftime(when, sizeof(when), "%F %T UTC", &tm);
	if (stat(d->path, &st) == 0 && st.st_mtime > now + DAY_S) {
		f.verdict = VERDICT_BAD;
		f.why = ERR_EXPIRED;
		snprintf(f.fix, sizeof(f.fix),
			 "set it: timedatectl set-ntp true, or date -s");
		doctor_say(d, &f,
			   "%s is before the profile was written: the clock "
			   "is wrong",
			   when);
		return;
	}
	if (adjtimex(&state) == TIME_ERROR) {
		f.verdict = VERDICT_NOTE;
		snprintf(f.fix, sizeof(f.fix),
			 "is it right? Certificates and tickets are judged by "
			 "it: timedatectl set-ntp true");
		doctor_say(d, &f, "%s, not synchronised by NTP", when);
		return;
	}
	doctor_say(d, &f, "%s, synchronised", when);
}

/* --- DNS ------------------------------------------------------------------ */

static bool has_server(void)
{
	char line[300], word[20];
	FILE *file = fopen(RESOLV_CONF, "re");
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%19s", word) == 1 &&
			strcmp(word, "nameserver") == 0;
	if (file)
		fclose(file);
	return found;
}

void doctor_check_dns(struct doctor *d)
{
	struct finding f = {.check = "dns"};
	char target[300] = "";
	bool resolved = access(RESOLVED_DIR, F_OK) == 0, to_resolved;

	if (readlink(RESOLV_CONF, target, sizeof(target) - 1) < 0)
		target[0] = '\0';
	to_resolved = strstr(target, "systemd/resolve") != NULL;
	if (to_resolved && !resolved) {
		f.verdict = VERDICT_BAD;
		f.why = ERR_NAME;
		snprintf(f.fix, sizeof(f.fix),
			 "systemctl enable --now systemd-resolved");
		doctor_say(d, &f,
			   RESOLV_CONF " is systemd-resolved's, which does not "
				       "run");
	} else if (!has_server()) {
		f.verdict = VERDICT_BAD;
		f.why = ERR_NAME;
		snprintf(f.fix, sizeof(f.fix),
			 "write \"nameserver ADDRESS\" into " RESOLV_CONF
			 ", or let the network's manager do it");
		doctor_say(d, &f, RESOLV_CONF " names no name server");
	} else if (!d->profile.dns) {
		doctor_say(d, &f,
			   "the gateway's name servers are not used "
			   "([tunnel] dns = no)");
	} else {
		doctor_say(d, &f, "the gateway's name servers go to %s",
			   resolved ? "systemd-resolved" : RESOLV_CONF);
	}
}

/* --- kernel --------------------------------------------------------------- */

void doctor_check_kernel(struct doctor *d)
{
	struct finding f = {.check = "kernel"};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM);
	bool esp = fd >= 0;

	if (fd >= 0)
		close(fd);
	if (access(TUN_DEVICE, F_OK) < 0) {
		f.verdict = VERDICT_BAD;
		f.why = ERR_NO_HELPER;
		snprintf(f.fix, sizeof(f.fix),
			 "modprobe tun (as root); in a container: give "
			 "it " TUN_DEVICE);
		doctor_say(d, &f,
			   "no " TUN_DEVICE ": no tunnel interface can "
			   "be made");
		return;
	}
	doctor_say(d, &f, "TUN: yes; ESP in the kernel: %s",
		   esp ? "yes" : "no (not needed)");
}

/* --- the helper ----------------------------------------------------------- */

static enum err helper_try(struct doctor *d, struct net_link *link,
			   struct diag *diag)
{
	enum err e = d->cli->net
			     ? OK
			     : net_connect(NET_PLANE_USER, &d->cli->net, diag);

	return e ? e : net_open_link(d->cli->net, NET_PLANE_USER, link, diag);
}

void doctor_check_helper(struct doctor *d)
{
	struct finding f = {.check = "helper"};
	struct net_link link = {.tun_fd = -1};
	struct diag diag = DIAG_INIT;
	enum err e = helper_try(d, &link, &diag);

	if (link.tun_fd >= 0)
		close(link.tun_fd);
	/* It takes back what it made. */
	net_close(&d->cli->net);
	if (!e) {
		doctor_say(d, &f,
			   "vpn-netd made an interface, and took it "
			   "away");
		return;
	}
	f.verdict = VERDICT_BAD;
	f.why = e;
	snprintf(f.fix, sizeof(f.fix),
		 "sudo vpn-connect up %.60s starts its own; as a service: "
		 "systemctl enable --now vpn-netd.socket, see vpn-netd(8) for "
		 "who may use it",
		 d->cli->name);
	doctor_say(d, &f, "%s", diag_text(&diag, e));
}

/* --- the cache ------------------------------------------------------------ */

void doctor_check_cache(struct doctor *d)
{
	struct finding f = {.check = "tickets"};
	struct ticket_info *info = NULL;
	struct diag diag = DIAG_INIT;
	char span[32];
	size_t n = 0;
	enum err e = OK;

	if (access(d->cli->places.state, F_OK) == 0)
		e = places_private_dir(d->cli->places.state, &diag);
	if (!e)
		e = tickets_read(d->cli, d->cli->name, &info, &n, &diag);
	if (e) {
		f.verdict = VERDICT_BAD;
		f.why = e == ERR_PERMISSION ? e : ERR_CACHE;
		snprintf(f.fix, sizeof(f.fix),
			 "it connects without resuming; or rm -r %.200s: "
			 "tickets are lost, nothing else",
			 d->cli->places.state);
		doctor_say(d, &f, "%s", diag_text(&diag, e));
	} else if (n > 0) {
		doctor_say(
			d, &f, "one, %s left",
			show_duration(info[0].remaining_s, span, sizeof(span)));
	} else {
		doctor_say(d, &f, "none yet");
	}
	free(info);
}
