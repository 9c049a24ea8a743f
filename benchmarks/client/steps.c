#define _GNU_SOURCE
#include "steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crowd.h"
#include "measure.h"

#define NEVER UINT64_MAX
#define RING (1u << 18) // more than can be on their way at once
#define CONNECT_LIMIT (180 * SECOND_NS)
#define DRAIN_LIMIT (8 * SECOND_NS)
#define QUIET_LIMIT (60 * SECOND_NS)
#define QUIET_SPAN (SECOND_NS / 2)

typedef struct {
    double seconds, warm, rate;
    int window, inflight, senders, filler, stuck, count;
    const char *tickets; // a file of them
} Wish;

typedef struct {
    Usage server, client;
} Moment;

// A message on its way to those who have not heard it yet.
typedef struct {
    uint64_t due;
    uint32_t left;
} Flight;

typedef struct {
    Wish wish;
    void (*send)(uint64_t due);
    bool sending, measuring;
    uint64_t first;              // the number of its first message
    uint64_t began, sent;        // when sending began; how many since
    uint64_t expected, heard;    // deliveries
    uint64_t behind;             // deliveries or acks of the step before that never came, or come now
    uint64_t unfinished;         // messages that somebody still waits for
    uint64_t skipped;            // were due when everybody still waited for an ack
    uint64_t doubled;            // deliveries that nobody expected
    uint64_t heard_in, acked_in, sent_in; // within the measured time
    int asker;                   // who asks next
    Histogram delivery, ack;
} Talk;

static pid_t server;
static uint64_t empty_bytes; // what the server held before anybody came
static Talk talk;
static Flight flights[RING];
static uint64_t numbers; // messages so far, of all steps
static char filler[100 * 1024];

static Moment moment(void) { return (Moment){usage_of(server), usage_of(getpid())}; }

// -- what is printed

static void figure(const char *name, double value) { printf(",\"%s\":%.10g", name, value); }

static void begin_line(const char *step) { printf("{\"step\":\"%s\"", step); }

static void used(Moment from, Moment to) {
    figure("took_s", (double)(to.client.at_ns - from.client.at_ns) / 1e9);
    figure("server_s", (double)(to.server.processor_ns - from.server.processor_ns) / 1e9);
    figure("server_disturbed_s", (double)disturbed_ns(from.server, to.server) / 1e9);
    figure("client_s", (double)(to.client.processor_ns - from.client.processor_ns) / 1e9);
    figure("client_disturbed_s", (double)disturbed_ns(from.client, to.client) / 1e9);
    figure("stolen_s", (to.client.stolen - from.client.stolen) / (double)sysconf(_SC_CLK_TCK));
    figure("resident_empty_bytes", (double)empty_bytes);
    figure("resident_before_bytes", (double)from.server.resident_bytes);
    figure("resident_bytes", (double)to.server.resident_bytes);
}

static void latencies(const char *of, const Histogram *histogram) {
    printf(",\"%s_p50_ms\":%.4g", of, histogram_ms(histogram, 0.5));
    printf(",\"%s_p99_ms\":%.4g", of, histogram_ms(histogram, 0.99));
    printf(",\"%s_longest_ms\":%.4g", of, (double)histogram->longest_ns / 1e6);
}

static void end_line(void) {
    figure("up", crowd.up);
    figure("failed", crowd.failed);
    figure("lost", crowd.lost);
    figure("cut", crowd.cut);
    figure("strange", (double)crowd.strange);
    printf("}\n");
    fflush(stdout);
}

// -- connecting, waiting, leaving

static bool everybody_came(void) { return crowd.up + crowd.failed + crowd.lost >= crowd.count; }

static void note_join(Person *person, uint64_t at) { histogram_add(&talk.ack, at - person->since); }

static void step_connect(const Wish *wish) {
    Moment before = moment();
    crowd.listener.joined = note_join;
    for (int i = 0; i < wish->inflight; i++) crowd_dial();
    crowd_run(clock_now() + CONNECT_LIMIT, everybody_came);
    Moment after = moment();
    crowd_run(clock_now() + (uint64_t)(wish->warm * 1e9), NULL);
    begin_line("connect");
    after.server.resident_bytes = usage_of(server).resident_bytes;
    used(before, after);
    latencies("join", &talk.ack);
    end_line();
}

