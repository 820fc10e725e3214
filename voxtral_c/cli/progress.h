/* progress.h - how far the making of quantised weights is, on standard error */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

typedef struct progress {
    const char *what;             /* "Quantising to q8_0" */
    int silent;
    int in_place;                 /* a terminal: one line that changes */
    int shown;                    /* per cent; -1 before the first line */
} progress;

void progress_init(progress *p, const char *what, int silent);

/* Shows whole steps. Returns 1 when a new one was reached. */
int progress_show(progress *p, double done);

/* The line is complete: what follows begins a new one. */
void progress_end(progress *p);

#endif
