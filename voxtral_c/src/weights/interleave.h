/* interleave.h - matrices of blocks as the kernels read them: 16 rows interleaved, so that nothing
 * is gathered and memory is read in order.
 *
 * A matrix is a sequence of panels of 16 rows, the last one filled up with zeros. A panel
 * holds, for each 256 columns (a chunk), lines of 64 bytes: 4 bytes of each of its rows, in row
 * order.
 *   Q4_K  36 lines: the block's d and dmin, 3 of scales, 32 of q
 *   Q5_K  44 lines: d and dmin, 3 of scales, 8 of qh, 32 of q
 *   Q6_K  52 lines: 32 of ql, 16 of qh, 4 of scales. The panel begins with the rows' d's of all
 *         chunks, 32 bytes for each, filled up to whole lines.
 *   Q8_0  4 lines of d's, a line for two groups of 32, then 8 lines for each group, 128 added to each
 *         number: instructions multiply bytes without a sign by such with one. The last chunk
 *         of a row may have fewer groups, an even number: if need be one whose d is zero is added.
 */
#ifndef VOX_INTERLEAVE_H
#define VOX_INTERLEAVE_H

#include "quants.h"

enum { VOX_PANEL = 16, VOX_LINE = 64 };

/* Bytes of a panel of rows of `cols` weights, and of a matrix. */
size_t vox_panel_bytes(vox_weight_type type, int cols);
size_t vox_interleaved_bytes(vox_weight_type type, int rows, int cols);

/* Bytes before a panel's first chunk, and lines of a whole one. */
size_t vox_panel_head(vox_weight_type type, int cols);
static inline size_t vox_chunk_lines(int type) {
    return type == VOX_WEIGHT_Q8_0 ? 68 : type == VOX_WEIGHT_Q4_K ? 36 : type == VOX_WEIGHT_Q5_K ? 44 : 52;
}

/* One panel out of n <= 16 rows in GGUF's order, which lie one behind the other. */
void vox_interleave(vox_weight_type type, const void *rows, int n, int cols, void *panel);

/* The blocks of 256 columns of one row (fewer at its end), in GGUF's order: at most
 * VOX_CHUNK_BLOCKS bytes. */
enum { VOX_CHUNK_BLOCKS = 8 * sizeof(vox_q8_0) };
void vox_interleaved_blocks(vox_weight_type type, const void *data, int row, int chunk, int cols, void *blocks);

/* Row `row` of an interleaved matrix as float32. */
void vox_interleaved_row(vox_weight_type type, const void *data, int row, int cols, float *out);

#endif
