#include "kv.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* Anchors are multiples of this, so that a token's frames are never apart. */
enum { ANCHOR_GRID = 16 };

/* Large blocks are parts of pieces of so many, so that large pages of memory fit in. Of a piece the system gives only
 * what is written. */
enum { PIECE_BLOCKS = 8, LARGE_BLOCK = 1 << 20 };

/* A head's part of a block: its keys and values, as float32 or as bytes and scales. */
size_t vox_kv_head_bytes(const vox_kv *kv) {
    const size_t numbers = 2 * (size_t)kv->block_positions * (size_t)kv->head_dim;
    return kv->kernels ? numbers + 2 * (size_t)kv->block_positions * sizeof(float) : numbers * sizeof(float);
}

static size_t block_size(const vox_kv *kv) { return (size_t)kv->n_layers * (size_t)kv->n_heads * vox_kv_head_bytes(kv); }

static vox_kv_block *block_of(const vox_kv *kv, int64_t position) {
    return &kv->blocks[position / kv->block_positions % kv->n_blocks];
}

static unsigned char *head_of(const vox_kv *kv, int layer, int head, int64_t position) {
    return block_of(kv, position)->data + ((size_t)layer * (size_t)kv->n_heads + (size_t)head) * vox_kv_head_bytes(kv);
}

static float *float_at(const vox_kv *kv, int layer, int values, int head, int64_t position) {
    const int64_t row = position % kv->block_positions + (values ? kv->block_positions : 0);
    return (float *)(void *)head_of(kv, layer, head, position) + row * kv->head_dim;
}

vox_byte_block vox_kv_bytes_at(const vox_kv *kv, int layer, int head, int64_t position) {
    const size_t numbers = (size_t)kv->block_positions * (size_t)kv->head_dim;
    unsigned char *keys = head_of(kv, layer, head, position);
    float *scales = (float *)(void *)(keys + 2 * numbers);
    return (vox_byte_block){ keys, (int8_t *)keys + numbers, scales, scales + kv->block_positions };
}

vox_status vox_kv_init(vox_kv *kv, const vox_stack_config *c, int block_positions, int max_batch,
                       const vox_kernels *kernels) {
    memset(kv, 0, sizeof *kv);
    kv->kernels = kernels;
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
    kv->pieces = vox_alloc_zero((size_t)kv->n_blocks, sizeof *kv->pieces);
    if (kv->blocks && kv->pieces) return VOX_OK;
    vox_kv_free(kv);
    return VOX_ERR_MEMORY;
}

void vox_kv_free(vox_kv *kv) {
    for (int i = 0; kv->pieces && i < kv->n_blocks; i++) vox_free(kv->pieces[i]);
    vox_free(kv->pieces);
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
        kv->blocks[i] = (vox_kv_block){ from->blocks[i].data, 1 };
    }
}

/* The block's own memory; NULL if there is none. */
static unsigned char *memory_of(vox_kv *kv, int block) {
    const size_t size = block_size(kv);
    const int per_piece = size < LARGE_BLOCK ? 1 : PIECE_BLOCKS, blocks = kv->n_blocks - block / per_piece * per_piece;
    unsigned char **piece = &kv->pieces[block / per_piece];
    if (!*piece) {
        const size_t bytes = (size_t)(blocks < per_piece ? blocks : per_piece) * size;
        *piece = vox_alloc(bytes, 1);
        if (*piece) vox_large_pages(*piece, bytes);
    }
    return *piece ? *piece + (size_t)(block % per_piece) * size : NULL;
}

/* Give the position's block memory of its own; keep: with what it holds. */
static vox_status own(vox_kv *kv, int64_t position, int keep) {
    vox_kv_block *b = block_of(kv, position);
    if (b->data && !b->borrowed) return VOX_OK;
    unsigned char *data = memory_of(kv, (int)(b - kv->blocks));
    if (!data) return VOX_ERR_MEMORY;
    if (keep && b->data) memcpy(data, b->data, block_size(kv));
    *b = (vox_kv_block){ data, 0 };
    return VOX_OK;
}

/* Of n positions from `position` on, which share their four (see vox_byte_block), keys or values, `stride` apart. */
static void put_bytes(vox_kv *kv, int layer, int head, int64_t position, int n, int values, const float *x, size_t stride) {
    const vox_byte_block b = vox_kv_bytes_at(kv, layer, head, position);
    const int dim = kv->head_dim, row = (int)(position % kv->block_positions);
    int8_t q[4][VOX_MAX_HEAD_DIM], *to = b.values + row / 4 * 4 * dim + row % 4;
    int32_t sum;
    for (int r = 0; r < n; r++)
        kv->kernels->to_bytes(x + (size_t)r * stride, dim, q[r], &(values ? b.value_scales : b.key_scales)[row + r], &sum);
    for (int i = 0; i < dim && !values; i += 4)
        for (int r = 0; r < n; r++) {
            uint32_t four;
            memcpy(&four, q[r] + i, sizeof four);
            four ^= 0x80808080;
            memcpy(b.keys + i * kv->block_positions + 4 * (row + r), &four, sizeof four);
        }
    if (values && n == 4)
        for (int i = 0; i < dim; i++)
            for (int r = 0; r < 4; r++) to[4 * i + r] = q[r][i];
    else
        for (int r = 0; r < n && values; r++)
            for (int i = 0; i < dim; i++) to[4 * i + r] = q[r][i];
}

