/* cache_body.h - attention over keys and values kept as bytes, written once over vectors; included
 * behind quant_body.h, whose macros it uses. BYTES_VECS and BYTES_COLS are its register block: vectors
 * of lanes (32 are a multiple), and columns.
 *
 * A lane is a key's position (scores) or an element of the output (values), so that no sum runs
 * across lanes, and sums of products of bytes are exact: results depend on nothing but the numbers.
 */

/* dots[c][v] = the product of `steps` times four bytes with lanes v * LANES ..; consecutive steps
 * lie ldw bytes apart. sum: of each column's bytes. */
INLINE void dot_lanes(const int C, const int8_t *w, size_t ldw, int steps, const int8_t *x, size_t ldx,
                      const int32_t *sum, ivec dots[][BYTES_VECS]) {
    UNROLL for (int c = 0; c < C; c++) {
        UNROLL for (int v = 0; v < BYTES_VECS; v++) dots[c][v] = Q8_UNSIGNED ? I_SET1(-128 * sum[c]) : I_ZERO();
    }
    for (int i = 0; i < steps; i++) {
        ivec ws[BYTES_VECS];
        memcpy(ws, w + (size_t)i * ldw, sizeof ws);
        UNROLL for (int v = 0; v < BYTES_VECS; v++)
            if (Q8_UNSIGNED) ws[v] = I_XOR(ws[v], I_SET1((int)0x80808080));
        UNROLL for (int c = 0; c < C; c++) {
            const ivec xs = I_LOAD1(x + (size_t)c * ldx + 4 * i);
            UNROLL for (int v = 0; v < BYTES_VECS; v++) dots[c][v] = I_DOT_Q8(dots[c][v], ws[v], xs);
        }
    }
}

enum { SCORES, VALUES };

/* C columns, all lanes. */
INLINE void bytes_columns(const int C, const int what, const int8_t *w, const float *scales, int lanes, int k,
                          const vox_bytes *x, size_t at, float *y, size_t ldy) {
    for (int lane = 0; lane < lanes; lane += BYTES_VECS * LANES) {
        ivec dots[BYTES_COLS][BYTES_VECS];
        dot_lanes(C, w + 4 * lane, 4 * (size_t)lanes, k / 4, x->q + at * x->ld, x->ld, x->sum + at, dots);
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

INLINE void bytes_all(const int what, const int8_t *w, const float *scales, int lanes, int k,
                      const vox_bytes *x, int cols, float *y, size_t ldy) {
    size_t c = 0;
    for (; c + BYTES_COLS <= (size_t)cols; c += BYTES_COLS)
        bytes_columns(BYTES_COLS, what, w, scales, lanes, k, x, c, y, ldy);
    switch ((size_t)cols - c) {
#if BYTES_COLS > 5
    case 5: bytes_columns(5, what, w, scales, lanes, k, x, c, y, ldy); break;
#endif
#if BYTES_COLS > 4
    case 4: bytes_columns(4, what, w, scales, lanes, k, x, c, y, ldy); break;
#endif
    case 3: bytes_columns(3, what, w, scales, lanes, k, x, c, y, ldy); break;
    case 2: bytes_columns(2, what, w, scales, lanes, k, x, c, y, ldy); break;
    case 1: bytes_columns(1, what, w, scales, lanes, k, x, c, y, ldy); break;
    default: break;
    }
}

static void score_bytes(const int8_t *keys, const float *scales, int positions, int dim,
                        const vox_bytes *q, int cols, float *scores, size_t ld) {
    bytes_all(SCORES, keys, scales, positions, dim, q, cols, scores, ld);
}

static void weigh_bytes(const int8_t *values, int positions, int dim, const vox_bytes *p, int cols,
                        float *out, size_t ldo) {
    bytes_all(VALUES, values, NULL, dim, positions, p, cols, out, ldo);
}

static void to_bytes(const float *x, const float *by, int n, int8_t *q, float *scale, int32_t *sum) {
    vec most = V_ZERO();
    for (int i = 0; i < n; i += LANES) {
        const vec v = by ? V_MUL(V_LOAD(x + i), V_LOAD(by + i)) : V_LOAD(x + i);
        most = V_MAX(most, V_ABS(v));
    }
    *scale = v_max(most) / 127.0f;
    const vec inverse = V_SET1(*scale > 1e-30f ? 1.0f / *scale : 0.0f);
    vec total = V_ZERO();
    for (int i = 0; i < n; i += LANES) {
        const vec v = by ? V_MUL(V_LOAD(x + i), V_LOAD(by + i)) : V_LOAD(x + i);
        const vec whole = V_ROUND(V_MUL(v, inverse));
        V_STORE_I8(q + i, whole);
        total = V_ADD(total, whole);      /* whole numbers: exact */
    }
    float sums[4];
    v_sum4(total, V_ZERO(), V_ZERO(), V_ZERO(), sums);
    *sum = (int32_t)sums[0];
}
