// What a crowd can be asked to do. Each step prints one line of JSON with what it counted and used.
#pragma once
#include <stdbool.h>
#include <sys/types.h>

// Runs a step written as NAME or NAME:KEY=VALUE,KEY=VALUE. False for a step that nobody knows.
//
//   connect   inflight          everybody joins, so many handshakes open at once
//   idle      seconds           nobody says anything
//   fanout    window or rate    the first `senders` speak in turn, everybody hears; `stuck` people, the
//                               last ones, stop reading before it begins
//   p2p       window or rate    pairs; each message is delivered to the other and acked
//   leave     count             so many, the last ones, go at once; until the server is quiet
//
// A window is a number of messages kept on their way; a rate is messages per second, sent when they are
// due whatever comes back, and their latency counts from then. Both take `seconds`, `warm` (seconds before
// those) and `filler` (bytes of text in a message).
bool step_run(const char *step, pid_t server);
