/* json_write.h - one JSON object on one line
 *
 *     jsonl_begin(&j);  jsonl_string(&j, "type", "end");  jsonl_end(&j);   -> {"type":"end"}\n
 */
#ifndef CLI_JSON_WRITE_H
#define CLI_JSON_WRITE_H

#include <stddef.h>
#include <stdint.h>

typedef struct json_line {
    char *text;               /* owned; grows */
    size_t length, capacity;
    int comma;                /* 1 when the next member needs one */
    int failed;               /* 1 once memory ran out */
} json_line;

void jsonl_begin(json_line *j);       /* forget the last line */
void jsonl_end(json_line *j);         /* close it, with a newline */

/* Members; key may be NULL within an array. */
void jsonl_string(json_line *j, const char *key, const char *value);  /* what is no UTF-8 becomes
                                                                         U+FFFD */
void jsonl_integer(json_line *j, const char *key, int64_t value);
void jsonl_number(json_line *j, const char *key, double value, int decimals);  /* 0 for NaN and
                                                                                  infinity */
void jsonl_boolean(json_line *j, const char *key, int value);
void jsonl_open(json_line *j, const char *key, char bracket);         /* '[' or '{' */
void jsonl_close(json_line *j, char bracket);                         /* ']' or '}' */
void jsonl_free(json_line *j);

#endif
