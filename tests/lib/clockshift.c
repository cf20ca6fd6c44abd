/* Loaded into vpn-connect by LD_PRELOAD: its clocks run ahead by what the file
 * CLOCKSHIFT says, two int64_t in ms: how much time passed (both clocks), and
 * how much of it more the machine slept (the boot clock only). The test writes
 * to the file while the program runs. What waits in the kernel does not see
 * it: that is for the test to wake. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shift;

__attribute__((constructor)) static void shift_open(void)
{
	const char *path = getenv("CLOCKSHIFT");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *p;

	if (fd < 0)
		return;
	p = mmap(NULL, 16, PROT_READ, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED)
		shift = p;
	close(fd);
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	static int (*next)(clockid_t id, struct timespec *ts);
	int64_t ms = 0;
	int r;

	if (!next)
		next = (int (*)(clockid_t, struct timespec *))dlsym(
			RTLD_NEXT, "clock_gettime");
	r = next(id, ts);
	if (r < 0 || !shift)
		return r;
	if (id == CLOCK_MONOTONIC || id == CLOCK_BOOTTIME)
		ms += shift[0];
	if (id == CLOCK_BOOTTIME)
		ms += shift[1];
	ts->tv_sec += ms / 1000;
	ts->tv_nsec += ms % 1000 * 1000000;
	if (ts->tv_nsec >= 1000000000) {
		ts->tv_nsec -= 1000000000;
		ts->tv_sec++;
	}
	return 0;
}
