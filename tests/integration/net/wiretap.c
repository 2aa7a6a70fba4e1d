/* SPDX-License-Identifier: EUPL-1.2
 *
 * See wiretap.h.
 */
#include "wiretap.h"

#include "bus.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int endpoint_port(const char *endpoint)
{
    return (int)strtol(strrchr(endpoint, ':') + 1, NULL, 10);
}

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

int raw_connect(int port)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    const struct sockaddr_in address = loopback(port);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

bool raw_write(int fd, const void *data, size_t size)
{
    const char *from = data;
    while (size > 0) {
        const ssize_t written = send(fd, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (written < 0 && (errno == EAGAIN || errno == EINTR)) {
            struct pollfd item = {.fd = fd, .events = POLLOUT};
            if (poll(&item, 1, 200) <= 0) {
                return true; /* it takes nothing more: enough was tried */
            }
            continue;
        }
        if (written < 0) {
            return false;
        }
        from += written;
        size -= (size_t)written;
    }
    return true;
}

bool raw_hung_up(int fd)
{
    char bytes[512];
    ssize_t got = 0;
    do {
        got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    } while (got > 0);
    return got == 0 || errno != EAGAIN;
}

void wiretap_open(struct wiretap *tap, int server_port)
{
    memset(tap, 0, sizeof *tap);
    tap->client = -1;
    tap->server = -1;
    tap->server_port = server_port;
    tap->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    ck_assert_int_eq(bind(tap->listening, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(tap->listening, 4), 0);
    ck_assert_int_eq(getsockname(tap->listening, (struct sockaddr *)&address, &size), 0);
    snprintf(tap->endpoint, sizeof tap->endpoint, "tcp://127.0.0.1:%d", ntohs(address.sin_port));
}

void wiretap_close(struct wiretap *tap)
{
    const int fds[] = {tap->listening, tap->client, tap->server};
    for (size_t i = 0; i < 3; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
}

static ssize_t carry(struct wiretap *tap, int from, int to, size_t most, bool record)
{
    static uint8_t bytes[256 * 1024];
    const ssize_t got = recv(from, bytes, most < sizeof bytes ? most : sizeof bytes, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        tap->broken = true;
    }
    if (got <= 0) {
        return 0;
    }
    if (record && tap->recorded + (size_t)got <= sizeof tap->record) {
        memcpy(tap->record + tap->recorded, bytes, (size_t)got);
        tap->recorded += (size_t)got;
    }
    if (!raw_write(to, bytes, (size_t)got)) {
        tap->broken = true;
    }
    return got;
}

void wiretap_pump(struct wiretap *tap)
{
    if (tap->client < 0) {
        tap->client = accept4(tap->listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (tap->client < 0) {
            return;
        }
        tap->server = raw_connect(tap->server_port);
        tap->began_ms = clock_ms();
    }
    if (tap->broken) {
        return;
    }
    uint64_t room = UINT32_MAX;
    if (tap->bytes_per_ms > 0) {
        const uint64_t allowed = (uint64_t)(clock_ms() - tap->began_ms + 1) * tap->bytes_per_ms;
        room = allowed > tap->carried ? allowed - tap->carried : 0;
    }
    if (room > 0) {
        tap->carried += (uint64_t)carry(tap, tap->client, tap->server, room, true);
    }
    (void)carry(tap, tap->server, tap->client, SIZE_MAX, false);
}
