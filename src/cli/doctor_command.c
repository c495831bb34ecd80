/* embedd doctor: what a person would look at one after the other when something is wrong. Each
 * check adds lines; none ends the others. Nothing outside this machine is asked. */
#include "cli/commands.h"

#include "base/cpu_cores.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/thread_pool.h"
#include "cli/embedding_server.h"
#include "cli/findings.h"
#include "cli/machine_facts.h"
#include "cli/model_session.h"
#include "cli/progress.h"
#include "cli/vector_compare.h"
#include "formats/model_store.h"
#include "server/server.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OLLAMA_PORT      11434
#define PROBE_TIMEOUT_MS 1000
#define ALIKE_COSINE_GAP 0.1
/* Weights, what a batch needs, and the rest of the system. */
#define MEMORY_FACTOR 1.3

static void check_program(ed_findings *findings);
static void check_threads(ed_findings *findings);
static void check_memory(ed_findings *findings, const ed_stored_model *models, size_t n_models);
static void check_models(ed_findings *findings, const ed_stored_model *models, size_t n_models);
static void check_embedding(ed_findings *findings, const ed_arguments *arguments,
                            const ed_stored_model *models, size_t n_models);
static void check_port(ed_findings *findings, unsigned port, const char *what);
static void check_hub(ed_findings *findings);

int ed_command_doctor(const ed_arguments *arguments)
{
    unsigned port = (unsigned)arguments->values[ED_OPTION_PORT].number;
    ed_stored_model *models = NULL;
    size_t n_models = 0;
    ed_findings findings;
    embedd_error err;

    ed_findings_init(&findings);
    embedd_status status = ed_model_store_list(&models, &n_models, &err);
    if (status != EMBEDD_OK)
        return ed_complain(&err);
    check_program(&findings);
    check_threads(&findings);
    check_memory(&findings, models, n_models);
    check_models(&findings, models, n_models);
    check_embedding(&findings, arguments, models, n_models);
    check_port(&findings, port, "embedd serve");
    if (port != OLLAMA_PORT)
        check_port(&findings, OLLAMA_PORT, "Ollama's clients");
    check_hub(&findings);
    bool all_well = findings.n_warnings == 0;
    bool printed = ed_findings_print(&findings, arguments->values[ED_OPTION_JSON].on);
    ed_findings_clear(&findings);
    ed_model_store_free_list(models, n_models);
    if (!printed) {
        ed_fail(&err, EMBEDD_MEMORY, "out of memory");
        return ed_complain(&err);
    }
    return all_well ? ED_EXIT_OK : ED_EXIT_FAILURE;
}

/* ---- the machine ----------------------------------------------------------------------------- */

static void check_program(ed_findings *findings)
{
    const char *const *levels = embedd_cpu_levels();
    const char *forced = getenv("EMBEDD_CPU");
    const char *best = levels[0];
    char cpu[128], system[128];
    bool known = false;

    ed_machine_cpu_name(cpu, sizeof cpu);
    ed_machine_system_name(system, sizeof system);
    ed_findings_ok(findings, "program", "embedd %s on %s", EMBEDD_VERSION, system);
    for (size_t i = 0; levels[i]; i++) {
        best = levels[i];
        known |= forced && strcmp(levels[i], forced) == 0;
    }
    if (forced && forced[0] && !known)
        ed_findings_warn(findings, "cpu", "unset EMBEDD_CPU, or set it to a level this CPU has",
                         "%s, at best %s, but EMBEDD_CPU asks for %.32s", cpu, best, forced);
    else if (forced && forced[0] && strcmp(forced, best) != 0)
        ed_findings_warn(findings, "cpu", "unset EMBEDD_CPU to use the best level",
                         "%s, held at level %s by EMBEDD_CPU, %s is possible", cpu, forced, best);
    else if (strcmp(best, "ref") == 0)
        ed_findings_warn(findings, "cpu",
                         "use a CPU with AVX2 (x86) or NEON (ARM): plain C is many times slower",
                         "%s, level ref: no instructions that embedd is fast with", cpu);
    else
        ed_findings_ok(findings, "cpu", "%s, level %s", cpu, best);
}

