/* replay.h - recorded tokens that a benchmark's decoder is made to choose */
#ifndef CLI_REPLAY_H
#define CLI_REPLAY_H

#include <stddef.h>

typedef struct replay {
    int *ids;                 /* owned */
    int n;
    int pads, marks, texts;   /* of each kind */
} replay;

/* `n` tokens, what is recorded again and again: "speech" is built in, anything else names a file of
 * token numbers, or of the letters P (pad), W (word mark) and T (text). Text is given numbers from
 * `specials` to `vocab` where only letters are known. Returns 1, or 0 with one sentence in err. */
int replay_load(replay *r, const char *what, int n, int specials, int vocab, char *err, size_t err_size);
void replay_free(replay *r);

#endif
