/* vox.h - speech to text with Voxtral-Mini-4B-Realtime, in C.
 *
 *     vox_model  *m;  vox_model_load("model-dir", NULL, &m, err, sizeof err);
 *     vox_stream *s;  vox_stream_open(m, &params, &s, err, sizeof err);
 *     vox_stream_feed(s, samples, n);      as often as audio comes, in pieces of any size
 *     vox_stream_flush(s);                 the utterance ended: its last words come out
 *     vox_stream_close(s);  vox_model_free(m);
 *
 * Words arrive through the callback in vox_stream_params, on the calling thread, during feed,
 * flush and finish. Decoding is greedy: the tokens do not depend on how the audio was cut into
 * pieces, on the number of threads or on the instruction set's lane count beyond rounding. Where
 * several tokens' audio waits, likely tokens are guessed and verified in one pass over the weights:
 * the tokens and all numbers about them are those of decoding one by one.
 *
 * A model is read-only after loading and may serve several streams, one call at a time
 * (streams share the model's thread pool). Nothing here calls exit() or prints.
 */
#ifndef VOX_H
#define VOX_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VOX_SAMPLE_RATE 16000   /* mono; one token is 80 ms = 1280 samples */

/* ---- errors ---------------------------------------------------------------------------- */

typedef enum vox_status {
    VOX_OK = 0,
    VOX_ERR_ARGUMENT,     /* a parameter is out of range */
    VOX_ERR_IO,           /* a file is missing or cannot be read */
    VOX_ERR_FORMAT,       /* a file is there but is not what it should be */
    VOX_ERR_UNSUPPORTED,  /* well-formed, but beyond what this build can do */
    VOX_ERR_MEMORY,       /* an allocation failed */
    VOX_ERR_STATE,        /* the call does not fit the stream's state (fed after finish) */
    VOX_ERR_ABORTED,      /* the abort callback asked to stop */
    VOX_ERR_DEVICE        /* the GPU failed; streams go on on the CPU and never return it */
} vox_status;

/* A short name such as "format", for programs; never NULL. */
const char *vox_status_name(vox_status status);

/* ---- models ---------------------------------------------------------------------------- */

typedef struct vox_model vox_model;   /* opaque; weights are memory-mapped */

typedef enum vox_precision {
    VOX_PRECISION_AUTO = 0,   /* GGUF files and folders below 64 MB as they are; larger folders
                                 Q8_0 where that fits into half of the memory, else Q4_K_M */
    VOX_PRECISION_BF16,       /* weights as stored, float32 arithmetic: the exact path */
    VOX_PRECISION_F32,        /* weights widened to float32 once, same results, more memory */
    VOX_PRECISION_F16,
    VOX_PRECISION_Q8_0,       /* 8.5 bits a weight */
    VOX_PRECISION_Q6_K,       /* 6.6 */
    VOX_PRECISION_Q5_K_M,     /* 5.5; attention outputs 8 bit, embeddings 6 */
    VOX_PRECISION_Q4_K_M      /* 4.5; likewise */
} vox_precision;

/* "auto", "bf16", "q4_k_m", ...; parse returns 0 for a name that there is not. */
const char *vox_precision_name(vox_precision precision);
int vox_precision_parse(const char *name, vox_precision *out);

/* Called now and then during long work, from the calling thread, with the part that is done, 0 to
 * 1; non-zero stops the work. */
typedef int (*vox_progress_fn)(double done, void *user);

typedef struct vox_model_params {
    vox_precision precision;  /* F16 and the quantised ones: of a model stored in BF16, F16 or F32
                                 a copy is made once, kept in cache_dir and used from there; so is
                                 one of a large quantised file, arranged as products read it */
    int threads;              /* 0 = one per physical core */
    const char *kernels;      /* NULL = the best this processor has; else "generic", "avx2",
                                 "avx512", "neon" */
    const char *backend;      /* NULL or "cpu"; "gpu": a real GPU, or the model is not loaded; "gpu:NAME": the
                                 adapter with that in its name, software too; "auto": a real GPU if there is one */
    const char *gpu_scout;    /* NULL, or a program that is run first where backend is "auto": asked with
                                 "--gpu-scout FOLDER NEED" it prints what vox_gpu_scout says and exits with its status */
    const char *cache_dir;    /* NULL = $XDG_CACHE_HOME/voxtral or $HOME/.cache/voxtral */
    vox_progress_fn on_progress;   /* of making that copy; may be NULL */
    void *user;
} vox_model_params;

