#include "json.h"

#include <math.h>
#include <string.h>

enum { MAX_DEPTH = 64 };
#define MAX_TEXT ((size_t)0x7fffffff)

typedef struct parser {
    json_doc *doc;
    const char *text;
    size_t len, at;
    const char *problem;      /* what was found wrong, for a person */
    int no_memory;
} parser;

/* ---- parsing --------------------------------------------------------------------------- */

static int fail(parser *p, const char *problem) {
    if (!p->problem) p->problem = problem;
    return 0;
}

static int peek(const parser *p) { return p->at < p->len ? (unsigned char)p->text[p->at] : -1; }

static void skip_space(parser *p) {
    int c;
    while ((c = peek(p)) == ' ' || c == '\t' || c == '\n' || c == '\r') p->at++;
}

/* A new node's number, or 0 without memory (nodes[0] exists first, so 0 is free to say so). */
static int add_node(parser *p, uint32_t *number) {
    json_doc *d = p->doc;
    if (d->count == d->capacity) {
        uint32_t capacity = d->capacity ? d->capacity * 2 : 64;
        if (capacity < d->capacity) return fail(p, "it has too many values");
        json_node *nodes = vox_alloc(capacity, sizeof *nodes);
        if (!nodes) { p->no_memory = 1; return fail(p, "memory is out"); }
        if (d->count) memcpy(nodes, d->nodes, d->count * sizeof *nodes);
        vox_free(d->nodes);
        d->nodes = nodes;
        d->capacity = capacity;
    }
    memset(&d->nodes[d->count], 0, sizeof *d->nodes);
    *number = d->count++;
    return 1;
}

