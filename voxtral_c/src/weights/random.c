#include "random.h"

#include <math.h>
#include <string.h>

#include "layout.h"

/* Weights are copied from a pool of them, since making billions would take minutes. What is copied
 * begins at another block each time. */
enum { POOL = 1 << 18 };

#define DEVIATION 0.02f       /* products then keep about the size of what goes in */

typedef struct filler {
    vox_weights *w;
    vox_weight_type type;
    float *numbers;           /* [POOL] */
    uint8_t *pool[VOX_WEIGHT_TYPES];
    uint32_t state;
} filler;

static uint32_t next(filler *f) { return f->state = f->state * 1664525u + 1013904223u; }

/* Nearly normal: the sum of four even ones. */
static int make_numbers(filler *f) {
    f->numbers = vox_alloc(POOL, sizeof *f->numbers);
    for (int i = 0; f->numbers && i < POOL; i++) {
        float sum = 0;
        for (int j = 0; j < 4; j++) sum += (float)(next(f) >> 8) / (float)(1 << 24) - 0.5f;
        f->numbers[i] = sum * sqrtf(3.0f) * DEVIATION;
    }
    return f->numbers != NULL;
}

static const uint8_t *pool_of(filler *f, vox_weight_type type) {
    if (f->pool[type]) return f->pool[type];
    f->pool[type] = vox_alloc(vox_row_bytes(type, POOL), 1);
    if (f->pool[type]) vox_quantize(type, f->numbers, f->pool[type], POOL);
    return f->pool[type];
}

static int copy_random(filler *f, vox_weight_type type, uint8_t *data, size_t bytes) {
    const size_t blocks = (size_t)(POOL / vox_block_weights(type)), size = vox_block_bytes(type);
    const uint8_t *pool = pool_of(f, type);
    for (size_t at = 0; at < bytes && pool;) {
        const size_t from = next(f) % blocks * size;
        const size_t n = blocks * size - from < bytes - at ? blocks * size - from : bytes - at;
        memcpy(data + at, pool + from, n);
        at += n;
    }
    return pool != NULL;
}

static void *make(filler *f, vox_weight_type type, int rows, int cols) {
    const size_t row = vox_row_bytes(type, cols);
    if (!vox_is_quantised(type)) {
        uint8_t *data = vox_weights_own(f->w, (size_t)rows * row);
        return data && copy_random(f, type, data, (size_t)rows * row) ? data : NULL;
    }
    uint8_t *data = vox_weights_own(f->w, vox_interleaved_bytes(type, rows, cols)), *panel = vox_alloc(VOX_PANEL, row);
    int ok = data && panel;
    for (int r = 0; r < rows && ok; r += VOX_PANEL) {
        ok = copy_random(f, type, panel, VOX_PANEL * row);
        vox_interleave(type, panel, rows - r < VOX_PANEL ? rows - r : VOX_PANEL, cols, data + vox_interleaved_bytes(type, r, cols));
    }
    vox_free(panel);
    return ok ? data : NULL;
}

static vox_status fill_slot(void *user, const vox_slot *slot) {
    filler *f = user;
    const int taps = slot->kind == VOX_SLOT_CONV ? 3 : 1;
    if (slot->kind == VOX_SLOT_VECTOR) {
        float *data = make(f, VOX_WEIGHT_F32, 1, slot->rows);
        if (!data) return VOX_ERR_MEMORY;
        for (int i = 0; i < slot->rows; i++) data[i] += strstr(slot->gguf, "norm") ? 1 : 0;
        *(const float **)slot->target = data;
        f->w->parameters += slot->rows;
        return VOX_OK;
    }
    const vox_weight_type type = vox_slot_type(slot, f->type);
    const int64_t count = (int64_t)slot->rows * slot->cols * taps;
    const vox_weight made = { type, slot->rows, slot->cols * taps, make(f, type, slot->rows, slot->cols * taps) };
    *(vox_weight *)slot->target = made;
    f->w->parameters += count;
    return made.data ? VOX_OK : VOX_ERR_MEMORY;
}

vox_config vox_full_size(void) {
    return (vox_config){
        .encoder = { .dim = 1280, .n_layers = 32, .n_heads = 32, .n_kv_heads = 32, .head_dim = 64, .hidden_dim = 5120,
                     .window = 750, .max_positions = 4 * 131072, .biases = 1, .rope_theta = 1e6, .norm_eps = 1e-5f },
        .decoder = { .dim = 3072, .n_layers = 26, .n_heads = 32, .n_kv_heads = 8, .head_dim = 128, .hidden_dim = 9216,
                     .window = 8192, .max_positions = 131072, .rope_theta = 1e6, .norm_eps = 1e-5f },
        .vocab_size = 131072,
        .ada_dim = 32,
        .n_mels = 128, .mel_window = 400, .mel_hop = 160,
        .mel_max = 1.5f,
        .downsample = 4,
        .samples_per_token = 1280,
    };
}

typedef struct wanted {
    const vox_config *config;
    vox_weight_type type;
} wanted;

static vox_status fill_model(vox_model *m, void *user, vox_error *err) {
    const wanted *wants = user;
    filler f = { .w = &m->weights, .type = wants->type, .state = 1 };
    m->config = *wants->config;
    m->tokenizer = (vox_tokenizer){ .n_special = 1000, .delay_ms = 480, .n_left_pad = 32 };
    if (m->tokenizer.n_special > m->config.vocab_size) m->tokenizer.n_special = m->config.vocab_size / 2;
    m->tokenizer.n_vocab = m->tokenizer.n_special;
    m->tokenizer.offsets = vox_alloc_zero(1, sizeof *m->tokenizer.offsets);
    m->weights.encoder = vox_alloc_zero((size_t)m->config.encoder.n_layers, sizeof *m->weights.encoder);
    m->weights.decoder = vox_alloc_zero((size_t)m->config.decoder.n_layers, sizeof *m->weights.decoder);
    vox_status status = VOX_ERR_MEMORY;
    if (m->tokenizer.offsets && m->weights.encoder && m->weights.decoder && make_numbers(&f))
        status = vox_mel_plan_init(&m->mel, &m->config, NULL);
    if (status == VOX_OK) status = vox_layout_each(&m->config, &m->weights, fill_slot, &f);
    m->weights.type = wants->type;
    for (int i = 0; i < VOX_WEIGHT_TYPES; i++) vox_free(f.pool[i]);
    vox_free(f.numbers);
    return status == VOX_OK ? status : vox_fail(err, status, "There is no memory for so large a model.");
}

vox_status vox_model_random(const vox_config *config, vox_weight_type type, const vox_model_params *params,
                            vox_model **out, vox_error *err) {
    wanted wants = { config, type };
    return vox_model_make("random weights", params, fill_model, &wants, out, err);
}
