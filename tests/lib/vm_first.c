/* The first program of a guest (vm.sh) whose kernel has virtio in modules:
 * loads them, in the order of their names, and goes on with the file system
 * that is served to it and the program there that the kernel's command line
 * names. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void load_modules(void)
{
	char name[16];
	int fd;

	for (int i = 0;; i++) {
		snprintf(name, sizeof(name), "/%02d.ko", i);
		fd = open(name, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return;
		if (syscall(SYS_finit_module, fd, "", 0) < 0)
			printf("%s: %m\n", name);
		close(fd);
	}
}

int main(void)
{
	const char *next = getenv("vm_init");

	load_modules();
	mkdir("/root", 0755);
	if (mount("vmroot", "/root", "virtiofs", MS_RDONLY, NULL) < 0 ||
	    chdir("/root") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 ||
	    chroot(".") < 0 || chdir("/") < 0) {
		printf("the root: %m\n");
		return 1;
	}
	if (next)
		execl(next, next, (char *)NULL);
	printf("%s: %m\n", next ? next : "vm_init");
	return 1;
}
