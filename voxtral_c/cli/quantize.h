/* quantize.h - voxtral --quantize: a model as one GGUF file */
#ifndef CLI_QUANTIZE_H
#define CLI_QUANTIZE_H

#include "options.h"

/* Returns the exit code. */
int quantize_run(const options *opt);

#endif
