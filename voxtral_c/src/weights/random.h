/* random.h - a model of random weights, for measuring: speed and memory are those of a real one. */
#ifndef VOX_RANDOM_H
#define VOX_RANDOM_H

#include "model/model.h"

/* Sizes of Voxtral-Mini-4B-Realtime-2602. */
vox_config vox_full_size(void);

/* A model of that shape whose matrices are stored as `type` with the exceptions that quantised files
 * make. It knows no text: every token's bytes are empty. */
vox_status vox_model_random(const vox_config *config, vox_weight_type type, const vox_model_params *params,
                            vox_model **out, vox_error *err);

#endif
