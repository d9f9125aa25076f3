// utf8proc: Unicode normalization forms, character categories and simple case mapping.
#pragma once
#include <utf8proc.h>