static void turn_bytes(vox_kv *kv, int layer, int head, int64_t position, const float *table) {
    const vox_byte_block b = vox_kv_bytes_at(kv, layer, head, position);
    const int row = (int)(position % kv->block_positions);
    float x[VOX_MAX_HEAD_DIM];
    for (int i = 0; i < kv->head_dim; i++)
        x[i] = b.key_scales[row] * (float)(b.keys[i / 4 * 4 * kv->block_positions + row * 4 + i % 4] - 128);
    vox_rope(x, 1, kv->head_dim, table);
    put_bytes(kv, layer, head, position, 1, 0, x, 0);
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
            for (int64_t p = first; p < end; p++) {
                if (kv->kernels) turn_bytes(kv, layer, h, p, table);
                else vox_rope(float_at(kv, layer, 0, h, p), 1, kv->head_dim, table);
            }
}

/* Where the anchor belongs once `first` is reached: rotary positions run to the last one, then about
 * the oldest position still seen gets 0. */
int64_t vox_kv_anchor(const vox_kv *kv, int64_t first) {
    const int64_t oldest = first - kv->window + 1, anchor = oldest / ANCHOR_GRID * ANCHOR_GRID;
    return first - kv->anchor < kv->max_positions || anchor <= kv->anchor ? kv->anchor : anchor;
}

int vox_kv_room(const vox_kv *kv, int64_t first) {
    const int64_t room = vox_kv_anchor(kv, first) + kv->max_positions - first;
    return room < 1 ? 1 : room > INT_MAX ? INT_MAX : (int)room;
}

static vox_status move_anchor(vox_kv *kv, int64_t first) {
    const int64_t oldest = first - kv->window + 1, anchor = vox_kv_anchor(kv, first);
    if (anchor == kv->anchor) return VOX_OK;
    float *table = vox_alloc((size_t)kv->head_dim, sizeof *table);
    vox_status status = table ? VOX_OK : VOX_ERR_MEMORY;
    for (int64_t p = oldest; p < first && status == VOX_OK; p += kv->block_positions - p % kv->block_positions)
        status = own(kv, p, 1);
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
        if (own(kv, p, p % kv->block_positions != 0) != VOX_OK) return VOX_ERR_MEMORY;
    return move_anchor(kv, first);
}

void vox_kv_write(vox_kv *kv, int layer, int head, int64_t first, int n, const float *k, const float *v) {
    const size_t dim = (size_t)kv->head_dim, stride = (size_t)kv->n_heads * dim;
    for (int i = 0, some; i < n; i += some) {
        const int64_t p = first + i;
        const float *x[] = { k + (size_t)i * stride + (size_t)head * dim, v + (size_t)i * stride + (size_t)head * dim };
        const int rest = kv->kernels ? 4 - (int)(p % 4) : 1;
        some = n - i < rest ? n - i : rest;
        for (int values = 0; values < 2; values++) {
            if (kv->kernels) put_bytes(kv, layer, head, p, some, values, x[values], stride);
            else memcpy(float_at(kv, layer, values, head, p), x[values], dim * sizeof *k);
        }
    }
}

static void copy_bytes(vox_kv *kv, int layer, int head, int64_t from, int64_t to) {
    const vox_byte_block a = vox_kv_bytes_at(kv, layer, head, from), b = vox_kv_bytes_at(kv, layer, head, to);
    const int dim = kv->head_dim, n = kv->block_positions, i = (int)(from % n), j = (int)(to % n);
    for (int d = 0; d < dim; d += 4) memcpy(b.keys + d * n + j * 4, a.keys + d * n + i * 4, 4);
    for (int d = 0; d < dim; d++) b.values[(j / 4 * dim + d) * 4 + j % 4] = a.values[(i / 4 * dim + d) * 4 + i % 4];
    b.key_scales[j] = a.key_scales[i];
    b.value_scales[j] = a.value_scales[i];
}

void vox_kv_copy(vox_kv *kv, int64_t from, int64_t to) {
    const size_t size = (size_t)kv->head_dim * sizeof(float);
    for (int layer = 0; layer < kv->n_layers; layer++)
        for (int h = 0; h < kv->n_heads; h++) {
            if (kv->kernels) copy_bytes(kv, layer, h, from, to);
            for (int values = 0; values < 2 && !kv->kernels; values++)
                memcpy(float_at(kv, layer, values, h, to), float_at(kv, layer, values, h, from), size);
        }
}

const float *vox_kv_run(const vox_kv *kv, int layer, int values, int head, int64_t position, int *run) {
    *run = kv->block_positions - (int)(position % kv->block_positions);
    return float_at(kv, layer, values, head, position);
}
