/* The regular expressions of widely used tokenizers; each has a scanner. */
#ifndef ED_KNOWN_PATTERNS_H
#define ED_KNOWN_PATTERNS_H

#define ED_PATTERN_GPT2                                                                            \
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

/* `numbers` is \p{N} or \p{N}{1,3}. */
#define ED_PATTERN_CL100K_LIKE(numbers)                                                            \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" numbers                          \
    "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

#define ED_PATTERN_QWEN2  ED_PATTERN_CL100K_LIKE("\\p{N}")
#define ED_PATTERN_LLAMA3 ED_PATTERN_CL100K_LIKE("\\p{N}{1,3}")

#endif
