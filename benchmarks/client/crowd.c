#define _GNU_SOURCE
#include "crowd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "measure.h"

#define MOST_EVENTS 512
#define MOST_READ (256 * 1024)
#define MOST_PACKET (128 * 1024)
#define MOST_UNSENT (64 * 1024 * 1024)
#define STUCK_BUFFER 4096
#define MOST_TICKET 128

Crowd crowd;

static struct sockaddr_in server;
static int poll_fd, timer_fd;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void watch(Person *person, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = person};
    if (epoll_ctl(poll_fd, operation, person->fd, &event)) fail("epoll_ctl");
}

void crowd_gather(int count, int port) {
    crowd = (Crowd){.people = calloc((size_t)count, sizeof(Person)), .count = count};
    for (int number = 0; number < count; number++) crowd.people[number].number = number;
    server.sin_family = AF_INET;
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.sin_port = htons((uint16_t)port);
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (!crowd.people || poll_fd < 0 || timer_fd < 0) fail("gathering the crowd");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, timer_fd, &event)) fail("epoll_ctl");
}

bool crowd_take_tickets(const char *file) {
    FILE *lines = fopen(file, "r");
    char *line = NULL;
    size_t room = 0;
    int count = 0;
    crowd.tickets = calloc((size_t)crowd.count, sizeof(char *));
    while (lines && crowd.tickets && count < crowd.count && getline(&line, &room, lines) > 0) {
        line[strcspn(line, "\n")] = 0;
        if (strlen(line) <= MOST_TICKET) crowd.tickets[count++] = strdup(line);
    }
    if (lines) fclose(lines);
    free(line);
    return count == crowd.count;
}

