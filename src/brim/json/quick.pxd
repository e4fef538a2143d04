# Types for the module beside it, where that is compiled; the law is in brim/ctx.pxd.

cpdef bint is_plain(value, Py_ssize_t depth=*) except? -1
