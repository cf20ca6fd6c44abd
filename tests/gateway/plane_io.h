/* The gateway's packets between its interface and its sockets, in batches and
 * with the offloads that the client's pump uses. One thread. */
#ifndef TESTS_GATEWAY_PLANE_IO_H
#define TESTS_GATEWAY_PLANE_IO_H

#include "platform/pktio.h"
#include "tests/gateway/plane.h"

struct plane_io;

/* Datagrams to path, n runs of them. */
typedef void plane_send(void *ctx, const struct gw_path *path,
			const struct pktio_run *runs, size_t n);

enum err ERR_MUST plane_io_new(struct plane *plane, int tun_fd,
			       struct plane_io **out);
void plane_io_free(struct plane_io **io);
/* What waits in the interface, sealed. */
void plane_io_out(struct plane_io *io, plane_send *send, void *ctx);
/* An ESP packet, which stays where it is until plane_io_flush. */
void plane_io_in(struct plane_io *io, struct bytes esp, uint8_t ecn);
/* Opens all and writes them to the interface. path: where all came from.
 * Returns the SPI of one that came from elsewhere than before; 0: none. */
uint32_t plane_io_flush(struct plane_io *io, const struct gw_path *path);
/* Is there room for so many more before a flush? */
bool plane_io_room(const struct plane_io *io, size_t n);

#endif
