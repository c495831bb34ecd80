/* In: two names. Out: whether they mean the same model. Never a prefix for the whole. */
#include "server/model_name.h"

#include <string.h>
#include <strings.h>

static embedd_text cut_tag(embedd_text name, embedd_text *tag);
static embedd_text last_part(embedd_text name);
static bool same(embedd_text a, embedd_text b);
static embedd_text text_of(const char *bytes);

embedd_text ed_model_name_short(const char *model_id)
{
    embedd_text tag, name = text_of(model_id);
    static const char store[] = "ollama:";
    if (strncasecmp(model_id, store, sizeof store - 1) == 0)
        name = text_of(model_id + sizeof store - 1);
    return last_part(cut_tag(name, &tag));
}

bool ed_model_name_means(embedd_text name, const char *model_id)
{
    static const char alias[] = "-embed";
    const size_t n_alias = sizeof alias - 1;
    embedd_text ours = ed_model_name_short(model_id), our_tag, tag;
    if (same(name, text_of(model_id)))
        return true;
    cut_tag(text_of(ours.bytes), &our_tag); /* what follows the short name in the id */
    embedd_text theirs = last_part(cut_tag(name, &tag));
    if (tag.n_bytes > 0 && !same(tag, our_tag.n_bytes > 0 ? our_tag : text_of("latest")))
        return false;
    if (same(theirs, ours))
        return true;
    if (theirs.n_bytes <= n_alias)
        return false;
    theirs.n_bytes -= n_alias;
    return strncasecmp(theirs.bytes + theirs.n_bytes, alias, n_alias) == 0 && same(theirs, ours);
}

/* A tag has no slash; a drive or a port in front of one is none. */
static embedd_text cut_tag(embedd_text name, embedd_text *tag)
{
    *tag = (embedd_text){name.bytes + name.n_bytes, 0};
    for (size_t i = name.n_bytes; i > 0 && name.bytes[i - 1] != '/'; i--) {
        if (name.bytes[i - 1] != ':')
            continue;
        *tag = (embedd_text){name.bytes + i, name.n_bytes - i};
        return (embedd_text){name.bytes, i - 1};
    }
    return name;
}

static embedd_text last_part(embedd_text name)
{
    while (name.n_bytes > 0 && name.bytes[name.n_bytes - 1] == '/')
        name.n_bytes--;
    size_t begin = name.n_bytes;
    while (begin > 0 && name.bytes[begin - 1] != '/')
        begin--;
    return (embedd_text){name.bytes + begin, name.n_bytes - begin};
}

static bool same(embedd_text a, embedd_text b)
{
    return a.n_bytes == b.n_bytes && strncasecmp(a.bytes, b.bytes, a.n_bytes) == 0;
}

static embedd_text text_of(const char *bytes)
{
    return (embedd_text){bytes, strlen(bytes)};
}
