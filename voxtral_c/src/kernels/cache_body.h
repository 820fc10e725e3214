/* cache_body.h - attention over keys and values kept as bytes, written once over vectors; included
 * behind quant_body.h, whose macros it uses. BYTES_VECS and BYTES_COLS (at most 8) are its register
 * block: vectors of lanes (32 are a multiple), and columns.
 *
 * A lane is a key's position (scores) or an element of the output (values), so that no sum of products
 * runs across lanes, and these sums are exact, of bytes: results depend on nothing but the numbers.
 */
enum { SCORES, VALUES };

/* dots[c][v] = the product of `steps` times four bytes with lanes v * LANES ..; consecutive steps
 * lie ldw bytes apart. What lies `ahead` bytes behind is fetched. sum: of each column's bytes. */
INLINE void dot_lanes(const int C, const int what, const uint8_t *w, size_t ldw, uintptr_t ahead, int steps, const int8_t *x,
                      size_t ldx, const int32_t *sum, ivec dots[][BYTES_VECS]) {
    UNROLL for (int c = 0; c < C; c++) {
        UNROLL for (int v = 0; v < BYTES_VECS; v++) dots[c][v] = what == SCORES && Q8_UNSIGNED ? I_SET1(-128 * sum[c]) : I_ZERO();
    }
    for (int i = 0; i < steps; i += 8)
        UNROLL for (int j = i; j < i + 8; j++, w += ldw) {
            ivec ws[BYTES_VECS];
            UNROLL for (size_t line = 0; line < sizeof ws; line += 64) __builtin_prefetch((const void *)((uintptr_t)w + ahead + line), 0, 2);
            UNROLL for (int v = 0; v < BYTES_VECS; v++) {
                ws[v] = I_LOAD(w + 4 * LANES * v);
                if (what == SCORES && !Q8_UNSIGNED) ws[v] = I_XOR(ws[v], I_SET1((int)0x80808080));
            }
            UNROLL for (int c = 0; c < C; c++) {
                const ivec xs = I_LOAD1(x + (size_t)c * ldx + 4 * j);
                UNROLL for (int v = 0; v < BYTES_VECS; v++)
                    dots[c][v] = what == SCORES ? I_DOT_Q8(dots[c][v], ws[v], xs) : I_DOT(dots[c][v], xs, ws[v]);
            }
        }
}

/* C columns, all lanes. Scores: y = the products times `scales` of lanes; values: y is scaled by those of columns, and
 * the products are added. */
INLINE void bytes_columns(const int C, const int what, const uint8_t *w, uintptr_t ahead, const float *scales, int lanes, int k,
                          const vox_bytes *x, size_t at, float *y, size_t ldy) {
    for (int lane = 0; lane < lanes; lane += BYTES_VECS * LANES) {
        ivec dots[BYTES_COLS][BYTES_VECS];
        dot_lanes(C, what, w + 4 * lane, 4 * (size_t)lanes, ahead, k / 4, x->q + at * x->ld, x->ld, x->sum + at, dots);
        UNROLL for (int c = 0; c < C; c++) {
            const vec scale = V_SET1(x->scale[at + (size_t)c]);
            UNROLL for (int v = 0; v < BYTES_VECS; v++) {
                float *to = y + (at + (size_t)c) * ldy + lane + v * LANES;
                const vec dot = I_FLOAT(dots[c][v]);
                if (what == SCORES) V_STORE(to, V_MUL(V_MUL(V_LOAD(scales + lane + v * LANES), scale), dot));
                else V_STORE(to, V_FMA(scale, dot, V_MUL(V_LOAD(to), V_SET1(scales[at + (size_t)c]))));
            }
        }
    }
}

