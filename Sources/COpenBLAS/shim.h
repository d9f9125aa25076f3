// The C interface of OpenBLAS: the reference that kernel tests compare with.
#include <cblas.h>
