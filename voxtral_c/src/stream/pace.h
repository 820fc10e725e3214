/* pace.h - how much sound to gather before working on it.
 *
 * A small batch brings words sooner, a large one costs less for each token. What batches of each
 * size cost is measured on the way, and the smallest is chosen that leaves time to spare. Whoever
 * feeds sound that has waited meanwhile feeds more at once: that makes the batch larger anyway.
 */
#ifndef VOX_PACE_H
#define VOX_PACE_H

enum { VOX_PACE_TOKENS = 25 };    /* batches beyond that are not told apart */

typedef struct vox_pace {
    double ms[VOX_PACE_TOKENS + 1];   /* of a batch of so many tokens; 0 = not tried yet */
} vox_pace;

/* A batch of so many tokens, in the midst of an utterance, took that long. */
void vox_pace_took(vox_pace *p, int tokens, double ms);

/* Tokens to gather, 1 .. most. */
int vox_pace_gather(const vox_pace *p, int most);

#endif
