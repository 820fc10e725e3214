/* replay.c - recorded tokens that a benchmark's decoder is made to choose */
#include "replay.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAD = 32, WORD_MARK = 33, MOST_RECORDED = 1 << 20 };

/* What the real model wrote for three utterances of LibriSpeech (8297-275156-0000 to 0002) at its
 * usual delay, without most of the silence around them: half pads, a sixth word marks, a third text. */
static const char speech[] =
    "PPPWTTPWTPPPWTPPPWTTPPPPWTPPPPPWTTPPPWTTTPWTTPPPPPPWTTTPPPWTPWTTPPPWTTPPWTPPPPPPWTTPPP"
    "WTTPPWTPWTTPPPWTPPPPPPWTTTPPPPPWTTPPWTTTPWTTPPWTTPPWTTPPWTPPPWTTPPPPPPPPPPPWTTPWTTPWTTTT";

static int id_of(char letter, int i, int specials, int vocab) {
    if (letter == 'P') return PAD;
    if (letter == 'W') return WORD_MARK;
    return letter == 'T' ? specials + (int)(i * 7919ll % (vocab - specials)) : -1;
}

/* Numbers or letters; returns how many, or -1 where something else stands. */
static int parse(const char *text, int *ids, int specials, int vocab) {
    int n = 0;
    for (const char *at = text; *at && n < MOST_RECORDED;) {
        char *end;
        if (isspace((unsigned char)*at)) {
            at++;
            continue;
        }
        const long id = isdigit((unsigned char)*at) ? strtol(at, &end, 10) : id_of(*at, n, specials, vocab);
        if (id < 0 || id >= vocab) return -1;
        at = isdigit((unsigned char)*at) ? end : at + 1;
        ids[n++] = (int)id;
    }
    return n;
}

static char *read_text(const char *path) {
    FILE *f = fopen(path, "rb");
    char *text = f ? calloc(MOST_RECORDED + 1, 1) : NULL;
    if (text && fread(text, 1, MOST_RECORDED, f) == 0) text[0] = 0;
    if (f) fclose(f);
    return text;
}

int replay_load(replay *r, const char *what, int n, int specials, int vocab, char *err, size_t err_size) {
    memset(r, 0, sizeof *r);
    char *text = strcmp(what, "speech") ? read_text(what) : NULL;
    int *recorded = malloc(MOST_RECORDED * sizeof *recorded);
    if (!text && strcmp(what, "speech")) {
        free(recorded);
        snprintf(err, err_size, "%s cannot be read: %s.", what, strerror(errno));
        return 0;
    }
    const int count = recorded ? parse(text ? text : speech, recorded, specials, vocab) : 0;
    free(text);
    r->ids = count > 0 ? malloc((size_t)n * sizeof *r->ids) : NULL;
    for (r->n = 0; r->ids && r->n < n; r->n++) {
        const int id = recorded[r->n % count];
        r->ids[r->n] = id;
        *(id == PAD ? &r->pads : id == WORD_MARK ? &r->marks : &r->texts) += 1;
    }
    free(recorded);
    if (r->ids) return 1;
    snprintf(err, err_size, count > 0 ? "Memory is out." : "%s holds neither token numbers of this model nor the letters P, W and T.", what);
    return 0;
}

void replay_free(replay *r) { free(r->ids); }
