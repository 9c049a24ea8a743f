// A crowd of Socket.IO clients that costs less than any server it measures: one thread, one epoll set, no
// allocation per message.
//
//   load PORT PID PEOPLE STEP...    run the steps (see steps.h) against the server on PORT, and tell what
//                                   process PID used; one line of JSON per step
//   load reflect PORT               be the cheapest server there can be (see reflector.h)
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <signal.h>

#include "crowd.h"
#include "reflector.h"
#include "steps.h"

static void allow_sockets(int people) {
    struct rlimit limit;
    rlim_t wanted = (rlim_t)people + 64;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= wanted) return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= wanted) return;
    fprintf(stderr, "%d people need %d open files; this machine allows %d\n", people, (int)wanted,
            (int)limit.rlim_max);
    exit(1);
}

int main(int count, char **words) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (count == 3 && !strcmp(words[1], "reflect")) return reflect(atoi(words[2]));
    if (count < 5 || atoi(words[3]) < 1) {
        fprintf(stderr, "usage: load PORT PID PEOPLE STEP... | load reflect PORT\n");
        return 2;
    }
    allow_sockets(atoi(words[3]));
    crowd_gather(atoi(words[3]), atoi(words[1]));
    for (int i = 4; i < count; i++) {
        if (step_run(words[i], (pid_t)atoi(words[2]))) continue;
        fprintf(stderr, "not a step: %s\n", words[i]);
        return 2;
    }
    return 0;
}
