/* utterance.h - what one utterance has heard so far, and the two steps that carry it on: encode
 * (samples to audio embeddings) and decode (embeddings and tokens to scores).
 *
 * Each step either does its work or, without memory, changes nothing. A GPU that fails leaves the
 * utterance of no use (VOX_ERR_DEVICE).
 */
#ifndef VOX_UTTERANCE_H
#define VOX_UTTERANCE_H

#include "backend.h"
#include "model.h"
#include "audio/voice.h"

/* Mel frames already encoded that the next ones need. */
enum { VOX_MEL_HISTORY = 2 };

typedef struct vox_utterance {
    vox_model *model;
    const vox_backend *backend;   /* that this state belongs to */
    vox_mel mel;
    float *mels;              /* [2 + room][n_mels]: two frames already encoded, then the new ones */
    int n_mels;               /* new frames in it */
    vox_voice voice;          /* of the tokens encoded */
    int64_t encoded;          /* tokens encoded */
    int64_t decoded;          /* positions decoded */
    int audio_at, n_audio;    /* embeddings waiting for the decoder */
    int n_best;               /* tokens that scores are to rank */
    vox_kv encoder_kv, decoder_kv;

    /* The CPU's. */
    float *conv0_tail;        /* [encoder dim]: the last frame between the convolutions */
    float *audio;             /* [VOX_BATCH_TOKENS][decoder dim] */
    struct vox_gpu_state *gpu;    /* the GPU's, whose caches lie there; of the two above it uses the anchors */

    const vox_tap *tap;       /* of tests; NULL otherwise */
} vox_utterance;

static inline int vox_frames_per_token(const vox_model *m) { return 2 * m->config.downsample; }

vox_status vox_utterance_init(vox_utterance *u, vox_model *model);
void vox_utterance_free(vox_utterance *u);   /* also of one zeroed */

/* Begin with nothing heard. */
void vox_utterance_reset(vox_utterance *u);
/* Begin where `from` stands, which must live on unchanged; it must have no embeddings waiting. */
void vox_utterance_continue(vox_utterance *u, const vox_utterance *from);

/* Make what the next token needs writable: now rather than when its sound has come. */
vox_status vox_utterance_prepare(vox_utterance *u);

/* Turn samples into mel frames while there is room; returns how many samples were taken. */
size_t vox_utterance_hear(vox_utterance *u, const float *samples, size_t n);

/* Tokens whose audio has been heard but not encoded. */
int vox_utterance_ready(const vox_utterance *u);

/* Encode up to VOX_BATCH_TOKENS of them into `audio`, all of whose embeddings must be used up. */
vox_status vox_utterance_encode(vox_utterance *u);

/* Decode n <= VOX_MAX_TREE columns with tokens ids[n], none deeper in the tree (NULL: one behind the
 * other) than embeddings wait. ffn_scale: see vox_stack_forward. The scores of the last `heads`
 * columns go to the model. Nothing has moved on yet: see vox_utterance_keep. */
vox_status vox_utterance_decode(vox_utterance *u, const int *ids, int n, const vox_tree *tree,
                                const float *ffn_scale, int heads);

/* Of the columns just decoded those in path[n], each the child of the one before, are the next n
 * positions (path NULL: the first n columns). The others leave no trace. */
void vox_utterance_keep(vox_utterance *u, const int *path, int n);

/* For measurements: as if `tokens` more had been heard and decoded, whose keys and values are zeros (and
 * perhaps those before them too). */
vox_status vox_utterance_pretend(vox_utterance *u, int tokens);

#endif