static void check_threads(ed_findings *findings)
{
    size_t n_cores = ed_cpu_cores(), quota = ed_cpu_quota("");

    if (quota < n_cores)
        ed_findings_warn(findings, "threads",
                         "start embedd with --threads or EMBEDD_THREADS of the CPUs allowed",
                         "%zu cores, but a control group allows the time of %zu", n_cores, quota);
    else
        ed_findings_ok(findings, "threads", "%zu, one for each physical core", n_cores);
}

static void check_memory(ed_findings *findings, const ed_stored_model *models, size_t n_models)
{
    uint64_t total = 0, available = 0, largest = 0;
    const char *name = "";
    char total_text[16], available_text[16], largest_text[16];

    for (size_t i = 0; i < n_models; i++) {
        if (models[i].n_bytes > largest) {
            largest = models[i].n_bytes;
            name = models[i].name;
        }
    }
    if (!ed_machine_memory(&total, &available)) {
        ed_findings_ok(findings, "memory", "this system does not tell");
        return;
    }
    ed_size_text(total, total_text);
    ed_size_text(available, available_text);
    ed_size_text(largest, largest_text);
    if ((double)largest * MEMORY_FACTOR > (double)available)
        ed_findings_warn(findings, "memory",
                         "close other programs, or choose a smaller model or --dtype int8",
                         "%s, %s free; the largest model, %s, has %s", total_text, available_text,
                         name, largest_text);
    else
        ed_findings_ok(findings, "memory", "%s, %s free", total_text, available_text);
}

/* ---- models ---------------------------------------------------------------------------------- */

static void check_models(ed_findings *findings, const ed_stored_model *models, size_t n_models)
{
    static const char *const sources[][2] = {{"embedd", "pulled by embedd"},
                                             {"huggingface", "in the Hugging Face cache"},
                                             {"ollama", "in Ollama's store"}};
    char size[16];

    if (n_models == 0)
        ed_findings_warn(findings, "models",
                         "embedd pull sentence-transformers/all-MiniLM-L6-v2, or give -m a folder",
                         "none: not pulled by embedd, not in the Hugging Face cache, not in "
                         "Ollama's store");
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
        for (size_t j = 0; j < n_models; j++)
            if (strcmp(models[j].source, sources[i][0]) == 0) {
                ed_size_text(models[j].n_bytes, size);
                ed_findings_ok(findings, "model", "%s, %s, %s", models[j].name, size,
                               sources[i][1]);
            }
}

/* --model, else the smallest there is. */
static const char *choose_model(const ed_arguments *arguments, const ed_stored_model *models,
                                size_t n_models)
{
    const ed_stored_model *smallest = NULL;

    if (arguments->values[ED_OPTION_MODEL].text)
        return arguments->values[ED_OPTION_MODEL].text;
    for (size_t i = 0; i < n_models; i++)
        if (smallest == NULL || models[i].n_bytes < smallest->n_bytes)
            smallest = &models[i];
    return smallest ? smallest->name : NULL;
}

/* Two sentences of one meaning must be nearer than two of different ones. */
static embedd_status embed_sentences(const ed_model_session *opened, double *alike, double *other,
                                     embedd_error *err)
{
    static const char *const sentences[] = {"A cat sleeps on the sofa.",
                                            "A kitten naps on the couch.",
                                            "The central bank raised its interest rate."};
    size_t d = opened->dimensions;
    float *vectors = ed_calloc(3, d * sizeof *vectors);
    embedd_text texts[3];

    if (vectors == NULL)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    for (size_t i = 0; i < 3; i++)
        texts[i] = (embedd_text){sentences[i], strlen(sentences[i])};
    embedd_status status =
        embedd_embed(opened->session, texts, 3, &opened->options, vectors, 3 * d, NULL, err);
    *alike = ed_vector_compare(vectors, vectors + d, d).cosine;
    *other = ed_vector_compare(vectors, vectors + 2 * d, d).cosine;
    ed_free(vectors);
    return status;
}

