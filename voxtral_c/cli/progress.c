/* progress.c - how far the making of quantised weights is, on standard error */
#include "progress.h"

#include <stdio.h>
#include <unistd.h>

enum { LINE_STEP = 5 };           /* per cent from line to line where lines stay */

void progress_init(progress *p, const char *what, int silent) {
    *p = (progress){what, silent, isatty(STDERR_FILENO), -1};
}

int progress_show(progress *p, double done) {
    int percent = (int)(done * 100);
    if (!p->in_place) percent -= percent % LINE_STEP;
    if (percent <= p->shown) return 0;
    p->shown = percent;
    if (!p->silent) fprintf(stderr, p->in_place ? "\r%s: %d %%" : "%s: %d %%\n", p->what, percent);
    return 1;
}

void progress_end(progress *p) {
    if (p->in_place && p->shown >= 0 && !p->silent) fputc('\n', stderr);
    p->shown = -1;
}
