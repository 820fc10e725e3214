/* test_text.c - JSON, the vocabulary, whole characters, and words with their times. */
#include <math.h>
#include <string.h>

#include "../src/text/json.h"
#include "../src/stream/rut.h"
#include "../src/stream/words.h"
#include "check.h"

static const char *parses(const char *text) {
    static char message[256];
    vox_error err = { message, sizeof message };
    json_doc doc;
    message[0] = 0;
    if (json_parse(&doc, text, strlen(text), "text", &err) != VOX_OK) return message;
    json_free(&doc);
    return NULL;
}

static void test_json_syntax(void) {
    static const char *const good[] = { "{}", "[]", " [1, 2 , 3]\n", "\"a\\u00e9\\n\"", "-1.5e-3", "0", "true", "null",
                                        "{\"a\":{\"b\":[{}]},\"c\":\"\"}" };
    static const char *const bad[] = { "", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "01", "1.", "-", "+1", ".5", "1e", "tru",
                                       "\"", "\"\\x\"", "\"\\u12g4\"", "\"a\nb\"", "[1 2]", "{a:1}", "1 1", "[1}", "nan" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) CHECK(!parses(good[i]), "%s: %s", good[i], parses(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CHECK(parses(bad[i]), "%s was taken", bad[i]);
    char deep[400];
    memset(deep, '[', 200);
    memset(deep + 200, ']', 200);
    deep[399] = 0;
    CHECK(parses(deep), "200 levels were taken");
}

static void test_json_values(void) {
    static const char text[] = "{\"i\":12,\"f\":5.0,\"e\":1e-05,\"big\":9007199254740993,\"s\":\"a\\u00e9\\ud83d\\ude00\\ud800\\/\","
                               "\"huge\":1e999,\"z\":0e999,\"n\":-2.5,\"b\":true,\"list\":[1,\"x\"]}";
    json_doc doc;
    int64_t i;
    double d;
    int b;
    char s[32], tiny[4];
    REQUIRE(json_parse(&doc, text, sizeof text - 1, "text", NULL) == VOX_OK, "does not parse");
    const json_node *root = doc.nodes;
    CHECK(json_integer(&doc, json_member(&doc, root, "i"), &i) && i == 12, "i");
    CHECK(json_integer(&doc, json_member(&doc, root, "f"), &i) && i == 5, "f");
    CHECK(json_number(&doc, json_member(&doc, root, "e"), &d) && d == 1e-05, "e");
    CHECK(json_number(&doc, json_member(&doc, root, "n"), &d) && d == -2.5, "n");
    CHECK(!json_integer(&doc, json_member(&doc, root, "n"), &i), "-2.5 is no integer");
    CHECK(!json_number(&doc, json_member(&doc, root, "huge"), &d), "1e999 is no number");
    CHECK(json_number(&doc, json_member(&doc, root, "z"), &d) && d == 0, "0e999");
    CHECK(json_bool(json_member(&doc, root, "b"), &b) && b == 1, "b");
    CHECK(json_string(&doc, json_member(&doc, root, "s"), s, sizeof s) == 11 &&
          !strcmp(s, "a\xC3\xA9\xF0\x9F\x98\x80\xEF\xBF\xBD/"), "s is %s", s);
    CHECK(json_string(&doc, json_member(&doc, root, "s"), tiny, sizeof tiny) == -1, "too small a buffer");
    CHECK(json_member(&doc, root, "nothing") == NULL && json_member(&doc, NULL, "i") == NULL, "absent");
    CHECK(!json_integer(&doc, NULL, &i) && json_string(&doc, NULL, s, sizeof s) == -1, "absent values");
    json_free(&doc);
}

/* What arrives of bytes pushed one by one, `|` between pushes that brought text. */
static void check_utf8(const char *bytes, size_t n, const char *want) {
    vox_utf8 u = { { 0 }, 0 };
    char out[VOX_UTF8_ROOM(1)], all[64] = "";
    for (size_t i = 0; i < n; i++) {
        vox_utf8_push(&u, bytes + i, 1, out);
        strcat(all, out);
    }
    vox_utf8_end(&u, out);
    strcat(all, out);
    CHECK(!strcmp(all, want), "got %s, expected %s", all, want);
}

#define REPLACED "\xEF\xBF\xBD"

static void test_utf8(void) {
    check_utf8("caf\xC3\xA9", 5, "caf\xC3\xA9");
    check_utf8("\xF0\x9F\x98\x80", 4, "\xF0\x9F\x98\x80");
    check_utf8("\xC3", 1, REPLACED);
    check_utf8("\xF0\x9F\x98", 3, REPLACED);
    check_utf8("\xF0\x9F!", 3, REPLACED "!");
    check_utf8("\xA9x", 2, REPLACED "x");
    check_utf8("\xC0\xAF", 2, REPLACED REPLACED);              /* overlong */
    check_utf8("\xED\xA0\x80", 3, REPLACED REPLACED REPLACED); /* a surrogate */
    check_utf8("\xF4\x90\x80\x80", 4, REPLACED REPLACED REPLACED REPLACED);
    check_utf8("a\0b", 3, "a" REPLACED "b");
    vox_utf8 u = { { 0 }, 0 };
    char out[VOX_UTF8_ROOM(4)];
    CHECK(vox_utf8_push(&u, "e\xE2\x82", 3, out) == 1 && !strcmp(out, "e"), "a tail waits");
    CHECK(vox_utf8_push(&u, "\xAC!", 2, out) == 4 && !strcmp(out, "\xE2\x82\xAC!"), "and comes whole");
}

/* A vocabulary of bytes and a few words, by hand. */
enum { SPECIAL = 40, CAF = SPECIAL, C3, A9, LIGHT, QUEUED, VOCAB };

static void test_words(void) {
    static uint32_t offsets[] = { 0, 4, 5, 6, 12, 15 };
    static char bytes[] = " caf\xC3\xA9 lightup!";
    vox_tokenizer tok = { SPECIAL, VOCAB, 480, 32, offsets, bytes };
    vox_words w;
    vox_event e;
    REQUIRE(vox_words_init(&w, &tok) == VOX_OK, "no memory");
#define STEP(k, token, p) (memset(&e, 0, sizeof e), vox_words_text(&w, &(vox_choice){ .index = k, .id = token, .probability = p }, &e))
    CHECK(!STEP(4, VOX_STREAMING_WORD, 1), "a mark is no text");
    CHECK(STEP(5, CAF, 0.9f) && !strcmp(e.text, " caf") && e.word_start && fabs(e.time - 0.4) < 1e-9, "' caf' ends at 0.4: %g", e.time);
    CHECK(!STEP(6, C3, 0.5f), "half a character");
    CHECK(STEP(7, A9, 0.8f) && !strcmp(e.text, "\xC3\xA9") && !e.word_start && fabs(e.time - 0.4) < 1e-9 && e.id == A9,
          "the rest belongs to the same word");
    CHECK(e.probability == 0.5f, "the least probability of both: %g", (double)e.probability);
    CHECK(STEP(9, LIGHT, 0.7f) && e.word_start && fabs(e.time - 0.8) < 1e-9, "a word without a mark: %g", e.time);
    CHECK(STEP(10, QUEUED, 0.7f) && !e.word_start && fabs(e.time - 0.8) < 1e-9, "and what follows without a space");
    CHECK(!STEP(11, VOX_STREAMING_PAD, 1) && !STEP(12, VOX_EOS, 1), "specials are not printed");
    CHECK(!STEP(13, C3, 1) && (memset(&e, 0, sizeof e), vox_words_end(&w, &e)) && !strcmp(e.text, REPLACED), "a character cut off");
    CHECK(!vox_words_end(&w, &e), "only once");
    vox_words_free(&w);
}

/* Of five tokens, of which those from 36 on are text, and what is given for the blanks. */
static vox_choice choose(float pad, float end, int alternatives, int *text) {
    float logits[40];
    vox_choice c = { 0 };
    vox_scores s;
    for (int i = 0; i < 40; i++) logits[i] = NAN;
    logits[0] = 1, logits[35] = 5, logits[36] = 2, logits[37] = 5, logits[39] = 4;
    logits[VOX_STREAMING_PAD] = pad, logits[VOX_EOS] = end;
    vox_score(vox_kernels_at(0), logits, 40, 36, 1 + alternatives, &s);
    CHECK(logits[35] == 5 && logits[VOX_EOS] == end, "logits are restored");
    s.sum_exp = 2.5f;         /* without the NaN in it */
    vox_choose(&s, alternatives, &c);
    if (text) *text = s.text;
    return c;
}

static void test_choice(void) {
    int text;
    vox_choice c = choose(-100, -100, 3, &text);
    CHECK(c.id == 35 && fabsf(c.probability - 0.4f) < 1e-6f, "the lowest of the best");
    CHECK(c.n_alternatives == 3 && c.alternative_ids[0] == 37 && c.alternative_ids[1] == 39 && c.alternative_ids[2] == 36,
          "alternatives %d %d %d", c.alternative_ids[0], c.alternative_ids[1], c.alternative_ids[2]);
    CHECK(fabsf(c.alternative_probabilities[0] - 0.4f) < 1e-6f, "an equal is as probable");
    CHECK(text == 37, "%d is the likeliest text", text);
    c = choose(6, 5, 4, &text);
    CHECK(c.id == VOX_STREAMING_PAD && text == 37, "the blank leads");
    CHECK(fabsf(c.probability - 1 / (2.5f * expf(-1) + 1 + expf(-1))) < 1e-6f, "%g", (double)c.probability);
    CHECK(c.n_alternatives == 4 && c.alternative_ids[0] == VOX_EOS && c.alternative_ids[1] == 35 && c.alternative_ids[3] == 39,
          "blanks among the alternatives: %d %d %d", c.alternative_ids[0], c.alternative_ids[1], c.alternative_ids[3]);
    CHECK(choose(NAN, 4.5f, 4, NULL).probability == 0, "no probability out of NaN");
    CHECK(choose(-1, -1, 0, NULL).n_alternatives == 0, "alternatives nobody asked for");
}

/* Lowering the blanks changes what is chosen, nothing else. */
static void test_guard(void) {
    vox_rut rut;
    vox_scores s = { .pad = 9, .end = 1, .best = { { 40, 8 } }, .n_best = 1, .sum_exp = 1 };
    vox_rut_reset(&rut);
    rut.blanks = VOX_RUT_TOKENS;
    rut.n_heard = VOX_RUT_TOKENS;
    CHECK(!vox_rut_guard(&rut, 1, &s) && s.pad == 8.5f && s.best[0].logit == 8, "half a logit: %g", (double)s.pad);
    CHECK(vox_rut_guard(&rut, 1, &s) && s.pad == 7.5f && s.end == -0.5f, "one more: %g", (double)s.pad);
    CHECK(!vox_rut_guard(&rut, 1, &s), "another leads already");
}

int main(void) {
    test_json_syntax();
    test_json_values();
    test_utf8();
    test_words();
    test_choice();
    test_guard();
    CHECK(vox_alloc_live() == 0, "%ld blocks were not freed", vox_alloc_live());
    return check_summary();
}
