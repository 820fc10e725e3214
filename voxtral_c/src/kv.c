#include "kv.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "kernels/kernels.h"

/* Anchors are multiples of this, so that a token's frames are never apart. */
enum { ANCHOR_GRID = 16 };

static size_t head_floats(const vox_kv *kv) { return (size_t)kv->block_positions * (size_t)kv->head_dim; }

static size_t block_floats(const vox_kv *kv) {
    return (size_t)kv->n_layers * 2 * (size_t)kv->n_heads * head_floats(kv);
}

static size_t offset(const vox_kv *kv, int layer, int values, int head, int64_t position) {
    return (((size_t)layer * 2 + (size_t)values) * (size_t)kv->n_heads + (size_t)head) * head_floats(kv) +
           (size_t)(position % kv->block_positions) * (size_t)kv->head_dim;
}

static vox_kv_block *block_of(const vox_kv *kv, int64_t position) {
    return &kv->blocks[position / kv->block_positions % kv->n_blocks];
}

vox_status vox_kv_init(vox_kv *kv, const vox_stack_config *c, int block_positions, int max_batch) {
    memset(kv, 0, sizeof *kv);
    kv->n_layers = c->n_layers;
    kv->n_heads = c->n_kv_heads;
    kv->head_dim = c->head_dim;
    kv->window = c->window;
    kv->max_positions = c->max_positions / ANCHOR_GRID * ANCHOR_GRID;
    kv->rope_theta = c->rope_theta;
    kv->block_positions = block_positions;
    /* One block more than the positions fill: they need not begin where a block does. */
    kv->n_blocks = (c->window + max_batch - 1 + block_positions - 1) / block_positions + 1;
    kv->blocks = vox_alloc_zero((size_t)kv->n_blocks, sizeof *kv->blocks);
    return kv->blocks ? VOX_OK : VOX_ERR_MEMORY;
}

void vox_kv_free(vox_kv *kv) {
    for (int i = 0; kv->blocks && i < kv->n_blocks; i++)
        if (!kv->blocks[i].borrowed) vox_free(kv->blocks[i].data);
    vox_free(kv->blocks);
    memset(kv, 0, sizeof *kv);
}

void vox_kv_reset(vox_kv *kv) {
    kv->anchor = 0;
    for (int i = 0; i < kv->n_blocks; i++)
        if (kv->blocks[i].borrowed) kv->blocks[i] = (vox_kv_block){ NULL, 0 };
}

void vox_kv_borrow(vox_kv *kv, const vox_kv *from) {
    kv->anchor = from->anchor;
    for (int i = 0; i < kv->n_blocks; i++) {
        if (!from->blocks[i].data) continue;
        if (!kv->blocks[i].borrowed) vox_free(kv->blocks[i].data);
        kv->blocks[i] = (vox_kv_block){ from->blocks[i].data, 1 };
    }
}

/* Give the position's block memory of its own, with its first `keep` positions. */
static vox_status own(vox_kv *kv, int64_t position, int keep) {
    vox_kv_block *b = block_of(kv, position);
    if (b->data && !b->borrowed) return VOX_OK;
    float *data = vox_alloc(block_floats(kv), sizeof *data);
    if (!data) return VOX_ERR_MEMORY;
    const size_t used = (size_t)keep * (size_t)kv->head_dim;
    if (used && b->data)
        for (size_t at = 0; at < block_floats(kv); at += head_floats(kv))
            memcpy(data + at, b->data + at, used * sizeof *data);
    *b = (vox_kv_block){ data, 0 };
    return VOX_OK;
}

/* Turn the keys of positions first .. end-1 back by a number of positions. */
static void turn_back(vox_kv *kv, int64_t first, int64_t end, int64_t by, float *table) {
    for (int j = 0; j < kv->head_dim; j += 2) {
        const float f = vox_rope_frequency(kv->rope_theta, j, kv->head_dim);
        table[j] = (float)cos((double)by * (double)f);
        table[j + 1] = (float)-sin((double)by * (double)f);
    }
    for (int layer = 0; layer < kv->n_layers; layer++)
        for (int h = 0; h < kv->n_heads; h++)
            for (int64_t p = first; p < end; p++)
                vox_rope(block_of(kv, p)->data + offset(kv, layer, 0, h, p), 1, kv->head_dim, table);
}

/* Where the anchor belongs once `first` is reached: rotary positions run to the last one, then about
 * the oldest position still seen gets 0. */
static int64_t anchor_at(const vox_kv *kv, int64_t first) {
    const int64_t oldest = first - kv->window + 1, anchor = oldest / ANCHOR_GRID * ANCHOR_GRID;
    return first - kv->anchor < kv->max_positions || anchor <= kv->anchor ? kv->anchor : anchor;
}

int vox_kv_room(const vox_kv *kv, int64_t first) {
    const int64_t room = anchor_at(kv, first) + kv->max_positions - first;
    return room < 1 ? 1 : room > INT_MAX ? INT_MAX : (int)room;
}

static vox_status move_anchor(vox_kv *kv, int64_t first) {
    const int64_t oldest = first - kv->window + 1, anchor = anchor_at(kv, first);
    if (anchor == kv->anchor) return VOX_OK;
    float *table = vox_alloc((size_t)kv->head_dim, sizeof *table);
    vox_status status = table ? VOX_OK : VOX_ERR_MEMORY;
    for (int64_t p = oldest; p < first && status == VOX_OK; p += kv->block_positions - p % kv->block_positions)
        status = own(kv, p, kv->block_positions);
    if (status == VOX_OK) {
        turn_back(kv, oldest, first, anchor - kv->anchor, table);
        kv->anchor = anchor;
    }
    vox_free(table);
    return status;
}

vox_status vox_kv_prepare(vox_kv *kv, int64_t first, int n) {
    /* A block entered in its middle keeps what lies before. */
    for (int64_t p = first; p < first + n; p += kv->block_positions - p % kv->block_positions)
        if (own(kv, p, (int)(p % kv->block_positions)) != VOX_OK) return VOX_ERR_MEMORY;
    return move_anchor(kv, first);
}

void vox_kv_write(vox_kv *kv, int layer, int64_t first, int n, const float *k, const float *v) {
    const size_t size = (size_t)kv->head_dim * sizeof *k;
    for (int i = 0; i < n; i++) {
        float *data = block_of(kv, first + i)->data;
        for (int h = 0; h < kv->n_heads; h++, k += kv->head_dim, v += kv->head_dim) {
            memcpy(data + offset(kv, layer, 0, h, first + i), k, size);
            memcpy(data + offset(kv, layer, 1, h, first + i), v, size);
        }
    }
}

void vox_kv_copy(vox_kv *kv, int64_t from, int64_t to) {
    const float *src = block_of(kv, from)->data;
    float *dst = block_of(kv, to)->data;
    for (int layer = 0; layer < kv->n_layers; layer++)
        for (int values = 0; values < 2; values++)
            for (int h = 0; h < kv->n_heads; h++)
                memcpy(dst + offset(kv, layer, values, h, to), src + offset(kv, layer, values, h, from),
                       (size_t)kv->head_dim * sizeof *dst);
}

const float *vox_kv_run(const vox_kv *kv, int layer, int values, int head, int64_t position, int *run) {
    *run = kv->block_positions - (int)(position % kv->block_positions);
    return block_of(kv, position)->data + offset(kv, layer, values, head, position);
}
