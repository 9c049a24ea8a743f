// WebSocket frames as a client writes and a server sends them: text, ping and close, uncompressed.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXT = 1, CLOSE = 8, PING = 9, PONG = 10 };

#define MOST_HEAD 14

typedef struct {
    int kind;
    bool masked;
    uint8_t *body;
    size_t length; // of the body
    size_t whole;  // of head and body together
} Frame;

// Reads the frame that begins at `bytes`. False while it is not whole; ends the program at what no server
// may send to somebody who offered no extension.
bool frame_read(uint8_t *bytes, size_t count, Frame *frame);

// Writes head and body to `to`, which has room for `length + MOST_HEAD`; how many bytes that are.
size_t frame_write(uint8_t *to, int kind, const void *body, size_t length, bool masked);

void frame_unmask(Frame *frame);

// Bytes that wait for more of their kind.
typedef struct {
    uint8_t *bytes;
    size_t count, room;
} Bytes;

void bytes_add(Bytes *bytes, const void *more, size_t count);
void bytes_drop(Bytes *bytes, size_t count); // from the beginning
void bytes_free(Bytes *bytes);
