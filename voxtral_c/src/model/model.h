/* model.h - a loaded model: configuration, vocabulary, weights, and what streams share. */
#ifndef VOX_MODEL_H
#define VOX_MODEL_H

#include "backend.h"
#include "draft.h"
#include "audio/mel.h"
#include "scores.h"
#include "stack.h"
#include "text/tokenizer.h"

/* Tokens that pass through the encoder together, and prompt positions through the decoder. Larger
 * batches read the weights less often; this many make that negligible. */
enum { VOX_BATCH_TOKENS = VOX_MAX_TREE };

struct vox_model {
    char *path;               /* as it was named */
    char note[640];           /* what its user should know of how it was loaded, or empty */
    char little_memory[192];  /* a sentence, if there is less than it takes */
    vox_config config;
    vox_tokenizer tokenizer;
    vox_weights weights;
    vox_mel_plan mel;
    vox_compute compute;
    const vox_backend *backend;   /* of utterances that begin */
    struct vox_gpu *gpu;      /* NULL = none was taken */
    char gpu_why[512];        /* why none is used (any more); "" = none was asked for, or one is */
    int gpu_failed;           /* it was there and failed */
    int cache_bytes;          /* keys and values are kept as bytes */

    /* Working memory, used by one call at a time. */
    vox_stack_buffers encoder_buffers, decoder_buffers;
    float *conv0;             /* [1 + 2 * frames][encoder dim]: the frame before the batch, then it */
    float *frames;            /* [frames][encoder dim] */
    float *adapter;           /* [VOX_BATCH_TOKENS][decoder dim] */
    float *hidden;            /* [VOX_BATCH_TOKENS][decoder dim] */
    float *logits;            /* [VOX_DRAFT_COLUMNS][vocab], the CPU's */
    vox_scores scores[VOX_DRAFT_COLUMNS];     /* of the columns decoded last */

    struct vox_prompt *prompts;   /* those in use so far, one for each delay */
};

/* A model of what `fill` puts into config, tokenizer, weights and mel; `path` is what errors call it. */
typedef vox_status (*vox_model_fill)(vox_model *m, void *user, vox_error *err);
vox_status vox_model_make(const char *path, const vox_model_params *params, vox_model_fill fill, void *user,
                          vox_model **out, vox_error *err);

/* frames of a full batch */
static inline int vox_batch_frames(const vox_model *m) { return VOX_BATCH_TOKENS * m->config.downsample; }

#endif
