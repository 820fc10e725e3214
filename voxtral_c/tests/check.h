/* check.h - plain checks and a runner that counts: the last line is "N passed, N failed". */
#ifndef VOX_CHECK_H
#define VOX_CHECK_H

#include <stdio.h>
#include <stdlib.h>

/* Sanitizers make everything ten times slower: what only repeats is shortened there. */
#ifdef VOX_SANITIZED
enum { BRIEF = 1 };
#else
enum { BRIEF = 0 };
#endif

static int check_passed, check_failed;

static inline int check_summary(void) {
    printf("%d passed, %d failed\n", check_passed, check_failed);
    return check_failed ? 1 : 0;
}

/* fmax without what GCC 12 for AArch64 stumbles over in loops. */
static inline double check_most(double a, double b) { return a > b ? a : b; }

static inline void check_report(int ok) { *(ok ? &check_passed : &check_failed) += 1; }

#define CHECK_SHOW(condition, ...)                                        \
    do {                                                                  \
        printf("%s:%d: %s: ", __FILE__, __LINE__, #condition);            \
        printf(__VA_ARGS__);                                              \
        printf("\n");                                                     \
        check_report(0);                                                  \
    } while (0)

/* Counts; only failures are shown. */
#define CHECK(condition, ...)                                             \
    do {                                                                  \
        if (condition) check_report(1);                                   \
        else CHECK_SHOW(condition, __VA_ARGS__);                          \
    } while (0)

/* What later lines cannot do without: ends the test, and does not count otherwise. */
#define REQUIRE(condition, ...)                                           \
    do {                                                                  \
        if (!(condition)) {                                               \
            CHECK_SHOW(condition, __VA_ARGS__);                           \
            exit(check_summary());                                        \
        }                                                                 \
    } while (0)

#endif
