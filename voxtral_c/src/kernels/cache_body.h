/* cache_body.h - attention over keys and values kept as bytes, written once over vectors; included
 * behind quant_body.h, whose macros it uses. BYTES_VECS and BYTES_COLS (at most 8) are its register
 * block: vectors of lanes (32 are a multiple), and columns.
 *
 * A lane is a key's position (scores) or an element of the output (values), so that no sum of products
 * runs across lanes, and these sums are exact, of bytes: results depend on nothing but the numbers.
 */
enum { SCORES, VALUES };

/* A walk's fetching of what comes next, spread over its steps: of a line of each page every `rate` / 256 times. */
typedef struct fetching {
    vox_ahead ahead;
    int line, due, rate;
} fetching;

INLINE void fetch_on(fetching *f) {
    for (f->due += f->rate; f->due >= 256; f->due -= 256, f->line += VOX_LINE)
        UNROLL for (int page = 0; page < VOX_AHEAD_PAGES; page++) __builtin_prefetch(f->ahead.at[page] + f->line, 0, 2);
}

INLINE ivec score(ivec sum, ivec keys, ivec q) {
    return DOT_UNSIGNED ? I_DOT(sum, keys, q) : I_DOT_SIGNED(sum, I_XOR(keys, I_SET1((int)0x80808080)), q);
}

/* dots[c][v] = the product of `steps` times four bytes with lanes v * LANES ..; consecutive steps
 * lie ldw bytes apart. sum: of each column's bytes. */
INLINE void dot_lanes(const int C, const int what, const uint8_t *w, size_t ldw, int steps, const int8_t *x, size_t ldx,
                      const int32_t *sum, fetching *f, ivec dots[][BYTES_VECS]) {
    UNROLL for (int c = 0; c < C; c++) {
        UNROLL for (int v = 0; v < BYTES_VECS; v++) dots[c][v] = what == SCORES && DOT_UNSIGNED ? I_SET1(-128 * sum[c]) : I_ZERO();
    }
    for (int i = 0; i < steps; i += 8) {
        fetch_on(f);
        UNROLL for (int j = i; j < i + 8; j++, w += ldw) {
            ivec ws[BYTES_VECS];
            UNROLL for (int v = 0; v < BYTES_VECS; v++) ws[v] = I_LOAD(w + 4 * LANES * v);
            UNROLL for (int c = 0; c < C; c++) {
                const ivec xs = I_LOAD1(x + (size_t)c * ldx + 4 * j);
                UNROLL for (int v = 0; v < BYTES_VECS; v++)
                    dots[c][v] = what == VALUES ? I_DOT(dots[c][v], xs, ws[v]) : score(dots[c][v], ws[v], xs);
            }
        }
    }
}

/* C columns, all lanes. Scores: y = the products times `scales` of lanes; values: the products are added to y. */
INLINE void bytes_columns(const int C, const int what, const uint8_t *w, const float *scales, int lanes, int k,
                          const vox_bytes *x, size_t at, float *y, size_t ldy, fetching *f) {
    for (int lane = 0; lane < lanes; lane += BYTES_VECS * LANES) {
        ivec dots[BYTES_COLS][BYTES_VECS];
        dot_lanes(C, what, w + 4 * lane, 4 * (size_t)lanes, k / 4, x->q + at * x->ld, x->ld, x->sum + at, f, dots);
        UNROLL for (int c = 0; c < C; c++) {
            const vec scale = V_SET1(x->scale[at + (size_t)c]);
            UNROLL for (int v = 0; v < BYTES_VECS; v++) {
                float *to = y + (at + (size_t)c) * ldy + lane + v * LANES;
                const vec dot = I_FLOAT(dots[c][v]);
                if (what == SCORES) V_STORE(to, V_MUL(V_MUL(V_LOAD(scales + lane + v * LANES), scale), dot));
                else V_STORE(to, V_FMA(scale, dot, V_LOAD(to)));
            }
        }
    }
}

static int byte_tiles(int cols) { return (cols + BYTES_COLS - 1) / BYTES_COLS; }

