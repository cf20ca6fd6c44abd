/* The first and only program of a virtual machine, for tests/interop/suspend:
 * puts the machine to sleep and prints what platform/sleep.h told of it. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "platform/sleep.h"

#define ALARM "/sys/class/rtc/rtc0/wakealarm"

static double now(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		printf("cannot write to %s: %m\n", path);
	if (fd >= 0)
		close(fd);
}

/* What a client does: nothing, until the kernel wakes it. */
static int watch(int ready_fd)
{
	struct sleep_watch *w;
	struct pollfd p = {.events = POLLIN};
	enum sleep_event ev;
	int wakeups = 0;

	if (sleep_watch_open(&w, NULL))
		return 1;
	p.fd = sleep_watch_fd(w);
	if (write(ready_fd, "", 1) != 1)
		return 1;
	for (;;) {
		if (poll(&p, 1, 30000) != 1) {
			printf("nothing was told\n");
			return 1;
		}
		wakeups++;
		ev = sleep_watch_next(w);
		printf("told: %s, after %d wake-ups\n",
		       ev == SLEEP_OVER ? "over" : "nothing", wakeups);
		if (ev == SLEEP_OVER)
			return 0;
	}
}

static void sleep_once(void)
{
	double boot, mono;
	char ready;
	int fds[2];
	pid_t pid;

	if (pipe(fds) < 0 || (pid = fork()) < 0)
		return;
	if (pid == 0)
		_exit(watch(fds[1]));
	if (read(fds[0], &ready, 1) != 1)
		return;
	boot = now(CLOCK_BOOTTIME);
	mono = now(CLOCK_MONOTONIC);
	put(ALARM, "0");
	put(ALARM, "+5");
	put("/sys/power/state", "mem");
	boot = now(CLOCK_BOOTTIME) - boot;
	mono = now(CLOCK_MONOTONIC) - mono;
	waitpid(pid, NULL, 0);
	printf("mem: boot clock %.1f s, monotonic clock %.1f s\n", boot, mono);
}

int main(void)
{
	/* Whoever reads the console wants whole lines at once. */
	setvbuf(stdout, NULL, _IONBF, 0);
	mkdir("/sys", 0755);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	sleep_once();
	reboot(RB_AUTOBOOT); /* qemu ends */
	return 0;
}
