/* The folder where Hugging Face's own tools keep what they downloaded, read in place:
 * ROOT/models--ORG--NAME/{refs/main,snapshots/COMMIT/}, whose files are links. */
#ifndef ED_HUGGING_FACE_CACHE_H
#define ED_HUGGING_FACE_CACHE_H

/* All results are in new memory (ed_free), or NULL. */

/* ROOT by HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME or HOME; NULL if none is set. */
char *ed_hugging_face_cache_root(void);
/* "ORG/NAME" of an entry "models--ORG--NAME". */
char *ed_hugging_face_cache_name(const char *entry);
/* The snapshot of an entry that can be opened: refs/main's, else the one that was changed last. */
char *ed_hugging_face_cache_snapshot(const char *root, const char *entry);
/* The same by the model's name, which must be valid. */
char *ed_hugging_face_cache_find(const char *root, const char *name);

#endif
