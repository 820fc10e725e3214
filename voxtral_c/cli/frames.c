/* frames.c - the framed input of PROTOCOL.md: a letter, a length, a payload */
#include "frames.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/text/json.h"

enum { HEAD = 5 };

int frames_open(frame_reader *r, byte_source source) {
    memset(r, 0, sizeof *r);
    r->source = source;
    r->buffer = malloc(FRAME_MAX_PAYLOAD);
    return r->buffer != NULL;
}

void frames_close(frame_reader *r) {
    free(r->buffer);
    r->buffer = NULL;
}

static frame_status bad(frame_reader *r, const unsigned char *head, const char *what) {
    char shown[8];
    int printable = head[0] > 0x20 && head[0] < 0x7F;
    snprintf(shown, sizeof shown, printable ? "'%c'" : "0x%02x", head[0]);
    snprintf(r->error, sizeof r->error, "A frame of type %s %s.", shown, what);
    return FRAME_BAD;
}

/* Check a frame's head. Returns FRAME_OK or FRAME_BAD. */
static frame_status check_head(frame_reader *r, const unsigned char *head, uint32_t length) {
    if (head[0] == 0 || !strchr("AFRCQ", head[0])) return bad(r, head, "is not known");
    if (length > FRAME_MAX_PAYLOAD) return bad(r, head, "is longer than 1048576 bytes");
    if (head[0] == 'A' && length % 2) return bad(r, head, "has an odd number of bytes");
    if (strchr("FRQ", head[0]) && length) return bad(r, head, "has a payload where none belongs");
    return FRAME_OK;
}

frame_status frames_next(frame_reader *r, frame *f) {
    unsigned char head[HEAD];
    int failed = 0;
    size_t got = source_read_full(&r->source, head, HEAD, &failed);
    memset(f, 0, sizeof *f);
    if (!failed && got == 0) return FRAME_END;
    if (!failed && got < HEAD) return FRAME_CUT_OFF;
    if (!failed) {
        uint32_t length = (uint32_t)head[1] | (uint32_t)head[2] << 8 | (uint32_t)head[3] << 16 |
                          (uint32_t)head[4] << 24;
        if (check_head(r, head, length) != FRAME_OK) return FRAME_BAD;
        f->type = (char)head[0];
        f->payload = r->buffer;
        f->length = source_read_full(&r->source, r->buffer, length, &failed);
        if (!failed) return f->length == length ? FRAME_OK : FRAME_CUT_OFF;
    }
    snprintf(r->error, sizeof r->error, "Reading the input failed: %s.", strerror(failed));
    return FRAME_IO;
}

/* The member's number, 0 when it is absent, -1 when it is not a number. */
static int member_number(const json_doc *doc, const char *name, double *out) {
    const json_node *node = json_member(doc, &doc->nodes[0], name);
    if (!node) return 0;
    return json_number(doc, node, out) && isfinite(*out) ? 1 : -1;
}

static int read_config(const json_doc *doc, frame_config *config, char *err, size_t err_size) {
    double delay, interval;
    if (doc->nodes[0].type != JSON_OBJECT) {
        snprintf(err, err_size, "The configuration is not a JSON object.");
        return 0;
    }
    int has_delay = member_number(doc, "delay_ms", &delay);
    int has_interval = member_number(doc, "interval", &interval);
    if (has_delay < 0 || (has_delay && (delay < 0 || delay > 1e6 || delay != floor(delay)))) {
        snprintf(err, err_size, "delay_ms is not a whole number of milliseconds.");
        return 0;
    }
    if (has_interval < 0 || (has_interval && (interval < 0 || interval > 60))) {
        snprintf(err, err_size, "interval is not a number of seconds up to 60.");
        return 0;
    }
    if (has_delay) config->delay_ms = (int)delay;
    if (has_interval) config->interval = interval;
    return 1;
}

int frames_parse_config(const unsigned char *payload, size_t length, frame_config *config,
                        char *err, size_t err_size) {
    json_doc doc;
    vox_error why = {err, err_size};
    config->delay_ms = -1;
    config->interval = -1;
    if (json_parse(&doc, (const char *)payload, length, "The configuration", &why) != VOX_OK)
        return 0;
    int ok = read_config(&doc, config, err, err_size);
    json_free(&doc);
    return ok;
}

void frames_to_float(const unsigned char *payload, size_t n, float *samples) {
    for (size_t i = 0; i < n; i++) {
        uint16_t bits = (uint16_t)(payload[2 * i] | payload[2 * i + 1] << 8);
        samples[i] = (float)(int16_t)bits / 32768.0f;
    }
}