vox_model_params vox_model_default_params(void);

/* Load a GGUF file, a folder that holds a single one, or the official folder with
 * consolidated.safetensors, params.json and tekken.json. On failure *out is
 * NULL and `err` (if not NULL) holds one sentence for a person. */
vox_status vox_model_load(const char *path, const vox_model_params *params, vox_model **out,
                          char *err, size_t err_size);
void vox_model_free(vox_model *model);

typedef struct vox_model_info {
    const char *backend;      /* "cpu" or "gpu": where new utterances are worked on */
    const char *gpu;          /* the GPU's name; NULL = none was taken */
    const char *gpu_why;      /* a sentence: why none was found, or is used any more; else "" */
    int gpu_failed;           /* it was there and failed: the sentence is worth telling */
    const char *kernels;      /* instruction set in use: "avx512", ... */
    const char *precision;    /* "bf16", "q4_k_m", ... */
    int threads;
    int default_delay_ms;     /* the one the model asks for */
    int vocab_size;
    int64_t parameters;       /* number of weights */
    const char *note;         /* a sentence on what could not be as it should, or empty */
    const char *little_memory;    /* a sentence, if there is less memory than the model takes; or empty */
} vox_model_info;

/* Pointers in `info` live as long as the model. */
void vox_model_get_info(const vox_model *model, vox_model_info *info);

/* Bytes of a token (not NUL-terminated; may end inside a UTF-8 character).
 * NULL and *len = 0 for special and unknown ids. */
const char *vox_model_token_bytes(const vox_model *model, int id, size_t *len);

/* ---- GPUs ------------------------------------------------------------------------------- */

typedef struct vox_gpu_check {
    const char *name;         /* "q8_0 x 4 and add", ... */
    double error, tolerance;  /* relative to the CPU's result */
    double ms;
    int passed;
} vox_gpu_check;

typedef void (*vox_gpu_check_fn)(const vox_gpu_check *check, void *user);

typedef struct vox_gpu_result {
    char name[128], driver[192];
    const char *api;          /* "Vulkan", "Metal" */
    int software, subgroups;
    int checks, failed;       /* where not all are right with subgroups: of those without */
    int wrong_with_subgroups;
    double ms;
    char why[256];            /* why it gave up in the midst; "" = it did not */
    char avoided[512];        /* what happened before for which "auto" leaves it alone; "" = it does not */
} vox_gpu_result;

/* Compare every kernel with the CPU on the adapter with that in its name (NULL: the best there is, if
 * need be software), telling fn of each. VOX_ERR_UNSUPPORTED and a sentence where there is none;
 * otherwise VOX_OK, and result->failed tells. */
vox_status vox_gpu_selftest(const char *adapter, vox_gpu_check_fn fn, void *user, vox_gpu_result *result,
                            char *err, size_t err_size);

/* Is there a real GPU that passes the self-test, now or once before? `cache_dir` as above; `need`: the
 * NEED asked for, which kernels. Else
 * VOX_ERR_UNSUPPORTED, there is none, or VOX_ERR_DEVICE, it fails; `err` says why. */
vox_status vox_gpu_scout(const char *cache_dir, uint32_t need, char *err, size_t err_size);

/* ---- conversion ------------------------------------------------------------------------ */

typedef struct vox_quantize_params {
    vox_precision type;       /* anything but AUTO */
    int threads;              /* 0 = one per physical core */
    int overwrite;            /* replace a file that is there */
    vox_progress_fn on_progress;   /* may be NULL */
    void *user;
} vox_quantize_params;

/* Write a model stored in BF16, F16 or F32 as one GGUF file that needs nothing beside it. `out`
 * appears when it is complete, or not at all. Memory stays within some 100 MB. */
vox_status vox_quantize_model(const char *path, const char *out, const vox_quantize_params *params,
                              char *err, size_t err_size);

/* ---- streams --------------------------------------------------------------------------- */

typedef struct vox_stream vox_stream;   /* opaque */

enum { VOX_MAX_ALTERNATIVES = 4 };

typedef struct vox_alternative {
    int id;
    const char *text;         /* UTF-8, NUL-terminated, invalid bytes replaced */
    float probability;
} vox_alternative;

