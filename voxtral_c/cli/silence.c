/* silence.c - where utterances begin and end in live sound */
#include "silence.h"

#include <string.h>

enum { PAUSE_WINDOWS = 200 };          /* 2 s of silence are a pause for the reader too */

static const double THRESHOLD = 0.002; /* root mean square, about -54 dB below full scale */

void silence_init(silence_gate *gate, int tolerance_ms, silence_actions actions) {
    memset(gate, 0, sizeof *gate);
    gate->actions = actions;
    gate->tolerance = tolerance_ms / 10;
    gate->paused = 1;                  /* nothing was said yet that a pause could end */
}

static int is_silent(const float *window) {
    double energy = 0;
    for (int i = 0; i < SILENCE_WINDOW; i++) energy += (double)window[i] * window[i];
    return energy < THRESHOLD * THRESHOLD * SILENCE_WINDOW;
}

static void keep_back(silence_gate *gate) {
    size_t full = SILENCE_PREROLL - SILENCE_WINDOW;
    if (gate->preroll_count > full) {
        memmove(gate->preroll, gate->preroll + SILENCE_WINDOW, full * sizeof *gate->preroll);
        gate->preroll_count = full;
    }
    memcpy(gate->preroll + gate->preroll_count, gate->window, sizeof gate->window);
    gate->preroll_count += SILENCE_WINDOW;
}

static int give(silence_gate *gate, const float *samples, size_t n) {
    return n == 0 || gate->actions.feed(gate->actions.user, samples, n);
}

static int heard(silence_gate *gate) {
    if (!gate->open && !give(gate, gate->preroll, gate->preroll_count)) return 0;
    gate->preroll_count = 0;
    gate->open = 1;
    gate->paused = 0;
    gate->quiet = 0;
    return give(gate, gate->window, SILENCE_WINDOW);
}

static int not_heard(silence_gate *gate) {
    if (gate->quiet < PAUSE_WINDOWS) gate->quiet++;
    if (gate->quiet == PAUSE_WINDOWS && !gate->paused) {
        gate->paused = 1;
        if (!gate->actions.pause(gate->actions.user)) return 0;
    }
    if (!gate->open) {
        keep_back(gate);
        return 1;
    }
    if (!give(gate, gate->window, SILENCE_WINDOW)) return 0;
    if (gate->quiet < gate->tolerance) return 1;
    gate->open = 0;
    return gate->actions.flush(gate->actions.user);
}

int silence_feed(silence_gate *gate, const float *samples, size_t n) {
    while (n > 0) {
        size_t piece = SILENCE_WINDOW - gate->window_count;
        if (piece > n) piece = n;
        memcpy(gate->window + gate->window_count, samples, piece * sizeof *samples);
        gate->window_count += piece;
        samples += piece;
        n -= piece;
        if (gate->window_count < SILENCE_WINDOW) break;
        gate->window_count = 0;
        if (!(is_silent(gate->window) ? not_heard(gate) : heard(gate))) return 0;
    }
    return 1;
}

int silence_finish(silence_gate *gate) {
    size_t rest = gate->window_count;
    gate->window_count = 0;
    return !gate->open || give(gate, gate->window, rest);
}
