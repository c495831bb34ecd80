/* In: the bytes of a SentencePiece model. Out: its pieces and settings. Messages nest three deep,
 * and each is read by a function of its own; fields that are not needed are passed over. Source:
 * google/sentencepiece, sentencepiece_model.proto. */
#include "tokenizer/sentencepiece.h"

#include "base/error.h"
#include "base/utf8.h"

#include <math.h>
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };
enum { MODEL_PIECE = 1, MODEL_TRAINER = 2, MODEL_NORMALIZER = 3 };
enum { PIECE_TEXT = 1, PIECE_SCORE = 2, PIECE_TYPE = 3 };
enum { TRAINER_MODEL_TYPE = 3, NORMALIZER_CHARSMAP = 2 };

typedef struct field {
    uint32_t number;
    unsigned wire;
    uint64_t value;    /* of a number */
    embedd_text bytes; /* of WIRE_BYTES */
} field;

static bool next_field(embedd_text message, size_t *at, field *out);
static bool read_varint(embedd_text message, size_t *at, uint64_t *out);
static embedd_status read_piece(ed_sentencepiece *model, embedd_text message, const char *where,
                                embedd_error *err);
static bool grow(ed_sentencepiece *model);

embedd_status ed_sentencepiece_open(ed_sentencepiece *model, embedd_text bytes, const char *where,
                                    embedd_error *err)
{
    *model = (ed_sentencepiece){.model_type = 1};
    size_t at = 0, inner_at;
    field outer, inner;
    embedd_status status = EMBEDD_OK;
    while (at < bytes.n_bytes && status == EMBEDD_OK) {
        if (!next_field(bytes, &at, &outer))
            return ed_fail(err, EMBEDD_FORMAT, "%s: not a SentencePiece model at byte %zu", where,
                           at);
        if (outer.wire != WIRE_BYTES)
            continue;
        if (outer.number == MODEL_PIECE)
            status = read_piece(model, outer.bytes, where, err);
        for (inner_at = 0; (outer.number == MODEL_TRAINER || outer.number == MODEL_NORMALIZER) &&
                           inner_at < outer.bytes.n_bytes;) {
            if (!next_field(outer.bytes, &inner_at, &inner))
                return ed_fail(err, EMBEDD_FORMAT, "%s: not a SentencePiece model", where);
            if (outer.number == MODEL_TRAINER && inner.number == TRAINER_MODEL_TYPE &&
                inner.wire == WIRE_VARINT)
                model->model_type = inner.value < 100 ? (int32_t)inner.value : 100;
            if (outer.number == MODEL_NORMALIZER && inner.number == NORMALIZER_CHARSMAP &&
                inner.wire == WIRE_BYTES)
                model->charsmap = inner.bytes;
        }
    }
    if (status == EMBEDD_OK && model->n_pieces == 0)
        return ed_fail(err, EMBEDD_FORMAT, "%s: a SentencePiece model without pieces", where);
    return status;
}

void ed_sentencepiece_close(ed_sentencepiece *model)
{
    ed_free(model->pieces);
    ed_free(model->scores);
    ed_free(model->types);
    *model = (ed_sentencepiece){0};
}

/* False: the message is cut short, or has a wire type that there is not. */
static bool next_field(embedd_text message, size_t *at, field *out)
{
    uint64_t tag, size;
    *out = (field){0};
    if (!read_varint(message, at, &tag) || tag >> 3 > UINT32_MAX)
        return false;
    out->number = (uint32_t)(tag >> 3);
    out->wire = (unsigned)(tag & 7);
    size_t n_left = message.n_bytes - *at;
    switch (out->wire) {
    case WIRE_VARINT:
        return read_varint(message, at, &out->value);
    case WIRE_64:
    case WIRE_32:
        size = out->wire == WIRE_64 ? 8 : 4;
        if (size > n_left)
            return false;
        for (size_t i = 0; i < size; i++)
            out->value |= (uint64_t)(unsigned char)message.bytes[*at + i] << (8 * i);
        *at += size;
        return true;
    case WIRE_BYTES:
        if (!read_varint(message, at, &size) || size > message.n_bytes - *at)
            return false;
        out->bytes = (embedd_text){message.bytes + *at, (size_t)size};
        *at += (size_t)size;
        return true;
    default:
        return false;
    }
}

static bool read_varint(embedd_text message, size_t *at, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 64 && *at < message.n_bytes; shift += 7) {
        unsigned char byte = (unsigned char)message.bytes[(*at)++];
        *out |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static embedd_status read_piece(ed_sentencepiece *model, embedd_text message, const char *where,
                                embedd_error *err)
{
    size_t at = 0, id = model->n_pieces;
    field part;
    if (!grow(model))
        return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    model->pieces[id] = (embedd_text){"", 0};
    model->scores[id] = 0;
    model->types[id] = 1;
    while (at < message.n_bytes) {
        if (!next_field(message, &at, &part))
            return ed_fail(err, EMBEDD_FORMAT, "%s: piece %zu is cut short", where, id);
        uint32_t bits = (uint32_t)part.value;
        if (part.number == PIECE_TEXT && part.wire == WIRE_BYTES)
            model->pieces[id] = part.bytes;
        else if (part.number == PIECE_SCORE && part.wire == WIRE_32)
            memcpy(&model->scores[id], &bits, sizeof bits);
        else if (part.number == PIECE_TYPE && part.wire == WIRE_VARINT)
            model->types[id] = part.value < 100 ? (int32_t)part.value : 100;
    }
    const embedd_text *piece = &model->pieces[id];
    if (ed_utf8_valid_prefix(piece->bytes, piece->n_bytes) != piece->n_bytes ||
        !isfinite(model->scores[id]))
        return ed_fail(err, EMBEDD_FORMAT, "%s: piece %zu is not valid UTF-8 with a finite score",
                       where, id);
    model->n_pieces++;
    return EMBEDD_OK;
}

/* Room for one more; the lists double. */
static bool grow(ed_sentencepiece *model)
{
    size_t n = model->n_pieces;
    if (n > 0 && (n & (n - 1)) != 0)
        return true;
    size_t cap = n ? n * 2 : 1;
    embedd_text *pieces = ed_realloc(model->pieces, cap, sizeof *pieces);
    model->pieces = pieces ? pieces : model->pieces;
    float *scores = ed_realloc(model->scores, cap, sizeof *scores);
    model->scores = scores ? scores : model->scores;
    int32_t *types = ed_realloc(model->types, cap, sizeof *types);
    model->types = types ? types : model->types;
    return pieces && scores && types;
}
