/* json_write.c - one JSON object on one line */
#include "json_write.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(json_line *j, const char *text, size_t n) {
    if (j->failed) return;
    if (j->length + n > j->capacity) {
        size_t capacity = (j->length + n) * 2 + 256;
        char *grown = realloc(j->text, capacity);
        if (!grown) {
            j->failed = 1;
            return;
        }
        j->text = grown;
        j->capacity = capacity;
    }
    memcpy(j->text + j->length, text, n);
    j->length += n;
}

static void put_text(json_line *j, const char *text) { put(j, text, strlen(text)); }

/* Length of the well-formed UTF-8 character at p (no surrogates, no overlong forms), else 0. */
static size_t utf8_length(const unsigned char *p) {
    unsigned char c = p[0];
    if (c < 0x80) return 1;
    size_t n = c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;              /* the final NUL ends it too */
    if (c == 0xE0 && p[1] < 0xA0) return 0;
    if (c == 0xED && p[1] > 0x9F) return 0;
    if (c == 0xF0 && p[1] < 0x90) return 0;
    if (c == 0xF4 && p[1] > 0x8F) return 0;
    return n;
}

static void put_quoted(json_line *j, const char *value) {
    const unsigned char *p = (const unsigned char *)value;
    put(j, "\"", 1);
    while (*p) {
        size_t n = utf8_length(p);
        if (n == 0) {
            put_text(j, "\xEF\xBF\xBD");
            n = 1;
        } else if (*p == '"' || *p == '\\') {
            char escaped[2] = {'\\', (char)*p};
            put(j, escaped, 2);
        } else if (*p < 0x20 || *p == 0x7F) {
            char escaped[8];
            snprintf(escaped, sizeof escaped, "\\u%04x", *p);
            put_text(j, escaped);
        } else {
            put(j, (const char *)p, n);
        }
        p += n;
    }
    put(j, "\"", 1);
}

static void put_key(json_line *j, const char *key) {
    if (j->comma) put(j, ",", 1);
    j->comma = 1;
    if (!key) return;
    put_quoted(j, key);
    put(j, ":", 1);
}

void jsonl_begin(json_line *j) {
    j->length = 0;
    j->comma = 0;
    j->failed = 0;
    put(j, "{", 1);
}

void jsonl_end(json_line *j) { put(j, "}\n", 2); }

void jsonl_string(json_line *j, const char *key, const char *value) {
    put_key(j, key);
    put_quoted(j, value ? value : "");
}

void jsonl_integer(json_line *j, const char *key, int64_t value) {
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value);
    put_key(j, key);
    put_text(j, text);
}

void jsonl_number(json_line *j, const char *key, double value, int decimals) {
    char text[64];
    if (!isfinite(value) || fabs(value) > 1e15) value = 0;
    int n = snprintf(text, sizeof text, "%.*f", decimals, value);
    if (memchr(text, '.', (size_t)n)) {                   /* 3.200 says no more than 3.2 */
        while (text[n - 1] == '0' && text[n - 2] != '.') n--;
        text[n] = '\0';
    }
    put_key(j, key);
    put_text(j, strcmp(text, "-0.0") == 0 ? "0.0" : text);
}

void jsonl_boolean(json_line *j, const char *key, int value) {
    put_key(j, key);
    put_text(j, value ? "true" : "false");
}

void jsonl_open(json_line *j, const char *key, char bracket) {
    put_key(j, key);
    put(j, &bracket, 1);
    j->comma = 0;
}

void jsonl_close(json_line *j, char bracket) {
    put(j, &bracket, 1);
    j->comma = 1;
}

void jsonl_free(json_line *j) {
    free(j->text);
    memset(j, 0, sizeof *j);
}
