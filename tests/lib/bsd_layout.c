/* The numbers of layouts[ROUTE_MACOS] in platform/bsd/route_msg.c against the
 * system's own headers: compiled, never run. */
#include <stddef.h>
#include <sys/types.h>
#include <sys/socket.h>
#include <net/if.h>
#include <net/if_dl.h>
#include <net/route.h>
#include <netinet/in.h>

#define SIZE(type, n) _Static_assert(sizeof(struct type) == (n), #type)
#define AT(type, field, n)                                                     \
	_Static_assert(offsetof(struct type, field) == (n), #field)
#define IS(name, n) _Static_assert((name) == (n), #name)

SIZE(rt_msghdr, 92);
AT(rt_msghdr, rtm_msglen, 0);
AT(rt_msghdr, rtm_version, 2);
AT(rt_msghdr, rtm_type, 3);
AT(rt_msghdr, rtm_index, 4);
AT(rt_msghdr, rtm_flags, 8);
AT(rt_msghdr, rtm_addrs, 12);
AT(rt_msghdr, rtm_pid, 16);
AT(rt_msghdr, rtm_seq, 20);
AT(rt_msghdr, rtm_errno, 24);
SIZE(ifa_msghdr, 20);
AT(ifa_msghdr, ifam_addrs, 4);
AT(ifa_msghdr, ifam_flags, 8);
AT(ifa_msghdr, ifam_index, 12);
AT(if_msghdr, ifm_addrs, 4);
AT(if_msghdr, ifm_flags, 8);
AT(if_msghdr, ifm_index, 12);
AT(if_msghdr, ifm_data, 16);
IS(RTM_VERSION, 5);
IS(RTM_ADD, 1);
IS(RTM_DELETE, 2);
IS(RTM_CHANGE, 3);
IS(RTM_GET, 4);
IS(RTM_NEWADDR, 0xc);
IS(RTM_DELADDR, 0xd);
IS(RTM_IFINFO, 0xe);
IS(RTA_DST, 1);
IS(RTA_GATEWAY, 2);
IS(RTA_IFP, 0x10);
IS(RTA_IFA, 0x20);
IS(RTF_LLINFO, 0x400);
IS(IFF_UP, 1);
IS(IFF_RUNNING, 0x40);
IS(AF_INET, 2);
IS(AF_INET6, 30);
IS(AF_LINK, 18);
SIZE(sockaddr_in, 16);
AT(sockaddr_in, sin_addr, 4);
SIZE(sockaddr_in6, 28);
AT(sockaddr_in6, sin6_addr, 8);
SIZE(sockaddr_dl, 20);
AT(sockaddr_dl, sdl_index, 2);
AT(sockaddr_dl, sdl_nlen, 5);
AT(sockaddr_dl, sdl_alen, 6);
AT(sockaddr_dl, sdl_data, 8);
