# Types for the module beside it, where that is compiled; the law is in brim/ctx.pxd.

cdef class Exchange:
    cdef public object _body, _receive, _threads, _whole, cookies, loop, made_environ
    cdef public object method, scope
    cdef public dict headers
    cdef public bint may_have_body, in_use
    cdef public Py_ssize_t _length
    cpdef bint expects_short(self, limit) except? -1
    cpdef take_first(self, message)
    cpdef take_whole(self, limit)
