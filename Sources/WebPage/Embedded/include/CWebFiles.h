// The files of the page, as they lie in the binary.
#pragma once

#include <stddef.h>

/// One file.
struct web_file {
    const char *name;
    const unsigned char *bytes;
    size_t count;
};

/// All files; there are `*count` of them.
const struct web_file *web_files(size_t *count);
