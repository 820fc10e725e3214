/* test_json_write.c - lines that every JSON reader takes */
#include <math.h>
#include <string.h>

#include "../../src/text/json.h"
#include "../../tests/check.h"
#include "../json_write.h"

static json_line line;

static const char *text(void) {
    static char copy[4096];
    memcpy(copy, line.text, line.length);
    copy[line.length] = '\0';
    return copy;
}

static const char *as_string(const char *value) {
    jsonl_begin(&line);
    jsonl_string(&line, "s", value);
    jsonl_end(&line);
    return text();
}

static const char *as_number(double value, int decimals) {
    jsonl_begin(&line);
    jsonl_number(&line, "n", value, decimals);
    jsonl_end(&line);
    return text();
}

static void test_strings(void) {
    static const struct { const char *value, *expected; } cases[] = {
        {"", "{\"s\":\"\"}\n"},
        {"a\"b\\c/", "{\"s\":\"a\\\"b\\\\c/\"}\n"},
        {"\n\t\x01\x7F", "{\"s\":\"\\u000a\\u0009\\u0001\\u007f\"}\n"},
        {"caf\xC3\xA9 \xF0\x9F\x8E\x99", "{\"s\":\"caf\xC3\xA9 \xF0\x9F\x8E\x99\"}\n"},
        {"\xC3", "{\"s\":\"\xEF\xBF\xBD\"}\n"},
        {"\xC0\x80", "{\"s\":\"\xEF\xBF\xBD\xEF\xBF\xBD\"}\n"},
        {"\xED\xA0\x80", "{\"s\":\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"}\n"},
        {"\xF4\x90\x80\x80x", "{\"s\":\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDx\"}\n"},
        {NULL, "{\"s\":\"\"}\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK(!strcmp(as_string(cases[i].value), cases[i].expected), "%s", text());
}

static void test_numbers(void) {
    static const struct { double value; int decimals; const char *expected; } cases[] = {
        {0, 3, "{\"n\":0.0}\n"},       {1.68, 3, "{\"n\":1.68}\n"},   {-2, 1, "{\"n\":-2.0}\n"},
        {-0.0001, 3, "{\"n\":0.0}\n"}, {1e9, 1, "{\"n\":1000000000.0}\n"},
        {NAN, 3, "{\"n\":0.0}\n"},     {INFINITY, 3, "{\"n\":0.0}\n"}, {-1e300, 3, "{\"n\":0.0}\n"},
        {0.9999996, 6, "{\"n\":1.0}\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK(!strcmp(as_number(cases[i].value, cases[i].decimals), cases[i].expected), "%s",
              text());
}

static void test_structure(void) {
    jsonl_begin(&line);
    jsonl_integer(&line, "a", INT64_MIN);
    jsonl_open(&line, "list", '[');
    for (int i = 0; i < 2; i++) {
        jsonl_open(&line, NULL, '{');
        jsonl_boolean(&line, "b", i);
        jsonl_close(&line, '}');
    }
    jsonl_close(&line, ']');
    jsonl_string(&line, "z", "end");
    jsonl_end(&line);
    CHECK(!strcmp(text(), "{\"a\":-9223372036854775808,\"list\":[{\"b\":false},{\"b\":true}],"
                          "\"z\":\"end\"}\n"), "%s", text());
}

/* Any bytes give a line that the reader takes. */
static void test_any_bytes(void) {
    unsigned state = 1;
    int wrong = 0;
    for (int round = 0; round < 2000; round++) {
        char value[40];
        for (size_t i = 0; i < sizeof value - 1; i++) {
            state = state * 1103515245u + 12345u;
            value[i] = (char)(state >> 16 | 1);
        }
        value[sizeof value - 1] = '\0';
        as_string(value);
        json_doc doc;
        char why[200];
        vox_error err = {why, sizeof why};
        wrong += json_parse(&doc, line.text, line.length, "line", &err) != VOX_OK;
        json_free(&doc);
    }
    CHECK(wrong == 0, "%d lines", wrong);
}

int main(void) {
    test_strings();
    test_numbers();
    test_structure();
    test_any_bytes();
    jsonl_free(&line);
    return check_summary();
}
