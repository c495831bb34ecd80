/* The one table of commands and options. Parsing, --help, the man page and the shell completions
 * are made from it, so that they cannot disagree. */
#ifndef ED_OPTIONS_H
#define ED_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ed_command {
    ED_COMMAND_SERVE,
    ED_COMMAND_EMBED,
    ED_COMMAND_CHUNK,
    ED_COMMAND_SIMILARITY,
    ED_COMMAND_INFO,
    ED_COMMAND_LIST,
    ED_COMMAND_PULL,
    ED_COMMAND_VERIFY,
    ED_COMMAND_DOCTOR,
    ED_COMMAND_MIGRATE,
    ED_COMMAND_BENCH,
    ED_COMMAND_COMPLETION,
    ED_COMMAND_HELP,
    ED_COMMAND_VERSION,
    ED_COMMAND_COUNT
} ed_command;

#define ED_EXAMPLES_MAX 4

typedef struct ed_example {
    const char *line;     /* what to type */
    const char *sentence; /* what it does */
} ed_example;

typedef struct ed_command_spec {
    const char *name;
    const char *operands;    /* "[TEXT...]", or "" */
    size_t operands_max;     /* SIZE_MAX = any number */
    const char *summary;     /* a few words */
    const char *description; /* one paragraph */
    ed_example examples[ED_EXAMPLES_MAX];
} ed_command_spec;

typedef enum ed_option {
    ED_OPTION_MODEL,
    ED_OPTION_MODELS_DIR,
    ED_OPTION_KEEP_ALIVE,
    ED_OPTION_MEMORY_MAX,
    ED_OPTION_HOST,
    ED_OPTION_PORT,
    ED_OPTION_UNIX,
    ED_OPTION_ALLOW_REMOTE,
    ED_OPTION_API_KEY,
    ED_OPTION_ORIGIN,
    ED_OPTION_FILE_ROOT,
    ED_OPTION_TOKEN_INPUT,
    ED_OPTION_ALLOW_PULL,
    ED_OPTION_EXIT_WITH_PARENT,
    ED_OPTION_OPENAPI,
    ED_OPTION_FILE,
    ED_OPTION_JSONL,
    ED_OPTION_CHUNK_SIZE,
    ED_OPTION_CHUNK_OVERLAP,
    ED_OPTION_MAX_CHUNKS,
    ED_OPTION_FIELD,
    ED_OPTION_VECTOR_FIELD,
    ED_OPTION_SAMPLE,
    ED_OPTION_MIN_COSINE,
    ED_OPTION_FORMAT,
    ED_OPTION_OUT,
    ED_OPTION_JSON,
    ED_OPTION_NAMES,
    ED_OPTION_POOLING,
    ED_OPTION_DIMENSIONS,
    ED_OPTION_NORMALIZE,
    ED_OPTION_PROMPT,
    ED_OPTION_PROMPT_NAME,
    ED_OPTION_TRUNCATE,
    ED_OPTION_THREADS,
    ED_OPTION_THREADS_LIST,
    ED_OPTION_LENGTHS,
    ED_OPTION_BATCHES,
    ED_OPTION_CLIENTS,
    ED_OPTION_COMPARE,
    ED_OPTION_COMPARE_MODEL,
    ED_OPTION_ROUNDS,
    ED_OPTION_SECONDS,
    ED_OPTION_DTYPE,
    ED_OPTION_CPU,
    ED_OPTION_CACHE,
    ED_OPTION_BATCH_TOKENS,
    ED_OPTION_MAX_BODY,
    ED_OPTION_MAX_TEXTS,
    ED_OPTION_QUEUE_TOKENS,
    ED_OPTION_DEADLINE,
    ED_OPTION_LOG_FORMAT,
    ED_OPTION_PROGRESS,
    ED_OPTION_MAN,
    ED_OPTION_HELP,
    ED_OPTION_COUNT
} ed_option;

typedef enum ed_option_kind {
    ED_OPTION_SWITCH, /* --x, --no-x; in the environment 1 or 0 */
    ED_OPTION_TEXT,
    ED_OPTION_LIST,  /* may be given several times; in the environment separated by commas */
    ED_OPTION_TEXTS, /* may be given several times; in the environment once */
    ED_OPTION_CHOICE,
    ED_OPTION_NUMBER,
    ED_OPTION_SECRET, /* read from the environment only: other users can read a command line */
    ED_OPTION_BARE    /* a switch without --no-x and without a variable: --help */
} ed_option_kind;

typedef struct ed_option_spec {
    const char *flag;   /* "max-body": --max-body, EMBEDD_MAX_BODY */
    const char *letter; /* "m": -m; or NULL */
    ed_option_kind kind;
    const char *argument;   /* "N"; NULL for switches */
    const char *choices;    /* "json|jsonl|npy" of a CHOICE */
    uint64_t min, max;      /* of a NUMBER */
    const char *by_default; /* as it would be typed ("1" for a switch); NULL = none */
    const char *help;       /* a sentence without full stop */
    unsigned commands;      /* bits: 1u << ED_COMMAND_SERVE ... */
} ed_option_spec;

extern const ed_command_spec ed_commands[ED_COMMAND_COUNT];
extern const ed_option_spec ed_options[ED_OPTION_COUNT];

/* Variables that are no option: name and sentence, for the help. Ends with a NULL name. */
typedef struct ed_variable {
    const char *name;
    const char *sentence;
} ed_variable;
extern const ed_variable ed_variables[];

bool ed_option_applies(ed_option option, ed_command command);
/* The option's flag as the help shows it: "max-body", or "no-truncate" for a switch that is on by
 * default. */
void ed_option_shown_flag(ed_option option, char *out, size_t out_cap);
/* "json, jsonl, npy" of a CHOICE, or "". */
void ed_option_choices(ed_option option, char *out, size_t out_cap);
/* "EMBEDD_MAX_BODY", or "" if there is none. */
void ed_option_variable(ed_option option, char *out, size_t out_cap);

#endif
