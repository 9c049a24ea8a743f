#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t number(const uint8_t *bytes, unsigned count) {
    size_t value = 0;
    for (unsigned i = 0; i < count; i++) value = value << 8 | bytes[i];
    return value;
}

bool frame_read(uint8_t *bytes, size_t count, Frame *frame) {
    if (count < 2) return false;
    if (bytes[0] & 0x70 || !(bytes[0] & 0x80)) {
        fprintf(stderr, "a frame that is compressed or in pieces: not understood here\n");
        exit(1);
    }
    size_t length = bytes[1] & 0x7f, head = 2;
    if (length >= 126) {
        unsigned wide = length == 126 ? 2 : 8;
        if (count < 2 + wide) return false;
        length = number(bytes + 2, wide);
        head += wide;
    }
    frame->kind = bytes[0] & 0x0f;
    frame->masked = bytes[1] & 0x80;
    if (frame->masked) head += 4;
    if (count < head || count - head < length) return false;
    frame->body = bytes + head;
    frame->length = length;
    frame->whole = head + length;
    return true;
}

static void mask(uint8_t *body, size_t length, const uint8_t *key) {
    for (size_t i = 0; i < length; i++) body[i] ^= key[i & 3];
}

void frame_unmask(Frame *frame) {
    if (frame->masked) mask(frame->body, frame->length, frame->body - 4);
}

size_t frame_write(uint8_t *to, int kind, const void *body, size_t length, bool masked) {
    size_t head = 2;
    to[0] = (uint8_t)(0x80 | kind);
    if (length < 126) {
        to[1] = (uint8_t)length;
    } else {
        unsigned wide = length < 65536 ? 2 : 8;
        to[1] = wide == 2 ? 126 : 127;
        for (unsigned i = 0; i < wide; i++) to[2 + i] = (uint8_t)(length >> 8 * (wide - 1 - i));
        head += wide;
    }
    if (masked) {
        // Never zero, or a server could leave the unmasking out.
        static uint32_t key = 0x9e3779b9;
        key = key * 1664525 + 1013904223;
        uint32_t odd = key | 0x01010101;
        to[1] |= 0x80;
        memcpy(to + head, &odd, 4);
        head += 4;
    }
    memcpy(to + head, body, length);
    if (masked) mask(to + head, length, to + head - 4);
    return head + length;
}

void bytes_add(Bytes *bytes, const void *more, size_t count) {
    if (bytes->count + count > bytes->room) {
        bytes->room = (bytes->count + count) * 2;
        bytes->bytes = realloc(bytes->bytes, bytes->room);
        if (!bytes->bytes) {
            fprintf(stderr, "no memory left for what waits\n");
            exit(1);
        }
    }
    memcpy(bytes->bytes + bytes->count, more, count);
    bytes->count += count;
}

void bytes_drop(Bytes *bytes, size_t count) {
    memmove(bytes->bytes, bytes->bytes + count, bytes->count - count);
    bytes->count -= count;
}

void bytes_free(Bytes *bytes) {
    free(bytes->bytes);
    *bytes = (Bytes){0};
}
