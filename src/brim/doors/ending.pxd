# Types for the module beside it, where that is compiled; the law is in brim/ctx.pxd.

import cython
from brim.ctx cimport RequestContext
from brim.dispatch.plan cimport Plan

@cython.locals(plan=Plan)
cpdef bint pop_at_once(RequestContext ctx) except? -1
