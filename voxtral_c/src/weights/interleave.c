#include "interleave.h"

#include <string.h>

enum { CHUNK = 256, GROUP = 32, PIECE = 4 };

static size_t lines_up(size_t bytes) { return (bytes + VOX_LINE - 1) / VOX_LINE * VOX_LINE; }

static size_t chunks_of(int cols) { return ((size_t)cols + CHUNK - 1) / CHUNK; }

/* Groups of Q8_0 in a chunk, of whose columns so many are left. */
static size_t groups_of(int left) {
    const int cols = left < CHUNK ? left : CHUNK;
    return (size_t)(cols + 2 * GROUP - 1) / (2 * GROUP) * 2;
}

size_t vox_panel_head(vox_weight_type type, int cols) {
    return type == VOX_WEIGHT_Q6_K ? lines_up(chunks_of(cols) * VOX_PANEL * sizeof(uint16_t)) : 0;
}

size_t vox_panel_bytes(vox_weight_type type, int cols) {
    if (!vox_is_quantised(type)) return VOX_PANEL * vox_row_bytes(type, cols);
    if (type != VOX_WEIGHT_Q8_0) return vox_panel_head(type, cols) + chunks_of(cols) * vox_chunk_lines(type) * VOX_LINE;
    return ((size_t)cols / CHUNK * vox_chunk_lines(type) + groups_of(cols % CHUNK) / 2 * 17) * VOX_LINE;
}

size_t vox_interleaved_bytes(vox_weight_type type, int rows, int cols) {
    return ((size_t)rows + VOX_PANEL - 1) / VOX_PANEL * vox_panel_bytes(type, cols);
}

/* The bytes of one row's chunk, moved from its blocks into the panel, or back. */
static void move(uint8_t *in_panel, uint8_t *in_block, size_t n, int back) {
    if (back) memcpy(in_block, in_panel, n);
    else memcpy(in_panel, in_block, n);
}

static void move_pieces(uint8_t *lines, uint8_t *block, size_t bytes, int back) {
    for (size_t i = 0; i < bytes / PIECE; i++) move(lines + i * VOX_LINE, block + i * PIECE, PIECE, back);
}

static void move_chunk(vox_weight_type type, uint8_t *panel, int row, int chunk, int cols, uint8_t *blocks, int back) {
    uint8_t *lines = panel + vox_panel_head(type, cols) + (size_t)chunk * vox_chunk_lines(type) * VOX_LINE + PIECE * (size_t)row;
    if (type == VOX_WEIGHT_Q8_0) {
        const int left = cols - chunk * CHUNK, groups = (left < CHUNK ? left : CHUNK) / GROUP;
        uint8_t *q = lines + groups_of(left) / 2 * VOX_LINE;
        for (int g = 0; g < groups; g++, blocks += sizeof(vox_q8_0), q += GROUP / PIECE * VOX_LINE) {
            move(lines + g / 2 * VOX_LINE + g % 2 * 2, blocks, sizeof(uint16_t), back);
            for (int i = 0; i < GROUP; i++) {
                uint8_t *in_panel = q + i / PIECE * VOX_LINE + i % PIECE, *in_block = blocks + offsetof(vox_q8_0, q) + i;
                if (back) *in_block = *in_panel ^ 0x80;
                else *in_panel = *in_block ^ 0x80;
            }
        }
    } else {
        move_pieces(lines, blocks, vox_block_bytes(type), back);
        if (type == VOX_WEIGHT_Q6_K)
            move(panel + (size_t)(chunk * VOX_PANEL + row) * sizeof(uint16_t), blocks + offsetof(vox_q6_k, d), sizeof(uint16_t), back);
    }
}

/* Bytes of a row's blocks in a chunk. */
static size_t blocks_bytes(vox_weight_type type, int chunk, int cols) {
    const int left = cols - chunk * CHUNK;
    return vox_row_bytes(type, left < CHUNK ? left : CHUNK);
}

void vox_interleave(vox_weight_type type, const void *rows, int n, int cols, void *panel) {
    const size_t row_bytes = vox_row_bytes(type, cols);
    if (n < VOX_PANEL || cols % (2 * GROUP)) memset(panel, 0, vox_panel_bytes(type, cols));
    else memset(panel, 0, vox_panel_head(type, cols));      /* may end between two lines */
    for (int chunk = 0; chunk * CHUNK < cols; chunk++)
        for (int r = 0; r < n; r++) {
            uint8_t blocks[VOX_CHUNK_BLOCKS];
            const size_t at = (size_t)r * row_bytes + (size_t)chunk * vox_row_bytes(type, CHUNK);
            memcpy(blocks, (const uint8_t *)rows + at, blocks_bytes(type, chunk, cols));
            move_chunk(type, panel, r, chunk, cols, blocks, 0);
        }
}

void vox_interleaved_blocks(vox_weight_type type, const void *data, int row, int chunk, int cols, void *blocks) {
    uint8_t *panel = (uint8_t *)(uintptr_t)data + (size_t)(row / VOX_PANEL) * vox_panel_bytes(type, cols);    /* only read */
    move_chunk(type, panel, row % VOX_PANEL, chunk, cols, blocks, 1);
}

void vox_interleaved_row(vox_weight_type type, const void *data, int row, int cols, float *out) {
    for (int at = 0; at < cols; at += CHUNK) {
        uint8_t blocks[VOX_CHUNK_BLOCKS];
        vox_interleaved_blocks(type, data, row, at / CHUNK, cols, blocks);
        vox_dequantize(type, blocks, out + at, (size_t)(cols - at < CHUNK ? cols - at : CHUNK));
    }
}
