/* selftest.h - voxtral --selftest: is this machine's GPU computing right? */
#ifndef CLI_SELFTEST_H
#define CLI_SELFTEST_H

#include "options.h"

/* Exit code: 0 when every kernel passed on a GPU, software included. */
int selftest_run(const options *opt);

/* For ourselves: see vox_model_params.gpu_scout. Exit code: a vox_status. */
int selftest_scout(const char *cache_dir, const char *need);

#endif
