# Types for the module beside it, where that is compiled; the law is in brim/ctx.pxd.

# C before a name: type checkers are told by the module of a name that is the same.
import cython
from brim.ctx cimport RequestContext as CRequestContext
from brim.dispatch.plan cimport Plan as CPlan

@cython.locals(plan=CPlan)
cpdef lone_view(CRequestContext ctx)
@cython.locals(plan=CPlan)
cpdef bint goes_straight(CRequestContext ctx) except? -1
@cython.locals(plan=CPlan)
cpdef bint ends_straight(CRequestContext ctx) except? -1
@cython.locals(plan=CPlan)
cpdef lone_answer(CRequestContext ctx, object rv)
cpdef session_to_save(CRequestContext ctx)
