# Types for the module beside it, where that is compiled; the law is in brim/ctx.pxd.

# C before a name: type checkers are told by the module of a name that is the same.
import cython
from brim.ctx cimport RequestContext as CRequestContext
from brim.dispatch.plan cimport Compiled as CCompiled
from brim.routing.matcher cimport Matcher as CMatcher

cdef class Engine:
    cdef dict __dict__
    cdef public object _app, originals, replaced
    cdef public CCompiled _compiled
    @cython.locals(compiled=CCompiled, matcher=CMatcher)
    cpdef match(self, CRequestContext ctx)