static int hex_digit(int c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static int parse_escape(parser *p) {
    int c = peek(p);
    if (c == 'u') {
        for (int i = 1; i <= 4; i++)
            if (p->at + (size_t)i >= p->len || hex_digit((unsigned char)p->text[p->at + (size_t)i]) < 0)
                return fail(p, "a \\u escape is malformed");
        p->at += 5;
        return 1;
    }
    if (c < 0 || !strchr("\"\\/bfnrt", c)) return fail(p, "an escape is malformed");
    p->at++;
    return 1;
}

/* From the opening quote to behind the closing one; the slice between goes to start and len. */
static int parse_string(parser *p, uint32_t *start, uint32_t *len) {
    if (peek(p) != '"') return fail(p, "a string was expected");
    size_t from = ++p->at;
    for (;;) {
        int c = peek(p);
        if (c < 0) return fail(p, "a string does not end");
        if (c < 0x20) return fail(p, "a string holds a control character");
        p->at++;
        if (c == '"') break;
        if (c == '\\' && !parse_escape(p)) return 0;
    }
    *start = (uint32_t)from;
    *len = (uint32_t)(p->at - 1 - from);
    return 1;
}

static int skip_digits(parser *p) {
    size_t from = p->at;
    while (peek(p) >= '0' && peek(p) <= '9') p->at++;
    return p->at > from;
}

static int parse_number(parser *p) {
    if (peek(p) == '-') p->at++;
    if (peek(p) == '0') p->at++;
    else if (!skip_digits(p)) return fail(p, "a value was expected");
    if (peek(p) == '.') {
        p->at++;
        if (!skip_digits(p)) return fail(p, "a number is malformed");
    }
    if (peek(p) == 'e' || peek(p) == 'E') {
        p->at++;
        if (peek(p) == '+' || peek(p) == '-') p->at++;
        if (!skip_digits(p)) return fail(p, "a number is malformed");
    }
    return 1;
}

static int parse_word(parser *p, const char *word) {
    size_t n = strlen(word);
    if (p->len - p->at < n || memcmp(p->text + p->at, word, n) != 0)
        return fail(p, "a value was expected");
    p->at += n;
    return 1;
}

static int parse_value(parser *p, uint32_t number, int depth);

static int parse_members(parser *p, uint32_t parent, int depth, int object) {
    const int closing = object ? '}' : ']';
    uint32_t last = 0;
    p->at++;
    skip_space(p);
    if (peek(p) == closing) { p->at++; return 1; }
    for (;;) {
        uint32_t number, key = 0, key_len = 0;
        skip_space(p);
        if (object) {
            if (!parse_string(p, &key, &key_len)) return 0;
            skip_space(p);
            if (peek(p) != ':') return fail(p, "a ':' is missing");
            p->at++;
        }
        if (!add_node(p, &number)) return 0;
        p->doc->nodes[number].key = key;
        p->doc->nodes[number].key_len = key_len;
        if (last) p->doc->nodes[last].next = number;
        else p->doc->nodes[parent].child = number;
        last = number;
        if (!parse_value(p, number, depth + 1)) return 0;
        skip_space(p);
        if (peek(p) == closing) { p->at++; return 1; }
        if (peek(p) != ',') return fail(p, "a ',' or a closing bracket is missing");
        p->at++;
    }
}

static int parse_value(parser *p, uint32_t number, int depth) {
    json_type type;
    uint32_t start = 0, len = 0;
    int ok;
    if (depth > MAX_DEPTH) return fail(p, "it is nested too deeply");
    skip_space(p);
    size_t from = p->at;
    switch (peek(p)) {
    case '{': type = JSON_OBJECT; ok = parse_members(p, number, depth, 1); break;
    case '[': type = JSON_ARRAY; ok = parse_members(p, number, depth, 0); break;
    case '"': type = JSON_STRING; ok = parse_string(p, &start, &len); break;
    case 't': type = JSON_TRUE; ok = parse_word(p, "true"); break;
    case 'f': type = JSON_FALSE; ok = parse_word(p, "false"); break;
    case 'n': type = JSON_NULL; ok = parse_word(p, "null"); break;
    default: type = JSON_NUMBER; ok = parse_number(p); break;
    }
    if (!ok) return 0;
    json_node *node = &p->doc->nodes[number];
    node->type = type;
    node->start = type == JSON_STRING ? start : (uint32_t)from;
    node->len = type == JSON_STRING ? len : (uint32_t)(p->at - from);
    return 1;
}

vox_status json_parse(json_doc *doc, const char *text, size_t len, const char *name, vox_error *err) {
    parser p = { .doc = doc, .text = text, .len = len };
    uint32_t root;
    memset(doc, 0, sizeof *doc);
    doc->text = text;
    if (len > MAX_TEXT) return vox_fail(err, VOX_ERR_FORMAT, "%s is too large.", name);
    int ok = add_node(&p, &root) && parse_value(&p, root, 0);
    if (ok) {
        skip_space(&p);
        if (p.at != len) ok = fail(&p, "something follows its end");
    }
    if (ok) return VOX_OK;
    json_free(doc);
    if (p.no_memory) return vox_fail(err, VOX_ERR_MEMORY, "There is no memory to read %s.", name);
    return vox_fail(err, VOX_ERR_FORMAT, "%s is not valid JSON: %s at byte %zu.", name, p.problem, p.at);
}

void json_free(json_doc *doc) {
    vox_free(doc->nodes);
    memset(doc, 0, sizeof *doc);
}

/* ---- reading --------------------------------------------------------------------------- */

const json_node *json_first(const json_doc *doc, const json_node *node) {
    return node && node->child ? &doc->nodes[node->child] : NULL;
}

const json_node *json_next(const json_doc *doc, const json_node *node) {
    return node && node->next ? &doc->nodes[node->next] : NULL;
}

const json_node *json_member(const json_doc *doc, const json_node *node, const char *name) {
    size_t n = strlen(name);
    if (!node || node->type != JSON_OBJECT) return NULL;
    for (const json_node *m = json_first(doc, node); m; m = json_next(doc, m))
        if (m->key_len == n && memcmp(doc->text + m->key, name, n) == 0) return m;
    return NULL;
}

/* Not strtod: that one obeys the program's locale. Exact for what fits 53 bits and 10^22. */
int json_number(const json_doc *doc, const json_node *node, double *out) {
    if (!node || node->type != JSON_NUMBER) return 0;
    const char *s = doc->text + node->start, *end = s + node->len;
    double mantissa = 0;
    int exponent = 0, written = 0, sign = 1, negative = *s == '-', point = 0;
    if (negative) s++;
    for (; s < end && *s != 'e' && *s != 'E'; s++) {
        if (*s == '.') { point = 1; continue; }
        if (mantissa < 9e17) {
            mantissa = mantissa * 10 + (*s - '0');
            exponent -= point;
        } else {
            exponent += !point;
        }
    }
    if (s < end) {
        s++;
        if (*s == '+' || *s == '-') sign = *s++ == '-' ? -1 : 1;
        for (; s < end; s++) if (written < 10000) written = written * 10 + (*s - '0');
        exponent += sign * written;
    }
    double scale = pow(10.0, exponent < 0 ? -exponent : exponent);
    double value = exponent < 0 ? mantissa / scale : mantissa * scale;
    if (mantissa == 0) value = 0;   /* also 0e9999, where the scale is infinite */
    if (!isfinite(value)) return 0;
    *out = negative ? -value : value;
    return 1;
}

int json_integer(const json_doc *doc, const json_node *node, int64_t *out) {
    double value;
    if (!json_number(doc, node, &value)) return 0;
    if (value != floor(value) || value < -9007199254740992.0 || value > 9007199254740992.0) return 0;
    *out = (int64_t)value;
    return 1;
}

int json_bool(const json_node *node, int *out) {
    if (!node || (node->type != JSON_TRUE && node->type != JSON_FALSE)) return 0;
    *out = node->type == JSON_TRUE;
    return 1;
}

static uint32_t hex4(const char *s) {
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) v = v * 16 + (uint32_t)hex_digit((unsigned char)s[i]);
    return v;
}

static size_t put_utf8(char *out, uint32_t c) {
    if (c < 0x80) { out[0] = (char)c; return 1; }
    if (c < 0x800) { out[0] = (char)(0xC0 | c >> 6); out[1] = (char)(0x80 | (c & 63)); return 2; }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* Decode one escape that begins behind the backslash; returns where it ends. */
static const char *decode_escape(const char *s, const char *end, char *out, size_t *written) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (*s != 'u') {
        out[0] = to[strchr(from, *s) - from];
        *written = 1;
        return s + 1;
    }
    uint32_t c = hex4(s + 1);
    s += 5;
    if (c >= 0xD800 && c < 0xDC00 && end - s >= 6 && s[0] == '\\' && s[1] == 'u') {
        uint32_t low = hex4(s + 2);
        if (low >= 0xDC00 && low < 0xE000) {
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
            s += 6;
        }
    }
    if (c >= 0xD800 && c < 0xE000) c = 0xFFFD;
    *written = put_utf8(out, c);
    return s;
}

long json_string(const json_doc *doc, const json_node *node, char *buf, size_t size) {
    if (!node || node->type != JSON_STRING) return -1;
    const char *s = doc->text + node->start, *end = s + node->len;
    size_t n = 0;
    while (s < end) {
        char piece[4];
        size_t k = 1;
        if (*s == '\\') s = decode_escape(s + 1, end, piece, &k);
        else piece[0] = *s++;
        if (n + k >= size) return -1;
        memcpy(buf + n, piece, k);
        n += k;
    }
    if (n >= size) return -1;
    buf[n] = 0;
    return (long)n;
}
