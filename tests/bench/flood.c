/* Garbage for a data plane, from the gateway's own address and port: packets
 * with a known SPI and wrong contents, with an unknown one, replayed ones and
 * truncated ones. Runs in the gateway's namespace as root.
 *
 *   flood INTERFACE COUNT: looks at the first ESP packet (UDP port 4500) that
 *   leaves by INTERFACE and sends COUNT packets to where that one went.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD  28 /* IP and UDP */
#define BATCH 64
#define RATE  200000 /* packets a second */

static unsigned char real[65536], batch[BATCH][1500];

/* The packet as it leaves, from the IP header on. */
static size_t look(const char *interface)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_ALL),
				 .sll_ifindex = (int)if_nametoindex(interface)};
	int fd = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL));
	socklen_t len;
	ssize_t n;

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return 0;
	do {
		len = sizeof(at);
		n = recvfrom(fd, real, sizeof(real), 0, (struct sockaddr *)&at,
			     &len);
	} while (n < HEAD + 60 || n > 1500 ||
		 at.sll_pkttype != PACKET_OUTGOING || real[0] != 0x45 ||
		 real[9] != IPPROTO_UDP ||
		 memcmp(real + 20, "\x11\x94", 2) != 0 ||
		 memcmp(real + HEAD, "\0\0\0\0", 4) == 0);
	close(fd);
	return (size_t)n;
}

static size_t make(unsigned char *out, size_t real_len, unsigned long i)
{
	size_t len = real_len;
	struct iphdr *ip = (struct iphdr *)out;
	struct udphdr *udp = (struct udphdr *)(out + 20);

	memcpy(out, real, real_len);
	if (i % 4 == 1)
		len = HEAD + 5 + i % (real_len - HEAD - 6);
	else if (i % 4 != 2)
		for (size_t k = HEAD + (i % 4 ? 4 : 0); k < len; k++)
			out[k] = (unsigned char)rand();
	if (i % 4 == 0)
		out[HEAD] |= 1; /* no IKE */
	ip->tot_len = htons((unsigned short)len);
	udp->len = htons((unsigned short)(len - 20));
	udp->check = 0;
	return len;
}

int main(int argc, char **argv)
{
	size_t real_len = argc == 3 ? look(argv[1]) : 0;
	unsigned long count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	struct timespec gap = {.tv_nsec = 1000000000 / RATE * BATCH};
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	if (!real_len || fd < 0)
		return 1;
	memcpy(&to.sin_addr, real + 16, 4);
	memset(msgs, 0, sizeof(msgs));
	puts("flooding");
	fflush(stdout);
	for (unsigned long i = 0; i < count;) {
		int n = 0;

		for (; n < BATCH && i < count; n++, i++) {
			iov[n] = (struct iovec){batch[n],
						make(batch[n], real_len, i)};
			msgs[n].msg_hdr.msg_name = &to;
			msgs[n].msg_hdr.msg_namelen = sizeof(to);
			msgs[n].msg_hdr.msg_iov = &iov[n];
			msgs[n].msg_hdr.msg_iovlen = 1;
		}
		if (sendmmsg(fd, msgs, (unsigned)n, 0) < 0)
			return 1;
		nanosleep(&gap, NULL);
	}
	return 0;
}
