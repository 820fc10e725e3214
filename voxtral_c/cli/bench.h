/* bench.h - voxtral --bench: how fast this machine runs the model */
#ifndef CLI_BENCH_H
#define CLI_BENCH_H

#include "options.h"

/* Returns the exit code. */
int bench_run(const options *opt);

#endif
