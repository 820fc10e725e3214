/* exit_codes.h - how the program ends: PROTOCOL.md */
#ifndef CLI_EXIT_CODES_H
#define CLI_EXIT_CODES_H

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,          /* while running */
    EXIT_UNUSABLE = 2,        /* wrong use, or a model or file that cannot be used */
    EXIT_INTERRUPTED = 130    /* by Ctrl+C */
};

#endif