static void step_idle(const Wish *wish) {
    uint64_t pings = crowd.pings;
    Moment before = moment();
    crowd_run(clock_now() + (uint64_t)(wish->seconds * 1e9), NULL);
    begin_line("idle");
    used(before, moment());
    figure("pings", (double)(crowd.pings - pings));
    end_line();
}

// Quiet is a while in which the server used less than a fiftieth of a core and hardly waited for one. What it
// used before that belongs to the leaving, the first tenth of a second in any case.
static bool was_quiet(Usage from, Usage to) {
    return to.processor_ns - from.processor_ns < QUIET_SPAN / 50 &&
           to.waited_ns - from.waited_ns < QUIET_SPAN / 20;
}

static void step_leave(const Wish *wish) {
    Moment before = moment(), quiet = before;
    int left = 0;
    for (int i = crowd.count - 1; i >= 0 && left < wish->count; i--)
        if (crowd.people[i].stage == UP) person_leave(&crowd.people[i]), left++;
    crowd_run(clock_now() + QUIET_SPAN / 5, NULL);
    bool is_quiet = false;
    while (!is_quiet && clock_now() - before.client.at_ns < QUIET_LIMIT) {
        quiet = moment();
        crowd_run(clock_now() + QUIET_SPAN, NULL);
        is_quiet = was_quiet(quiet.server, usage_of(server));
    }
    begin_line("leave");
    used(before, quiet);
    figure("left", left);
    figure("quiet", is_quiet);
    end_line();
}

// -- talking

static void launch(Person *person, const char *name, int listeners, uint64_t due, const char *more) {
    static char packet[sizeof filler + 256];
    char id[16] = "";
    uint64_t number = numbers++;
    if (person->asked_at) snprintf(id, sizeof id, "%u", (unsigned)(number % 1000));
    int length = snprintf(packet, sizeof packet, "42%s[\"%s\",{\"n\":%llu%s,\"p\":\"%.*s\"}]", id, name,
                          (unsigned long long)number, more, talk.wish.filler, filler);
    flights[number % RING] = (Flight){due, (uint32_t)listeners};
    talk.sent++;
    talk.sent_in += talk.measuring;
    talk.expected += (uint64_t)listeners;
    talk.unfinished++;
    person_send(person, packet, (size_t)length);
}

static void send_to_all(uint64_t due) {
    Person *speaker = &crowd.people[numbers % (uint64_t)talk.wish.senders];
    if (speaker->stage == UP && !speaker->stuck) launch(speaker, "bcast", crowd.up - crowd.stuck, due, "");
    else talk.skipped++;
}

static void send_to_one(uint64_t due) {
    for (int tries = 0; tries < crowd.count; tries++) {
        Person *person = &crowd.people[talk.asker++ % (crowd.count & ~1)];
        Person *other = &crowd.people[person->number ^ 1];
        if (person->stage != UP || other->stage != UP || person->asked_at) continue;
        char to[32];
        snprintf(to, sizeof to, ",\"to\":\"u%d\"", other->number);
        person->asked_at = due;
        launch(person, "pm", 1, due, to);
        return;
    }
    talk.skipped++;
}

static void finished(void) {
    talk.unfinished--;
    if (talk.sending && !talk.wish.rate) talk.send(clock_now());
}

static void note_event(Person *person, uint64_t number, uint64_t at) {
    (void)person;
    Flight *flight = &flights[number % RING];
    if (number < talk.first) return; // from an earlier step that was given up
    if (!flight->left) {
        talk.doubled++;
        return;
    }
    talk.heard++;
    if (talk.measuring) talk.heard_in++, histogram_add(&talk.delivery, at - flight->due);
    if (--flight->left == 0 && talk.send == send_to_all) finished();
}

static void note_ack(Person *person, uint64_t at) {
    if (talk.measuring) talk.acked_in++, histogram_add(&talk.ack, at - person->asked_at);
    person->asked_at = 0;
    if (talk.send == send_to_one) finished();
}

static uint64_t send_what_is_due(uint64_t now) {
    double period = 1e9 / talk.wish.rate;
    for (;;) {
        uint64_t due = talk.began + (uint64_t)((double)(talk.sent + talk.skipped) * period);
        if (!talk.sending) return NEVER;
        if (due > now) return due;
        talk.send(due);
    }
}

static bool drained(void) { return !talk.unfinished && talk.heard >= talk.expected; }

