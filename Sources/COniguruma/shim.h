// Oniguruma: the regular expressions of pre-tokenizers. Its globals are macros and extern structs, which Swift
// reaches through these functions.
#pragma once
#include <oniguruma.h>

static inline OnigEncoding srt_onig_utf8(void) { return ONIG_ENCODING_UTF8; }
static inline OnigSyntaxType *srt_onig_syntax(void) { return ONIG_SYNTAX_ONIGURUMA; }
static inline int srt_onig_error_text(unsigned char *text, int code, OnigErrorInfo *info) {
    return onig_error_code_to_str(text, code, info);
}
