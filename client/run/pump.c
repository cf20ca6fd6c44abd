/* The threads of the data plane: one out of the interface, one out of the
 * socket. Each sleeps in poll until there is a packet. */
#include "client/run/dataplane_private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/base/log.h"

#define STACK_LEN (256 * 1024)

static void wake(int fd)
{
	const uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) < 0)
		log_error("pump: %s", strerror(errno));
}

static void woken(int fd)
{
	uint64_t n;

	if (read(fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		log_error("pump: %s", strerror(errno));
}

static bool stopped(struct dataplane *d)
{
	return atomic_load_explicit(&d->stop, memory_order_acquire);
}

static void *out_thread(void *ctx)
{
	struct dataplane *d = ctx;
	struct pollfd fds[2] = {{.fd = d->out.tun.fd, .events = POLLIN},
				{.fd = d->out.wake_fd, .events = POLLIN}};

	while (!stopped(d)) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (fds[1].revents)
			woken(d->out.wake_fd);
		/* The interface is gone: the loop hears of it elsewhere. */
		if (fds[0].revents & (POLLERR | POLLHUP | POLLNVAL))
			fds[0].fd = -1;
		turn_take(&d->out.turn);
		(void)out_batch(d, NULL, NULL);
		turn_give(&d->out.turn);
	}
	return NULL;
}

static void *in_thread(void *ctx)
{
	struct dataplane *d = ctx;
	struct in_side *in = &d->in;
	struct pollfd fds[3] = {{.fd = in->wake_fd, .events = POLLIN}};

	while (!stopped(d)) {
		turn_take(&in->turn);
		for (int i = 0; i < 2; i++) {
			fds[i + 1] = (struct pollfd){.fd = in->udp[i].fd,
						     .events = POLLIN};
			if (in->udp[i].fd >= 0)
				(void)in_batch(d, &in->udp[i]);
		}
		turn_give(&in->turn);
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			break;
		if (fds[0].revents)
			woken(in->wake_fd);
	}
	return NULL;
}

/* --- for the loop -------------------------------------------------------- */

/* Signals are the loop's. */
static enum err thread_start(pthread_t *out, void *(*run)(void *),
			     struct dataplane *d)
{
	sigset_t all, before;
	pthread_attr_t attr;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_LEN);
	rc = pthread_create(out, &attr, run, d);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc == 0 ? OK : ERR_SYS;
}

static void wakers_close(struct dataplane *d)
{
	if (d->out.wake_fd >= 0)
		close(d->out.wake_fd);
	if (d->in.wake_fd >= 0)
		close(d->in.wake_fd);
	d->out.wake_fd = d->in.wake_fd = -1;
}

static void udp_close(struct dataplane *d)
{
	for (int i = 0; i < 2; i++)
		if (d->in.udp[i].fd >= 0)
			pktio_udp_close(&d->in.udp[i]);
	d->out.udp.fd = -1;
}

static void udp_set(struct dataplane *d, int udp_fd)
{
	pktio_udp_open(udp_fd, &d->out.udp);
	d->in.udp[1] = d->in.udp[0];
	d->in.udp[0] = d->out.udp;
	d->out.mtu_at_ms = 0;
}

enum err dataplane_start(struct dataplane *d, int udp_fd)
{
	enum err e = OK;

	d->out.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	d->in.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->out.wake_fd < 0 || d->in.wake_fd < 0)
		e = ERR_SYS;
	atomic_store(&d->stop, false);
	atomic_store(&d->out.tell, true);
	udp_set(d, udp_fd);
	if (!e)
		e = thread_start(&d->out.thread, out_thread, d);
	if (e)
		goto fail;
	e = thread_start(&d->in.thread, in_thread, d);
	if (e) {
		atomic_store(&d->stop, true);
		wake(d->out.wake_fd);
		pthread_join(d->out.thread, NULL);
		goto fail;
	}
	d->running = true;
	return OK;
fail:
	udp_close(d);
	wakers_close(d);
	return e;
}

void dataplane_stop(struct dataplane *d)
{
	if (!d->running)
		return;
	atomic_store(&d->stop, true);
	wake(d->out.wake_fd);
	wake(d->in.wake_fd);
	pthread_join(d->out.thread, NULL);
	pthread_join(d->in.thread, NULL);
	d->running = false;
	udp_close(d);
	wakers_close(d);
}

void dataplane_move(struct dataplane *d, int udp_fd)
{
	turn_take(&d->out.turn);
	turn_take(&d->in.turn);
	udp_set(d, udp_fd);
	turn_give(&d->in.turn);
	turn_give(&d->out.turn);
	wake(d->in.wake_fd);
}

void dataplane_forget(struct dataplane *d, int udp_fd)
{
	turn_take(&d->out.turn);
	turn_take(&d->in.turn);
	if (d->out.udp.fd == udp_fd)
		d->out.udp.fd = -1;
	for (int i = 0; i < 2; i++)
		if (d->in.udp[i].fd == udp_fd)
			d->in.udp[i].fd = -1;
	turn_give(&d->in.turn);
	turn_give(&d->out.turn);
	wake(d->in.wake_fd);
}

int dataplane_ike_fd(const struct dataplane *d)
{
	return d->ike[0];
}

bool dataplane_next_ike(struct dataplane *d, uint8_t *buf, size_t cap,
			size_t *out_len)
{
	ssize_t n = recv(d->ike[0], buf, cap, MSG_DONTWAIT);

	*out_len = n > 0 ? (size_t)n : 0;
	return n > 0;
}
