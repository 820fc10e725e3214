/* json.h - a small strict JSON reader (RFC 8259): params.json, tekken.json, safetensors headers.
 *
 * The text is parsed once into an array of nodes that refer to it by offset; the text must
 * outlive the document. Nothing is decoded until asked for. Nesting is limited, so that hostile
 * input cannot exhaust the stack.
 */
#ifndef VOX_JSON_H
#define VOX_JSON_H

#include "machine/base.h"

typedef enum json_type {
    JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT
} json_type;

typedef struct json_node {
    json_type type;
    uint32_t key, key_len;    /* name of an object's member, as written between the quotes */
    uint32_t start, len;      /* the value as written; of strings what is between the quotes */
    uint32_t child, next;     /* node numbers; 0 = none */
} json_node;

typedef struct json_doc {
    const char *text;
    json_node *nodes;         /* nodes[0] is the root */
    uint32_t count, capacity;
} json_doc;

/* On failure the document is empty and `err` says what is wrong; `name` names the text there. */
vox_status json_parse(json_doc *doc, const char *text, size_t len, const char *name, vox_error *err);
void json_free(json_doc *doc);

/* The member of that name (ASCII, no escapes), or NULL; also NULL if `node` is NULL or no object. */
const json_node *json_member(const json_doc *doc, const json_node *node, const char *name);
/* Children in order: first of an array or object, then next; NULL at the end. */
const json_node *json_first(const json_doc *doc, const json_node *node);
const json_node *json_next(const json_doc *doc, const json_node *node);

/* These return 0 if the node is NULL, of another type or out of range, else 1. */
int json_number(const json_doc *doc, const json_node *node, double *out);
int json_integer(const json_doc *doc, const json_node *node, int64_t *out);  /* 5 and 5.0 */
int json_bool(const json_node *node, int *out);

/* Decode a string into buf as UTF-8, NUL-terminated: its length, or -1 if the node is no string
 * or does not fit. A lone surrogate becomes U+FFFD. */
long json_string(const json_doc *doc, const json_node *node, char *buf, size_t size);

#endif
