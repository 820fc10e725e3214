/* backend.h - where the arithmetic of a model runs: the one table between the state machine of
 * streams and either the CPU (backend_cpu.c) or a GPU (gpu/backend.c).
 *
 * The seam lies at whole steps of an utterance, not at single products: a GPU wants a step's work in
 * one piece, with keys, values and activations staying where they are. Only scores come back.
 * Functions that can fail change nothing when they do, or return VOX_ERR_DEVICE: then the GPU is of
 * no use any more, vox_model_fall_back makes the CPU the model's backend, and whoever holds an
 * utterance starts it again there.
 */
#ifndef VOX_BACKEND_H
#define VOX_BACKEND_H

#include "ops.h"

struct vox_utterance;

typedef struct vox_backend {
    const char *name;         /* "cpu", "gpu" */

    /* What it keeps of an utterance. */
    vox_status (*init)(struct vox_utterance *u);
    void (*free)(struct vox_utterance *u);      /* also of one zeroed or half made */
    void (*reset)(struct vox_utterance *u);
    /* Begin where `from` stands, which lives on unchanged. */
    void (*follow)(struct vox_utterance *u, const struct vox_utterance *from);
    /* Make what the next token needs writable. */
    vox_status (*prepare)(struct vox_utterance *u);

    /* The first `tokens` of the mel frames waiting to embeddings; the frames stay. */
    vox_status (*encode)(struct vox_utterance *u, int tokens);
    /* See vox_utterance_decode. */
    vox_status (*decode)(struct vox_utterance *u, const int *ids, int n, const vox_tree *tree, const float *ffn_scale, int heads);
    /* Of the columns decoded those in path[n] are the next positions. */
    void (*keep)(struct vox_utterance *u, const int *path, int n);
    /* See vox_utterance_pretend. */
    vox_status (*pretend)(struct vox_utterance *u, int tokens);
} vox_backend;

extern const vox_backend vox_backend_cpu, vox_backend_gpu;

#endif
