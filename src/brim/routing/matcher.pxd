# Types for the module beside it, where that is compiled; the law is in brim/ctx.pxd.

cdef class Matcher:
    cdef public object _root, _misses, answers
    cdef public dict _static, _tails
    cpdef match(self, path, method)
