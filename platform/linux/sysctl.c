#include "platform/linux/kernel.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYSCTL_NET "/proc/sys/net/"

int sysctl_read(const char *path)
{
	char full[256], text[16];
	ssize_t len;
	int fd;

	snprintf(full, sizeof(full), SYSCTL_NET "%s", path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return -1;
	text[len] = '\0';
	return atoi(text);
}

enum err sysctl_write(const char *path, int value)
{
	char full[256], text[16];
	int len = snprintf(text, sizeof(text), "%d\n", value);
	enum err e;
	int fd;

	snprintf(full, sizeof(full), SYSCTL_NET "%s", path);
	fd = open(full, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return ERR_SYS;
	e = write(fd, text, (size_t)len) == len ? OK : ERR_SYS;
	close(fd);
	return e;
}

/* Interfaces that come later copy "default". */
bool rp_filter_is_strict(void)
{
	DIR *dir;
	struct dirent *d;
	char path[NAME_MAX + 32];
	bool strict = false;

	if (sysctl_read("ipv4/conf/all/rp_filter") == 2)
		return false; /* the larger of both counts */
	dir = opendir(SYSCTL_NET "ipv4/conf");
	if (!dir)
		return false;
	while (!strict && (d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "ipv4/conf/%s/rp_filter",
			 d->d_name);
		strict = sysctl_read(path) == 1;
	}
	closedir(dir);
	return strict;
}

bool ipv6_is_on(const char *ifname)
{
	char path[64];

	snprintf(path, sizeof(path), "ipv6/conf/%s/disable_ipv6", ifname);
	return sysctl_read(path) == 0;
}
