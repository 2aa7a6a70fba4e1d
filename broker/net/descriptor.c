/* SPDX-License-Identifier: EUPL-1.2
 *
 * Socket calls on descriptors that libzmq owns. See descriptor.h. Thread: the one of net.
 */
#include "net/descriptor.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

uint64_t descriptor_cookie(int fd)
{
    uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) != 0) {
        return 0;
    }
    return cookie;
}

void descriptor_shutdown(int fd, uint64_t cookie)
{
    if (cookie == 0) {
        return;
    }
    const int held = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    /* Without a free descriptor the plain one must do: the window is a few instructions wide. */
    const int used = held >= 0 ? held : fd;
    if (descriptor_cookie(used) == cookie) {
        (void)shutdown(used, SHUT_RDWR);
    }
    if (held >= 0) {
        (void)close(held);
    }
}

bool descriptor_flushed(int fd, uint64_t cookie)
{
    int waiting = 0;
    if (descriptor_cookie(fd) != cookie || ioctl(fd, SIOCOUTQ, &waiting) != 0) {
        return true;
    }
    return waiting == 0;
}

uint64_t descriptor_received(int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
        size < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received) {
        return 0;
    }
    return info.tcpi_bytes_received;
}
