/* weights.h - the model's tensors, shapes checked. */
#ifndef VOX_WEIGHTS_H
#define VOX_WEIGHTS_H

#include "config.h"
#include "interleave.h"
#include "tensors.h"
#include "machine/threads.h"

/* A matrix: y = W x maps cols inputs to rows outputs. The data lies in the mapped file or in
 * memory of the weights' own; either way it lives as long as the vox_weights. */
typedef struct vox_weight {
    vox_weight_type type;
    int rows, cols;
    const void *data;         /* rows one behind the other; types in blocks: 16 interleaved */
} vox_weight;

/* One transformer layer. Vectors are float32; those marked * are NULL where the model has none. */
typedef struct vox_layer_weights {
    const float *attention_norm, *ffn_norm;         /* [dim] */
    vox_weight wq, wk, wv, wo, w1, w2, w3;
    const float *bq, *bv, *bo, *b2;                 /* * */
    vox_weight ada_down, ada_up;                    /* * data NULL: [ada, dim], [dim, ada] */
} vox_layer_weights;

typedef struct vox_weights {
    vox_tensors file;
    vox_weight conv0, conv1;      /* float32 [dim, 3 * inputs]: the kernel's taps side by side */
    const float *conv0_bias, *conv1_bias;
    vox_layer_weights *encoder, *decoder;
    const float *encoder_norm, *decoder_norm;
    vox_weight adapter0, adapter1;
    vox_weight embeddings;        /* [vocab, dim], also the output head */
    vox_weight_type type;         /* of most matrices */
    int interleaved;              /* some are in the file, too */
    int64_t parameters;
    struct vox_owned *owned;      /* blocks to free */
    double owned_bytes, most_bytes;       /* of them together; and what there is room for, 0 = not limited */
} vox_weights;

/* Takes over `file`, on failure too. from_gguf: its tensors are named and ordered as in GGUF. pool:
 * the threads that interleave blocks; NULL: the weights are only checked, and have no data. */
vox_status vox_weights_load(vox_weights *w, const vox_config *config, vox_tensors *file, int from_gguf,
                            vox_precision precision, vox_pool *pool, vox_error *err);
void vox_weights_free(vox_weights *w);   /* also of ones zeroed or half loaded */

/* Memory that is freed with the weights; NULL without any left, or beyond most_bytes. */
void *vox_weights_own(vox_weights *w, size_t bytes);

/* Bytes of the first rows; of types in blocks so many rows are whole panels, or all. */
size_t vox_weight_bytes(const vox_weight *w, int rows);

/* Row `row` of a matrix as float32. */
void vox_weight_row(const vox_weight *w, int row, float *out);

#endif
