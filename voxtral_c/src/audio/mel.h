/* mel.h - log-mel frames from samples, on one grid that runs through the whole stream.
 *
 * Frame i is centred on sample i * hop, so it is known half a window after that. The start of the
 * stream is padded by reflection; the end is the caller's, who appends silence. Frames do not
 * depend on the pieces in which the samples come.
 */
#ifndef VOX_MEL_H
#define VOX_MEL_H

#include "weights/config.h"

/* What is computed once for a model. */
typedef struct vox_mel_plan {
    int n_mels, window, hop, n_bins;      /* n_bins = window / 2 + 1 */
    float floor;                          /* least log10 value */
    float *hann;                          /* [window] */
    float *filters;                       /* [n_mels][n_bins], zero outside the band */
    int *band;                            /* [n_mels][2]: first bin, behind the last */
    double *twiddles;                     /* [window] pairs: e^(-2 pi i k / window) */
    double *work;                         /* [4 * window], scratch of the transform */
    int factors[16];                      /* prime factors of window / 2 */
} vox_mel_plan;

/* filters: [n_mels][n_bins], or NULL for the ones every model of this kind has.
 * VOX_ERR_UNSUPPORTED if half the window has a prime factor above 61, or VOX_ERR_MEMORY. */
vox_status vox_mel_plan_init(vox_mel_plan *plan, const vox_config *config, const float *filters);
void vox_mel_plan_free(vox_mel_plan *plan);   /* also of one zeroed */

/* Where a stream of samples stands. */
typedef struct vox_mel {
    float *samples;           /* [window + 1]: those that the next frame needs */
    int fill;
    int started;              /* the reflected start has been made */
} vox_mel;

vox_status vox_mel_init(vox_mel *mel, const vox_mel_plan *plan);
void vox_mel_free(vox_mel *mel);
void vox_mel_reset(vox_mel *mel, const vox_mel_plan *plan);
void vox_mel_copy(vox_mel *mel, const vox_mel *from, const vox_mel_plan *plan);

/* Take samples until they or the room for frames (max_frames of n_mels floats) is used up.
 * Returns the number of frames written, *used that of samples taken. */
int vox_mel_push(vox_mel *mel, const vox_mel_plan *plan, const float *samples, size_t n, size_t *used,
                 float *frames, int max_frames);

#endif