static void check_embedding(ed_findings *findings, const ed_arguments *arguments,
                            const ed_stored_model *models, size_t n_models)
{
    const char *name = choose_model(arguments, models, n_models);
    ed_arguments chosen = *arguments;
    ed_model_session opened = {0};
    double alike = 0, other = 0;
    bool has_prompt = false;
    embedd_error err;

    if (name == NULL)
        return;
    chosen.values[ED_OPTION_MODEL].text = name;
    embedd_status status = ed_model_session_open(&opened, &chosen, &err);
    if (status == EMBEDD_OK && opened.info->task != EMBEDD_TASK_VECTOR)
        status = ed_fail(&err, EMBEDD_UNSUPPORTED, "it does not make vectors");
    if (status == EMBEDD_OK)
        status = embed_sentences(&opened, &alike, &other, &err);
    if (status != EMBEDD_OK) {
        ed_findings_warn(findings, "embedding", "choose another model with -m, or pull it again",
                         "%s: %s", name, err.message);
        ed_model_session_close(&opened);
        return;
    }
    const embedd_model_info *info = opened.info;
    for (size_t i = 0; i < info->n_prompts; i++)
        has_prompt |= info->prompts[i].text[0] != '\0';
    if (alike - other < ALIKE_COSINE_GAP)
        ed_findings_warn(findings, "embedding",
                         "run embedd verify; a model that was not trained for sentences does this "
                         "too",
                         "%s: sentences alike have cosine %.2f, others %.2f", name, alike, other);
    else
        ed_findings_ok(findings, "embedding",
                       "%s, %s on %s: sentences alike have cosine %.2f, others %.2f", name,
                       info->dtype, info->cpu_level, alike, other);
    if (has_prompt && info->default_prompt == NULL)
        ed_findings_warn(findings, "prompt",
                         "put one before each text with --prompt-name; embedd info lists them",
                         "%s was trained with a prompt before each text", name);
    ed_model_session_close(&opened);
}

/* ---- the network ----------------------------------------------------------------------------- */

static void check_port(ed_findings *findings, unsigned port, const char *what)
{
    ed_embedding_server server = {.kind = ED_SERVER_NONE};
    ed_http_call call = {0};
    char url[64], title[160], name[32];
    embedd_error err;

    snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
    snprintf(name, sizeof name, "port %u", port);
    embedd_status status = ed_http_call_open(&call, &err);
    if (status == EMBEDD_OK)
        status = ed_server_probe(&server, &call, url, PROBE_TIMEOUT_MS, &err);
    ed_http_call_close(&call);
    if (status != EMBEDD_OK) {
        ed_findings_warn(findings, name, "look at the message", "%s", err.message);
        return;
    }
    ed_server_title(&server, title, sizeof title);
    if (server.kind == ED_SERVER_NONE && ed_machine_port_is_free(port))
        ed_findings_ok(findings, name, "free, for %s", what);
    else if (server.kind == ED_SERVER_NONE || server.kind == ED_SERVER_OTHER)
        ed_findings_warn(findings, name, "choose another with --port, or stop that program",
                         "taken by a program that does not talk about embeddings");
    else
        ed_findings_ok(findings, name, "%s answers%s%s", title, server.model[0] ? ", with " : "",
                       server.model);
}

static void check_hub(ed_findings *findings)
{
    const char *offline = getenv("HF_HUB_OFFLINE"), *endpoint = getenv("HF_ENDPOINT");

    if (offline && offline[0] && strcmp(offline, "0") != 0)
        ed_findings_ok(findings, "pull", "kept off the network by HF_HUB_OFFLINE");
    else
        ed_findings_ok(findings, "pull", "asks %.200s, and only when told to",
                       endpoint && endpoint[0] ? endpoint : "https://huggingface.co");
}
