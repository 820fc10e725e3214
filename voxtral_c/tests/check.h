/* check.h - plain checks and a runner that counts: the last line is "N passed, N failed". */
#ifndef VOX_CHECK_H
#define VOX_CHECK_H

#include <stdio.h>
#include <stdlib.h>

static int check_passed, check_failed;

static inline int check_summary(void) {
    printf("%d passed, %d failed\n", check_passed, check_failed);
    return check_failed ? 1 : 0;
}

/* Every check counts; only failures are shown. The condition is evaluated once. */
#define CHECK_OR(condition, otherwise, ...)                               \
    do {                                                                  \
        if (condition) {                                                  \
            check_passed++;                                               \
        } else {                                                          \
            check_failed++;                                               \
            printf("%s:%d: %s: ", __FILE__, __LINE__, #condition);        \
            printf(__VA_ARGS__);                                          \
            printf("\n");                                                 \
            otherwise;                                                    \
        }                                                                 \
    } while (0)

#define CHECK(condition, ...) CHECK_OR(condition, (void)0, __VA_ARGS__)

/* What later lines cannot do without. */
#define REQUIRE(condition, ...) CHECK_OR(condition, exit(check_summary()), __VA_ARGS__)

#endif
