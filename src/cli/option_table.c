/* The commands and options of embedd, as data. Nothing here is computed or printed. */
#include "cli/options.h"

#include <ctype.h>
#include <stdio.h>

#define BIT(command)   (1u << ED_COMMAND_##command)
#define ON_SESSION     (BIT(SERVE) | BIT(EMBED) | BIT(SIMILARITY) | BIT(INFO) | BIT(VERIFY))
#define ON_MODEL       (ON_SESSION | BIT(DOCTOR) | BIT(MIGRATE) | BIT(BENCH))
#define ON_TEXTS       (BIT(EMBED) | BIT(SIMILARITY))
#define ON_ALL         ((1u << ED_COMMAND_COUNT) - 1)
#define ANY_NUMBER_MAX ((uint64_t)1 << 40)

const ed_command_spec ed_commands[ED_COMMAND_COUNT] = {
    [ED_COMMAND_SERVE] =
        {"serve",
         "",
         0,
         "answer embedding requests over HTTP",
         "Loads the first model, listens on a loopback address and prints one JSON line with the "
         "address "
         "on standard output when it is ready; logs go to standard error. SIGTERM, SIGINT or POST "
         "/shutdown finish the requests at hand, then the program ends. Of several models a "
         "request "
         "names one in its field model, and further ones are loaded when they are first asked for. "
         "SIGHUP looks for models that are new, gone or replaced.",
         {{"embedd serve -m sentence-transformers/all-MiniLM-L6-v2",
           "serve a pulled model on http://127.0.0.1:8421"},
          {"embedd serve -m models/all-mpnet-base-v2 --port 0 --exit-with-parent",
           "as a child process: any free port, ends with its parent"},
          {"EMBEDD_API_KEY=... embedd serve -m all-MiniLM-L6-v2 --host 0.0.0.0 --allow-remote",
           "for other machines, with a key"},
          {"embedd serve --models-dir models --keep-alive 5m --memory-max 2048",
           "every model of a folder, those in use in memory"}}},
    [ED_COMMAND_EMBED] =
        {"embed",
         "[TEXT...]",
         SIZE_MAX,
         "turn texts into vectors",
         "Texts are the arguments, or the lines of --file, of --jsonl or of standard input. Each "
         "line is one text, an empty one too. Vectors come out in the order of the texts. A "
         "large file is read and written piece by piece. With --out the file appears only when it "
         "is complete.",
         {{"embedd embed -m all-MiniLM-L6-v2 \"a cat\" \"a dog\"", "two vectors as JSON"},
          {"embedd embed -m all-MiniLM-L6-v2 --file lines.txt --out lines.npy",
           "one row of a NumPy array for each line"},
          {"embedd embed -m all-MiniLM-L6-v2 --jsonl notes.jsonl --field body --out vectors.jsonl",
           "the records of notes.jsonl, each with its vector"},
          {"git log --format=%s | embedd embed -m all-MiniLM-L6-v2 --format jsonl",
           "lines of another program"}}},
    [ED_COMMAND_CHUNK] =
        {"chunk",
         "FILE",
         1,
         "cut a text file into chunks",
         "Prints the chunks of a plain text or Markdown file as JSON Lines, each with its text and "
         "where it begins and ends, in characters: cut before headings, after paragraphs, "
         "sentences or words, as POST /embed-file does. Needs no model.",
         {{"embedd chunk notes.md", "chunks of at most 800 characters"},
          {"embedd chunk notes.md | embedd embed -m all-MiniLM-L6-v2 --jsonl - --out notes.jsonl",
           "each chunk with its vector"}}},
    [ED_COMMAND_SIMILARITY] =
        {"similarity",
         "[TEXT...]",
         SIZE_MAX,
         "print how alike texts are",
         "Prints the cosine of each pair of texts as a table: 1 is the same direction, 0 is "
         "unrelated. Texts are the arguments, or the lines of --file or of standard input.",
         {{"embedd similarity -m all-MiniLM-L6-v2 \"a cat\" \"a kitten\" \"a bus\"",
           "a table of three by three"},
          {"embedd similarity -m all-MiniLM-L6-v2 --file titles.txt --json",
           "the same for a file, for another program"}}},
    [ED_COMMAND_INFO] =
        {"info",
         "",
         0,
         "describe a model",
         "Opens the model and prints its architecture, the length of its vectors, how much of a "
         "text it reads, its pooling, its prompts, and what it costs in memory.",
         {{"embedd info -m all-MiniLM-L6-v2", "the model card"},
          {"embedd info -m models/my-model --json", "the same for another program"}}},
    [ED_COMMAND_LIST] =
        {"list",
         "",
         0,
         "list the models on this machine",
         "Lists what was pulled by embedd, what is in the Hugging Face cache, and the embedding "
         "models that Ollama pulled. All can be used by name, in place.",
         {{"embedd list", "a table of names and sizes"},
          {"embedd list --json", "the same, with folders, for another program"}}},
    [ED_COMMAND_PULL] =
        {"pull",
         "ORG/NAME[@REVISION]",
         1,
         "download a model from the Hugging Face hub",
         "Downloads the files a sentence-transformers model needs, checks each against the hub's "
         "checksum, and puts the folder in its place when it is complete. An interrupted download "
         "goes on where it stopped. A model that is already here, also in the Hugging Face cache, "
         "is not downloaded again; with @REVISION the hub is asked.",
         {{"embedd pull sentence-transformers/all-MiniLM-L6-v2", "a small English model, 91 MB"},
          {"embedd pull sentence-transformers/all-mpnet-base-v2@main",
           "ask the hub even if there is one, and take its newest revision"},
          {"HF_ENDPOINT=https://hub.example embedd pull acme/our-model", "from a mirror"}}},
    [ED_COMMAND_VERIFY] =
        {"verify",
         "[FILE]",
         1,
         "check that a model computes the vectors it should",
         "Embeds the texts of FILE and compares with the vectors that stand there: JSON Lines with "
         "text and vector, an Arrow file, or the file of vectors that Ollama's own tests use. "
         "Without FILE, expected.jsonl in the model's folder is taken, and without that one a few "
         "texts are compared with the plain C kernels. Exits with 1 if the vectors are others.",
         {{"embedd verify -m all-MiniLM-L6-v2", "this machine's kernels against plain C"},
          {"embedd verify -m ollama:all-minilm embed.json",
           "against vectors that Ollama published"},
          {"embedd embed -m all-MiniLM-L6-v2 --file texts.txt --out expected.jsonl",
           "write vectors to compare with later"}}},
    [ED_COMMAND_DOCTOR] =
        {"doctor",
         "",
         0,
         "look for what is wrong on this machine",
         "Reports the CPU level, threads, memory, models and ports, and embeds three sentences "
         "with --model or the smallest model there is. Each line is ok or a warning that says what "
         "to do. Exits with 1 if there is a warning.",
         {{"embedd doctor", "a line for each check"},
          {"embedd doctor -m all-MiniLM-L6-v2 --json", "for a bug report"}}},
    [ED_COMMAND_MIGRATE] =
        {"migrate",
         "FILE",
         1,
         "tell which model made the vectors of a table",
         "Takes a sample of FILE, texts with the vectors that another program computed (JSON Lines "
         "with text and vector, or an Arrow file such as LanceDB exports), and tries the models of "
         "this machine, or only --model, with each of their prompts: says whether the old vectors "
         "are raw or of length 1, which model reproduces them, and whether the table needs a new "
         "index. Exits with 1 if it does.",
         {{"embedd migrate old.jsonl", "try every model that embedd list shows"},
          {"embedd migrate table.arrow --field body --vector-field embedding -m "
           "ollama:nomic-embed-text",
           "one model, other columns"}}},
    [ED_COMMAND_BENCH] =
        {"bench",
         "",
         0,
         "measure the speed of a model on this machine",
         "Measures the model in this process over lengths of text, sizes of batch and numbers of "
         "threads, beside the arithmetic that the CPU can do at most; then embedd serve over HTTP "
         "with several clients at once. With --compare another server takes turns with it: Ollama, "
         "text-embeddings-inference, or one with OpenAI's route. The best of all rounds counts.",
         {{"embedd bench -m all-MiniLM-L6-v2", "the tables of this machine"},
          {"embedd bench -m all-MiniLM-L6-v2 --threads 1,2,4 --length 128 --batch 32",
           "how it grows with threads"},
          {"embedd bench -m all-MiniLM-L6-v2 --compare http://127.0.0.1:11434 --compare-model "
           "all-minilm",
           "beside a running Ollama"},
          {"embedd bench -m all-MiniLM-L6-v2 --concurrency 1,16 --batch 1 --json",
           "many clients with one text each, for another program"}}},
    [ED_COMMAND_COMPLETION] =
        {"completion",
         "bash|zsh|fish",
         1,
         "print a completion script for a shell",
         "Prints a script that lets the shell complete commands, options and model names.",
         {{"source <(embedd completion bash)", "in ~/.bashrc"},
          {"embedd completion zsh > ~/.zfunc/_embedd", "with ~/.zfunc in $fpath"},
          {"embedd completion fish > ~/.config/fish/completions/embedd.fish", "for fish"}}},
    [ED_COMMAND_HELP] = {"help",
                         "[COMMAND]",
                         1,
                         "explain a command",
                         "Prints the overview, or the options and examples of one command.",
                         {{"embedd help embed", "the same as embedd embed --help"},
                          {"embedd help --man | man -l -", "the manual page"}}},
    [ED_COMMAND_VERSION] = {"version",
                            "",
                            0,
                            "print the version",
                            "Prints the name and the version. --version does the same.",
                            {{"embedd version", "embedd and its version"},
                             {"embedd --version", "the same"}}},
};

