#define _GNU_SOURCE
#include "measure.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

uint64_t clock_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

// A cell holds latencies that agree in their highest bit and the six bits below it. Counted in units of
// 256 ns, so that the finest latencies here, some tens of microseconds, are kept as finely as the rest.
static unsigned cell_of(uint64_t ns) {
    uint64_t value = ns >> 8;
    if (value < 128) return (unsigned)value;
    unsigned shift = 57 - (unsigned)__builtin_clzll(value);
    unsigned cell = shift * 64 + (unsigned)(value >> shift);
    return cell < HISTOGRAM_CELLS ? cell : HISTOGRAM_CELLS - 1;
}

static double cell_ns(unsigned cell) {
    if (cell < 128) return (cell + 0.5) * 256;
    unsigned shift = cell / 64 - 1;
    return ((double)(cell % 64 + 64) + 0.5) * (double)(1ull << shift) * 256;
}

void histogram_add(Histogram *histogram, uint64_t ns) {
    histogram->cells[cell_of(ns)]++;
    histogram->count++;
    if (ns > histogram->longest_ns) histogram->longest_ns = ns;
}

double histogram_ms(const Histogram *histogram, double share) {
    uint64_t before = (uint64_t)(share * (double)histogram->count), passed = 0;
    for (unsigned cell = 0; cell < HISTOGRAM_CELLS; cell++) {
        passed += histogram->cells[cell];
        if (passed > before) return cell_ns(cell) / 1e6;
    }
    return (double)histogram->longest_ns / 1e6;
}

// The kernel keeps a clock for every process, exact where the counted ticks of /proc are not.
static uint64_t processor_ns(pid_t pid) {
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &used)) return 0;
    return (uint64_t)used.tv_sec * SECOND_NS + (uint64_t)used.tv_nsec;
}

static void read_first_thread(pid_t pid, Usage *usage) {
    char path[64];
    unsigned long long ran = 0, waited = 0;
    snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
    FILE *file = fopen(path, "r");
    if (!file) return;
    if (fscanf(file, "%llu %llu", &ran, &waited) == 2) usage->first_ns = ran, usage->waited_ns = waited;
    fclose(file);
}

static uint64_t resident_bytes(pid_t pid) {
    char path[64];
    unsigned long all, resident = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    if (fscanf(file, "%lu %lu", &all, &resident) != 2) resident = 0;
    fclose(file);
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static double stolen_ticks(void) {
    double stolen = 0;
    FILE *file = fopen("/proc/stat", "r");
    if (!file) return 0;
    if (fscanf(file, "cpu %*f %*f %*f %*f %*f %*f %*f %lf", &stolen) != 1) stolen = 0;
    fclose(file);
    return stolen;
}

Usage usage_of(pid_t pid) {
    Usage usage = {
        .at_ns = clock_now(),
        .processor_ns = processor_ns(pid),
        .resident_bytes = resident_bytes(pid),
        .stolen = stolen_ticks(),
    };
    read_first_thread(pid, &usage);
    return usage;
}

uint64_t disturbed_ns(Usage from, Usage to) {
    uint64_t waited = to.waited_ns - from.waited_ns;
    int64_t others = (int64_t)(to.processor_ns - from.processor_ns) - (int64_t)(to.first_ns - from.first_ns);
    if (others <= 0) return waited;
    return waited > (uint64_t)others ? waited - (uint64_t)others : 0;
}
