/* The hub's access token of this user. */
#ifndef ED_HUB_TOKEN_H
#define ED_HUB_TOKEN_H

/* HF_TOKEN, else the first line of the file that `hf auth login` writes: HF_TOKEN_PATH, else
 * $HF_HOME/token, else ~/.cache/huggingface/token. In new memory (ed_free); NULL if there is none.
 */
char *ed_hub_token(void);

#endif