const ed_option_spec ed_options[ED_OPTION_COUNT] = {
    [ED_OPTION_MODEL] = {"model", "m", ED_OPTION_TEXTS, "FOLDER_OR_NAME", NULL, 0, 0, NULL,
                         "the model: a folder, a GGUF file, or a name that embedd list shows; "
                         "embedd serve takes several",
                         ON_MODEL},
    [ED_OPTION_MODELS_DIR] = {"models-dir", NULL, ED_OPTION_TEXT, "DIR", NULL, 0, 0, NULL,
                              "serve every model in DIR as well: DIR/NAME, DIR/ORG/NAME and "
                              "DIR/NAME.gguf, each loaded when it is first asked for",
                              BIT(SERVE)},
    [ED_OPTION_KEEP_ALIVE] = {"keep-alive", NULL, ED_OPTION_TEXT, "DURATION", NULL, 0, 0, "-1",
                              "unload a model that nobody has used for so long, such as 5m; -1 is "
                              "never, 0 is at once; a request's keep_alive goes before it",
                              BIT(SERVE)},
    [ED_OPTION_MEMORY_MAX] = {"memory-max", NULL, ED_OPTION_NUMBER, "MIB", NULL, 1,
                              (uint64_t)1 << 30, NULL,
                              "the most memory for models at once; the one that was used least "
                              "recently makes room for another; no limit if not given",
                              BIT(SERVE)},
    [ED_OPTION_HOST] = {"host", NULL, ED_OPTION_TEXT, "ADDRESS", NULL, 0, 0, "127.0.0.1",
                        "the address to listen on", BIT(SERVE)},
    [ED_OPTION_PORT] = {"port", "p", ED_OPTION_NUMBER, "N", NULL, 0, 65535, "8421",
                        "the port to listen on; 0 takes any free one and the ready line tells it; "
                        "doctor looks who answers there",
                        BIT(SERVE) | BIT(DOCTOR)},
    [ED_OPTION_UNIX] = {"unix", NULL, ED_OPTION_TEXT, "PATH", NULL, 0, 0, NULL,
                        "listen on a Unix socket that only this user can open, instead of an "
                        "address",
                        BIT(SERVE)},
    [ED_OPTION_ALLOW_REMOTE] = {"allow-remote", NULL, ED_OPTION_SWITCH, NULL, NULL, 0, 0, NULL,
                                "let --host be an address that other machines reach; it "
                                "needs a key",
                                BIT(SERVE)},
    [ED_OPTION_API_KEY] = {"api-key", NULL, ED_OPTION_SECRET, NULL, NULL, 0, 0, NULL,
                           "the key that requests must bring as Authorization: Bearer KEY; only "
                           "from the environment, because other users can read a command line",
                           BIT(SERVE)},
    [ED_OPTION_ORIGIN] = {"origin", NULL, ED_OPTION_LIST, "URL", NULL, 0, 0, NULL,
                          "a web page's origin whose scripts may call, such as "
                          "https://app.example; may be repeated",
                          BIT(SERVE)},
    [ED_OPTION_FILE_ROOT] = {"file-root", NULL, ED_OPTION_LIST, "DIR", NULL, 0, 0, NULL,
                             "a folder whose files POST /embed-file may read by their path; may "
                             "be repeated; none if not given",
                             BIT(SERVE)},
    [ED_OPTION_TOKEN_INPUT] =
        {"token-input", NULL, ED_OPTION_CHOICE, "WHAT", "accept|reject", 0, 0, "reject",
         "whether OpenAI's routes take lists of token ids for texts: of the model's own tokenizer, "
         "which is not the one that OpenAI's clients have",
         BIT(SERVE)},
    [ED_OPTION_ALLOW_PULL] = {"allow-pull", NULL, ED_OPTION_SWITCH, NULL, NULL, 0, 0, NULL,
                              "let clients have models downloaded with POST /api/pull, into "
                              "--models-dir or where embedd "
                              "pull puts them",
                              BIT(SERVE)},
    [ED_OPTION_EXIT_WITH_PARENT] = {"exit-with-parent", NULL, ED_OPTION_SWITCH, NULL, NULL, 0, 0,
                                    NULL,
                                    "end when standard input ends, that is when the process that "
                                    "started this one has gone",
                                    BIT(SERVE)},
    [ED_OPTION_OPENAPI] =
        {"openapi", NULL, ED_OPTION_SWITCH, NULL, NULL, 0, 0, NULL,
         "print the API's description (OpenAPI 3.1, JSON) and end; needs no model", BIT(SERVE)},
    [ED_OPTION_FILE] = {"file", "f", ED_OPTION_TEXT, "FILE", NULL, 0, 0, NULL,
                        "read texts from the lines of FILE; - is standard input", ON_TEXTS},
    [ED_OPTION_CHUNK_SIZE] = {"chunk-size", NULL, ED_OPTION_NUMBER, "N", NULL, 1, 1000000000, "800",
                              "characters of a chunk, at most", BIT(CHUNK)},
    [ED_OPTION_CHUNK_OVERLAP] = {"chunk-overlap", NULL, ED_OPTION_NUMBER, "N", NULL, 0, 500000000,
                                 NULL,
                                 "characters that a chunk repeats of the one before, at most; 100 "
                                 "or half of a smaller chunk if not given",
                                 BIT(CHUNK)},
    [ED_OPTION_MAX_CHUNKS] = {"max-chunks", NULL, ED_OPTION_NUMBER, "N", NULL, 1, ANY_NUMBER_MAX,
                              NULL, "how many chunks at most; all if not given", BIT(CHUNK)},
    [ED_OPTION_JSONL] = {"jsonl", NULL, ED_OPTION_TEXT, "FILE", NULL, 0, 0, NULL,
                         "read one JSON object from each line of FILE; - is standard input",
                         BIT(EMBED)},
    [ED_OPTION_FIELD] = {"field", NULL, ED_OPTION_TEXT, "NAME", NULL, 0, 0, "text",
                         "the field of a JSON object, or the column, that holds the text",
                         BIT(EMBED) | BIT(VERIFY) | BIT(MIGRATE)},
    [ED_OPTION_VECTOR_FIELD] = {"vector-field", NULL, ED_OPTION_TEXT, "NAME", NULL, 0, 0, "vector",
                                "the field or column that holds the vector",
                                BIT(VERIFY) | BIT(MIGRATE)},
    [ED_OPTION_SAMPLE] = {"sample", NULL, ED_OPTION_NUMBER, "N", NULL, 1, 4096, "100",
                          "how many records to look at", BIT(MIGRATE)},
    [ED_OPTION_MIN_COSINE] = {"min-cosine", NULL, ED_OPTION_TEXT, "X", NULL, 0, 0, NULL,
                              "the least cosine that counts as the same vector; what the number "
                              "type keeps if not given",
                              BIT(VERIFY)},
    [ED_OPTION_FORMAT] =
        {"format", NULL, ED_OPTION_CHOICE, "FORMAT", "json|jsonl|npy", 0, 0, NULL,
         "json: one object, as POST /embed answers; jsonl: one object a line, with the "
         "fields of the --jsonl input; npy: a NumPy array of float32. Without it, "
         "what the name of --out ends in, or jsonl with --jsonl, or json",
         BIT(EMBED)},
    [ED_OPTION_OUT] = {"out", "o", ED_OPTION_TEXT, "FILE", NULL, 0, 0, NULL,
                       "write to FILE; - is standard output", BIT(EMBED)},
    [ED_OPTION_JSON] = {"json", NULL, ED_OPTION_SWITCH, NULL, NULL, 0, 0, NULL,
                        "print JSON for another program",
                        BIT(SIMILARITY) | BIT(INFO) | BIT(LIST) | BIT(VERIFY) | BIT(DOCTOR) |
                            BIT(MIGRATE) | BIT(BENCH)},
    [ED_OPTION_NAMES] = {"names", NULL, ED_OPTION_SWITCH, NULL, NULL, 0, 0, NULL,
                         "print the names only, one a line", BIT(LIST)},
    [ED_OPTION_POOLING] = {"pooling", NULL, ED_OPTION_CHOICE, "MODE",
                           "cls|max|mean|mean_sqrt_len|weightedmean|lasttoken", 0, 0, NULL,
                           "how token vectors become one; the model's own way if not given",
                           ON_TEXTS},
    [ED_OPTION_DIMENSIONS] = {"dimensions", NULL, ED_OPTION_NUMBER, "N", NULL, 1, ANY_NUMBER_MAX,
                              NULL,
                              "keep the first N numbers of each vector, as models trained for it "
                              "(Matryoshka) allow, and make the length 1 again",
                              ON_TEXTS},
    [ED_OPTION_NORMALIZE] = {"normalize", NULL, ED_OPTION_SWITCH, NULL, NULL, 0, 0, "1",
                             "leave the length of vectors as the model gives it, instead of making "
                             "it 1",
                             BIT(EMBED)},
    [ED_OPTION_PROMPT] = {"prompt", NULL, ED_OPTION_TEXT, "TEXT", NULL, 0, 0, NULL,
                          "put TEXT before each text", ON_TEXTS},
    [ED_OPTION_PROMPT_NAME] = {"prompt-name", NULL, ED_OPTION_TEXT, "NAME", NULL, 0, 0, NULL,
                               "put the model's prompt NAME before each text; embedd info shows "
                               "them",
                               ON_TEXTS},
    [ED_OPTION_TRUNCATE] = {"truncate", NULL, ED_OPTION_SWITCH, NULL, NULL, 0, 0, "1",
                            "refuse a text that is longer than the model reads, instead of cutting "
                            "it and saying so",
                            ON_TEXTS},
    [ED_OPTION_THREADS] = {"threads", "t", ED_OPTION_NUMBER, "N", NULL, 1, 1024, NULL,
                           "threads that compute; as many as physical cores if not given",
                           ON_MODEL & ~BIT(BENCH)},
    [ED_OPTION_THREADS_LIST] = {"threads", "t", ED_OPTION_TEXT, "N,...", NULL, 0, 0, NULL,
                                "numbers of threads to measure with, the last one over HTTP, too; "
                                "as many as physical cores if not given",
                                BIT(BENCH)},
    [ED_OPTION_LENGTHS] = {"length", NULL, ED_OPTION_TEXT, "N,...", NULL, 0, 0, "16,128",
                           "tokens of a text, as far as the model reads", BIT(BENCH)},
    [ED_OPTION_BATCHES] = {"batch", NULL, ED_OPTION_TEXT, "N,...", NULL, 0, 0, "1,32",
                           "texts of a call", BIT(BENCH)},
    [ED_OPTION_CLIENTS] = {"concurrency", NULL, ED_OPTION_TEXT, "N,...", NULL, 0, 0, "1,8",
                           "clients that ask at once over HTTP", BIT(BENCH)},
    [ED_OPTION_COMPARE] = {"compare", NULL, ED_OPTION_TEXT, "URL", NULL, 0, 0, NULL,
                           "a running server to take turns with", BIT(BENCH)},
    [ED_OPTION_COMPARE_MODEL] = {"compare-model", NULL, ED_OPTION_TEXT, "NAME", NULL, 0, 0, NULL,
                                 "the model to ask that server for; its first if not given",
                                 BIT(BENCH)},
    [ED_OPTION_ROUNDS] = {"rounds", NULL, ED_OPTION_NUMBER, "N", NULL, 1, 100, "3",
                          "how often all is measured", BIT(BENCH)},
    [ED_OPTION_SECONDS] = {"seconds", NULL, ED_OPTION_TEXT, "X", NULL, 0, 0, "1",
                           "how long each measurement takes", BIT(BENCH)},
    [ED_OPTION_DTYPE] = {"dtype", NULL, ED_OPTION_CHOICE, "TYPE", "auto|f32|bf16|int8", 0, 0, "f32",
                         "the number type of the weights; auto is the fastest one that stays near "
                         "f32 with this model, found by a self-test at its first start",
                         ON_MODEL},
    [ED_OPTION_CPU] =
        {"cpu", NULL, ED_OPTION_TEXT, "LEVEL", NULL, 0, 0, NULL,
         "the instruction set to use, such as avx2 or ref; the best of this machine if "
         "not given",
         ON_MODEL},
    [ED_OPTION_CACHE] = {"cache", NULL, ED_OPTION_TEXT, "FOLDER", NULL, 0, 0, NULL,
                         "the folder that keeps packed weights, so that the next start is quick; "
                         "off keeps none; $XDG_CACHE_HOME/embedd/packed, which is "
                         "~/.cache/embedd/packed, if not given",
                         ON_MODEL},
    [ED_OPTION_BATCH_TOKENS] = {"batch-tokens", NULL, ED_OPTION_NUMBER, "N", NULL, 1,
                                (uint64_t)1 << 24, NULL,
                                "tokens computed at once; more need more memory; what suits the "
                                "model if not given",
                                ON_MODEL},
    [ED_OPTION_MAX_BODY] = {"max-body", NULL, ED_OPTION_NUMBER, "BYTES", NULL, 1024, ANY_NUMBER_MAX,
                            "8388608", "the largest request body", BIT(SERVE)},
    [ED_OPTION_MAX_TEXTS] = {"max-texts", NULL, ED_OPTION_NUMBER, "N", NULL, 1, (uint64_t)1 << 20,
                             "4096", "the most texts in one request", BIT(SERVE)},
    [ED_OPTION_QUEUE_TOKENS] = {"queue-tokens", NULL, ED_OPTION_NUMBER, "N", NULL, 1,
                                ANY_NUMBER_MAX, NULL,
                                "the most tokens that wait; above it the answer is 429; what suits "
                                "the model if not given",
                                BIT(SERVE)},
    [ED_OPTION_DEADLINE] = {"deadline", NULL, ED_OPTION_NUMBER, "SECONDS", NULL, 1, 86400, "120",
                            "how long a request may take", BIT(SERVE)},
    [ED_OPTION_LOG_FORMAT] = {"log-format", NULL, ED_OPTION_CHOICE, "FORMAT", "text|json", 0, 0,
                              "text", "how log lines look", BIT(SERVE)},
    [ED_OPTION_PROGRESS] = {"progress", NULL, ED_OPTION_SWITCH, NULL, NULL, 0, 0, NULL,
                            "report progress on standard error, also where that is no terminal; "
                            "--no-progress keeps quiet",
                            BIT(EMBED) | BIT(PULL) | BIT(MIGRATE) | BIT(BENCH)},
    [ED_OPTION_MAN] = {"man", NULL, ED_OPTION_BARE, NULL, NULL, 0, 0, NULL,
                       "print the manual page, in the language of man(1)", BIT(HELP)},
    [ED_OPTION_HELP] = {"help", "h", ED_OPTION_BARE, NULL, NULL, 0, 0, NULL, "explain the command",
                        ON_ALL},
};

