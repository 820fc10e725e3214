/* resample.h - from any sample rate to 16 kHz */
#ifndef CLI_RESAMPLE_H
#define CLI_RESAMPLE_H

#include <stddef.h>

typedef struct resampler resampler;

/* A resampler of mono float32 from `rate` Hz (1000..384000) to 16000 Hz; NULL without memory. */
resampler *resampler_new(int rate);
void resampler_free(resampler *r);

/* Convert n samples. *out points to the result, which lives until the next call.
 * Returns the number of samples, or -1 without memory. The result does not depend on how the
 * input was cut into pieces. */
ptrdiff_t resampler_feed(resampler *r, const float *samples, size_t n, const float **out);

/* The samples held back for the filter's second half: n samples in give ceil(n*16000/rate) out. */
ptrdiff_t resampler_finish(resampler *r, const float **out);

#endif
