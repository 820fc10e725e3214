/* resident.h - a model on the GPU: its weights, and what its streams keep there. */
#ifndef VOX_GPU_RESIDENT_H
#define VOX_GPU_RESIDENT_H

#include "model/utterance.h"
#include "kernels.h"

typedef struct gpu_layer {
    gpu_matrix qkv, wo, gated, down;
    gpu_buffer attention_norm, ffn_norm;
} gpu_layer;

/* Activations are [column][ld]; every ld is a whole number of panels. */
typedef struct gpu_stack {
    const vox_stack_config *config;
    gpu_layer *layers;
    int batch;                /* most columns */
    int ld, ldq, k0, v0, ldo, ldh;
    gpu_buffer x, norm, qkv, attended, hidden, turns, open;
} gpu_stack;

typedef struct vox_gpu {
    gpu device;
    gpu_stack encoder, decoder;
    gpu_matrix conv0, conv1, adapter0, adapter1, embeddings;
    gpu_buffer encoder_norm, decoder_norm;
    gpu_buffer mels, conv_out, conv_in, adapter, info, moves, logits, parts, found;
    gpu_buffer gains;         /* [decoder layers][gain_bytes]: ffn_norm times ... */
    size_t gain_bytes;
    const float *gains_of;    /* ... this conditioning on the delay; NULL = none yet */
    float *spare;             /* room for what is written, or a test's look at a tensor */
    size_t spare_floats;
    int half;                 /* caches are float16 */
    char *folder;             /* for reports */
} vox_gpu;

/* Keys and values of an utterance, for each layer. */
typedef struct gpu_kv {
    gpu_buffer *keys, *values;
    int slots;
} gpu_kv;

typedef struct vox_gpu_state {
    gpu_kv encoder, decoder;
    gpu_buffer tail, audio;   /* the last frame between the convolutions; embeddings that wait */
    uint32_t moves[2 * VOX_MAX_TREE];   /* slots: what the next step has to move first */
    int n_moves;
} vox_gpu_state;

/* Open a GPU and bring the model there: m->gpu and m->backend. On failure the model stays on the CPU
 * and `err` tells why. folder: where verdicts about GPUs are kept. */
vox_status vox_gpu_attach(vox_model *m, const gpu_options *options, const char *folder, vox_error *err);
/* What the model needs of a GPU: see selftest.h. */
uint32_t vox_gpu_need(const vox_model *m);
/* Write into m->gpu_why what went wrong on the GPU. */
void vox_gpu_explain(vox_model *m);
const char *vox_gpu_name(const vox_gpu *v);
/* GB/s that a copy of weights reads and writes there, the best of three; 0 when it fails. */
double vox_gpu_bandwidth(vox_gpu *v);
/* As the environment asks: VOXTRAL_GPU_CHECKS=1 (naga's checks), VOXTRAL_GPU_SUBGROUPS=0,
 * VOXTRAL_GPU_BINDING=BYTES (max_binding), VOXTRAL_GPU_DEADLINE=SECONDS (to answer; for a scout, too). */
gpu_options vox_gpu_options(void);
void vox_gpu_detach(vox_model *m);     /* also without one */

#endif