const ed_variable ed_variables[] = {
    {"EMBEDD_MODELS",
     "the folder that pull writes to; $XDG_DATA_HOME/embedd/models if not set, which is "
     "~/.local/share/embedd/models"},
    {"HF_HUB_CACHE", "the Hugging Face cache; $HF_HOME/hub if not set, which is "
                     "~/.cache/huggingface/hub"},
    {"OLLAMA_MODELS", "the store of Ollama; ~/.ollama/models if not set"},
    {"HF_ENDPOINT", "the hub that pull asks; https://huggingface.co if not set"},
    {"HF_TOKEN", "the hub's access token, for models that need one; the one that hf auth login "
                 "keeps in HF_TOKEN_PATH or $HF_HOME/token if not set; it is sent to HF_ENDPOINT "
                 "and nowhere else"},
    {"HF_HUB_OFFLINE", "1 keeps pull from using the network"},
    {NULL, NULL},
};

bool ed_option_applies(ed_option option, ed_command command)
{
    return (ed_options[option].commands >> command) & 1;
}

void ed_option_shown_flag(ed_option option, char *out, size_t out_cap)
{
    const ed_option_spec *spec = &ed_options[option];
    bool on = spec->kind == ED_OPTION_SWITCH && spec->by_default != NULL;
    snprintf(out, out_cap, "%s%s", on ? "no-" : "", spec->flag);
}

void ed_option_choices(ed_option option, char *out, size_t out_cap)
{
    const char *choices = ed_options[option].choices;
    size_t n = 0;

    for (const char *c = choices ? choices : ""; *c && n + 2 < out_cap; c++) {
        out[n++] = *c == '|' ? ',' : *c;
        if (*c == '|')
            out[n++] = ' ';
    }
    out[n] = '\0';
}

void ed_option_variable(ed_option option, char *out, size_t out_cap)
{
    out[0] = 0;
    if (ed_options[option].kind == ED_OPTION_BARE)
        return;
    snprintf(out, out_cap, "EMBEDD_%s", ed_options[option].flag);
    for (char *c = out; *c; c++)
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
}