INLINE void bytes_all(const int what, const uint8_t *w, uintptr_t ahead, const float *scales, int lanes, int k,
                      const vox_bytes *x, int cols, float *y, size_t ldy) {
    const int tiles = (cols + BYTES_COLS - 1) / BYTES_COLS;
    for (int c = 0, tile = 0; tile < tiles; tile++) {
        const int width = (cols - c + tiles - tile - 1) / (tiles - tile);
        switch (width) {
#define CASE(C) \
        case C: \
            if (C <= BYTES_COLS) \
                bytes_columns(C < BYTES_COLS ? C : BYTES_COLS, what, w, ahead, scales, lanes, k, x, (size_t)c, y, ldy); \
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
    bytes_all(SCORES, b->keys, 0, b->key_scales, positions, dim, q, cols, scores, ld);
}

/* 2^x for x <= 0, good to about two units in the last place; below -126 that of -126. */
INLINE vec v_exp2(vec x) {
    x = V_MAX(x, V_SET1(-126.0f));
    const vec n = V_ROUND(x), r = V_SUB(x, n);
    vec p = V_SET1(1.339086735e-3f);
    p = V_FMA(p, r, V_SET1(9.666373693e-3f));
    p = V_FMA(p, r, V_SET1(5.550357104e-2f));
    p = V_FMA(p, r, V_SET1(2.402234894e-1f));
    p = V_FMA(p, r, V_SET1(6.931471880e-1f));
    p = V_FMA(p, r, V_SET1(1.0f));
    return V_SCALE2(p, n);
}

/* The column's largest score, now that it sees one of `most`; its sums follow. Returns by what its output must be
 * multiplied. */
INLINE vec walk_on(vox_walk *w, int c, vec most) {
    const float before = w->most[c], now = v_max(most);
    w->most[c] = now > before ? now : before;
    return v_exp2(V_SET1(before - w->most[c]));
}

static void walk_start(vox_walk *w, int c, float *scores, int n) {
    vec most = V_SET1(-INFINITY), sum = V_ZERO();
    int i = 0;
    for (; i + LANES <= n; i += LANES) most = V_MAX(most, V_LOAD(scores + i));
    if (i < n) most = V_MAX(most, load_tail(scores + i, n - i));
    w->most[c] = v_max(most);
    const vec m = V_SET1(w->most[c]);
    for (i = 0; i + LANES <= n; i += LANES) {
        const vec e = v_exp2(V_SUB(V_LOAD(scores + i), m));
        V_STORE(scores + i, e);
        sum = V_ADD(sum, e);
    }
    if (i < n) {
        const vec e = v_exp2(V_SUB(load_tail(scores + i, n - i), m));
        V_STORE_N(scores + i, e, n - i);
        sum = V_ADD(sum, e);
    }
    V_STORE(w->sums[c], sum);
}

/* What column c sees of a block of N vectors becomes weights, and these times the scales of values bytes. */
INLINE void weigh_block(const int N, vox_walk *w, int c, const float *scores, const float *value_scales,
                        const vox_bytes *bytes, float *factor) {
    vec v[VOX_KV_MAX_BLOCK / LANES], most = V_LOAD(scores), largest = V_ZERO();
    UNROLL for (int i = 0; i < N; i++) {
        v[i] = V_LOAD(scores + i * LANES);
        most = V_MAX(most, v[i]);
    }
    const vec f = walk_on(w, c, most), m = V_SET1(w->most[c]);
    vec sum = V_MUL(V_LOAD(w->sums[c]), f);
    UNROLL for (int i = 0; i < N; i++) {
        v[i] = v_exp2(V_SUB(v[i], m));
        sum = V_ADD(sum, v[i]);
        v[i] = V_MUL(v[i], V_LOAD(value_scales + i * LANES));
        largest = V_MAX(largest, v[i]);
    }
    V_STORE(w->sums[c], sum);
    V_STORE_N(factor, f, 1);
    const float l = v_max(largest);
    const vec inverse = V_SET1(l > 1e-28f ? 127.0f / l : 0.0f);
    UNROLL for (int i = 0; i < N; i++)
        V_STORE_I8(bytes->q + (size_t)c * bytes->ld + i * LANES, V_ROUND(V_MUL(v[i], inverse)));
    bytes->scale[c] = l / 127.0f;
}

static void walk_block(const vox_byte_block *b, const vox_byte_block *next, int positions, int dim, int at, vox_walk *w) {
    float scores[VOX_WALK_COLUMNS * VOX_KV_MAX_BLOCK], scale[VOX_WALK_COLUMNS], factor[VOX_WALK_COLUMNS];
    int8_t q[VOX_WALK_COLUMNS * VOX_KV_MAX_BLOCK];
    const size_t ld = (size_t)positions;
    const vox_bytes bytes = { q, ld, scale, w->q.sum };
    const uintptr_t keys = next ? (uintptr_t)next->keys - (uintptr_t)b->keys : 0;
    const uintptr_t values = next ? (uintptr_t)next->values - (uintptr_t)b->values : 0;
    bytes_all(SCORES, b->keys, keys, b->key_scales, positions, dim, &w->q, w->columns, scores, ld);
    for (int c = 0; c < w->columns; c++) {
        float *row = scores + (size_t)c * ld, masked[VOX_KV_MAX_BLOCK];
        const int from = w->from[c] > at ? w->from[c] - at : 0, to = w->to[c] < at + positions ? w->to[c] - at : positions;
        if (from >= to) {
            memset(q + (size_t)c * ld, 0, ld);
            scale[c] = 0;
            factor[c] = 1;
            continue;
        }
        if (to - from < positions)
            for (int i = 0; i < positions; i++) {     /* what is not seen may be anything */
                const int seen = i >= from && i < to;
                masked[i] = seen ? b->value_scales[i] : 0;
                if (!seen) row[i] = -INFINITY;
            }
        const float *by = to - from < positions ? masked : b->value_scales;
        if (positions == VOX_KV_MAX_BLOCK) weigh_block(VOX_KV_MAX_BLOCK / LANES, w, c, row, by, &bytes, &factor[c]);
        else weigh_block(VOX_KV_MAX_BLOCK / 2 / LANES, w, c, row, by, &bytes, &factor[c]);
    }
    bytes_all(VALUES, (const uint8_t *)b->values, values, factor, dim, positions, &bytes, w->columns, w->out, (size_t)dim);
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