typedef enum vox_event_type {
    VOX_EVENT_TOKEN,          /* one decoder step, specials included: id, index, time */
    VOX_EVENT_TEXT,           /* text became complete: whole UTF-8 characters only */
    VOX_EVENT_WARNING,        /* reason "rut": the model wrote nothing for long although voice was
                                 heard, and has just been made to write again */
    VOX_EVENT_STATS,          /* after each batch of work */
    VOX_EVENT_UTTERANCE_END,  /* flush or reset: reason says which */
    VOX_EVENT_END             /* finish: nothing more will come */
} vox_event_type;

typedef struct vox_event {
    vox_event_type type;
    int64_t utterance;        /* 0, 1, 2 ... counted over the stream's life */
    /* TOKEN and TEXT */
    int64_t index;            /* generated token number k within the utterance, from 0 */
    int id;                   /* token id; for TEXT the token that completed the text */
    const char *text;         /* TEXT: UTF-8, NUL-terminated, never empty. Else NULL */
    int word_start;           /* TEXT: 1 when a new word begins here */
    double time;              /* TEXT: seconds from the utterance's first sample to the end of
                                 the word it belongs to (from [STREAMING_WORD]); TOKEN: end of
                                 the frame the token speaks of */
    float probability;        /* softmax probability of the token; the least one of a TEXT
                                 made of several */
    int n_alternatives;       /* the best tokens after the chosen one, best first; special
                                 tokens among them have the text "" */
    vox_alternative alternatives[VOX_MAX_ALTERNATIVES];
    /* STATS, WARNING, UTTERANCE_END, END */
    double audio_in;          /* seconds fed in this utterance */
    double audio_done;        /* seconds whose tokens have all been decided */
    double encoder_ms, decoder_ms, prefill_ms;   /* spent in this utterance so far */
    int64_t encoder_tokens, decoder_steps;       /* in this utterance so far */
    int64_t decoder_passes;   /* over the weights: fewer than steps where guesses came true */
    const char *reason;       /* UTTERANCE_END: "flush" or "reset"; WARNING: "rut" */
} vox_event;

/* Text and arrays in the event are valid only during the call. */
typedef void (*vox_event_fn)(const vox_event *event, void *user);

typedef struct vox_stream_params {
    int delay_ms;             /* 0 = the model's; else a multiple of 80 in 80..1200, or 2400 */
    double interval_s;        /* most audio gathered before it is worked on: 0.08 to 60, default 0.5;
                                 rounded down to whole tokens. Less is gathered while the machine
                                 keeps up with less; what one call feeds is worked on together */
    int no_rut_guard;         /* 1: blanks are left to the model even where it writes nothing but
                                 blanks over speech; see VOX_EVENT_WARNING */
    int no_draft;             /* 1 = a pass over the weights for each token: slower, the same tokens */
    int alternatives;         /* how many alternatives to report, 0..VOX_MAX_ALTERNATIVES */
    vox_event_fn on_event;    /* may be NULL */
    void *user;
    int (*abort)(void *user); /* may be NULL; asked between steps, non-zero stops the call */
} vox_stream_params;

vox_stream_params vox_stream_default_params(void);

/* The first stream of a model with a given delay computes the prompt that all of them share. */
vox_status vox_stream_open(vox_model *model, const vox_stream_params *params, vox_stream **out,
                           char *err, size_t err_size);
void vox_stream_close(vox_stream *stream);

/* Feed n samples, float32 in -1..1 or signed 16 bit. Works on what is worth it. Samples
 * that are not finite count as silence. After VOX_ERR_ABORTED or VOX_ERR_MEMORY the samples of
 * that call not yet taken are lost; what had been taken is worked on by the next call. */
vox_status vox_stream_feed(vox_stream *stream, const float *samples, size_t n);
vox_status vox_stream_feed_s16(vox_stream *stream, const int16_t *samples, size_t n);

/* End the utterance: pad with silence, decode to the last word, emit UTTERANCE_END. The next
 * feed begins a new utterance. An utterance without samples ends without tokens. */
vox_status vox_stream_flush(vox_stream *stream);

/* flush if an utterance is open, then emit END; afterwards only close is allowed. */
vox_status vox_stream_finish(vox_stream *stream);

/* Forget the open utterance: no more of its tokens come. */
vox_status vox_stream_reset(vox_stream *stream);

/* Change delay (0 = the model's) and interval; takes effect with the next utterance (delay) or at
 * once (interval). */
vox_status vox_stream_configure(vox_stream *stream, int delay_ms, double interval_s);

/* The last failure of this stream, one sentence; "" when there was none. */
const char *vox_stream_error(const vox_stream *stream);

#ifdef __cplusplus
}
#endif
#endif
