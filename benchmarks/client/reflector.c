#define _GNU_SOURCE
#include "reflector.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

#define MOST_PEOPLE 65536
#define MOST_READ (256 * 1024)

typedef struct {
    int fd, place; // its place among the listeners; -1 before it joined
    int number;    // its name without the u
    bool upgraded;
    Bytes unread, unsent;
} Guest;

static Guest *listeners[MOST_PEOPLE], *named[MOST_PEOPLE];
static int count, poll_fd;
static Bytes for_all, for_asker; // what one read brought, told together

static void watch(Guest *guest, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = guest};
    epoll_ctl(poll_fd, operation, guest->fd, &event);
}

static void give(Guest *guest, const uint8_t *bytes, size_t length) {
    ssize_t taken = guest->unsent.count ? 0 : send(guest->fd, bytes, length, MSG_NOSIGNAL);
    if (taken == (ssize_t)length || (taken < 0 && errno != EAGAIN)) return;
    if (taken < 0) taken = 0;
    if (!guest->unsent.count) watch(guest, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    bytes_add(&guest->unsent, bytes + taken, length - (size_t)taken);
}

static void give_unsent(Guest *guest) {
    ssize_t taken = send(guest->fd, guest->unsent.bytes, guest->unsent.count, MSG_NOSIGNAL);
    if (taken > 0) bytes_drop(&guest->unsent, (size_t)taken);
    if (!guest->unsent.count) watch(guest, EPOLL_CTL_MOD, EPOLLIN);
}

static void add_text(Bytes *bytes, const void *text, size_t length) {
    static uint8_t frame[MOST_READ + MOST_HEAD];
    bytes_add(bytes, frame, frame_write(frame, TEXT, text, length, false));
}

static void join(Guest *guest, const char *packet, size_t length) {
    static const char joined[] = "40{\"sid\":\"s\"}";
    const char *name = memmem(packet, length, ":\"u", 3);
    if (!name || count == MOST_PEOPLE) return;
    guest->number = atoi(name + 3) % MOST_PEOPLE;
    guest->place = count;
    listeners[count++] = named[guest->number] = guest;
    add_text(&for_asker, joined, sizeof joined - 1);
}

static void tell_one(const char *packet, const char *event, size_t length) {
    const char *to = memmem(event, length, "\"to\":\"u", 7);
    Guest *other = to ? named[atoi(to + 7) % MOST_PEOPLE] : NULL;
    static Bytes told;
    add_text(&told, packet, length);
    if (other) give(other, told.bytes, told.count);
    told.count = 0;
}

static void packet_came(Guest *guest, char *packet, size_t length) {
    if (length < 2 || packet[0] != '4') return;
    if (packet[1] == '0') {
        join(guest, packet, length);
        return;
    }
    char *event = memchr(packet, '[', length);
    if (packet[1] != '2' || !event) return;
    size_t digits = (size_t)(event - packet) - 2;
    if (!digits) {
        add_text(&for_all, packet, length);
        return;
    }
    char ack[48] = "43";
    memcpy(ack + 2, packet + 2, digits > 20 ? 20 : digits);
    strcat(ack, "[{\"ok\":1}]");
    add_text(&for_asker, ack, strlen(ack));
    memcpy(event - 2, "42", 2);
    tell_one(event - 2, event, length - digits);
}

static size_t upgrade(Guest *guest, const uint8_t *bytes, size_t length) {
    static const char answer[] =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    static const char opened[] =
        "0{\"sid\":\"s\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000}";
    const uint8_t *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (!end) return 0;
    guest->upgraded = true;
    bytes_add(&for_asker, answer, sizeof answer - 1);
    add_text(&for_asker, opened, sizeof opened - 1);
    return (size_t)(end - bytes) + 4;
}

static void leave(Guest *guest) {
    if (guest->place >= 0) {
        Guest *last = listeners[--count];
        listeners[last->place = guest->place] = last;
        named[guest->number] = NULL;
    }
    close(guest->fd);
    bytes_free(&guest->unread);
    bytes_free(&guest->unsent);
    free(guest);
}

static void answer(Guest *guest) {
    if (for_asker.count) give(guest, for_asker.bytes, for_asker.count);
    for (int i = 0; for_all.count && i < count; i++) give(listeners[i], for_all.bytes, for_all.count);
    for_asker.count = for_all.count = 0;
}

static void readable(Guest *guest) {
    static uint8_t bytes[MOST_READ];
    size_t kept = guest->unread.count, taken = 0;
    if (kept) memcpy(bytes, guest->unread.bytes, kept);
    ssize_t came = recv(guest->fd, bytes + kept, sizeof bytes - kept, 0);
    if (came < 0 && errno == EAGAIN) return;
    if (came <= 0) {
        leave(guest);
        return;
    }
    size_t length = kept + (size_t)came;
    if (!guest->upgraded) taken = upgrade(guest, bytes, length);
    for (Frame frame; guest->upgraded && frame_read(bytes + taken, length - taken, &frame);) {
        frame_unmask(&frame);
        if (frame.kind == TEXT) packet_came(guest, (char *)frame.body, frame.length);
        taken += frame.whole;
    }
    guest->unread.count = 0;
    if (taken < length) bytes_add(&guest->unread, bytes + taken, length - taken);
    answer(guest);
}

static void welcome(int door) {
    for (int fd; (fd = accept4(door, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        Guest *guest = calloc(1, sizeof *guest);
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        guest->fd = fd;
        guest->place = -1;
        watch(guest, EPOLL_CTL_ADD, EPOLLIN);
    }
}

static int open_door(int port) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(door, (struct sockaddr *)&here, sizeof here) || listen(door, 4096)) return -1;
    return door;
}

int reflect(int port) {
    int door = open_door(port);
    if (door < 0) {
        perror("listen");
        return 1;
    }
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event at_door = {.events = EPOLLIN, .data.ptr = NULL}, events[256];
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, door, &at_door);
    printf("listening\n");
    fflush(stdout);
    for (;;) {
        int many = epoll_wait(poll_fd, events, 256, -1);
        for (int i = 0; i < many; i++) {
            Guest *guest = events[i].data.ptr;
            if (!guest) welcome(door);
            else if (events[i].events & EPOLLOUT && guest->unsent.count) give_unsent(guest);
            else readable(guest);
        }
    }
}
