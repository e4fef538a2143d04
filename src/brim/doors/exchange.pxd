# Types for the module beside it, where that is compiled; the law is in brim/ctx.pxd.

# C before a name: type checkers are told by the module of a name that is the same.
from brim.dispatch.plan cimport Plan as CPlan

cdef class Exchange:
    cdef public object _body, _receive, _threads, _whole, cookies, loop, made_environ
    cdef public object method, scope
    cdef public dict headers
    cdef public bint may_have_body, in_use
    cdef public Py_ssize_t _length
    cpdef bint expects_short(self, limit) except? -1
    cpdef take_first(self, message)
    cpdef take_whole(self, limit)

cpdef bint reads_ahead(CPlan plan, Exchange exchange) except? -1
cpdef bint takes_short(CPlan plan, Exchange exchange, limit) except? -1
