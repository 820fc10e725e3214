/* config.h - every dimension of the model, from params.json or GGUF metadata, validated. */
#ifndef VOX_CONFIG_H
#define VOX_CONFIG_H

#include "gguf.h"

/* A stack of transformer layers: the encoder's or the decoder's. */
typedef struct vox_stack_config {
    int dim, n_layers, n_heads, n_kv_heads, head_dim, hidden_dim;
    int window;               /* positions a query sees, itself included */
    int biases;               /* on wq, wv, wo and w2 */
    int split_halves;         /* a head's rows of wq and wk: first all that the rotation takes as
                                 real parts, then the imaginary ones; else in pairs */
    double rope_theta;
    int max_positions;        /* rotary positions the model knows */
    float norm_eps;
} vox_stack_config;

typedef struct vox_config {
    vox_stack_config encoder, decoder;
    int vocab_size;
    int ada_dim;              /* inner width of the delay conditioning */
    int n_mels, mel_window, mel_hop;   /* mel_window and mel_hop in samples */
    float mel_max;            /* log10 mel values reach down to mel_max - 8 */
    int downsample;           /* encoder frames per token */
    int samples_per_token;    /* = mel_hop * 2 * downsample */
} vox_config;

vox_status vox_config_load(vox_config *config, const char *path, vox_error *err);
vox_status vox_config_from_gguf(vox_config *config, const gguf *g, vox_error *err);

#endif
