/* nm-vpn-connect-core NAME: the VPN client under NetworkManager. Its service
 * starts it as root with a socket on standard input; it starts the helper,
 * becomes the user of SUDO_UID, and only then reads anything. */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/nm/channel.h"
#include "client/nm/folders.h"
#include "client/run/confine.h"
#include "client/run/control.h"
#include "client/run/status.h"
#include "client/run/tunnel.h"
#include "client/store/credential.h"
#include "client/store/profile_file.h"
#include "platform/base/log.h"

struct core {
	char name[PROFILE_NAME_MAX];
	struct places places;
	struct profile profile;
	struct net *net; /* until the tunnel takes it */
	struct loop *loop;
	struct control *control;
	struct ticket_cache *cache;
	struct tunnel *tunnel;
	struct secret known; /* what NetworkManager had at the start */
	uint32_t prompts;
	bool was_up;
	bool over; /* why is set */
	enum err why;
	struct diag detail;
	uint8_t message[CHANNEL_MAX];
};

static void core_end(struct core *c, enum err why, const char *detail)
{
	c->over = true;
	c->why = why;
	snprintf(c->detail.text, sizeof(c->detail.text), "%s",
		 detail ? detail : "");
}

/* Whether the service is there shows in its end of the channel, which the
 * loop watches. */
static void say(enum channel_kind kind, const char *text)
{
	if (channel_send(CHANNEL_FD, kind, bytes_str(text)))
		log_debug("the service does not listen");
}

/* --- what the tunnel says ------------------------------------------------- */

static void on_progress(void *ctx, const char *text)
{
	struct core *c = ctx;
	struct tunnel_status s;

	say(CHANNEL_PROGRESS, text);
	control_changed(c->control);
	tunnel_status(c->tunnel, &s);
	/* Who waits for a first connection is told why there is none; what
	 * was up once is tried again. */
	if (!c->was_up && s.session.state == SES_ST_WAITING) {
		core_end(c, s.session.last_error, s.session.last_detail);
		loop_stop(c->loop);
	}
}

static void on_network(void *ctx, const struct net_conf *conf)
{
	struct core *c = ctx;
	struct channel_config config = {.conf = *conf};
	struct tunnel_status s;

	tunnel_status(c->tunnel, &s);
	memcpy(config.interface, s.interface, sizeof(config.interface));
	if (channel_send_config(CHANNEL_FD, &config))
		log_error("the service was not told the addresses");
}

static void on_up(void *ctx)
{
	struct core *c = ctx;
	struct tunnel_status s;
	char line[CHANNEL_TEXT_MAX];

	c->was_up = true;
	tunnel_status(c->tunnel, &s);
	snprintf(line, sizeof(line),
		 "connected to %.250s (%s, %u round trips, %lld ms)", s.gateway,
		 session_how(&s.session), s.session.connect.round_trips,
		 (long long)s.connect_ms);
	say(CHANNEL_PROGRESS, line);
	control_changed(c->control);
}

static void on_closed(void *ctx, enum err why, const char *detail)
{
	core_end(ctx, why, detail);
}

/* Waits for it: a person may take long. */
static enum err secret_receive(struct core *c, struct secret *out)
{
	enum channel_kind kind = CHANNEL_SUSPEND;
	struct bytes body = BYTES_NONE;
	enum err e = channel_receive(CHANNEL_FD, c->message, &kind, &body);

	if (e || kind != CHANNEL_SECRET)
		return ERR_CANCELLED;
	e = secret_set(out, body);
	mem_wipe(c->message, 1 + body.len);
	return e;
}

static enum err secret_ask(struct core *c, const char *prompt,
			   struct secret *out, struct diag *diag)
{
	enum err e;

	say(CHANNEL_ASK, prompt);
	e = secret_receive(c, out);
	if (!e && out->len == 0)
		e = diag_set(diag, ERR_NEEDS_PERSON, "no password was given");
	if (!e)
		c->prompts++;
	return e;
}

static enum err on_ask_secret(void *ctx, const char *prompt, struct secret *out,
			      struct diag *diag)
{
	struct core *c = ctx;
	struct diag missing = DIAG_INIT;
	enum err e = credential_read(&c->profile, out, &missing);

	if (e && e != ERR_NOT_FOUND)
		return diag_set(diag, e, "%s", diag_text(&missing, e));
	if (e && c->known.len > 0) {
		*out = c->known;
		return OK;
	}
	return e ? secret_ask(c, prompt, out, diag) : OK;
}

/* --- who may end it ---------------------------------------------------------
 */

/* The service has nothing else to say while nobody asks, and its end is
 * ours. */
static void on_channel(void *ctx)
{
	struct core *c = ctx;

	loop_remove(c->loop, CHANNEL_FD);
	tunnel_suspend(c->tunnel);
}

static json_t *on_status(void *ctx)
{
	struct core *c = ctx;
	struct tunnel_status s;

	tunnel_status(c->tunnel, &s);
	return status_to_json(c->name, &s);
}

static void on_down(void *ctx)
{
	struct core *c = ctx;

	tunnel_down(c->tunnel);
}

static void on_suspend(void *ctx)
{
	struct core *c = ctx;

	tunnel_suspend(c->tunnel);
}

static void on_forget(void *ctx)
{
	struct core *c = ctx;

	tunnel_forget_ticket(c->tunnel);
}