static void print_talk(const char *name, Moment before, Moment after) {
    begin_line(name);
    used(before, after);
    figure("sent", (double)talk.sent_in);
    figure("heard", (double)talk.heard_in);
    figure("acked", (double)talk.acked_in);
    latencies("delivery", &talk.delivery);
    if (talk.ack.count) latencies("ack", &talk.ack);
    figure("all_sent", (double)talk.sent);
    figure("all_heard", (double)talk.heard);
    figure("missing", (double)(talk.expected - talk.heard));
    figure("unfinished", (double)talk.unfinished);
    figure("behind", (double)talk.behind);
    figure("doubled", (double)talk.doubled);
    figure("skipped", (double)talk.skipped);
    end_line();
}

static void step_talk(const char *name) {
    Wish *wish = &talk.wish;
    for (int i = 0; i < wish->stuck && i < crowd.count; i++) {
        Person *person = &crowd.people[crowd.count - 1 - i];
        if (person->stage == UP && !person->stuck) person_stick(person);
    }
    crowd.listener = (Listener){.told = note_event, .acked = note_ack};
    if (wish->rate > 0) crowd.listener.due = send_what_is_due;
    talk.first = numbers;
    talk.sending = true;
    talk.began = clock_now();
    for (int i = 0; !wish->rate && i < wish->window; i++) talk.send(clock_now());
    crowd_run(clock_now() + (uint64_t)(wish->warm * 1e9), NULL);
    Moment before = moment();
    talk.measuring = true;
    crowd_run(before.client.at_ns + (uint64_t)(wish->seconds * 1e9), NULL);
    talk.measuring = talk.sending = false;
    Moment after = moment();
    crowd_run(clock_now() + DRAIN_LIMIT, drained);
    print_talk(name, before, after);
}

// -- reading what is asked

static bool set(Wish *wish, const char *key, const char *value) {
    if (!strcmp(key, "tickets")) {
        wish->tickets = value;
        return true;
    }
    struct { const char *key; double *fraction; int *whole; } keys[] = {
        {"seconds", &wish->seconds, NULL}, {"warm", &wish->warm, NULL}, {"rate", &wish->rate, NULL},
        {"window", NULL, &wish->window}, {"inflight", NULL, &wish->inflight},
        {"senders", NULL, &wish->senders}, {"filler", NULL, &wish->filler},
        {"stuck", NULL, &wish->stuck}, {"count", NULL, &wish->count},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(key, keys[i].key)) continue;
        if (keys[i].whole) *keys[i].whole = atoi(value);
        else *keys[i].fraction = atof(value);
        return true;
    }
    return false;
}

static bool read_wish(char *keys, Wish *wish) {
    *wish = (Wish){.seconds = 2, .warm = 0.5, .window = 1, .inflight = 64, .senders = 1, .filler = 100};
    for (char *key = strtok(keys, ","); key; key = strtok(NULL, ",")) {
        char *value = strchr(key, '=');
        if (!value) return false;
        *value++ = 0;
        if (!set(wish, key, value)) return false;
    }
    return wish->filler < (int)sizeof filler && wish->senders > 0 && wish->senders <= crowd.count;
}

bool step_run(const char *step, pid_t pid) {
    server = pid;
    if (!empty_bytes) empty_bytes = usage_of(pid).resident_bytes;
    memset(filler, 'x', sizeof filler);
    char *name = strdup(step), *keys = strchr(name, ':');
    if (keys) *keys++ = 0;
    uint64_t owed = talk.expected - talk.heard;
    talk = (Talk){.behind = owed > talk.unfinished ? owed : talk.unfinished};
    crowd.listener = (Listener){0};
    for (int i = 0; i < crowd.count; i++) crowd.people[i].asked_at = 0;
    bool known = read_wish(keys ? keys : name + strlen(name), &talk.wish);
    if (known && talk.wish.tickets) known = crowd_take_tickets(talk.wish.tickets);
    if (!known) goto end;
    if (!strcmp(name, "connect")) step_connect(&talk.wish);
    else if (!strcmp(name, "idle")) step_idle(&talk.wish);
    else if (!strcmp(name, "leave")) step_leave(&talk.wish);
    else if (!strcmp(name, "fanout")) talk.send = send_to_all, step_talk(name);
    else if (!strcmp(name, "p2p")) talk.send = send_to_one, step_talk(name);
    else known = false;
end:
    free(name);
    return known;
}
