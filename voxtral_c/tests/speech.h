/* speech.h - the bundled model and its clips, for tests of what is really heard. */
#ifndef VOX_TEST_SPEECH_H
#define VOX_TEST_SPEECH_H

#include <fcntl.h>
#include <unistd.h>

#include "../cli/wav.h"
#include "common.h"

#define SPEECH_MODEL "voxtui/assets/tiny"
#define CLIPS "voxtui/assets/clips/"

enum { MAX_CLIPS = 16, MAX_CLIP = 30 * VOX_SAMPLE_RATE };

typedef struct clip {
    char name[64], text[512];   /* what is said in it, as the model writes it */
    float *samples;
    size_t n;
} clip;

static inline void clip_read(clip *c) {
    char path[1024], err[256] = "";
    wav_reader w;
    size_t n;
    snprintf(path, sizeof path, CLIPS "%.63s", c->name);
    int fd = open(path, O_RDONLY);
    REQUIRE(fd >= 0 && wav_open(&w, source_from_fd(&fd), NULL, 0, err, sizeof err) == WAV_OK, "%s: %s", path, err);
    c->samples = vox_alloc(MAX_CLIP, sizeof *c->samples);
    REQUIRE(c->samples && w.rate == VOX_SAMPLE_RATE, "%s", path);
    for (c->n = 0; c->n + WAV_BLOCK <= MAX_CLIP && (n = wav_read(&w, c->samples + c->n, WAV_BLOCK)) > 0;) c->n += n;
    close(fd);
}

/* All clips of expected.json; returns their number. */
static inline int clips_read(clip *clips) {
    char text[256], *file;
    vox_error err = { text, sizeof text };
    size_t len;
    json_doc doc;
    int n = 0;
    REQUIRE(vox_read_file(CLIPS "expected.json", 1 << 20, &file, &len, &err) == VOX_OK, "%s", text);
    REQUIRE(json_parse(&doc, file, len, "expected.json", &err) == VOX_OK, "%s", text);
    for (const json_node *v = json_first(&doc, doc.nodes); v && n < MAX_CLIPS; v = json_next(&doc, v)) {
        clip *c = &clips[n++];
        REQUIRE(json_string(&doc, json_member(&doc, v, "wav"), c->name, sizeof c->name) > 0 &&
                json_string(&doc, json_member(&doc, v, "text"), c->text, sizeof c->text) > 0, "expected.json is malformed");
        clip_read(c);
    }
    json_free(&doc);
    vox_free(file);
    return n;
}

static inline const clip *clip_named(const clip *clips, int n, const char *name) {
    int i = 0;
    while (i < n && strcmp(clips[i].name, name)) i++;
    REQUIRE(i < n, "there is no clip %s", name);
    return &clips[i];
}

static inline void clips_free(clip *clips, int n) {
    for (int i = 0; i < n; i++) vox_free(clips[i].samples);
}

#endif
