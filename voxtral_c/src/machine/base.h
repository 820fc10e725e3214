/* base.h - allocation, error sentences and file reading: what every file here needs. */
#ifndef VOX_BASE_H
#define VOX_BASE_H

#include <stddef.h>
#include <stdint.h>

#include "vox.h"

/* Room for an error sentence, owned by the caller of the library. text may be NULL. */
typedef struct vox_error {
    char *text;
    size_t size;
} vox_error;

#if defined(__GNUC__)
#define VOX_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define VOX_PRINTF(f, a)
#endif

/* Write the sentence and return `status`, so that a failure is one line: return vox_fail(...). */
vox_status vox_fail(vox_error *err, vox_status status, const char *format, ...) VOX_PRINTF(3, 4);

/* count * size bytes, aligned to 64, not cleared; NULL when the product overflows or memory is
 * out. Freed with vox_free, which takes NULL. */
void *vox_alloc(size_t count, size_t size);
void *vox_alloc_zero(size_t count, size_t size);
void vox_free(void *p);

/* Test hook: the nth allocation from now on fails (1 = the next), all others succeed; 0 turns it
 * off. Returns whether the previously set failure has happened. */
int vox_alloc_fail_at(long n);

/* Blocks now allocated, for the leak test. */
long vox_alloc_live(void);

/* The whole of a file, NUL-terminated, at most `max` bytes. Freed by the caller. */
vox_status vox_read_file(const char *path, size_t max, char **out, size_t *len, vox_error *err);

/* dir + "/" + name, or a copy of text; NULL without memory. Freed by the caller. */
char *vox_path(const char *dir, const char *name);
char *vox_copy_text(const char *text);

/* Large memory that is read again and again, mapped or allocated: its pages may be large ones, where the system has
 * such, so that finding them costs less. */
void vox_large_pages(void *p, size_t bytes);

/* Milliseconds of a clock that never steps. */
double vox_now_ms(void);

static inline float vox_bf16_to_f32(uint16_t v) {
    union { uint32_t u; float f; } bits = { (uint32_t)v << 16 };
    return bits.f;
}

#endif