void crowd_dial(void) {
    if (crowd.dialed == crowd.count) return;
    Person *person = &crowd.people[crowd.dialed++];
    int on = 1;
    person->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (person->fd < 0) fail("socket");
    setsockopt(person->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    person->since = clock_now();
    person->stage = DIALING;
    int refused = connect(person->fd, (struct sockaddr *)&server, sizeof server);
    if (refused && errno != EINPROGRESS) fail("connect");
    watch(person, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

static void forget(Person *person) {
    close(person->fd);
    bytes_free(&person->unread);
    bytes_free(&person->unsent);
    person->stage = GONE;
    person->asked_at = 0;
}

void person_leave(Person *person) {
    crowd.up--;
    forget(person);
}

// The server ended it.
static void ended(Person *person) {
    if (person->stage != UP) {
        crowd.failed++;
        forget(person);
        crowd_dial();
        return;
    }
    if (person->stuck) crowd.cut++, crowd.stuck--;
    else crowd.lost++;
    person_leave(person);
}

void person_stick(Person *person) {
    int size = STUCK_BUFFER;
    setsockopt(person->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    person->stuck = true;
    crowd.stuck++;
    watch(person, EPOLL_CTL_MOD, EPOLLRDHUP);
}

// -- sending

static void send_bytes(Person *person, const uint8_t *bytes, size_t count) {
    ssize_t taken = 0;
    if (!person->unsent.count) {
        taken = send(person->fd, bytes, count, MSG_NOSIGNAL);
        if (taken == (ssize_t)count) return;
        // An ended connection is noticed where it is read.
        if (taken < 0 && errno != EAGAIN) return;
        if (taken < 0) taken = 0;
        watch(person, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    }
    bytes_add(&person->unsent, bytes + taken, count - (size_t)taken);
    if (person->unsent.count > MOST_UNSENT) {
        fprintf(stderr, "the server has read nothing for too long\n");
        exit(1);
    }
}

static void send_unsent(Person *person) {
    Bytes *unsent = &person->unsent;
    ssize_t taken = send(person->fd, unsent->bytes, unsent->count, MSG_NOSIGNAL);
    if (taken > 0) bytes_drop(unsent, (size_t)taken);
    if (unsent->count) return;
    bytes_free(unsent);
    watch(person, EPOLL_CTL_MOD, EPOLLIN);
}

void person_send(Person *person, const char *packet, size_t length) {
    static uint8_t frame[MOST_PACKET + MOST_HEAD];
    if (length > MOST_PACKET) {
        fprintf(stderr, "a packet of %zu bytes is too long\n", length);
        exit(1);
    }
    send_bytes(person, frame, frame_write(frame, TEXT, packet, length, true));
}

static void ask_for_upgrade(Person *person) {
    static const char head[] =
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\nUser-Agent: Mozilla/5.0\r\nAccept-Language: zh-CN\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    person->stage = UPGRADING;
    send_bytes(person, (const uint8_t *)head, sizeof head - 1);
    if (!person->unsent.count) watch(person, EPOLL_CTL_MOD, EPOLLIN);
}

// -- receiving

// How many bytes the answer to the upgrade has; 0 while it is not whole.
static size_t upgraded(Person *person, const uint8_t *bytes, size_t count) {
    static const char accepted[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    const uint8_t *end = memmem(bytes, count, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t head = (size_t)(end - bytes) + 4;
    if (memcmp(bytes, "HTTP/1.1 101", 12) || !memmem(bytes, head, accepted, sizeof accepted - 1)) {
        fprintf(stderr, "the upgrade was refused: %.60s\n", (const char *)bytes);
        exit(1);
    }
    person->stage = JOINING;
    return head;
}

static void join(Person *person) {
    char packet[64 + MOST_TICKET], ticket[32 + MOST_TICKET] = "";
    if (crowd.tickets) snprintf(ticket, sizeof ticket, ",\"ticket\":\"%s\"", crowd.tickets[person->number]);
    int length = snprintf(packet, sizeof packet, "40{\"uid\":\"u%d\"%s}", person->number, ticket);
    person_send(person, packet, (size_t)length);
}

static void joined(Person *person, uint64_t at) {
    person->stage = UP;
    crowd.up++;
    if (crowd.listener.joined) crowd.listener.joined(person, at);
    crowd_dial();
}

static void told(Person *person, const char *packet, size_t length, uint64_t at) {
    const char *body = memchr(packet, '{', length < 64 ? length : 64);
    size_t rest = body ? length - (size_t)(body - packet) : 0;
    if (rest < 7 || memcmp(body, "{\"n\":", 5)) {
        crowd.strange++;
        return;
    }
    uint64_t number = 0;
    for (const char *digit = body + 5; *digit >= '0' && *digit <= '9'; digit++)
        number = number * 10 + (uint64_t)(*digit - '0');
    if (crowd.listener.told) crowd.listener.told(person, number, at);
}

static void packet_came(Person *person, const char *packet, size_t length, uint64_t at) {
    char engine = length ? packet[0] : 0, socket = length > 1 ? packet[1] : 0;
    if (engine == '4' && socket == '2') {
        told(person, packet, length, at);
    } else if (engine == '4' && socket == '3') {
        if (person->asked_at && crowd.listener.acked) crowd.listener.acked(person, at);
    } else if (engine == '2') {
        crowd.pings++;
        person_send(person, "3", 1);
    } else if (engine == '0') {
        join(person);
    } else if (engine == '4' && socket == '0') {
        joined(person, at);
    } else if (engine == '4' && socket == '4') {
        ended(person); // refused
    } else {
        crowd.strange++;
    }
}

// How many of the bytes were whole frames.
static size_t take_frames(Person *person, uint8_t *bytes, size_t count, uint64_t at) {
    size_t taken = 0;
    Frame frame;
    while (person->stage != GONE && frame_read(bytes + taken, count - taken, &frame)) {
        if (frame.kind == TEXT) packet_came(person, (char *)frame.body, frame.length, at);
        else if (frame.kind == CLOSE) ended(person);
        else if (frame.kind != PING) crowd.strange++;
        taken += frame.whole;
    }
    return taken;
}

static void readable(Person *person, uint64_t *at) {
    static uint8_t bytes[MOST_READ];
    size_t kept = person->unread.count;
    if (kept) memcpy(bytes, person->unread.bytes, kept);
    ssize_t came = recv(person->fd, bytes + kept, sizeof bytes - kept, 0);
    *at = clock_now();
    if (came <= 0) {
        if (came == 0 || errno != EAGAIN) ended(person);
        return;
    }
    size_t count = kept + (size_t)came, taken = 0;
    if (person->stage == UPGRADING) taken = upgraded(person, bytes, count);
    if (person->stage != UPGRADING) taken += take_frames(person, bytes + taken, count - taken, *at);
    if (person->stage == GONE) return;
    person->unread.count = 0;
    if (taken < count) bytes_add(&person->unread, bytes + taken, count - taken);
}

// -- the loop

static void wake_at(uint64_t at) {
    static uint64_t set_to;
    if (at == set_to) return;
    set_to = at;
    struct itimerspec time = {.it_value = {(time_t)(at / SECOND_NS), (long)(at % SECOND_NS)}};
    timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &time, NULL);
}

static void happened(Person *person, uint32_t events, uint64_t *at) {
    if (person->stage == GONE) return;
    if (person->stuck) {
        if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) ended(person);
        return;
    }
    if (events & EPOLLOUT && person->stage == DIALING) ask_for_upgrade(person);
    else if (events & EPOLLOUT && person->unsent.count) send_unsent(person);
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) readable(person, at);
}

void crowd_run(uint64_t until, bool (*done)(void)) {
    struct epoll_event events[MOST_EVENTS];
    for (uint64_t now = clock_now(); now < until && !(done && done()); now = clock_now()) {
        uint64_t next = crowd.listener.due ? crowd.listener.due(now) : until;
        wake_at(next < until ? next : until);
        int count = epoll_wait(poll_fd, events, MOST_EVENTS, 1000);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr) happened(events[i].data.ptr, events[i].events, &now);
            if (now >= next && crowd.listener.due) next = crowd.listener.due(now);
        }
    }
}