INLINE void bytes_all(const int what, const uint8_t *w, const float *scales, int lanes, int k, const vox_bytes *x, int cols,
                      float *y, size_t ldy, fetching *f) {
    const int tiles = byte_tiles(cols);
    for (int c = 0, tile = 0; tile < tiles; tile++) {
        const int width = (cols - c + tiles - tile - 1) / (tiles - tile);
        switch (width) {
#define CASE(C) \
        case C: \
            if (C <= BYTES_COLS) \
                bytes_columns(C < BYTES_COLS ? C : BYTES_COLS, what, w, scales, lanes, k, x, (size_t)c, y, ldy, f); \
            break
        CASE(1);
        CASE(2);
        CASE(3);
        CASE(4);
        CASE(5);
        CASE(6);
        CASE(7);
        CASE(8);
        default: break;
#undef CASE
        }
        c += width;
    }
}

static void score_bytes(const vox_byte_block *b, int positions, int dim, const vox_bytes *q, int cols, float *scores,
                        size_t ld) {
    fetching nothing = { .rate = 0 };
    bytes_all(SCORES, b->keys, b->key_scales, positions, dim, q, cols, scores, ld, &nothing);
}

/* 2^x, good to a ten-thousandth, which is less than a weight loses when it becomes a byte. */
INLINE vec v_exp2(vec x) {
    x = V_EXPONENT(x);
    const vec r = V_FRACTION(x);
    vec p = V_SET1(7.82679702e-2f);
    p = V_FMA(p, r, V_SET1(2.26307682e-1f));
    p = V_FMA(p, r, V_SET1(6.95424348e-1f));
    p = V_FMA(p, r, V_SET1(1.0f));
    return V_SCALE_FLOOR(p, x);
}

/* Weights times the scales of values, N vectors of which `largest` holds the largest, as bytes. */
INLINE void to_weights(const vec *v, int n, vec largest, int8_t *q, float *scale) {
    const float l = v_max(largest);
    const vec inverse = V_SET1(l > 1e-28f ? 127.0f / l : 0.0f);
    UNROLL for (int i = 0; i < n; i++) V_STORE_I8(q + i * LANES, V_MUL(v[i], inverse));
    *scale = l / 127.0f;
}

static void weigh_first(vox_walk *w, int c, const float *scores, const float *value_scales, int n, int8_t *q, float *scale) {
    vec v[VOX_FIRST_POSITIONS / LANES], most = V_SET1(-INFINITY), sum = V_ZERO(), largest = V_ZERO();
    for (int i = 0; i < n; i += LANES) most = V_MAX(most, V_LOAD(scores + i));
    w->level[c] = v_max(most);
    const vec level = V_SET1(w->level[c]);
    for (int i = 0; i < n / LANES; i++) {
        const vec e = v_exp2(V_SUB(V_LOAD(scores + i * LANES), level));
        sum = V_ADD(sum, e);
        v[i] = V_MUL(e, V_LOAD(value_scales + i * LANES));
        largest = V_MAX(largest, v[i]);
    }
    V_STORE(w->sums[c], sum);
    to_weights(v, n / LANES, largest, q, scale);
}

/* Raise column c's level to its largest score of N vectors; what was summed up follows. */
static void raise_level(vox_walk *w, int c, const float *scores, int n, int dim) {
    float *out = w->out + (size_t)c * (size_t)dim;
    vec most = V_SET1(w->level[c]);
    for (int i = 0; i < n; i += LANES) most = V_MAX(most, V_LOAD(scores + i));
    const float before = w->level[c];
    w->level[c] = v_max(most);
    const vec factor = v_exp2(V_SET1(before - w->level[c]));
    V_STORE(w->sums[c], V_MUL(V_LOAD(w->sums[c]), factor));
    for (int i = 0; i < dim; i += LANES) V_STORE(out + i, V_MUL(V_LOAD(out + i), factor));
}

/* Weights of N vectors of scores, in v; returns their sum, with what was summed up before. */
INLINE vec weights_of(const int N, const vox_walk *w, int c, const float *scores, vec v[]) {
    const vec level = V_SET1(w->level[c]);
    vec sum = V_LOAD(w->sums[c]);
    UNROLL for (int i = 0; i < N; i++) {
        v[i] = v_exp2(V_SUB(V_LOAD(scores + i * LANES), level));
        sum = V_ADD(sum, v[i]);
    }
    return sum;
}

