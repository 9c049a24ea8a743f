// What a run is measured with: a clock, a histogram of latencies, and what a process has used.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SECOND_NS 1000000000ull

// Monotonic nanoseconds.
uint64_t clock_now(void);

// Latencies, kept to one part in 64; constant size however many there are.
#define HISTOGRAM_CELLS (64 * 40)
typedef struct {
    uint64_t count, longest_ns;
    uint32_t cells[HISTOGRAM_CELLS];
} Histogram;

void histogram_add(Histogram *histogram, uint64_t ns);
double histogram_ms(const Histogram *histogram, double share);

// What a process has used since its start, all its threads.
typedef struct {
    uint64_t at_ns;
    uint64_t processor_ns;
    uint64_t first_ns;  // of that, its first thread: in all our servers the one that serves
    uint64_t waited_ns; // its first thread was ready to run while something else had the core
    uint64_t resident_bytes;
    double stolen; // ticks that other machines took from the whole machine
} Usage;

Usage usage_of(pid_t pid);

// Nanoseconds in which work of other processes held a process up. Its own further threads (Node's collector)
// hold it up as well; what they ran is taken off.
uint64_t disturbed_ns(Usage from, Usage to);