/* --- from start to end -------------------------------------------------------
 */

/* NetworkManager says how much it wants to know, as syslog counts. */
static enum log_level log_level_wanted(void)
{
	const char *level = getenv("NM_VPN_LOG_LEVEL");

	if (!level || level[0] < '6')
		return LOG_WARN;
	return level[0] == '6' ? LOG_INFO : LOG_DEBUG;
}

static void on_log(enum log_level level, const char *text, void *ctx)
{
	fprintf(stderr, "nm-vpn-connect-core: %s\n", text);
}

/* As root: nothing has been read yet. */
static enum err privilege_drop(struct core *c, struct diag *diag)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	struct os_user user;
	enum err e;

	umask(077);
	/* So that secrets can be locked in memory later. */
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	e = net_spawn(&c->net, diag);
	if (!e)
		e = os_invoking_user(&user, diag);
	if (!e)
		e = folders_make(&user, diag);
	if (!e)
		e = os_drop_to(&user, diag);
	if (!e)
		e = places_find(&user, &c->places, diag);
	return e;
}

static enum err profile_receive(struct core *c, struct diag *diag)
{
	enum channel_kind kind = CHANNEL_SUSPEND;
	struct bytes body = BYTES_NONE;
	enum err e = channel_receive(CHANNEL_FD, c->message, &kind, &body);

	if (e || kind != CHANNEL_PROFILE || memchr(body.p, '\0', body.len) ||
	    body.len + 1 >= sizeof(c->message))
		return diag_set(diag, ERR_PROFILE, "no profile came");
	c->message[1 + body.len] = '\0';
	e = profile_text_load(c->name, (const char *)body.p, &c->profile, diag);
	/* NetworkManager (1.42 to 1.58) keeps a name server for ever whose
	 * interface was replaced, as a change between the kernel's ESP and the
	 * client's does. The client's can follow to every path. */
	if (!e && c->profile.dataplane == DATAPLANE_AUTO)
		c->profile.dataplane = DATAPLANE_USER;
	return e;
}

/* Everything until the first packet. */
static enum err core_prepare(struct core *c, struct diag *diag)
{
	const struct control_place place = {c->places.run, c->name};
	enum err e = profile_receive(c, diag);

	if (!e)
		e = secret_receive(c, &c->known);
	if (!e)
		e = control_open(&place, &c->control, diag);
	return e ? e : confine_client(&c->profile, &c->places, &c->cache, diag);
}

static enum err core_start(struct core *c, struct diag *diag)
{
	const struct control_hooks hooks = {.ctx = c,
					    .status = on_status,
					    .down = on_down,
					    .suspend = on_suspend,
					    .forget = on_forget};
	struct tunnel_setup setup = {
		.profile = &c->profile,
		.net = c->net,
		.cache = c->cache,
		.state_dir = c->places.state,
		.ui = {.ctx = c,
		       .progress = on_progress,
		       .ask_secret = on_ask_secret,
		       .prompts = &c->prompts,
		       .network = on_network,
		       .up = on_up,
		       .closed = on_closed},
		.persistent = true,
	};
	enum err e = loop_new(&c->loop);

	if (e)
		return e;
	setup.loop = c->loop;
	c->net = NULL; /* taken */
	e = tunnel_new(&setup, &c->tunnel, diag);
	if (!e)
		e = control_serve(c->control, c->loop, &hooks, diag);
	if (!e)
		e = loop_add(c->loop, CHANNEL_FD, on_channel, c);
	return e ? e : tunnel_start(c->tunnel, diag);
}

/* The service hears of the end when all is taken back. */
static void core_free(struct core *c)
{
	struct channel_closed closed = {.why = c->why};

	net_close(&c->net);
	tunnel_free(&c->tunnel);
	ticket_cache_close(&c->cache);
	control_close(&c->control);
	loop_free(&c->loop);
	crypto_close();
	snprintf(closed.text, sizeof(closed.text), "%s",
		 diag_text(&c->detail, c->why));
	if (channel_send_closed(CHANNEL_FD, &closed))
		log_debug("the service does not listen");
	mem_wipe(c, sizeof(*c));
	free(c);
}

static bool started_by_service(int argc)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return argc == 2 && geteuid() == 0 && getuid() == 0 &&
	       getsockopt(CHANNEL_FD, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       type == SOCK_SEQPACKET;
}

int main(int argc, char **argv)
{
	struct core *c = calloc(1, sizeof(*c));
	struct diag diag = DIAG_INIT;
	enum err e;

	log_open(on_log, NULL, log_level_wanted());
	if (!c || !started_by_service(argc)) {
		log_error("started by nm-vpn-connect-service only");
		free(c);
		return err_exit_code(ERR_USAGE);
	}
	signal(SIGPIPE, SIG_IGN);
	fcntl(CHANNEL_FD, F_SETFD, FD_CLOEXEC);
	e = privilege_drop(c, &diag);
	if (!e)
		e = profile_file_name(argv[1], c->name, &diag);
	if (!e)
		e = core_prepare(c, &diag);
	if (!e)
		e = core_start(c, &diag);
	if (!e && !c->over)
		e = loop_run(c->loop);
	if (e)
		core_end(c, e, diag.text);
	else if (!c->over)
		core_end(c, ERR_NO_HELPER, "the network helper vpn-netd ended");
	e = c->why;
	core_free(c);
	return err_exit_code(e);
}
