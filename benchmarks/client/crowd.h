// Many people at one server, in one thread: connections that speak WebSocket, Engine.IO 4 and Socket.IO 5.
//
// Everybody joins with `{"uid":"u<number>"}`, and a ticket where there are some, and answers pings. What they receive is told to the step that
// is under way; nothing is kept. An event's body begins with its number: `{"n":17,...`.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "wire.h"

typedef enum { ABSENT, DIALING, UPGRADING, JOINING, UP, GONE } Stage;

typedef struct {
    int fd;
    int number;
    Stage stage;
    bool stuck;        // reads nothing more
    uint64_t since;    // when it began to connect
    uint64_t asked_at; // when the command was due whose ack it waits for; 0 when it waits for none
    Bytes unread;      // the beginning of a frame
    Bytes unsent;      // what the kernel did not take
} Person;

// What a step wants to hear. `at` is the moment in which the bytes were read.
typedef struct {
    void (*joined)(Person *person, uint64_t at);
    void (*told)(Person *person, uint64_t number, uint64_t at);
    void (*acked)(Person *person, uint64_t at);
    uint64_t (*due)(uint64_t now); // do what is due; when the next is
} Listener;

typedef struct {
    Person *people;
    int count;
    int dialed, up, stuck;
    int failed; // never joined
    int lost;   // joined, and ended by the server although they were reading
    int cut;    // stuck ones that the server ended
    uint64_t pings, strange;
    char **tickets; // one for each person, or NULL
    Listener listener;
} Crowd;

extern Crowd crowd;

void crowd_gather(int count, int port);

// Have everybody show a ticket when they join: the lines of a file, in order. Whether there are enough.
bool crowd_take_tickets(const char *file);

// Begin to connect the next of those who are absent, if any is.
void crowd_dial(void);

// Handle what comes until `until` or until `done` says so.
void crowd_run(uint64_t until, bool (*done)(void));

// Send one Socket.IO packet.
void person_send(Person *person, const char *packet, size_t length);

// Read nothing more, but stay.
void person_stick(Person *person);

// Go without a word.
void person_leave(Person *person);