/* What column c sees of a block of N vectors becomes weights, and these times the scales of values bytes. */
INLINE void weigh_block(const int N, vox_walk *w, int c, const float *scores, const float *value_scales, int dim,
                        const vox_bytes *bytes) {
    vec v[VOX_KV_MAX_BLOCK / LANES], largest = V_ZERO();
    vec sum = weights_of(N, w, c, scores, v);
    if (!V_ALL_BELOW(sum, 0x1p60f)) {
        raise_level(w, c, scores, N * LANES, dim);
        sum = weights_of(N, w, c, scores, v);
    }
    V_STORE(w->sums[c], sum);
    UNROLL for (int i = 0; i < N; i++) {
        v[i] = V_MUL(v[i], V_LOAD(value_scales + i * LANES));
        largest = V_MAX(largest, v[i]);
    }
    to_weights(v, N, largest, bytes->q + (size_t)c * bytes->ld, &bytes->scale[c]);
}

static void add_bytes(const int8_t *values, int positions, int dim, const vox_bytes *weights, int cols, float *out) {
    fetching nothing = { .rate = 0 };
    bytes_all(VALUES, (const uint8_t *)values, NULL, dim, positions, weights, cols, out, (size_t)dim, &nothing);
}

static void walk_block(const vox_byte_block *b, const vox_ahead *ahead, int positions, int dim, int at, vox_walk *w) {
    float scores[VOX_WALK_COLUMNS * VOX_KV_MAX_BLOCK], scale[VOX_WALK_COLUMNS];
    int8_t q[VOX_WALK_COLUMNS * VOX_KV_MAX_BLOCK];
    const size_t ld = (size_t)positions;
    const vox_bytes bytes = { q, ld, scale, w->q.sum };
    const int passes = byte_tiles(w->columns) * (positions * dim / (16 * BYTES_VECS * LANES));
    fetching f = { *ahead, .rate = (256 * ahead->lines + passes - 1) / passes };
    bytes_all(SCORES, b->keys, b->key_scales, positions, dim, &w->q, w->columns, scores, ld, &f);
    for (int c = 0; c < w->columns; c++) {
        float *row = scores + (size_t)c * ld, masked[VOX_KV_MAX_BLOCK];
        const int from = w->from[c] > at ? w->from[c] - at : 0, to = w->to[c] < at + positions ? w->to[c] - at : positions;
        const float *by = b->value_scales;
        if (from >= to) {
            memset(q + (size_t)c * ld, 0, ld);
            scale[c] = 0;
            continue;
        }
        if (to - from < positions) {     /* what is not seen may be anything */
            for (int i = 0; i < positions; i++) masked[i] = i >= from && i < to ? by[i] : 0;
            for (int i = 0; i < from; i++) row[i] = -INFINITY;
            for (int i = to; i < positions; i++) row[i] = -INFINITY;
            by = masked;
        }
        if (positions == VOX_KV_MAX_BLOCK) weigh_block(VOX_KV_MAX_BLOCK / LANES, w, c, row, by, dim, &bytes);
        else weigh_block(VOX_KV_MAX_BLOCK / 2 / LANES, w, c, row, by, dim, &bytes);
    }
    bytes_all(VALUES, (const uint8_t *)b->values, NULL, dim, positions, &bytes, w->columns, w->out, (size_t)dim, &f);
}

static void to_bytes(const float *x, int n, int8_t *q, float *scale, int32_t *sum) {
    vec most = V_ZERO();
    for (int i = 0; i < n; i += LANES) most = V_MAX(most, V_ABS(V_LOAD(x + i)));
    *scale = v_max(most) / 127.0f;
    const vec inverse = V_SET1(*scale > 1e-30f ? 1.0f / *scale : 0.0f);
    vec total = V_ZERO();
    for (int i = 0; i < n; i += LANES) {
        const vec whole = V_ROUND(V_MUL(V_LOAD(x + i), inverse));
        V_STORE_I8(q + i, whole);
        total = V_ADD(total, whole);      /* whole numbers: exact */
    }
    *sum = (int32_t)v_sum(total);
}
