#include "pace.h"

#include "words.h"

#define SHARE 0.8             /* of real time that a batch may take */
#define FORGET 0.99           /* a size given up is tried again after a while */

void vox_pace_took(vox_pace *p, int tokens, double ms) {
    if (tokens < 1 || tokens > VOX_PACE_TOKENS) return;
    for (int i = 1; i <= VOX_PACE_TOKENS; i++)
        if (i != tokens) p->ms[i] *= FORGET;
    const double before = p->ms[tokens];
    p->ms[tokens] = ms > before ? ms : before + 0.25 * (ms - before);
}

int vox_pace_gather(const vox_pace *p, int most) {
    for (int n = 1; n < most && n <= VOX_PACE_TOKENS; n++)
        if (p->ms[n] <= SHARE * 1000 * VOX_TOKEN_SECONDS * n) return n;
    return most;
}
